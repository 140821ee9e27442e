"""Sessions, passwords, passkeys, links, invitations in the database."""

from __future__ import annotations

import dataclasses

import pytest
from some_records import NOW, user_of

from stagedoor.model.entities import Role
from stagedoor.model.errors import Conflict, NotFound
from stagedoor.model.signin import DAY, HOUR, Limits, Passkey, Way
from stagedoor.records import Records, new_id, sessions

LIMITS = Limits(idle=12 * HOUR, longest=30 * DAY)


def opened(records: Records, user_id: str, now: int = NOW) -> str:
    found = records.sessions.open(user_id, Way.PASSWORD, "10.0.0.9", "test", now)
    assert found
    return found[1]


def test_a_session_is_known_by_its_secret_until_its_end(records: Records) -> None:
    user = user_of(records)
    token = opened(records, user.id)
    found = records.sessions.known(token, NOW + HOUR, LIMITS)
    assert found and found.user == user
    assert found.session and (found.session.way, found.session.ip) == (Way.PASSWORD, "10.0.0.9")
    assert records.sessions.known(token, NOW + 12 * HOUR, LIMITS), "it was used an hour after its beginning"
    assert records.sessions.known(token, NOW + 24 * HOUR, LIMITS) is None
    assert records.sessions.known(token[:-1] + "_", NOW, LIMITS) is None


def test_a_look_that_is_no_use_does_not_keep_a_session_alive(records: Records) -> None:
    token = opened(records, user_of(records).id)
    assert records.sessions.known(token, NOW + 11 * HOUR, LIMITS, used=False)
    assert records.sessions.known(token, NOW + 12 * HOUR, LIMITS) is None


def test_use_does_not_carry_a_session_beyond_its_longest(records: Records) -> None:
    token = opened(records, user_of(records).id)
    for hours in range(1, 30 * 24, 11):
        assert records.sessions.known(token, NOW + hours * HOUR, LIMITS)
    assert records.sessions.known(token, NOW + 30 * DAY, LIMITS) is None


def test_what_has_ended_is_forgotten(records: Records) -> None:
    user = user_of(records)
    opened(records, user.id)
    new = opened(records, user.id, NOW + 11 * HOUR)
    assert records.sessions.forget(NOW + 12 * HOUR, LIMITS) == 1
    assert records.sessions.forget(NOW + 12 * HOUR, LIMITS) == 0
    assert records.sessions.known(new, NOW + 12 * HOUR, LIMITS)
    assert records.links.make(user.id, NOW, NOW + 1)
    assert (records.links.forget(NOW), records.links.forget(NOW + 1)) == (0, 1)


