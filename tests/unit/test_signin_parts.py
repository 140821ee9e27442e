"""Guessing is slowed, tickets are taken once, passwords are judged, pages of the server are told from others."""

from __future__ import annotations

import msgspec
import pytest

from stagedoor.api.who import Reached, SignIn
from stagedoor.credentials import Argon2
from stagedoor.lifecycle import slowing
from stagedoor.lifecycle.slowing import ACCOUNT, ADDRESS, FORGET, PAIR, Slowing
from stagedoor.lifecycle.tickets import SECONDS, Tickets
from stagedoor.model.errors import BadRequest, TooManyAttempts
from stagedoor.model.signin import check_password

# --- slowing ---------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tries(slow: Slowing, account: str, address: str, most: int = 100) -> int:
    """How many attempts are let through at one moment."""
    for count in range(most):
        try:
            slow.begin(account, address)
        except TooManyAttempts:
            return count
    return most


def wait(slow: Slowing, account: str, address: str) -> int:
    with pytest.raises(TooManyAttempts) as refusal:
        slow.begin(account, address)
    return int(refusal.value.details["seconds"])


def test_the_wait_doubles_up_to_a_bound(clock: Clock) -> None:
    slow, waits = Slowing(clock), []
    assert tries(slow, "ann", "10.0.0.1") == PAIR.free + 1
    for _ in range(14):
        waits.append(wait(slow, "ann", "10.0.0.1"))
        clock.now += waits[-1]
        slow.begin("ann", "10.0.0.1")
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert max(waits) == PAIR.longest
    clock.now += FORGET
    assert tries(slow, "ann", "10.0.0.1") == PAIR.free + 1


def test_an_attempt_that_was_refused_is_not_counted(clock: Clock) -> None:
    slow = Slowing(clock)
    tries(slow, "ann", "10.0.0.1")
    assert [wait(slow, "ann", "10.0.0.1") for _ in range(50)] == [1] * 50


def test_a_right_password_is_forgiven(clock: Clock) -> None:
    slow = Slowing(clock)
    for _ in range(100):
        slow.begin("ann", "10.0.0.1")
        slow.succeeded("ann", "10.0.0.1")


def test_whoever_attacks_an_account_does_not_lock_its_owner_out(clock: Clock) -> None:
    slow = Slowing(clock)
    for number in range(500):
        slow.begin("ann", f"10.0.{number // 250}.{number % 250}")
    slow.begin("ann", "192.0.2.1")
    assert wait(slow, "ANN ", "192.0.2.1") > ACCOUNT.longest / 2, "but a second guess from there must wait"


def test_an_address_that_tries_many_accounts_is_slowed_but_never_for_long(clock: Clock) -> None:
    slow = Slowing(clock)
    count = 0
    while True:
        try:
            slow.begin(f"user{count}", "10.0.0.1")
        except TooManyAttempts:
            break
        count += 1
    assert count == ADDRESS.free + 1
    for number in range(20):
        clock.now += ADDRESS.longest
        slow.begin(f"more{number}", "10.0.0.1")
    assert wait(slow, "last", "10.0.0.1") == ADDRESS.longest


def test_a_network_of_ipv6_is_one_address(clock: Clock) -> None:
    slow = Slowing(clock)
    for number in range(PAIR.free + 1):
        slow.begin("ann", f"2001:db8::{number}")
    assert wait(slow, "ann", "2001:db8::ffff") > 0
    slow.begin("ann", "2001:db8:0:1::1")


def test_what_is_remembered_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slowing, "MOST", 50)
    slow = Slowing(clock)
    for number in range(500):
        slow.begin(f"user{number}" * 1000, f"10.0.{number // 250}.{number % 250}")
    assert {len(counts) for counts in (slow._pairs, slow._accounts, slow._addresses)} == {50}


# --- tickets ---------------------------------------------------------------------------------------------------------


class Thing(msgspec.Struct, frozen=True):
    word: str


class Other(msgspec.Struct, frozen=True):
    word: str


def over(tickets: Tickets, ticket: str, kind: type[msgspec.Struct] = Thing) -> bool:
    try:
        tickets.read(ticket, kind)
    except BadRequest as refusal:
        return refusal.error_code == "ticket_over"
    return False


def test_a_ticket_holds_for_one_purpose_one_time_and_five_minutes(clock: Clock) -> None:
    tickets = Tickets(clock)
    ticket, other = tickets.give(Thing("a")), tickets.give(Thing("b"))
    assert tickets.read(ticket, Thing) == Thing("a")
    assert over(tickets, ticket, Other)
    tickets.take(ticket, Thing)
    assert over(tickets, ticket)
    assert not over(tickets, other)
    clock.now += SECONDS
    assert over(tickets, other)
    tickets.take(last := tickets.give(Thing("c")), Thing)
    assert over(tickets, last)
    assert len(tickets._taken) == 1, "nothing is remembered longer than needed"


