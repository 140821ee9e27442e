"""People come in through the door: invitations, passwords, passkeys, mailed links, and what they set for themselves."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from axe import violations_in_both_themes
from page import PASSWORD, token_of
from post_office import Mailbox
from rest import V1, House, basic
from studio import Studio, until
from watched import Watched

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
WIDTHS = (1440, 390)


class Named(Studio):
    """Reached by a name: browsers have passkeys for names alone."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as made:
        yield made


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Studio]:
    made = Named(tmp_path_factory.mktemp("sign-in") / "studio")
    config = made.home / "stagedoor.toml"
    mail = f'host = "127.0.0.1"\nport = {mailbox.port}\nsecurity = "none"\nsender = "Stagedoor <door@studio.example>"'
    config.write_text(f'public_url = "{made.url}"\n{config.read_text()}\n[mail]\n{mail}\n')
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def house(studio: Studio) -> House:
    return House(studio)


def address() -> str:
    return f"v-{uuid.uuid4().hex[:12]}@example.com"


def invited(house: House, email: str) -> str:
    made = house.admin.post("/invitations", {"email": email})
    assert made.status == 201, made
    return str(made.json["url"])


def device(page: Page) -> Callable[[str, Any], Any]:
    """Gives the browser a device that makes passkeys; sends it commands."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    given = {"authenticatorId": made["authenticatorId"]}
    return lambda command, more: devtools.send(f"WebAuthn.{command}", {**given, **more})


def choose(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Set the password and go on").click()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def is_in(page: Page, email: str) -> None:
    expect(page.get_by_label(f"Account of {email}")).to_be_visible()


def sign_out(page: Page, email: str) -> None:
    page.get_by_label(f"Account of {email}").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page).to_have_url(re.compile("/sign-in$"))


def comes_in(page: Page, house: House) -> str:
    """Somebody new, who has set a password as the page of an invitation does; on the page of their account."""
    email = address()
    given = {"token": token_of(invited(house, email)), "password": PASSWORD}
    redeem = f"{house.studio.url}{V1}/sign-in/redeem"
    assert page.context.request.post(redeem, headers={"X-Stagedoor-Page": "1"}, data=given).ok
    page.goto("/account")
    is_in(page, email)
    page.get_by_role("heading", name="API keys").wait_for()
    return email


def section(page: Page, name: str) -> Locator:
    return page.locator("section").filter(has=page.get_by_role("heading", name=name, exact=True))


def says(page: Page, text: str) -> None:
    expect(page.get_by_role("alert").filter(has_text=text)).to_be_visible()


def is_well_made(page: Page) -> None:
    """axe finds nothing in either theme, and nothing is wider than the page, on a desk and on a phone."""
    expect(page.locator("h1")).to_be_visible()
    assert violations_in_both_themes(page) == {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width


# --- invitations ---------------------------------------------------------------------------------------------------


def test_an_invitation_leads_to_a_password_and_in(page: Page, house: House) -> None:
    email = address()
    page.goto(invited(house, email))
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to studio")
    expect(page.get_by_text(email)).to_be_visible()
    above, label = (
        page.get_by_text("Choose how you will sign in").bounding_box(),
        page.locator("label").first.bounding_box(),
    )
    assert above
    assert label
    assert label["y"] - above["y"] - above["height"] >= 14
    assert "#" not in page.url, "the secret stays out of the list of visited pages"
    page.get_by_label("Your name").fill("Ann Åberg")
    choose(page, "too short")
    says(page, "9 characters; at least 12")
    choose(page)
    is_in(page, email)
    expect(page).to_have_url(re.compile("/publish$"))
    page.goto("/account")
    expect(page.get_by_text("Ann Åberg")).to_be_visible()


def test_an_invitation_survives_a_reload_and_is_over_once_redeemed(page: Page, house: House) -> None:
    email = address()
    url = invited(house, email)
    page.goto(url)
    page.get_by_label("Your name").wait_for()
    page.reload()
    choose(page)
    is_in(page, email)
    page.goto("/sign-in")
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_have_text("This invitation cannot be used")
    expect(page.locator("main")).to_contain_text("has been used or revoked, or is older than 7 days")
    is_well_made(page)


def test_programs_that_follow_links_in_mails_burn_nothing(page: Page, house: House) -> None:
    email = address()
    url = invited(house, email)
    for method in ("GET", "HEAD"):
        assert house.fetch(url.removeprefix(house.studio.url), method=method).status == 200
    page.goto(url)
    page.get_by_label("Your name").wait_for()
    page.goto("about:blank")
    page.goto(url)
    choose(page)
    is_in(page, email)


def test_a_link_that_was_cut_short_says_so(page: Page) -> None:
    page.goto("/invitation")
    expect(page.get_by_role("heading", level=1)).to_have_text("Open the whole link")
    is_well_made(page)


def test_a_place_on_the_page_is_no_secret_of_a_link(page: Page) -> None:
    page.goto("/sign-in#main")
    page.get_by_label("E-mail address").fill("somebody@vendor.example")
    page.locator(".skip").press("Enter")
    expect(page.locator("#main")).to_be_focused()
    expect(page.get_by_label("E-mail address")).to_have_value("somebody@vendor.example")


def test_who_is_a_user_already_sets_a_password(page: Page, new_page: Callable[..., Page], house: House) -> None:
    email = comes_in(page, house)
    other = new_page()
    other.goto(invited(house, email))
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in to studio")
    expect(other.get_by_text("You have an account here")).to_be_visible()
    expect(other.get_by_label("Your name")).to_have_count(0)
    choose(other, "another long password")
    is_in(other, email)
    page.goto("/jobs")
    expect(page).to_have_url(re.compile("/sign-in"))


# --- signing in ----------------------------------------------------------------------------------------------------


def test_a_wrong_password_is_refused_and_a_right_one_leads_where_one_wanted_to_go(page: Page, house: House) -> None:
    email = comes_in(page, house)
    sign_out(page, email)
    page.goto("/jobs?where=" + quote("name = a"))
    sign_in(page, email, "not the password")
    says(page, "check the e-mail address and the password")
    assert not page.context.cookies()
    sign_in(page, email)
    is_in(page, email)
    expect(page.get_by_role("searchbox")).to_have_value("name = a")


def test_nobody_is_led_to_another_site(page: Page, house: House) -> None:
    email = comes_in(page, house)
    for elsewhere in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        sign_out(page, email)
        page.goto(f"/sign-in?to={quote(elsewhere)}")
        sign_in(page, email)
        is_in(page, email)
        expect(page).to_have_url(re.compile("/publish$"))


def test_who_fails_too_often_is_told_how_long_to_wait(page: Page) -> None:
    page.goto("/sign-in")
    email = address()
    slowed = page.get_by_role("alert").filter(has_text=re.compile(r"Try again in \d+ s\."))
    refused = page.get_by_role("alert").filter(has_text="check the e-mail address")
    for _ in range(8):
        sign_in(page, email, "not the password")
        expect(refused.or_(slowed)).to_be_visible()
        if slowed.is_visible():
            break
    expect(slowed).to_be_visible()


def test_the_door_is_well_made_and_opened_by_keyboard(page: Page, house: House) -> None:
    email = comes_in(page, house)
    sign_out(page, email)
    is_well_made(page)
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    is_in(page, email)


def test_a_mailed_link_signs_in_once_and_lets_a_password_be_set(page: Page, house: House, mailbox: Mailbox) -> None:
    email = comes_in(page, house)
    sign_out(page, email)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Mail me a link").click()
    says(page, "a link is on its way")
    until(lambda: "/sign-in#" in mailbox.link(email))
    page.goto("about:blank")
    page.goto(mailbox.link(email))
    page.get_by_text("This link signs you in, once").wait_for()
    is_well_made(page)
    page.reload()
    page.get_by_role("button", name="Sign in").click()
    is_in(page, email)
    page.goto("/account")
    expect(page.get_by_label("Present password")).to_have_count(0)
    page.get_by_label("New password").fill("remembered this time")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password is set")).to_be_visible()
    sign_out(page, email)
    sign_in(page, email, "remembered this time")
    is_in(page, email)


# --- passkeys ------------------------------------------------------------------------------------------------------


def test_a_passkey_made_with_an_invitation_signs_in(page: Page, house: House) -> None:
    email = address()
    device(page)
    page.goto(invited(house, email))
    is_well_made(page)
    page.get_by_role("button", name="Use a passkey instead").click()
    is_in(page, email)
    sign_out(page, email)
    page.get_by_role("button", name="Use a passkey").click()
    is_in(page, email)
    page.goto("/account")
    expect(section(page, "Passkeys").get_by_role("row").filter(has_text="localhost")).to_be_visible()
    expect(page.get_by_role("button", name="Set a password")).to_be_visible()


def add(page: Page, name: str) -> None:
    section(page, "Passkeys").get_by_role("button", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Go on").click()


def test_a_passkey_is_added_and_removed_and_opens_nothing_after_that(page: Page, house: House) -> None:
    email = comes_in(page, house)
    device(page)
    passkeys = section(page, "Passkeys")
    add(page, "laptop")
    expect(passkeys.get_by_role("cell", name="laptop", exact=True)).to_be_visible()
    add(page, "once more")
    says(page, "This device has a passkey for this account already")
    page.get_by_role("button", name="Cancel").click()
    passkeys.get_by_role("button", name="Remove laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(passkeys.get_by_text("No passkeys yet.")).to_be_visible()
    sign_out(page, email)
    page.get_by_role("button", name="Use a passkey").click()
    says(page, "This passkey does not open anything here")


def test_who_chooses_no_passkey_is_told_and_can_go_on_otherwise(page: Page, house: House) -> None:
    email = address()
    device(page)("setUserVerified", {"isUserVerified": False})
    page.goto(invited(house, email))
    page.get_by_role("button", name="Use a passkey instead").click()
    says(page, "No passkey was chosen")
    choose(page)
    is_in(page, email)


def test_where_the_server_is_reached_by_a_number_no_passkey_is_offered(
    page: Page, house: House, watched: Watched
) -> None:
    number = house.studio.url.replace("localhost", "127.0.0.1")
    watched.expected.append(f"another origin: {number}")
    url = invited(house, address())
    page.goto(f"{number}/sign-in")
    page.get_by_role("button", name="Mail me a link").wait_for()
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    page.goto(url.replace(house.studio.url, number))
    page.get_by_label("Your name").wait_for()
    expect(page.get_by_role("button", name="Use a passkey instead")).to_have_count(0)


# --- one's account -------------------------------------------------------------------------------------------------


def test_sessions_are_listed_and_ended(page: Page, new_page: Callable[..., Page], house: House) -> None:
    email = comes_in(page, house)
    other = new_page(user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1")
    other.goto("/sign-in")
    sign_in(other, email)
    is_in(other, email)
    page.reload()
    sessions = section(page, "Where you are signed in")
    expect(sessions.get_by_role("row").filter(has_text="this one")).to_have_count(1)
    sessions.get_by_role("button", name="Sign out Safari on iPhone").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(sessions.get_by_role("row").filter(has_text="iPhone")).to_have_count(0)
    other.goto("/jobs")
    expect(other).to_have_url(re.compile("/sign-in"))
    sessions.get_by_role("button", name=re.compile("^Sign out .*this one")).click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))


def test_a_key_is_made_shown_once_and_revoked(page: Page, house: House) -> None:
    email = comes_in(page, house)
    keys = section(page, "API keys")
    keys.get_by_role("button", name="Make a key").click()
    page.get_by_label("Label").fill("render <b>farm</b>")
    page.get_by_label("Ends after how many days").fill("30")
    page.get_by_role("button", name="Make the key").click()
    shown = page.get_by_label("API key", exact=True)
    secret = shown.input_value()
    assert house.send("GET", "/me", headers=basic(email, secret)).json["code"] == email
    is_well_made(page)
    page.get_by_role("button", name="I have it").click()
    expect(shown).to_have_count(0)
    expect(keys.get_by_role("row").filter(has_text="render <b>farm</b>")).not_to_contain_text("never")
    keys.get_by_role("button", name="Revoke render <b>farm</b>").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(keys.get_by_text("No keys.")).to_be_visible()
    assert house.send("GET", "/me", headers=basic(email, secret)).status == 401


def test_a_password_is_changed_by_who_knows_the_old_one(
    page: Page, new_page: Callable[..., Page], house: House
) -> None:
    email = comes_in(page, house)
    other = new_page()
    other.goto("/sign-in")
    sign_in(other, email)
    is_in(other, email)
    page.get_by_label("Present password").fill("not the password")
    page.get_by_label("New password").fill("a different long one")
    page.get_by_role("button", name="Change the password").click()
    says(page, "The old password is wrong")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("every other session has ended")).to_be_visible()
    other.goto("/jobs")
    expect(other).to_have_url(re.compile("/sign-in"))
    sign_in(other, email, "a different long one")
    is_in(other, email)


def test_the_account_is_well_made(page: Page, house: House) -> None:
    comes_in(page, house)
    expect(section(page, "Where you are signed in").get_by_role("row").filter(has_text="this one")).to_be_visible()
    is_well_made(page)
