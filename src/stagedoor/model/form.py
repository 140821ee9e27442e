"""What the user must fill in for a publish, and whether the answers do.

Rules
1. Answers are per entry. They are required of accepted entries; upload-only entries may have them.
2. A blank comment or zero seconds is no answer.
3. A status left out is the default, where the hook named one. A status or task must be one that was offered.
4. Metadata is free text pairs: a dict, or text of `key=value` lines, or JSON.
5. All faults are told together, each naming entry and field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?")
MAX_TEXT = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    label: str
    value: str
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    comment: bool = False
    time_report: bool = False
    metadata: bool = False
    statuses: tuple[Status, ...] = ()
    tasks: tuple[str, ...] = ()
    guidelines: str = ""
    """cleaned HTML or plain text"""

    @property
    def default_status(self) -> str:
        return next((status.value for status in self.statuses if status.default), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    comment: str = ""
    time_report: int = 0
    """seconds"""
    status: str = ""
    task: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnswerFault:
    """One answer that is missing (`required`) or wrong."""

    field: str
    reason: str
    required: bool = False


FIELDS = ("comment", "time_report", "status", "task", "metadata")


def read(form: Form, given: Mapping[str, Any], *, accepted: bool) -> tuple[Answers, list[AnswerFault]]:
    """Read one entry's answers. `given` may hold other keys; they are not looked at."""
    faults: list[AnswerFault] = []
    comment = _text("comment", given, faults)
    seconds = _seconds(given.get("time_report"), faults)
    status = _choice("status", given, [item.value for item in form.statuses], faults) or form.default_status
    task = _choice("task", given, form.tasks, faults)
    metadata = _metadata(given.get("metadata"), faults)
    faulty = {fault.field for fault in faults}
    if accepted:
        if form.comment and not comment and "comment" not in faulty:
            faults.append(AnswerFault("comment", "enter a comment", True))
        if form.time_report and not seconds and "time_report" not in faulty:
            faults.append(AnswerFault("time_report", "enter the time spent, as h:mm", True))
        if form.statuses and not status and "status" not in faulty:
            labels = ", ".join(item.label for item in form.statuses)
            faults.append(AnswerFault("status", f"choose a status: {labels}", True))
    return Answers(comment=comment, time_report=seconds, status=status, task=task, metadata=metadata), faults


def _text(name: str, given: Mapping[str, Any], faults: list[AnswerFault]) -> str:
    value = given.get(name)
    if value is None or isinstance(value, bool):  # the echo of the form's own `comment: true` is no answer
        return ""
    if not isinstance(value, str):
        faults.append(AnswerFault(name, "must be text"))
        return ""
    if len(value) > MAX_TEXT:
        faults.append(AnswerFault(name, f"is longer than {MAX_TEXT} characters"))
        return ""
    return value.strip()


def _choice(name: str, given: Mapping[str, Any], allowed: Any, faults: list[AnswerFault]) -> str:
    value = _text(name, given, faults)
    if value and value not in allowed:
        offered = ", ".join(allowed)
        hint = f"choose one of: {offered}" if offered else "the studio offers none to choose from: leave it out"
        faults.append(AnswerFault(name, f"{value!r} is not offered; {hint}"))
        return ""
    return value


def _seconds(value: Any, faults: list[AnswerFault]) -> int:
    try:
        return parse_time(value)
    except ValueError as error:
        faults.append(AnswerFault("time_report", str(error)))
        return 0


def parse_time(value: Any) -> int:
    """Seconds from an integer, or from text as people type it: `1:30` is an hour and a half.

    A bare number in text is refused: who types 8 means hours, and a program that means seconds sends a number.
    """
    if value is None or isinstance(value, bool) or value == "":
        return 0
    if isinstance(value, str):
        text = value.strip()
        clock = _CLOCK.fullmatch(text)
        if clock:
            return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3] or 0)
        if text and set(text) == {"0"}:
            return 0
        example = f"{int(text)}:00" if text.isascii() and text.isdigit() and len(text) < 4 else "1:30"
        raise ValueError(f"{value!r} is not a time: write h:mm, such as {example}")
    if not isinstance(value, int) or not 0 <= value < 10**9:
        raise ValueError("must be whole seconds, or text as h:mm")
    return value


def _metadata(value: Any, faults: list[AnswerFault]) -> dict[str, str]:
    try:
        return parse_metadata(value)
    except ValueError as error:
        faults.append(AnswerFault("metadata", str(error)))
        return {}


def parse_metadata(value: Any) -> dict[str, str]:
    """Pairs of text from a dict, from JSON text or from `key=value` lines."""
    if value is None or isinstance(value, bool):
        return {}
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith("{"):
            return _lines(text)
        try:
            value = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"looks like JSON but is not: {error}") from None
    if not isinstance(value, Mapping):
        raise ValueError("must be pairs: a JSON object, or key=value lines")
    if any(isinstance(item, (Mapping, list)) for item in value.values()):
        raise ValueError("must be plain pairs: nested values are not taken")
    return {str(key): _plain(item) for key, item in value.items()}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value) if value is not None else ""


def _lines(text: str) -> dict[str, str]:
    pairs = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        key, separator, value = line.partition("=")
        if not separator or not key.strip():
            raise ValueError(f"{line.strip()!r} is not key=value")
        pairs[key.strip()] = value.strip()
    return pairs
