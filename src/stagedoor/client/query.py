"""`Job WHERE status=failed AND user=ann@vendor.example` as an entity type and an expression.

Rules
1. The server reads the expression; here it is only cut off.
2. Of what there is one of the server is asked no question: there `name=value` joined by AND is read here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_WHERE = re.compile(r"\s*(\w+)(?:\s+where\b\s*(\S.*?))?\s*", re.IGNORECASE | re.DOTALL)
_TERM = re.compile(r"""\s*(\w+)\s*=\s*("[^"*]*"|'[^'*]*'|[^\s"'=<>!(),*]+)\s*""")
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
        name = term[1].lower() if term else ""
        if not term or name not in known or name in filters:
            return None
        filters[name] = term[2][1:-1] if term[2][0] in "\"'" else term[2]
        position = term.end()
        if position == len(where):
            return filters
        joint = _AND.match(where, position)
        if not joint:
            return None
        position = joint.end()


def quoted(value: str) -> str:
    """As a value in an expression."""
    return '"' + value.replace('"', '""') + '"'


def check_page(limit: int | None, skip: int | None) -> None:
    for name, number in (("limit", limit), ("skip", skip)):
        if number is not None and number < 0:
            raise ValueError(f"{name} must not be negative: {number}")