def test_a_user_has_a_bounded_number_of_sessions(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST", 3)
    user = user_of(records)
    tokens = [opened(records, user.id, NOW + number) for number in range(5)]
    known = [records.sessions.known(token, NOW + 9, LIMITS) is not None for token in tokens]
    assert known == [False, False, True, True, True]


def test_disabling_ends_what_a_user_could_come_back_by(records: Records) -> None:
    user = user_of(records)
    token, link = opened(records, user.id), records.links.make(user.id, NOW, NOW + HOUR)
    _, invitation = records.invitations.make(user.code.upper(), user.role, "x", NOW, NOW + DAY)
    records.house.update_user(user.id, NOW, enabled=False)
    assert records.sessions.open(user.id, Way.PASSWORD, "", "", NOW) is None
    records.house.update_user(user.id, NOW, enabled=True)
    assert records.sessions.known(token, NOW, LIMITS) is None
    assert records.links.redeem(str(link), NOW) is None
    assert records.invitations.redeem(invitation, NOW, "", "hash", None) is None


def test_a_new_password_ends_other_sessions_and_links(records: Records) -> None:
    user, other = user_of(records), user_of(records, "bob@vendor.example")
    kept, ended, theirs = opened(records, user.id), opened(records, user.id), opened(records, other.id)
    link = records.links.make(user.id, NOW, NOW + HOUR)
    session = records.sessions.known(kept, NOW, LIMITS)
    assert session and session.session
    records.passwords.set(user.id, "one", NOW, keep=session.session.id)
    records.passwords.set(user.id, "two", NOW, keep=session.session.id)
    known = [records.sessions.known(token, NOW, LIMITS) is not None for token in (kept, ended, theirs)]
    assert known == [True, False, True]
    assert records.links.redeem(str(link), NOW) is None
    assert records.passwords.by_code("ANNA@vendor.example") == (user, "two")
    assert records.passwords.by_code(other.code) == (other, "")
    records.passwords.renew(user.id, "one", "three")
    assert records.passwords.hash_of(user.id) == "two"
    with pytest.raises(NotFound):
        records.passwords.set("0" * 24, "x", NOW)


def test_a_link_opens_once_and_in_time(records: Records) -> None:
    user = user_of(records)
    first, late = (str(records.links.make(user.id, NOW, NOW + HOUR)) for _ in range(2))
    assert records.links.redeem(first, NOW) == user
    assert records.links.redeem(first, NOW) is None
    assert records.links.redeem(late, NOW + HOUR) is None
    made = [records.links.make(user.id, NOW, NOW + HOUR) for _ in range(7)]
    assert [link is not None for link in made] == [True] * 5 + [False] * 2


def test_an_invitation_makes_a_user_once(records: Records) -> None:
    made, token = records.invitations.make("Eva@vendor.example", Role.EMPLOYEE, "admin", NOW, NOW + DAY)
    user = records.invitations.redeem(token, NOW, "Eva", "hash", None)
    assert user and (user.code, user.role, user.name) == ("Eva@vendor.example", Role.EMPLOYEE, "Eva")
    assert records.passwords.by_code("eva@vendor.example") == (user, "hash")
    assert records.invitations.redeem(token, NOW, "Eva", "other", None) is None
    found = records.invitations.invitation(made.id)
    assert found and found.state(NOW) == "redeemed"
    with pytest.raises(Conflict):
        records.invitations.revoke(made.id, NOW)


def test_a_newer_invitation_of_an_address_revokes_the_older(records: Records) -> None:
    _, older = records.invitations.make("eva@vendor.example", Role.STANDARD, "a", NOW, NOW + DAY)
    _, newer = records.invitations.make("EVA@vendor.example", Role.STANDARD, "b", NOW, NOW + DAY)
    _, late = records.invitations.make("tom@vendor.example", Role.STANDARD, "b", NOW, NOW + DAY)
    assert records.invitations.redeem(older, NOW, "", "hash", None) is None
    assert records.invitations.redeem(late, NOW + DAY, "", "hash", None) is None
    assert records.invitations.redeem(newer, NOW, "", "hash", None)
    assert [one.state(NOW) for one in records.invitations.all()] == ["pending", "redeemed", "revoked"]
    assert records.invitations.forget(NOW + DAY + 1) == 3


@pytest.mark.parametrize("change", [{"role": Role.EMPLOYEE}, {"enabled": False}])
def test_an_invitation_of_a_user_does_not_outlive_a_change_of_their_rights(
    records: Records, change: dict[str, object]
) -> None:
    user = user_of(records)
    _, token = records.invitations.make(user.code, user.role, "x", NOW, NOW + DAY)
    records.house.update_user(user.id, NOW, **change)
    assert records.invitations.redeem(token, NOW, "", "hash", None) is None
    assert records.passwords.hash_of(user.id) == ""


def test_a_passkey_belongs_to_one_user(records: Records) -> None:
    user, other = user_of(records), user_of(records, "bob@vendor.example")
    key = Passkey(
        id=new_id(),
        user_id=user.id,
        credential=b"c\0\xff",
        public_key=b"k",
        sign_count=0,
        host="h",
        name="n",
        created=NOW,
    )
    records.passkeys.add(key)
    with pytest.raises(Conflict):
        records.passkeys.add(dataclasses.replace(key, id=new_id(), user_id=other.id))
    assert records.passkeys.by_credential(b"c\0\xff") == (key, user)
    records.passkeys.used(key.id, 7, NOW + 1)
    assert records.passkeys.of_user(user.id) == [dataclasses.replace(key, sign_count=7, last_used=NOW + 1)]
    with pytest.raises(NotFound):
        records.passkeys.remove(other.id, key.id)
    records.passkeys.remove(user.id, key.id)
    assert records.passkeys.by_credential(b"c\0\xff") is None


def test_an_invitation_with_a_passkey_makes_the_user_whom_the_passkey_names(records: Records) -> None:
    id = new_id()
    key = Passkey(
        id=new_id(), user_id=id, credential=b"c", public_key=b"k", sign_count=0, host="h", name="n", created=NOW
    )
    _, token = records.invitations.make("eva@vendor.example", Role.STANDARD, "a", NOW, NOW + DAY)
    user = records.invitations.redeem(token, NOW, "", "", key)
    assert user and user.id == id
    assert records.passkeys.by_credential(b"c") == (key, user)
    _, again = records.invitations.make(user.code, user.role, "a", NOW, NOW + DAY)
    elsewhere = dataclasses.replace(key, user_id=new_id(), credential=b"d")
    assert records.invitations.redeem(again, NOW, "", "", elsewhere) is None
