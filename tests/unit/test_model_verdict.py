"""Flags of a hook, brought to one verdict; and the names of hooks."""

from __future__ import annotations

import itertools

import pytest

from stagedoor.model.hooks import HookName, canonical
from stagedoor.model.settings import SETTINGS, Settings, parse
from stagedoor.model.verdict import Kind, kind_of

STRICTEST_FIRST = [("rejected", Kind.REFUSED), ("can_upload", Kind.UPLOAD_ONLY), ("can_publish", Kind.ACCEPTED)]


@pytest.mark.parametrize("flags", list(itertools.product([False, True], repeat=3)), ids=str)
def test_the_strictest_flag_counts(flags: tuple[bool, bool, bool]) -> None:
    said = dict(zip(("can_publish", "can_upload", "rejected"), flags, strict=True))
    expected = next((kind for flag, kind in STRICTEST_FIRST if said[flag]), None)
    assert kind_of(**said) is expected


@pytest.mark.parametrize(
    "spelling",
    [
        "publish",
        "publish-server",
        "job-publish-server",
        "hook-job-publish-server",
        "HOOK-JOB-PUBLISH-SERVER",
        " publish ",
    ],
)
def test_the_publish_hook_is_known_in_every_spelling(spelling: str) -> None:
    assert canonical(spelling) is HookName.PUBLISH


@pytest.mark.parametrize("name", list(HookName))
def test_every_hook_is_known_with_and_without_its_prefix(name: HookName) -> None:
    for spelling in (name.value, f"job-{name.value}", f"hook-job-{name.value}", f"hook-{name.value}"):
        assert canonical(spelling) is name


@pytest.mark.parametrize("text", ["", "publisher", "server", "hook-job-", "publish-server; rm", "prepublish-server"])
def test_what_is_no_hook_is_none(text: str) -> None:
    assert canonical(text) is None


@pytest.mark.parametrize("name", SETTINGS)
def test_every_default_is_what_its_setting_takes(name: str) -> None:
    default = SETTINGS[name].default
    typed = {True: "on", False: "off"}[default] if isinstance(default, bool) else str(default)
    assert parse(name, typed) == default
    assert SETTINGS[name].reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nope", "1"),
        ("offer_files", "0"),
        ("offer_files", "-1"),
        ("offer_files", "1.5"),
        ("offer_files", "²"),
        ("offer_files", "9" * 16),
        ("windows_names", "1"),
        ("windows_names", ""),
        ("durability", "Flush"),
    ],
)
def test_a_setting_takes_no_nonsense(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"takes|no setting"):
        parse(name, text)


def test_what_was_set_counts_and_else_the_default() -> None:
    settings = Settings({"offer_files": 7, "windows_names": False, "durability": "flush"})
    assert (settings.number("offer_files"), settings.flag("windows_names"), settings.word("durability")) == (
        7,
        False,
        "flush",
    )
    assert Settings().number("offer_files") == SETTINGS["offer_files"].default
