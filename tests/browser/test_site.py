"""The site around its pages: who is not signed in, what is not there, themes."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from axe import violations


def test_whoever_is_not_signed_in_is_asked_to_and_where_they_wanted_to_go_is_kept(page: Page) -> None:
    page.goto("/jobs?where=status%20%3D%20failed")
    expect(page).to_have_url("/sign-in?to=%2Fjobs%3Fwhere%3Dstatus%2520%253D%2520failed")


def test_an_address_that_is_no_page_says_so(page: Page) -> None:
    answer = page.goto("/nowhere")
    assert answer
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    assert violations(page) == []


def test_it_is_dark_until_the_user_chooses_light_which_is_kept(new_page: Callable[..., Page]) -> None:
    page = new_page(color_scheme="light")
    page.goto("/nowhere")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Use the light theme").click()
    expect(root).to_have_attribute("data-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")
    assert violations(page) == []


def test_the_top_of_a_page_reaches_both_edges_whether_the_page_scrolls_or_not(page: Page) -> None:
    """The browser of these tests draws no scroll bars, and so must leave no place for one."""
    page.goto("/nowhere")
    edges = "(({left, right}) => [left, innerWidth - right])(document.getElementById('top').getBoundingClientRect())"
    assert page.evaluate(edges) == [0, 0]
    page.evaluate("document.getElementById('main').style.minHeight = '300vh'")
    assert page.evaluate(edges) == [0, 0]
