"""People sign in: invitations, passwords, passkeys, links, sessions, over real requests."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import urllib3

from authenticator import Authenticator
from page import PASSWORD, Browser, token_of
from post_office import Mailbox
from rest import House, Person, file, sha256
from studio import Studio, until


def address() -> str:
    return f"v-{uuid.uuid4().hex[:12]}@example.com"


def invited(house: House, email: str, role: str = "standard") -> str:
    made = house.admin.post("/invitations", {"email": email, "role": role})
    assert made.status == 201, made
    return str(made.json["url"])


def signed_in(house: House, role: str = "standard") -> tuple[Browser, str]:
    email, browser = address(), Browser(house)
    answer = browser.redeem(invited(house, email, role), name="Ann")
    assert answer.status == 200, answer
    return browser, email


def lines(house: House, **filters: str) -> list[tuple[str, str, str]]:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    items = house.admin.get(f"/log?limit=500&{query}").json["items"]
    return [(line["verb"], line["entity"], line["user_hr"]) for line in items]


# --- invitations ---------------------------------------------------------------------------------------------------


def test_an_invitation_leads_to_a_password_and_a_session(house: House) -> None:
    email, browser = address(), Browser(house)
    made = house.admin.post("/invitations", {"email": email}).json
    assert made["existing"] is False
    assert made["mailed"] is False
    assert made["url"].startswith(house.studio.url + "/invitation#")
    for _ in range(2):  # looking burns nothing
        looked = browser.post("/sign-in/invitation", {"token": token_of(made["url"])}).json
        assert (looked["email"], looked["workspace"], looked["role"]) == (email, "studio", "standard")
    redeemed = browser.redeem(made["url"], name="Ann")
    assert (redeemed.status, redeemed.json["code"], redeemed.json["name"]) == (200, email, "Ann")
    assert browser.get("/me").json["session"]["current"] is True
    other = Browser(house)
    assert other.sign_in(email.upper()).status == 200
    assert other.get("/me").json["has_password"] is True
    assert ("create", "invitation", house.admin.code) in lines(house, entity=f"invitation:{email}")
    assert ("redeem", "invitation", email) in lines(house, entity=f"invitation:{email}")
    assert lines(house, entity="session", user=email) == [("sign_in", "session", email)] * 2


def test_an_invitation_is_redeemed_once_even_by_many_at_a_time(house: House) -> None:
    url = invited(house, address())
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: Browser(house).redeem(url).status, range(6)))
    assert sorted(found) == [200, *[404] * 5]


def test_an_invitation_that_does_not_hold_is_answered_in_the_same_words(house: House) -> None:
    email, again = address(), address()
    redeemed, revoked, superseded = invited(house, email), invited(house, address()), invited(house, again)
    assert Browser(house).redeem(redeemed).status == 200
    newest = house.admin.get("/invitations").json["items"]
    id = next(item["id"] for item in newest if item["state"] == "pending" and item["email"] not in (email, again))
    assert house.admin.ask("DELETE", f"/invitations/{id}").status == 204
    assert house.admin.ask("DELETE", f"/invitations/{id}").status == 204
    newer, expired = invited(house, again), invited(house, address())
    house.write("UPDATE invitations SET expires = 1 WHERE id = (SELECT max(id) FROM invitations)")
    answers = []
    for url in (redeemed, revoked, superseded, expired, "#" + "x" * 43, "#"):
        for path, more in (("/sign-in/invitation", {}), ("/sign-in/redeem", {"password": PASSWORD})):
            answer = Browser(house).post(path, {"token": token_of(url), **more})
            said = answer.json
            answers.append((answer.status, said["code"], said["message"], json.dumps(said["details"])))
    assert set(answers) == {(404, "invitation_over", answers[0][2], "{}")}
    assert Browser(house).redeem(newer).status == 200
    states = {
        item["email"]: item["state"] for item in reversed(house.admin.get("/invitations?limit=500").json["items"])
    }
    assert (states[email], states[again]) == ("redeemed", "redeemed")


def test_a_redeemed_invitation_cannot_be_revoked(house: House) -> None:
    email, browser = address(), Browser(house)
    made = house.admin.post("/invitations", {"email": email}).json
    assert browser.redeem(made["url"]).status == 200
    assert house.admin.ask("DELETE", f"/invitations/{made['id']}").refusal == (409, "invitation_redeemed")


def test_who_is_a_user_already_sets_a_new_password_and_is_signed_out_elsewhere(house: House) -> None:
    browser, email = signed_in(house)
    made = house.admin.post("/invitations", {"email": email.upper(), "role": "admin"}).json
    assert (made["existing"], made["email"], made["role"]) == (True, email, "standard")
    assert Browser(house).redeem(made["url"], "another horse battery", name="x").json["name"] == "Ann"
    assert browser.get("/me").status == 401
    assert browser.sign_in(email).status == 401
    assert browser.sign_in(email, "another horse battery").json["role"] == "standard"


def test_employees_invite_vendors_alone(house: House) -> None:
    employee, vendor = house.vendor("employee"), house.vendor()
    assert employee.post("/invitations", {"email": address()}).status == 201
    for role in ("employee", "admin"):
        assert employee.post("/invitations", {"email": address(), "role": role}).refusal == (403, "forbidden")
    assert employee.post("/invitations", {"email": house.admin.code}).refusal == (403, "forbidden")
    assert vendor.post("/invitations", {"email": address()}).refusal == (403, "forbidden")
    made = house.admin.post("/invitations", {"email": address(), "role": "employee"}).json
    assert employee.ask("DELETE", f"/invitations/{made['id']}").refusal == (403, "forbidden")
    assert employee.post("/invitations", {"email": made["email"]}).refusal == (403, "forbidden")
    assert Browser(house).redeem(made["url"]).status == 200


def test_an_invitation_does_not_reach_who_was_given_more_rights_since(house: House) -> None:
    employee, person = house.vendor("employee"), house.vendor()
    url = employee.post("/invitations", {"email": person.code}).json["url"]
    assert house.admin.ask("PATCH", f"/users/{person.id}", {"role": "admin"}).status == 200
    assert Browser(house).redeem(url).refusal == (404, "invitation_over")


@pytest.mark.parametrize("password", ["short", "x" * 1025, "aaaaaaaaaaaaaa", "ANN ADAMSON OF LONDON", "the address"])
def test_a_password_that_is_easily_guessed_is_refused_and_burns_nothing(house: House, password: str) -> None:
    email, browser = address(), Browser(house)
    url = invited(house, email)
    word = email.upper() if password == "the address" else password
    assert browser.redeem(url, word, name="Ann Adamson of London").refusal == (400, "password_refused")
    assert browser.redeem(url).status == 200


# --- passwords -----------------------------------------------------------------------------------------------------


def test_wrong_passwords_unknown_users_and_users_without_one_are_answered_the_same(house: House) -> None:
    _, email = signed_in(house)
    disabled, without = signed_in(house)[1], house.vendor().code
    id = house.admin.get(f"/users?where=code%20=%20%27{disabled}%27").json["items"][0]["id"]
    house.admin.ask("PATCH", f"/users/{id}", {"status": "disabled"})
    tried = ((email, "wrong horse battery"), (address(), PASSWORD), (without, PASSWORD), (disabled, PASSWORD))
    answers = [Browser(house).sign_in(user, password) for user, password in tried]
    assert {answer.status for answer in answers} == {401}
    assert {answer.json["message"] for answer in answers} == {answers[0].json["message"]}
    assert all("www-authenticate" not in answer.headers for answer in answers), "the browser would ask by itself"
    assert f"a sign-in by password as {email} from 127.0.0.1 failed" in house.log
    assert lines(house, user=email, verb="refuse") == [], "strangers could flood the audit log"
    assert b'stagedoor_sign_ins_total{way="password",outcome="failed"}' in house.admin.get("/metrics").body


def test_a_password_is_the_same_however_its_letters_were_composed(house: House) -> None:
    email, browser = address(), Browser(house)
    assert browser.redeem(invited(house, email), "fa\u0308hre nach r\u00fcgen").status == 200
    assert Browser(house).sign_in(email, "f\u00e4hre nach ru\u0308gen").status == 200


def test_failures_are_slowed_but_a_right_password_from_elsewhere_is_taken(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    studio.start("--behind-proxy")
    studio.wait_ready()
    try:
        house = House(studio)
        email = address()
        Browser(house).redeem(invited(house, email))
        guessing = Browser(house, **{"X-Forwarded-For": "203.0.113.7"})
        found = [guessing.sign_in(email, f"guess number {number}") for number in range(8)]
        assert [answer.status for answer in found][:4] == [401] * 4
        slowed = found[-1]
        assert slowed.refusal == (429, "too_many_attempts")
        assert int(slowed.headers["retry-after"]) == slowed.json["details"]["seconds"] > 0
        assert guessing.sign_in(email).refusal == (429, "too_many_attempts")
        elsewhere = Browser(house, **{"X-Forwarded-For": "198.51.100.9"})
        assert elsewhere.sign_in(email).status == 200
        assert elsewhere.get("/me/sessions").json["items"][0]["ip"] == "198.51.100.9"
    finally:
        studio.end()


def test_a_new_password_needs_the_old_one_and_ends_all_other_sessions(house: House) -> None:
    browser, email = signed_in(house)
    other = Browser(house)
    other.sign_in(email)
    new = "new horse battery"

    def change(**more: str) -> Any:
        return browser.ask("PUT", "/me/password", {"password": new, **more})

    assert browser.get("/me").json["old_password"] is True
    assert change().refusal == (400, "old_password_missing")
    assert change(old="wrong horse battery").refusal == (403, "old_password_wrong")
    assert change(old=PASSWORD, password="short").refusal == (400, "password_refused")
    assert other.get("/me").status == 200
    assert change(old=PASSWORD).status == 204
    assert (browser.get("/me").status, other.get("/me").status) == (200, 401)
    assert other.sign_in(email, new).status == 200
    assert ("set", "password", email) in lines(house, entity="password", user=email)


def test_who_has_a_key_sets_a_first_password_with_it(house: House, vendor: Person) -> None:
    assert vendor.get("/me").json["old_password"] is False
    assert vendor.ask("PUT", "/me/password", {"password": PASSWORD}).status == 204
    assert Browser(house).sign_in(vendor.code).status == 200
    assert vendor.ask("PUT", "/me/password", {"password": PASSWORD}).refusal == (400, "old_password_missing")


# --- sessions ------------------------------------------------------------------------------------------------------


def test_signing_out_ends_the_session(house: House) -> None:
    browser, email = signed_in(house)
    kept = dict(browser.cookies)
    assert browser.post("/sign-out").status == 204
    assert browser.cookies == {}
    browser.cookies = kept
    assert browser.get("/me").status == 401
    assert lines(house, entity="session", user=email)[0] == ("sign_out", "session", email)


def test_signing_in_again_ends_the_session_of_that_browser(house: House) -> None:
    browser, email = signed_in(house)
    first = dict(browser.cookies)
    assert browser.sign_in(email).status == 200
    assert browser.get("/me/sessions").json["total"] == 1
    browser.cookies = first
    assert browser.get("/me").status == 401


def test_sessions_are_listed_and_revoked(house: House) -> None:
    browser, email = signed_in(house)
    other = Browser(house, **{"User-Agent": "Other/1.0"})
    other.sign_in(email)
    items = browser.get("/me/sessions").json["items"]
    assert [(item["client"], item["way"]) for item in items] == [("Other/1.0", "password"), (ANY, "invitation")]
    assert [item["current"] for item in items] == [False, True]
    assert browser.ask("DELETE", f"/me/sessions/{items[0]['id']}").status == 204
    assert (other.get("/me").status, browser.get("/me").status) == (401, 200)
    id = browser.get("/me").json["id"]
    seen = house.admin.get(f"/users/{id}/sessions").json["items"]
    assert [item["id"] for item in seen] == [items[1]["id"]]
    assert house.admin.ask("DELETE", f"/users/{id}/sessions/{seen[0]['id']}").status == 204
    assert browser.get("/me").status == 401


def test_who_leaves_or_has_less_to_say_has_invited_nobody_beyond_that(house: House) -> None:
    admin, employee = house.vendor("admin"), house.vendor("employee")
    above, below, vendor = (
        who.post("/invitations", {"email": address(), "role": role}).json["url"]
        for who, role in ((admin, "employee"), (admin, "standard"), (employee, "standard"))
    )
    assert house.admin.ask("PATCH", f"/users/{admin.id}", {"role": "employee"}).status == 200
    assert house.admin.ask("PATCH", f"/users/{employee.id}", {"status": "disabled"}).status == 200
    assert [Browser(house).redeem(url).status for url in (above, below, vendor)] == [404, 200, 404]


def test_a_disabled_user_is_out_at_once_and_for_good(house: House) -> None:
    browser, email = signed_in(house)
    id = browser.get("/me").json["id"]
    url = invited(house, email)
    assert house.admin.ask("PATCH", f"/users/{id}", {"status": "disabled"}).status == 200
    assert browser.get("/me").status == 401
    assert house.admin.post("/invitations", {"email": email}).refusal == (409, "user_disabled")
    assert house.admin.ask("PATCH", f"/users/{id}", {"status": "enabled"}).status == 200
    assert browser.get("/me").status == 401
    assert Browser(house).redeem(url).refusal == (404, "invitation_over")
    assert browser.sign_in(email).status == 200


def test_a_session_ends_when_it_is_idle_and_after_its_days(house: House) -> None:
    hour = 3_600_000
    for column, hours in (("last_used", 13), ("created", 31 * 24)):
        browser, _ = signed_in(house)
        id = browser.get("/me").json["session"]["id"]
        house.write(f"UPDATE sessions SET {column} = {column} - ? WHERE id = ?", hours * hour, id)
        assert browser.get("/me").status == 401


def test_the_use_of_a_session_is_written_once_a_minute(house: House) -> None:
    browser, _ = signed_in(house)

    def used() -> datetime:
        return datetime.fromisoformat(browser.get("/me").json["session"]["last_used"])

    session = browser.get("/me").json["session"]
    began = used()
    assert began == datetime.fromisoformat(session["created"])
    house.write("UPDATE sessions SET last_used = last_used - 61000 WHERE id = ?", session["id"])
    assert used() < began
    assert used() > began


def test_the_cookie_is_for_the_server_alone(house: House) -> None:
    email = address()
    answer = Browser(house).redeem(invited(house, email))
    cookie = answer.headers["set-cookie"]
    token = cookie.partition("=")[2].partition(";")[0]
    assert cookie == f"stagedoor={token}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"
    for path in house.studio.home.glob("stagedoor.db*"):
        assert token.encode() not in path.read_bytes()
    assert token not in house.log


# --- what a cookie may do ------------------------------------------------------------------------------------------

FOREIGN: list[tuple[dict[str, str], str]] = [
    ({"X-Stagedoor-Page": ""}, "page_header_missing"),
    ({"X-Stagedoor-Page": "yes"}, "page_header_missing"),
    ({"Origin": "https://evil.example"}, "page_elsewhere"),
    ({"Origin": "null"}, "page_elsewhere"),
    ({"Origin": "http://127.0.0.1:1"}, "page_elsewhere"),
    ({"Sec-Fetch-Site": "cross-site"}, "page_elsewhere"),
    ({"Sec-Fetch-Site": "same-site"}, "page_elsewhere"),
]


@pytest.mark.parametrize(("headers", "code"), FOREIGN)
def test_with_a_cookie_only_a_page_of_the_server_changes_anything(
    house: House, headers: dict[str, str], code: str
) -> None:
    browser, email = signed_in(house)
    for method, path, data in (
        ("POST", "/me/keys", {}),
        ("PUT", "/me/password", {"password": "mine now, all mine", "old": PASSWORD}),
        ("DELETE", "/me/keys/x", None),
        ("PATCH", "/users/x", {"name": "y"}),
        ("POST", "/sign-out", {}),
        ("PUT", "/uploads/" + "0" * 24, None),
        ("POST", "/nope", {}),
    ):
        assert browser.ask(method, path, data, headers=headers).refusal == (403, code), path
    assert browser.ask("GET", "/me", headers=headers).status == 200
    assert browser.ask("HEAD", "/me", headers=headers).status in (200, 405)
    for path, data in (("password", {"user": email, "password": PASSWORD}), ("invitation", {"token": ""})):
        assert Browser(house).ask("POST", f"/sign-in/{path}", data, headers=headers).refusal == (403, code)


@pytest.mark.parametrize("headers", [headers for headers, code in FOREIGN if code == "page_elsewhere"])
def test_a_key_that_a_browser_remembers_is_no_use_to_pages_of_others(
    house: House, vendor: Person, headers: dict[str, str]
) -> None:
    for method, path in (("POST", "/me/keys"), ("POST", f"/jobs/{'0' * 24}/abort"), ("PUT", f"/uploads/{'0' * 24}")):
        assert vendor.ask(method, path, headers=headers).refusal == (403, "page_elsewhere"), path
    assert vendor.ask("GET", "/me", headers=headers).status == 200


def test_with_a_key_cookies_count_for_nothing(house: House, vendor: Person) -> None:
    browser, email = signed_in(house)
    cookie = {"Cookie": f"stagedoor={browser.cookies['stagedoor']}"}
    asked = vendor.ask("GET", "/me", headers=cookie)
    assert (asked.json["code"], asked.json["session"]) == (vendor.code, None)
    assert vendor.ask("POST", "/me/keys", {}, headers=cookie).json["user"] == vendor.code
    wrong = {**cookie, "Authorization": "Basic eDp5"}
    assert house.send("GET", "/me", headers=wrong).refusal == (401, "sign_in_refused")
    assert house.send("GET", "/me", headers=cookie).json["code"] == email


def test_a_browser_asks_for_a_password_itself_only_where_no_script_asks(house: House) -> None:
    assert "www-authenticate" in house.send("GET", "/me").headers
    for headers in ({"X-Stagedoor-Page": "1"}, {"Sec-Fetch-Mode": "cors"}):
        assert "www-authenticate" not in house.send("GET", "/me", headers=headers).headers
    assert "www-authenticate" in house.send("GET", "/me", headers={"Sec-Fetch-Mode": "navigate"}).headers


# --- parts ---------------------------------------------------------------------------------------------------------


class Upload:
    """A job of a browser's user, of one file of nine bytes."""

    def __init__(self, house: House) -> None:
        self.browser, _ = signed_in(house)
        entry = file(size=9)
        assert self.browser.post("/offers", {"files": [entry]}).status == 201
        job = self.browser.post("/jobs", {"tasks": [{"id": entry["id"], "source": "/x"}]}).json
        self.path = f"/uploads/{job['tasks'][0]['upload']}"
        self.sender = Browser(copy(house))
        self.sender.house.pool = urllib3.PoolManager(retries=False, timeout=30)  # a connection that has brought nothing
        self.sender.cookies = self.browser.cookies

    def part(self, start: int, data: bytes, **headers: str) -> Any:
        given = {
            "Content-Range": f"bytes {start}-{start + len(data) - 1}/9",
            "Content-Digest": sha256(data),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.sender.ask("PUT", self.path, body=data, headers=given)


@pytest.mark.parametrize("lane", [{}, {"TE": "trailers"}], ids=["fast lane", "server behind"])
def test_a_page_sends_parts_with_its_cookie(house: House, lane: dict[str, str]) -> None:
    upload = Upload(house)
    origin = {"Origin": house.studio.url, "Sec_Fetch_Site": "same-origin", **lane}
    assert upload.part(0, b"abc", **origin).json["received"] == 3
    for headers, code in FOREIGN:
        sent = {name.replace("-", "_"): value for name, value in headers.items()}
        assert upload.part(3, b"def", **{**origin, **sent}).refusal == (403, code)
    kept = upload.sender.cookies
    upload.sender.cookies = {"stagedoor": "x" * 43}
    refused = upload.part(3, b"def", **origin)
    assert refused.refusal == (401, "sign_in_refused")
    assert "www-authenticate" not in refused.headers
    upload.sender.cookies = {"other": "1", **kept}
    assert upload.part(3, b"defghi", **origin).json["complete"] is True


def test_a_part_costs_no_write_of_the_session(house: House) -> None:
    upload = Upload(house)
    session = upload.browser.get("/me").json["session"]
    for start in range(3):
        assert upload.part(start, b"x").status == 200
    assert upload.browser.get("/me").json["session"]["last_used"] == session["created"]


# --- passkeys ------------------------------------------------------------------------------------------------------


@pytest.fixture
def local(house: House) -> dict[str, str]:
    """A page that was opened by a name: browsers have no passkeys for numbers."""
    host = f"localhost:{house.studio.port}"
    return {"Host": host, "Origin": f"http://{host}"}


def with_passkey(house: House, local: dict[str, str]) -> tuple[Browser, Authenticator, str]:
    browser, email = signed_in(house)
    browser.headers = local
    device = Authenticator(local["Origin"])
    begun = browser.post("/me/passkeys/begin").json
    assert begun["options"]["rp"]["id"] == "localhost"
    made = browser.post(
        "/me/passkeys", {"ticket": begun["ticket"], "name": "laptop", "credential": device.create(begun["options"])}
    )
    assert made.status == 201, made
    return browser, device, email


def finish(browser: Browser, device: Authenticator, **options: Any) -> Any:
    begun = browser.post("/sign-in/passkey/begin").json
    credential = device.get(begun["options"], **options)
    return browser.post("/sign-in/passkey/finish", {"ticket": begun["ticket"], "credential": credential})


def test_a_passkey_is_made_used_listed_and_removed(house: House, local: dict[str, str]) -> None:
    browser, device, email = with_passkey(house, local)
    listed = browser.get("/me/passkeys").json["items"]
    assert [(item["name"], item["host"], item["last_used"]) for item in listed] == [("laptop", "localhost", None)]
    other = Browser(house, **local)
    for _ in range(2):
        answer = finish(other, device)
        assert (answer.status, answer.json["code"], answer.json["session"]["way"]) == (200, email, "passkey")
    assert browser.get("/me/passkeys").json["items"][0]["last_used"] is not None
    assert browser.ask("DELETE", f"/me/passkeys/{listed[0]['id']}").status == 204
    assert finish(other, device).refusal == (401, "sign_in_refused")
    assert lines(house, entity="passkey", user=email) == [("remove", "passkey", email), ("create", "passkey", email)]


def test_an_invitation_is_redeemed_with_a_passkey(house: House, local: dict[str, str]) -> None:
    email, browser, device = address(), Browser(house, **local), Authenticator(local["Origin"])
    token = token_of(invited(house, email))
    assert browser.post("/sign-in/redeem", {"token": token}).refusal == (400, "password_missing")
    begun = browser.post("/sign-in/redeem/begin", {"token": token}).json
    redemption = {
        "token": token,
        "name": "Ann",
        "ticket": begun["ticket"],
        "credential": device.create(begun["options"]),
    }
    answer = browser.post("/sign-in/redeem", redemption)
    assert (answer.status, answer.json["code"], answer.json["has_password"]) == (200, email, False)
    assert browser.post("/sign-in/redeem", redemption).refusal == (404, "invitation_over")
    assert finish(Browser(house, **local), device).json["id"] == answer.json["id"]
    assert Browser(house).sign_in(email).status == 401


def test_a_passkey_opens_nothing_that_it_did_not_sign(house: House, local: dict[str, str]) -> None:
    _, device, _ = with_passkey(house, local)
    other = Browser(house, **local)
    refused = (401, "sign_in_refused")
    assert finish(other, device, origin="https://evil.example").refusal == refused
    assert finish(other, device, challenge="AAAA").refusal == refused
    assert finish(other, device, type="webauthn.create").refusal == refused
    device.verifies = False
    assert finish(other, device).refusal == refused
    device.verifies = True
    begun = other.post("/sign-in/passkey/begin").json
    credential = device.get(begun["options"])
    forged = {**credential, "response": {**credential["response"], "signature": "MAYCAQECAQE"}}
    assert other.post("/sign-in/passkey/finish", {**begun, "credential": forged}).refusal == refused
    sent = {"ticket": begun["ticket"], "credential": credential}
    assert other.post("/sign-in/passkey/finish", sent).status == 200
    assert other.post("/sign-in/passkey/finish", sent).refusal == (400, "ticket_over")
    device.keys[0].count = 0  # a copy of the device
    assert finish(other, device).refusal == refused
    assert other.post("/sign-in/passkey/finish", {"ticket": "", "credential": {}}).refusal == (400, "ticket_over")
    again = other.post("/sign-in/passkey/begin").json["ticket"]
    assert other.post("/sign-in/passkey/finish", {"ticket": again, "credential": {}}).refusal == (
        400,
        "passkey_refused",
    )


def test_a_ticket_is_for_who_began_and_for_nothing_else(house: House, local: dict[str, str]) -> None:
    browser, device, _ = with_passkey(house, local)
    stranger, _ = signed_in(house)
    stranger.headers = local
    begun = browser.post("/me/passkeys/begin").json
    sent = {"ticket": begun["ticket"], "credential": device.create(begun["options"])}
    assert stranger.post("/me/passkeys", sent).refusal == (400, "ticket_over")
    assert stranger.post("/sign-in/passkey/finish", sent).refusal == (400, "ticket_over")
    assert browser.post("/me/passkeys", sent).status == 201
    assert browser.post("/me/passkeys", sent).refusal == (400, "ticket_over")


def test_what_is_possible_is_told_to_anybody(house: House, local: dict[str, str]) -> None:
    asked = house.send("GET", "/sign-in")
    assert asked.json == {"workspace": "studio", "passkeys": False, "links": False}
    assert Browser(house, **local).get("/sign-in").json["passkeys"] is True
    assert Browser(house).post("/sign-in/passkey/begin").refusal == (400, "passkeys_not_here")
    assert Browser(house).post("/sign-in/link", {"user": "x@example.com"}).refusal == (404, "no_links")


# --- mails, over TLS that a proxy does ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as made:
        yield made


PUBLIC = "https://publish.studio.example"


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[House]:
    """A studio that sends mails, behind a proxy that does TLS."""
    studio = Studio(tmp_path_factory.mktemp("mailing") / "studio")
    config = studio.home / "stagedoor.toml"
    mail = f'host = "127.0.0.1"\nport = {mailbox.port}\nsecurity = "none"\nsender = "Stagedoor <door@studio.example>"'
    config.write_text(f'public_url = "{PUBLIC}"\n{config.read_text()}\n[mail]\n{mail}\n')
    studio.start("--behind-proxy")
    studio.wait_ready()
    yield House(studio)
    studio.end()


PROXY = {"Host": "publish.studio.example", "X-Forwarded-Proto": "https", "Origin": PUBLIC}


def test_an_invitation_is_mailed_and_opens_the_door(mailing: House, mailbox: Mailbox) -> None:
    email, browser = address(), Browser(mailing, **PROXY)
    made = mailing.admin.post("/invitations", {"email": email}).json
    assert made["mailed"] is True
    assert made["url"] == mailbox.link(email)
    assert made["url"].startswith(f"{PUBLIC}/invitation#")
    answer = browser.redeem(made["url"])
    assert answer.headers["set-cookie"].startswith("__Host-stagedoor=")
    assert answer.headers["set-cookie"].endswith("; HttpOnly; SameSite=Lax; Secure")
    assert browser.get("/me").json["code"] == email
    assert browser.ask("POST", "/me/keys", {}, headers={"Origin": "https://evil.example"}).status == 403
    browser.cookies = {"stagedoor": browser.cookies["__Host-stagedoor"]}
    assert browser.get("/me").status == 401, "another host could have set this one"


def test_a_link_signs_in_once_and_lets_a_forgotten_password_be_set(mailing: House, mailbox: Mailbox) -> None:
    email, browser = address(), Browser(mailing, **PROXY)
    Browser(mailing, **PROXY).redeem(invited(mailing, email))
    assert browser.get("/sign-in").json["links"] is True
    assert browser.post("/sign-in/link", {"user": email}).status == 204
    token = token_of(link_to(mailbox, email, "/sign-in#"))
    assert browser.post("/sign-in/link/redeem", {"token": token}).json["session"]["way"] == "link"
    assert browser.post("/sign-in/link/redeem", {"token": token}).refusal == (404, "link_over")
    assert browser.get("/me").json["old_password"] is False
    assert browser.ask("PUT", "/me/password", {"password": "remembered this time"}).status == 204
    assert Browser(mailing, **PROXY).sign_in(email, "remembered this time").status == 200


def link_to(mailbox: Mailbox, email: str, part: str) -> str:
    until(lambda: part in mailbox.link(email))
    return mailbox.link(email)


def test_asking_for_a_link_says_nothing_of_who_is_a_user(mailing: House, mailbox: Mailbox) -> None:
    count = len(mailbox.mails)
    email, unknown = mailing.vendor().code, address()
    answers = [Browser(mailing, **PROXY).post("/sign-in/link", {"user": user}) for user in (email, unknown)]
    assert [(answer.status, answer.body) for answer in answers] == [(204, b"")] * 2
    mailbox.link(email)
    assert len(mailbox.mails) == count + 1
    assert mailbox.mails[-1]["From"] == "Stagedoor <door@studio.example>"


def test_a_mailbox_is_not_flooded_with_links(mailing: House, mailbox: Mailbox) -> None:
    email = mailing.vendor().code
    for number in range(9):
        browser = Browser(mailing, **PROXY, **{"X-Forwarded-For": f"203.0.113.{number}"})
        assert browser.post("/sign-in/link", {"user": email}).status == 204
    other = mailing.vendor().code
    Browser(mailing, **PROXY).post("/sign-in/link", {"user": other})
    mailbox.link(other)
    assert sum(mail["To"] == email for mail in mailbox.mails) == 5


def test_no_request_chooses_where_a_mailed_link_leads(mailing: House, mailbox: Mailbox) -> None:
    email = mailing.vendor().code
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Origin": "https://evil.example"}
    Browser(mailing, **{**PROXY, **evil}).post("/sign-in/link", {"user": email})
    assert mailbox.link(email).startswith(f"{PUBLIC}/sign-in#")


def test_a_flood_of_passwords_keeps_nobody_else_waiting(mailing: House) -> None:
    def guess(number: int) -> int:
        browser = Browser(mailing, **PROXY, **{"X-Forwarded-For": f"198.51.100.{number}"})
        return browser.sign_in(f"user{number}@example.com").status

    with ThreadPoolExecutor(60) as pool:
        found = pool.map(guess, range(60))
        assert mailing.admin.get("/me").status == 200
    assert set(found) == {401, 503}
    assert Browser(mailing, **PROXY).sign_in(mailing.admin.code).status == 401


# --- the command line ----------------------------------------------------------------------------------------------


def test_invitations_and_sessions_on_the_command_line(house: House) -> None:
    email, run = address(), house.studio.command
    made = json.loads(run("user", "invite", email, "--role", "employee", "--json"))
    assert made["url"].startswith(f"{house.studio.url}/invitation#")
    browser = Browser(house)
    assert browser.redeem(made["url"]).json["role"] == "employee"
    assert f"{email} is a user already (employee)" in run("user", "invite", email)
    listed = json.loads(run("user", "invitation", "list", "--json"))["invitations"]
    assert [(item["email"], item["state"]) for item in listed][:2] == [(email, "pending"), (email, "redeemed")]
    run("user", "invitation", "revoke", listed[0]["id"])
    assert email in run("user", "invitation", "list")
    found = json.loads(run("user", "session", "list", email, "--json"))["sessions"]
    assert [item["id"] for item in found] == [browser.get("/me").json["session"]["id"]]
    assert "127.0.0.1" in run("user", "session", "list", email)
    run("user", "session", "revoke", email, found[0]["id"])
    assert browser.get("/me").status == 401
