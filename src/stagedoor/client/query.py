"""`Job WHERE status=failed AND user=ann@vendor.example` as an entity type and filters.

Only `=` joined by AND is understood, and `created >= <time>`; everything else is refused with what there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

_WHERE = re.compile(r"\s*(\w+)(?:\s+where\s+(.*?))?\s*", re.IGNORECASE | re.DOTALL)
_TERM = re.compile(r"""\s*(\w+)\s*(=|>=)\s*("[^"]*"|'[^']*'|[^\s"'=<>!(),]+)\s*""")
_AND = re.compile(r"and\s", re.IGNORECASE)


class Query(NamedTuple):
    entity: str
    """as written, in lower case"""
    filters: dict[str, str]


def parse(text: str) -> Query:
    """Raises ValueError with the way out."""
    match = _WHERE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a query: write `Job` or `Job WHERE status=failed AND user=...`")
    return Query(match[1].lower(), _filters(match[2]) if match[2] is not None else {})


def _filters(text: str) -> dict[str, str]:
    filters: dict[str, str] = {}
    position = 0
    while True:
        term = _TERM.match(text, position)
        if not term:
            raise _refused(text[position:])
        name = _name(term[1].lower(), term[2])
        if name in filters:
            raise ValueError(f"{name} is named twice: one value is compared")
        filters[name] = term[3][1:-1] if term[3][0] in "\"'" else term[3]
        position = term.end()
        if position == len(text):
            return filters
        joint = _AND.match(text, position)
        if not joint:
            raise _refused(text[position:])
        position = joint.end()


def _name(name: str, comparison: str) -> str:
    if comparison == "=":
        return name
    if name == "created":
        return "since"
    raise ValueError(f"{name} can be compared with = alone; created takes >= as well")


def _refused(rest: str) -> ValueError:
    return ValueError(
        f"{rest.strip()!r} cannot be asked: filters are name=value, joined by AND; quote values that hold blanks"
    )


def only(filters: dict[str, str], known: Sequence[str], entity: str) -> dict[str, str]:
    """The filters, where each is known. Raises ValueError naming those there are."""
    for name in filters:
        if name not in known:
            raise ValueError(f"{entity} has no filter {name!r}; there are: {', '.join(known)}")
    return filters


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