def test_a_ticket_cannot_be_changed_or_made_elsewhere() -> None:
    tickets = Tickets()
    ticket = tickets.give(Thing("a"))
    other = "B" if ticket[0] != "B" else "C"
    for wrong in (ticket[:-5] + "AAAA=", other + ticket[1:], "", "ä", "####", Tickets().give(Thing("a"))):
        assert over(tickets, wrong)


# --- passwords -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["eleven-char", "x" * 13, "ab" * 8, "é" * 513 + "abc", "ANN@EXAMPLE.COM", " ann at studio "]
)
def test_a_password_that_is_no_good_is_refused(word: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        check_password(word, "ann@example.com", "Ann at Studio")
    assert refusal.value.error_code == "password_refused"


def test_a_password_has_one_form() -> None:
    assert check_password("fa\u0308hre nach rom", "") == check_password("f\u00e4hre nach rom", "")


def test_nothing_matches_where_there_is_no_hash_and_every_hash_says_how_it_was_made() -> None:
    hasher = Argon2()
    made = hasher.hash("correct horse battery")
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hasher.matches(made, "correct horse battery")
    assert not hasher.matches(made, "correct horse battery ")
    assert not hasher.matches("", "")
    assert not hasher.matches("no hash", "")
    assert not hasher.is_old(made)
    assert hasher.is_old(made.replace("t=3", "t=2"))


# --- how the server is reached ---------------------------------------------------------------------------------------

TLS = Reached(tls=True)
PROXY = Reached(behind_proxy=True)
NAMED = Reached(behind_proxy=True, public_url="https://publish.studio.example")
HTTPS = {b"x-forwarded-proto": b"https"}


@pytest.mark.parametrize(
    ("reached", "headers", "origin", "ours"),
    [
        (Reached(), {b"host": b"localhost:8181"}, "http://localhost:8181", True),
        (Reached(), {b"host": b"localhost:8181"}, "http://localhost:8182", False),
        (Reached(), {b"host": b"localhost:8181"}, "https://localhost:8181", False),
        (Reached(), {b"host": b"a:8181", b"x-forwarded-host": b"b"}, "http://b", False),
        (TLS, {b"host": b"STUDIO.example"}, "https://studio.example", True),
        (TLS, {b"host": b"studio.example"}, "https://studio.example.evil.example", False),
        (TLS, {b"host": b"studio.example"}, "null", False),
        (TLS, {b"host": b"[::1]:8181"}, "https://[::1]:8181", True),
        (TLS, {b"host": b"x:y"}, "https://x:y", False),
        (PROXY, {b"host": b"studio.example", **HTTPS}, "https://studio.example", True),
        (PROXY, {b"host": b"studio.example", **HTTPS}, "https://studio.example:8443", True),
        (PROXY, {b"host": b"studio.example", **HTTPS}, "http://studio.example", False),
        (PROXY, {b"host": b"studio.example"}, "https://studio.example", True),
        (PROXY, {b"host": b"10.0.0.1:8181", b"x-forwarded-host": b"studio.example"}, "https://studio.example", True),
        (PROXY, {b"host": b"10.0.0.1:8181", **HTTPS}, "https://publish.studio.example", False),
        (NAMED, {b"host": b"10.0.0.1:8181", **HTTPS}, "https://publish.studio.example", True),
    ],
)
def test_pages_of_the_server_are_told_from_others(
    reached: Reached, headers: dict[bytes, bytes], origin: str, ours: bool
) -> None:
    assert reached.is_ours(origin, headers) is ours


@pytest.mark.parametrize(
    ("reached", "headers", "host"),
    [
        (Reached(), {b"host": b"localhost:8181"}, "localhost"),
        (Reached(), {b"host": b"127.0.0.1:8181"}, ""),
        (Reached(), {b"host": b"studio.example"}, ""),
        (TLS, {b"host": b"studio.example:8181"}, "studio.example"),
        (TLS, {b"host": b"[::1]:8181"}, ""),
        (TLS, {b"host": b"[x"}, ""),
        (PROXY, {b"host": b"x", b"x-forwarded-host": b"studio.example", **HTTPS}, "studio.example"),
    ],
)
def test_passkeys_are_for_names_that_are_reached_securely(
    reached: Reached, headers: dict[bytes, bytes], host: str
) -> None:
    assert reached.site(headers).host == host


def nobody(token: str, *, used: bool = True) -> None:
    return None


def test_over_tls_only_the_cookie_counts_that_no_other_host_can_set() -> None:
    secret = "x" * 43
    door = SignIn(lambda *_: None, nobody, TLS)
    plain, safe = f"stagedoor={secret}".encode(), f"a=b; __Host-stagedoor={secret};c".encode()
    assert door.token({b"cookie": plain}) == ""
    assert door.token({b"cookie": safe}) == secret
    assert door.token({b"cookie": safe + b"!"}) == secret
    assert SignIn(lambda *_: None, nobody, Reached()).token({b"cookie": plain}) == secret
    assert SignIn(lambda *_: None, nobody, PROXY).token({b"cookie": safe, **HTTPS}) == secret
