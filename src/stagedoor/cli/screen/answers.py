"""What the user must fill in: from options, from a file, by asking.

Rules
1. Options apply to every entry; a file says more, by file name or id, `*` for all. The nearer wins.
2. On a terminal whatever is missing or wrong is asked for, entry by entry; the last answer is the next suggestion.
   Choices that may be left open are offered too: a production task per entry that the studio did not recognise,
   metadata once for all. A status with a default is not asked for where options or a file gave everything else that
   is required.
3. Elsewhere every fault is told at once, each with the option that mends it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ...model.errors import AnswersRefused
from ...model.form import FIELDS, AnswerFault, Form, Status, parse_metadata, parse_time, read
from . import verdicts
from .numbers import clock
from .page import Page, harmless

OPTIONS = {
    "comment": "--comment TEXT",
    "time_report": "--time-report H:MM",
    "status": "--status VALUE",
    "task": "--task NAME",
    "metadata": "--metadata KEY=VALUE",
}
Given = dict[str, Any]


def from_options(
    comment: str | None, status: str | None, time_report: str | None, metadata: Sequence[str], task: str | None
) -> Given:
    """The answers that were given as options. Raises AnswersRefused where a time or a pair cannot be read."""
    given = {
        "comment": comment,
        "status": status,
        "task": task,
        "time_report": _read("--time-report", parse_time, time_report),
        "metadata": _read("--metadata", parse_metadata, "\n".join(metadata)),
    }
    return {field: value for field, value in given.items() if value}


def _read(option: str, parse: Callable[[str], Any], words: str | None) -> Any:
    try:
        return parse(words) if words else None
    except ValueError as error:
        raise AnswersRefused(f"{option}: {error}.") from None


def from_file(path: Path) -> dict[str, Given]:
    """Answers per entry: `{"<file name or id>": {"comment": ...}, "*": {...}}`."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise AnswersRefused(f"The answers cannot be read from {path}: {error}.") from None
    if not isinstance(found, dict) or not all(isinstance(value, dict) for value in found.values()):
        raise AnswersRefused(f'{path} must hold a JSON object: {{"<file name>": {{"comment": "..."}}, "*": {{...}}}}.')
    for name, given in found.items():
        unknown = sorted(set(given) - set(FIELDS))
        if unknown:
            raise AnswersRefused(f"{path}: {name} has {', '.join(unknown)}; known are {', '.join(FIELDS)}.")
    return found


def form_of(answer: Mapping[str, Any]) -> Form:
    """The form in an answer to an offer."""
    return Form(
        comment=answer.get("comment") is True,
        time_report=answer.get("time_report") is True,
        metadata=answer.get("metadata") is True,
        statuses=tuple(
            Status(label=str(item.get("label")), value=str(item.get("value")), default=item.get("default") is True)
            for item in answer.get("statuses") or ()
        ),
        tasks=tuple(str(task) for task in answer.get("tasks") or ()),
    )


def fill(
    page: Page,
    answer: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    options: Given,
    per_entry: Mapping[str, Given],
) -> dict[str, Given]:
    """The answers of every entry that is to be sent, by entry id. Raises AnswersRefused."""
    _all_known(answer, per_entry)
    form = form_of(answer)
    filled: dict[str, Given] = {}
    faults: list[dict[str, Any]] = []
    last: Given = {}
    for entry in entries:
        given = _by_value(form, _given(entry, options, per_entry))
        accepted = _accepted(entry)
        if page.interactive and accepted:
            last = given = _ask(page, form, entry, given, last)
        for fault in read(form, given, accepted=accepted)[1]:
            faults.append(_told(str(entry["filename"]), fault))
        filled[str(entry["id"])] = given
    if faults:
        raise AnswersRefused("Some answers are missing or wrong:", details={"answers": faults})
    if page.interactive and form.metadata:
        _ask_metadata(page, [filled[str(entry["id"])] for entry in entries if _accepted(entry)])
    return filled


def _accepted(entry: Mapping[str, Any]) -> bool:
    return verdicts.kind(entry) == verdicts.ACCEPTED


def _all_known(answer: Mapping[str, Any], per_entry: Mapping[str, Given]) -> None:
    files = answer.get("files") or ()
    known = {"*"} | {entry.get("filename") for entry in files} | {entry.get("id") for entry in files}
    strangers = sorted(set(per_entry) - known)
    if strangers:
        raise AnswersRefused(f"There are answers for {', '.join(strangers)}, which is no entry of this publish.")


