"""A real browser (Debian's chromium) on a real server.

`page` fails its test where the page logged an error, threw one, broke its policy, or asked anything of another origin.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

sys.path.insert(0, str(Path(__file__).parents[1]))

import chromium
from rest import House, Person, basic
from studio import Studio, running
from watched import Watched


@pytest.fixture(scope="session")
def launch() -> Iterator[chromium.Launch]:
    """Starts a browser, with arguments beside the usual ones."""
    try:
        with chromium.launching() as start:
            yield start
    except chromium.Missing as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def browser(launch: chromium.Launch) -> Iterator[Browser]:
    started = launch()
    yield started
    started.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with a running server that accepts everything; the tests of a module share it."""
    with running(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def watched(studio: Studio) -> Iterator[Watched]:
    made = Watched(studio.url)
    yield made
    made.assert_clean()


@pytest.fixture
def new_page(browser: Browser, studio: Studio, watched: Watched) -> Iterator[Callable[..., Page]]:
    """Makes pages of browsers that have never been here; options are those of Playwright's `new_context`."""
    opened: list[BrowserContext] = []

    def make(**options: object) -> Page:
        context = browser.new_context(base_url=studio.url, **{"viewport": {"width": 1440, "height": 900}, **options})
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        watched.watch(page)
        return page

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


@pytest.fixture
def opens(new_page: Callable[..., Page]) -> Callable[..., Page]:
    """A page at an address, of somebody who is signed in by their key."""

    def open(who: Person, address: str, **options: object) -> Page:
        page = new_page(extra_http_headers=basic(who.code, who.api_key), **options)
        page.goto(address)
        return page

    return open


@pytest.fixture(scope="module")
def vendor(house: House) -> Person:
    """A vendor of the module's `house`."""
    return house.vendor()
