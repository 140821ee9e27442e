"""`Job WHERE status=failed AND user=ann@vendor.example` as an entity type and an expression.

Rules
1. The server reads the expression; here it is only cut off.
2. `name=value` joined by AND, and `created >= <time>`, is what `find` has always understood: such filters of jobs are
   asked as they always were. There `status="failed,done"` is a list, and a time at or after which is `since`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

_WHERE = re.compile(r"\s*(\w+)(?:\s+where\b\s*(\S.*?))?\s*", re.IGNORECASE | re.DOTALL)
_TERM = re.compile(r"""\s*(\w+)\s*(=|>=)\s*("[^"*]*"|'[^'*]*'|[^\s"'=<>!(),*]+)\s*""")
_AND = re.compile(r"and\s", re.IGNORECASE)


class Query(NamedTuple):
    entity: str
    """as written, in lower case"""
    where: str | None


def parse(text: str) -> Query:
    """Raises ValueError with the way out."""
    match = _WHERE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a query: write `Job` or `Job WHERE status=failed AND user=...`")
    return Query(match[1].lower(), match[2])


def filters_of(where: str, known: Sequence[str]) -> dict[str, str] | None:
    """Where it is nothing but known filters, each named once, joined by AND."""
    filters: dict[str, str] = {}
    position = 0
    while True:
        term = _TERM.match(where, position)
        name = _name(term[1].lower(), term[2]) if term else None
        if not term or name not in known or name in filters:
            return None
        assert name
        filters[name] = term[3][1:-1] if term[3][0] in "\"'" else term[3]
        position = term.end()
        if position == len(where):
            return filters
        joint = _AND.match(where, position)
        if not joint:
            return None
        position = joint.end()


def _name(name: str, comparison: str) -> str | None:
    if comparison == "=":
        return name
    return "since" if name == "created" else None


def quoted(value: str) -> str:
    """As a value in an expression."""
    return '"' + value.replace('"', '""') + '"'


def moment(text: str) -> str:
    """A date, or a date and time, as RFC 3339; UTC where no zone is named. Raises ValueError."""
    try:
        found = datetime.fromisoformat(re.sub("z$", "+00:00", text, flags=re.IGNORECASE))
    except ValueError:
        raise ValueError(f"{text!r} is not a time: write 2026-03-01 or 2026-03-01T10:00:00") from None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).isoformat()


def matches(item: Mapping[str, Any], filters: Mapping[str, str]) -> bool:
    return all(str(item.get(name, "")).casefold() == value.casefold() for name, value in filters.items())


def check_page(limit: int | None, skip: int | None) -> None:
    for name, number in (("limit", limit), ("skip", skip)):
        if number is not None and number < 0:
            raise ValueError(f"{name} must not be negative: {number}")
