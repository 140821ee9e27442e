"""What must be answered: options, files, questions on a terminal, complaints elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from stagedoor.cli.publish import choose
from stagedoor.cli.screen import answers
from stagedoor.cli.screen.page import Page
from stagedoor.model.errors import AnswersRefused

FORM: dict[str, Any] = {
    "comment": True,
    "time_report": True,
    "statuses": [{"label": "In progress", "value": "ip"}, {"label": "Final", "value": "fin", "default": True}],
    "tasks": ["sq010_anim", "sq010_comp"],
}
ONE = {"id": "1", "filename": "sh010", "can_publish": True, "ident": "sh010 comp"}
TWO = {"id": "2", "filename": "sh020", "can_publish": True}
LOOSE = {"id": "3", "filename": "notes.txt", "can_upload": True}


def answer(*entries: dict[str, Any], **form: Any) -> dict[str, Any]:
    return {**FORM, **form, "files": list(entries)}


def fill(offered: dict[str, Any], options: dict[str, Any], per_entry: dict[str, Any] | None = None) -> dict[str, Any]:
    return answers.fill(Page(interactive=False), offered, offered["files"], options, per_entry or {})


def asked(offered: dict[str, Any], typed: str, options: dict[str, Any] | None = None) -> tuple[Result, dict[str, Any]]:
    """What is filled in when a person types this."""
    filled: dict[str, Any] = {}

    @click.command()
    def command() -> None:
        page = Page(interactive=True)
        filled.update(answers.fill(page, offered, offered["files"], options or {}, {}))

    return CliRunner().invoke(command, input=typed), filled


def test_options_apply_to_every_entry() -> None:
    given = answers.from_options("new", "fin", "1:30", ("a=1", "b=x=y"), None)
    filled = fill(answer(ONE, TWO), given)
    assert filled["2"] == {"comment": "new", "status": "fin", "time_report": 5400, "metadata": {"a": "1", "b": "x=y"}}


def test_the_nearer_answer_wins() -> None:
    per_entry = {"*": {"comment": "all"}, "sh010": {"comment": "by name"}, "2": {"comment": "by id"}}
    filled = fill(answer(ONE, TWO, LOOSE, time_report=False), {}, per_entry)
    assert [filled[id_]["comment"] for id_ in "123"] == ["by name", "by id", "all"]


def test_everything_missing_is_told_at_once_with_the_option_that_mends_it() -> None:
    with pytest.raises(AnswersRefused) as refused:
        fill(answer(ONE, TWO), {"status": "nope"})
    told = [(fault["filename"], fault["field"]) for fault in refused.value.details["answers"]]
    assert [(name, field) for name in ("sh010", "sh020") for field in ("status", "comment", "time_report")] == told
    assert "(--comment TEXT)" in refused.value.details["answers"][1]["reason"]


def test_nothing_is_required_of_what_is_only_uploaded() -> None:
    assert fill(answer(LOOSE), {}) == {"3": {}}


def test_a_status_may_be_given_by_its_label() -> None:
    assert fill(answer(ONE, comment=False, time_report=False), {"status": "In progress"})["1"]["status"] == "ip"


@pytest.mark.parametrize("given", [{"time_report": "90min"}, {"metadata": ("pair",)}], ids=str)
def test_an_answer_that_cannot_be_read_is_refused_before_anything_is_offered(given: dict[str, Any]) -> None:
    wanted = {"comment": None, "status": None, "time_report": None, "metadata": (), "task": None, **given}
    with pytest.raises(AnswersRefused):
        answers.from_options(**wanted)


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"a": 1}', '{"a": {"coment": "x"}}', "[" * 100_000],
    ids=["list", "cut", "flat", "typo", "deep"],
)
def test_a_file_of_answers_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(AnswersRefused):
        answers.from_file(tmp_path / "a.json")


def test_answers_for_an_unknown_entry_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"sh999": {"comment": "x"}}))
    with pytest.raises(AnswersRefused, match="sh999"):
        fill(answer(ONE), {}, answers.from_file(tmp_path / "a.json"))


def test_a_terminal_is_asked_for_what_is_missing() -> None:
    result, filled = asked(answer(TWO), "better edges\n2 hours\n2:05\n1\n2\n")
    assert filled["2"] == {"comment": "better edges", "time_report": 7500, "status": "ip", "task": "sq010_comp"}
    assert "is not a time: write h:mm" in result.output


def test_the_default_status_is_taken_with_return() -> None:
    _, filled = asked(answer(ONE, comment=False, time_report=False, tasks=[]), "\n")
    assert filled["1"] == {"status": "fin"}


def test_a_status_with_a_default_is_not_asked_for_where_options_gave_the_rest() -> None:
    given = {"comment": "new", "time_report": 60}
    result, filled = asked(answer(ONE, tasks=[]), "", given)
    assert (result.exit_code, filled) == (0, {"1": given})


def test_a_status_is_asked_for_where_anything_else_is() -> None:
    _, filled = asked(answer(ONE, tasks=[]), "0:10\n1\n", {"comment": "new"})
    assert filled["1"] == {"comment": "new", "time_report": 600, "status": "ip"}


def test_the_last_answers_are_the_next_suggestion() -> None:
    _, filled = asked(answer(TWO, {**TWO, "id": "3"}), "same\n0:10\n1\n2\n\n\n\n\n")
    assert filled["2"] == filled["3"] == {"comment": "same", "time_report": 600, "status": "ip", "task": "sq010_comp"}


def test_a_task_may_be_left_open() -> None:
    _, filled = asked(answer(TWO, comment=False, time_report=False, statuses=[]), "\n")
    assert filled["2"] == {"task": ""}


def test_a_wrong_option_is_asked_for_again() -> None:
    _, filled = asked(answer(ONE, comment=False, time_report=False, tasks=[]), "1\n", {"status": "nope"})
    assert filled["1"] == {"status": "ip"}


def test_no_task_is_asked_for_an_entry_that_was_recognised() -> None:
    result, filled = asked(answer(ONE, comment=False, time_report=False, statuses=[]), "")
    assert (filled["1"], "Production task" in result.output) == ({}, False)


BARE = {"comment": False, "time_report": False, "statuses": [], "tasks": [], "metadata": True}


def test_metadata_is_asked_for_once_for_all_entries_that_have_none() -> None:
    result, filled = asked(answer(ONE, TWO, LOOSE, **BARE), "site=north; a=b=c\n")
    pairs = {"metadata": {"site": "north", "a": "b=c"}}
    assert (result.output.count("Metadata"), filled) == (1, {"1": pairs, "2": pairs, "3": {}})


def test_metadata_may_be_left_out_with_return() -> None:
    assert asked(answer(ONE, **BARE), "\n")[1] == {"1": {}}


def test_metadata_that_an_option_gave_is_not_asked_for() -> None:
    result, filled = asked(answer(ONE, **BARE), "", {"metadata": {"k": "v"}})
    assert (result.output, filled) == ("", {"1": {"metadata": {"k": "v"}}})


def test_a_time_that_cannot_be_read_is_told_with_the_option_that_gave_it() -> None:
    with pytest.raises(AnswersRefused, match=r"^--time-report: .*write h:mm"):
        answers.from_options(None, None, "8", (), None)


def test_a_bare_number_typed_as_a_time_is_asked_for_again() -> None:
    result, filled = asked(answer(ONE, comment=False, statuses=[], tasks=[]), "8\n8:00\n")
    assert (filled["1"], "write h:mm" in result.output) == ({"time_report": 28_800}, True)


def test_a_bare_number_in_a_file_of_answers_is_refused_with_the_way_to_write_it() -> None:
    with pytest.raises(AnswersRefused) as refused:
        fill(answer(ONE, comment=False, statuses=[]), {}, {"*": {"time_report": "8"}})
    assert "write h:mm" in refused.value.details["answers"][0]["reason"]


def test_nobody_is_asked_about_what_is_only_uploaded() -> None:
    result, filled = asked(answer(LOOSE), "")
    assert (result.exit_code, filled) == (0, {"3": {}})


def test_a_hostile_label_is_asked_for_harmlessly() -> None:
    result, _ = asked(answer({**ONE, "comment_label": "Say\x1b[2J\nACCEPTED"}, time_report=False, statuses=[]), "x\n")
    assert "Say\\x1b[2J ACCEPTED: " in result.output


# --- what is sent ------------------------------------------------------------------------------------------------

BAD = {"id": "4", "filename": "bad", "rejected": True}


def chosen(*entries: dict[str, Any], allow_partial: bool = False, publish_only: bool = False) -> list[str]:
    page = Page(interactive=False)
    found = choose(page, answer(*entries), allow_partial=allow_partial, publish_only=publish_only)
    return [entry["id"] for entry in found]


def test_one_refusal_stops_all() -> None:
    assert chosen(ONE, BAD) == []


@pytest.mark.parametrize(
    ("entries", "publish_only", "suggested"),
    [((BAD,), False, False), ((BAD, ONE), False, True), ((BAD, LOOSE), False, True), ((BAD, LOOSE), True, False)],
)
def test_sending_the_others_is_suggested_only_where_there_are_others(
    capsys: Any, entries: tuple[dict[str, Any], ...], publish_only: bool, suggested: bool
) -> None:
    chosen(*entries, publish_only=publish_only)
    assert suggested == ("--allow-partial" in capsys.readouterr().err)


def test_the_refused_are_left_out_where_a_part_may_be_sent() -> None:
    assert chosen(BAD, ONE, allow_partial=True) == ["1"]


def test_upload_only_entries_are_sent_in_their_order_and_said_to_be_no_publish(capsys: Any) -> None:
    assert chosen(LOOSE, ONE) == ["3", "1"]
    assert "but not as a publish: notes.txt" in capsys.readouterr().err


def test_upload_only_entries_can_be_left_out() -> None:
    assert chosen(LOOSE, ONE, publish_only=True) == ["1"]


def test_nothing_is_left_when_all_are_refused() -> None:
    assert chosen(BAD, allow_partial=True) == []
