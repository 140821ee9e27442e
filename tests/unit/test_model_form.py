"""What must be filled in, and whether the answers do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.model.form import FIELDS, MAX_TEXT, AnswerFault, Answers, Form, Status, parse_metadata, parse_time, read

WIP, REV = Status(label="In progress", value="wip"), Status(label="For review", value="rev", default=True)
FULL = Form(comment=True, time_report=True, metadata=True, statuses=(WIP,), tasks=("comp",))
GOOD = {"comment": "x", "time_report": "1:00", "status": "wip", "task": "comp", "metadata": {"a": 1}}


def faults(form: Form, *, accepted: bool = True, **given: Any) -> list[tuple[str, bool]]:
    return [(fault.field, fault.required) for fault in read(form, given, accepted=accepted)[1]]


def test_good_answers_are_read() -> None:
    assert read(FULL, {**GOOD, "other": []}, accepted=True) == (
        Answers(comment="x", time_report=3600, status="wip", task="comp", metadata={"a": "1"}),
        [],
    )


def test_everything_missing_is_told_at_once() -> None:
    assert faults(FULL) == [("comment", True), ("time_report", True), ("status", True)]


def test_nothing_is_required_of_an_upload_only_entry_but_what_is_wrong_is_wrong() -> None:
    assert faults(FULL, accepted=False) == []
    assert faults(FULL, accepted=False, status="done") == [("status", False)]


def test_a_wrong_answer_is_not_also_missing() -> None:
    assert sorted(faults(FULL, comment=7, time_report="soon", status="done")) == [
        ("comment", False),
        ("status", False),
        ("time_report", False),
    ]


def test_the_default_status_answers_for_one_left_out() -> None:
    assert read(Form(statuses=(WIP, REV)), {}, accepted=True)[0].status == "rev"
    assert read(Form(statuses=(WIP, REV)), {"status": "wip"}, accepted=True)[0].status == "wip"
    assert Form(statuses=(WIP,)).default_status == ""


def test_the_reason_names_what_can_be_chosen() -> None:
    (missing,) = read(Form(statuses=(WIP, Status(label="Final", value="fin"))), {}, accepted=True)[1]
    assert "In progress" in missing.reason
    assert "Final" in missing.reason


def test_a_text_is_bounded() -> None:
    assert read(Form(), {"comment": "x" * MAX_TEXT}, accepted=True)[1] == []
    assert faults(Form(), comment="x" * (MAX_TEXT + 1)) == [("comment", False)]


@given(st.integers(0, 9999), st.integers(0, 59), st.integers(0, 59))
def test_time_is_read_as_people_type_it(hours: int, minutes: int, seconds: int) -> None:
    total = hours * 3600 + minutes * 60 + seconds
    assert parse_time(f"{hours}:{minutes:02}:{seconds:02}") == total
    assert parse_time(f" {hours}:{minutes:02} ") == total - seconds
    assert parse_time(total) == total


@pytest.mark.parametrize(
    "value", [-1, 10**9, 1.5, "1:60", "1:5", ":30", "1h", "-1", "+1", "١:٠٠", "1" * 10, [], {}, b"1"]
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"time|seconds"):
        parse_time(value)


@pytest.mark.parametrize("value", [None, "", True, False, 0, "0", "0:00"])
def test_no_time_is_no_time(value: Any) -> None:
    assert parse_time(value) == 0


PAIRS = st.dictionaries(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.text(max_size=10))


@given(PAIRS)
def test_pairs_and_json_come_to_the_same(pairs: dict[str, str]) -> None:
    assert parse_metadata(pairs) == parse_metadata(json.dumps(pairs)) == pairs


@given(st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), st.from_regex(r"[a-z=]*", fullmatch=True)))
def test_lines_come_to_pairs(pairs: dict[str, str]) -> None:
    assert parse_metadata("\n".join(f" {key} = {value} \n" for key, value in pairs.items())) == pairs


def test_values_become_text() -> None:
    assert parse_metadata({"a": 1, "b": True, "c": None, "d": 1.5, "e": "x"}) == {
        "a": "1",
        "b": "true",
        "c": "",
        "d": "1.5",
        "e": "x",
    }


@pytest.mark.parametrize("value", ["x", "=x", "{", "{" * 100_000, '{"a": []}', {"a": {}}, {"a": [1]}, [1], 7])
def test_what_is_no_pairs_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"pairs|key=value|JSON"):
        parse_metadata(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.booleans())
def test_whatever_comes_is_read_or_is_a_fault(given_: dict[str, Any], accepted: bool) -> None:
    """Never an exception; what is kept is text, whole seconds and pairs of text."""
    answers, wrong = read(FULL, given_, accepted=accepted)
    assert all(isinstance(fault, AnswerFault) and fault.field in FIELDS and fault.reason for fault in wrong)
    assert isinstance(answers.time_report, int)
    assert answers.time_report >= 0
    assert answers.status in ("", "wip")
    assert answers.task in ("", "comp")
    assert all(isinstance(item, str) for pair in answers.metadata.items() for item in pair)
    if accepted and not wrong:
        assert answers.comment.strip()
        assert answers.time_report
        assert answers.status == "wip"
