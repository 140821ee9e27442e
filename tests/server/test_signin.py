"""People sign in: invitations, passwords, sessions, over real requests."""

from __future__ import annotations

import uuid

from page import PASSWORD, Browser, token_of
from rest import House


def address() -> str:
    return f"v-{uuid.uuid4().hex[:12]}@example.com"


def signed_in(house: House, role: str = "standard") -> tuple[Browser, str]:
    email, browser = address(), Browser(house)
    url = house.admin.post("/invitations", {"email": email, "role": role}).json["url"]
    answer = browser.redeem(url, name="Ann")
    assert answer.status == 200, answer
    return browser, email


def test_an_invitation_leads_to_a_password_and_a_session(house: House) -> None:
    email, browser = address(), Browser(house)
    made = house.admin.post("/invitations", {"email": email})
    assert made.status == 201, made
    assert made.json["existing"] is False
    assert made.json["url"].startswith(house.studio.url + "/invitation#")
    token = token_of(made.json["url"])
    for _ in range(2):  # looking burns nothing
        looked = browser.post("/sign-in/invitation", {"token": token}).json
        assert (looked["email"], looked["workspace"], looked["role"]) == (email, "studio", "standard")
    redeemed = browser.redeem(made.json["url"], name="Ann")
    assert (redeemed.status, redeemed.json["code"], redeemed.json["name"]) == (200, email, "Ann"), redeemed
    assert browser.get("/me").json["session"]["current"] is True
    assert Browser(house).redeem(made.json["url"]).refusal == (404, "invitation_over")
    other = Browser(house)
    assert other.sign_in(email).status == 200
    assert other.get("/me").json["has_password"] is True
    assert Browser(house).sign_in(email, PASSWORD + "!").refusal == (401, "sign_in_refused")


def test_signing_out_ends_the_session(house: House) -> None:
    browser, _ = signed_in(house)
    kept = dict(browser.cookies)
    assert browser.post("/sign-out").status == 204
    assert browser.cookies == {}
    browser.cookies = kept
    assert browser.get("/me").status == 401
