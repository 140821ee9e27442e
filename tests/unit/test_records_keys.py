"""API keys: shown once, kept as a hash, good for one user until revoked, expired or disabled."""

from __future__ import annotations

import re

import pytest
from some_records import HOUR, NOW, user_of

from stagedoor.model.errors import NotFound
from stagedoor.records import Records


def test_a_key_opens_for_its_user_however_the_address_is_typed(records: Records) -> None:
    user = user_of(records, "JÖNS@x.se")
    _, secret = records.keys.make(user.id, "laptop", NOW, None)
    decomposed = "jo\u0308ns@X.se"
    for typed in ("JÖNS@x.se", "jöns@x.se", " Jöns@X.SE ", decomposed):
        assert records.keys.check(typed, secret, NOW) == user


def test_a_secret_carries_its_key_id_and_256_bits(records: Records) -> None:
    key, secret = records.keys.make(user_of(records).id, "", NOW, None)
    assert re.fullmatch(rf"sd_{key.id}_[A-Za-z0-9_-]{{43}}", secret)
    _, other = records.keys.make(user_of(records).id, "", NOW, None)
    assert secret.split("_", 2)[2] != other.split("_", 2)[2]


@pytest.mark.parametrize("wrong", ["", "sd_", "x" * 72, "sd_" + "0" * 24 + "_" + "A" * 43, "\ud800", "é" * 5000])
def test_what_is_no_key_opens_nothing(records: Records, wrong: str) -> None:
    user = user_of(records)
    assert records.keys.check(user.code, wrong, NOW) is None
    assert records.keys.check("nobody@x.example", wrong, NOW) is None
    assert records.keys.check("", wrong, NOW) is None


def test_one_changed_character_opens_nothing(records: Records) -> None:
    user = user_of(records)
    _, secret = records.keys.make(user.id, "", NOW, None)
    changed = secret[:-5] + ("A" if secret[-5] != "A" else "B") + secret[-4:]
    assert records.keys.check(user.code, changed, NOW) is None


def test_a_key_does_not_open_for_another_user(records: Records) -> None:
    _, secret = records.keys.make(user_of(records).id, "", NOW, None)
    assert records.keys.check(user_of(records, "b@x.example").code, secret, NOW) is None
    assert records.keys.check("", secret, NOW) is None


def test_an_expired_key_opens_nothing(records: Records) -> None:
    user = user_of(records)
    _, secret = records.keys.make(user.id, "", NOW, NOW + HOUR)
    assert records.keys.check(user.code, secret, NOW + HOUR - 1) == user
    assert records.keys.check(user.code, secret, NOW + HOUR) is None


def test_a_revoked_key_opens_nothing_and_keeps_the_time_of_its_end(records: Records) -> None:
    user = user_of(records)
    key, secret = records.keys.make(user.id, "", NOW, None)
    records.keys.revoke(user.id, key.id, NOW + 1)
    records.keys.revoke(user.id, key.id, NOW + 2)
    assert records.keys.check(user.code, secret, NOW) is None
    assert [key.revoked for key in records.keys.list(user.id)] == [NOW + 1]


def test_a_disabled_users_keys_open_nothing_until_enabled_again(records: Records) -> None:
    user = user_of(records)
    _, secret = records.keys.make(user.id, "", NOW, None)
    records.house.update_user(user.id, NOW, enabled=False)
    assert records.keys.check(user.code, secret, NOW) is None
    records.house.update_user(user.id, NOW, enabled=True)
    assert records.keys.check(user.code, secret, NOW)


def test_keys_are_listed_for_their_user_alone(records: Records) -> None:
    user, other = user_of(records), user_of(records, "b@x.example")
    key, _ = records.keys.make(user.id, "laptop", NOW, NOW + HOUR)
    records.keys.make(other.id, "farm", NOW, None)
    assert records.keys.list(user.id) == [key]


def test_anothers_key_cannot_be_revoked(records: Records) -> None:
    user, other = user_of(records), user_of(records, "b@x.example")
    key, secret = records.keys.make(user.id, "", NOW, None)
    with pytest.raises(NotFound):
        records.keys.revoke(other.id, key.id, NOW)
    assert records.keys.check(user.code, secret, NOW)


def test_nobody_gets_a_key_who_does_not_exist(records: Records) -> None:
    with pytest.raises(NotFound):
        records.keys.make("f" * 24, "", NOW, None)
