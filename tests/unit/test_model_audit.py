"""What may stand in a line of the audit log."""

from __future__ import annotations

from typing import Any

import pytest

from stagedoor.model.audit import LONGEST, changes, pattern, plain, reasons_of_error, reasons_of_verdict
from stagedoor.model.entities import Role
from stagedoor.model.errors import AnswersRefused, Busy, ManifestRefused
from stagedoor.model.verdict import Kind, Verdict


def test_only_what_differs_is_told_before_and_after() -> None:
    before = {"name": "Ann", "role": Role.STANDARD, "metadata": {"lens": "50", "old": "x"}}
    after = {"name": "Ann", "role": Role.ADMIN, "metadata": {"lens": "85", "new": "y"}}
    assert changes(before, after) == {
        "role": ["standard", "admin"],
        "metadata.lens": ["50", "85"],
        "metadata.old": ["x", None],
        "metadata.new": [None, "y"],
    }


def test_what_is_made_or_removed_has_one_side() -> None:
    assert changes(None, {"code": "v"}) == {"code": [None, "v"]}
    assert changes({"code": "v"}, None) == {"code": ["v", None]}


@pytest.mark.parametrize("name", ["environment.PLAIN", "metadata.sg_token", "metadata.Password", "metadata.API-key"])
def test_values_of_secrets_are_hidden_but_not_that_they_changed(name: str) -> None:
    top, key = name.split(".")
    assert changes({top: {key: "one"}}, {top: {key: "two"}}) == {name: ["***", "***"]}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("x --token abc ${IN}", "x --token *** ${IN}"),
        ("x --password=abc ${IN}", "x --password=*** ${IN}"),
        ("x postgresql://me:abc@host/db", "x postgresql://me:***@host/db"),
        ("python3 /mnt/passes/check.py ${IN}", "python3 /mnt/passes/check.py ${IN}"),
    ],
)
def test_secrets_in_a_command_line_are_hidden(line: str, shown: str) -> None:
    assert plain(line) == shown


def test_what_strangers_wrote_is_cut() -> None:
    assert len(plain("x" * 5000)) == LONGEST + 1
    assert len(plain(["x"] * 5000)) == 20


@pytest.mark.parametrize(
    ("verdict", "reasons"),
    [
        ({"code": "destination_taken", "warning": "x"}, ("destination_taken",)),
        (
            {"findings": ({"code": "a", "title": "x"}, {"code": "b", "title": "y"}, {"code": "a", "title": "z"})},
            ("a", "b"),
        ),
        ({"warning": "plate_v002:  frame 1003 is\nmissing"}, ("…: frame # is missing",)),
        ({}, ("refused",)),
    ],
)
def test_an_entry_is_counted_by_code_findings_or_sentence(verdict: dict[str, Any], reasons: tuple[str, ...]) -> None:
    assert reasons_of_verdict(Verdict(kind=Kind.REFUSED, **verdict), "plate_v002") == reasons


def test_an_offer_is_counted_by_each_kind_of_fault() -> None:
    faults = [{"path": "a", "reason": "is longer than 255 bytes"}, {"path": "b", "reason": "is longer than 255 bytes"}]
    assert reasons_of_error(ManifestRefused(details={"faults": faults})) == (
        "manifest_refused: is longer than # bytes",
    )
    missing = [{"field": "comment", "reason": "enter one"}]
    assert reasons_of_error(AnswersRefused(details={"faults": missing})) == ("answers_refused: comment enter one",)
    assert reasons_of_error(Busy()) == ("busy",)


def test_a_sentence_is_counted_without_names_and_numbers() -> None:
    assert pattern("a_v001 lacks 12 of 240", "a_v001") == "… lacks # of #"
