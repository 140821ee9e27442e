"""The audit log: a list of lines, or refusals summed up."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from .numbers import moment
from .page import Column, Page

USUAL = 50
TIMES = frozenset({"created", "modified", "expires", "until", "revoked", "finished", "staging_expires"})
"""milliseconds, in what was changed"""
CSV: Mapping[str, tuple[str, ...]] = {
    "log": (
        "id",
        "created",
        "user_hr",
        "role",
        "door",
        "ip",
        "client",
        "request",
        "verb",
        "entity",
        "entity_id",
        "entity_hr",
        "code",
        "message",
        "reasons",
        "changes",
        "details",
    ),
    "stumbles": ("reason", "count", "users", "last", "example", "user_hrs"),
}


def listing(page: Page, lines: Sequence[Any], total: int) -> None:
    if not lines:
        page.say("No line is like that.")
        return
    columns = [Column("WHEN"), Column("WHO", long=True), Column("FROM"), Column("DID"), Column("TO", long=True)]
    page.table([*columns, Column("WHAT")], [_row(line) for line in lines])
    if total > len(lines):
        page.note(f"{total - len(lines):,} more; see them with --limit, or save all with --csv FILE.")


def _row(line: Any) -> tuple[str, ...]:
    thing = " ".join(filter(None, (line.entity, line.entity_hr or line.entity_id)))
    return moment(line.created), line.user_hr, line.ip or line.door, line.verb, thing, what(line)


def what(line: Any) -> str:
    """What was changed, or why it was refused, in one line."""
    if line.message or line.code:
        detail = str(line.details.get("detail", ""))
        return " ".join(filter(None, (line.code and f"{line.code}:", line.message, detail and f"({detail})")))
    if line.changes:
        told = {name: pair for name, pair in line.changes.items() if not name.startswith("capabilities.")}
        return ", ".join(f"{name}: {_change(name, *pair)}" for name, pair in (told or line.changes).items())
    return ", ".join(f"{name} {_word(name, value)}" for name, value in line.details.items() if value not in ("", None))


def _change(name: str, before: Any, after: Any) -> str:
    if before in (None, ""):
        return _word(name, after)
    return f"{_word(name, before)} -> {_word(name, after)}"


def _word(name: str, value: Any) -> str:
    """Modes as `chmod` writes them, times as times."""
    if isinstance(value, int) and name.endswith("_mode"):
        return f"{value:o}"
    if isinstance(value, int) and name in TIMES:
        return moment(datetime.fromtimestamp(value / 1000, timezone.utc))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def stumbles(page: Page, found: Sequence[Any], total: int) -> None:
    if not found:
        page.say("Nothing was refused.")
        return
    columns = [Column("COUNT", right=True), Column("USERS", right=True), Column("LAST"), Column("REASON", long=True)]
    rows = [(str(one.count), str(one.users), moment(one.last), one.reason, one.example) for one in found]
    page.table([*columns, Column("EXAMPLE")], rows)


SHOWN: Mapping[str, Callable[[Page, Sequence[Any], int], None]] = {"log": listing, "stumbles": stumbles}