def _given(entry: Mapping[str, Any], options: Given, per_entry: Mapping[str, Given]) -> Given:
    given = {**per_entry.get("*", {}), **options}
    return given | per_entry.get(str(entry.get("filename")), {}) | per_entry.get(str(entry.get("id")), {})


def _by_value(form: Form, given: Given) -> Given:
    """A status may be given by the label that people read."""
    value = next((status.value for status in form.statuses if status.label == given.get("status")), None)
    return {**given, "status": value} if value is not None else given


def _told(filename: str, fault: AnswerFault) -> dict[str, Any]:
    return {
        "filename": filename,
        "field": fault.field,
        "required": fault.required,
        "reason": f"{fault.reason} ({OPTIONS[fault.field]})",
    }


# --- asking ----------------------------------------------------------------------------------------------------------


def _ask(page: Page, form: Form, entry: Mapping[str, Any], given: Given, last: Given) -> Given:
    wanted = _wanted(form, entry, given)
    if not wanted:
        return given
    page.note(f"{entry.get('ident') or entry['filename']}:", "bold")
    for field in wanted:
        value = _QUESTIONS[field](page, form, entry, last.get(field))
        given = {**given, field: value}
    return given


def _wanted(form: Form, entry: Mapping[str, Any], given: Given) -> list[str]:
    """What to ask for: what is missing or wrong, and the choices that were not made yet."""
    faulty = {fault.field for fault in read(form, given, accepted=True)[1]}
    complete = not faulty and any(given.values())
    if form.statuses and not given.get("status") and not complete:
        faulty.add("status")
    if form.tasks and not entry.get("ident") and not given.get("task"):
        faulty.add("task")
    return [field for field in FIELDS if field in faulty]


def _ask_metadata(page: Page, filled: Sequence[Given]) -> None:
    """Once, for all entries that have none."""
    open_ = [given for given in filled if not given.get("metadata")]
    pairs = _pairs(page, "Metadata for all entries" if len(open_) > 1 else "Metadata") if open_ else {}
    for given in open_ if pairs else ():
        given["metadata"] = pairs


def _comment(page: Page, form: Form, entry: Mapping[str, Any], last: Any) -> str:
    label = harmless(str(entry.get("comment_label") or "Comment").replace("\n", " "))
    while True:
        words = str(click.prompt(f"  {label}", default=last or None, err=True)).strip()
        if words or not form.comment:
            return words


def _time(page: Page, form: Form, entry: Mapping[str, Any], last: Any) -> int:
    while True:
        words = click.prompt("  Time spent (h:mm)", default=clock(last) if last else None, err=True)
        try:
            seconds = parse_time(words)
        except ValueError as error:
            page.note(f"  {error}")
            continue
        if seconds:
            return seconds
        page.note("  The time must be more than zero.")


def _status(page: Page, form: Form, entry: Mapping[str, Any], last: Any) -> str:
    values = [status.value for status in form.statuses]
    default = last if last in values else form.default_status
    return _choose(page, "Status", [status.label for status in form.statuses], values, default)


def _task(page: Page, form: Form, entry: Mapping[str, Any], last: Any) -> str:
    title = "Production task" if last else "Production task (Enter for none)"
    return _choose(page, title, [*form.tasks, "none of these"], [*form.tasks, ""], last or "")


def _metadata(page: Page, form: Form, entry: Mapping[str, Any], last: Any) -> dict[str, str]:
    return _pairs(page, "  Metadata")


def _pairs(page: Page, title: str) -> dict[str, str]:
    question = f"{title} (key=value, several parted by ;, Enter for none)"
    while True:
        words = click.prompt(question, default="", err=True, show_default=False)
        try:
            return parse_metadata(words.replace(";", "\n"))
        except ValueError as error:
            page.note(f"  {error}")


def _choose(page: Page, title: str, labels: Sequence[str], values: Sequence[str], default: str) -> str:
    for number, label in enumerate(labels, 1):
        page.note(f"    {number}  {label}")
    suggested = values.index(default) + 1 if default in values else None
    return values[
        click.prompt(f"  {title}, by number", type=click.IntRange(1, len(values)), default=suggested, err=True) - 1
    ]


_QUESTIONS = {"comment": _comment, "time_report": _time, "status": _status, "task": _task, "metadata": _metadata}
