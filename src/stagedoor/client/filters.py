"""What is sent with the request for a list, from the expression of a query; `query` cuts it off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import query
from .entities import Kind, attributes_of

QUERY_CODES = frozenset({"query_refused", "query_too_slow", "attribute_unknown", "state_unknown"})


def to_send(kind: Kind, where: str | None) -> dict[str, str]:
    """What to send with the request for a list."""
    if where is None:
        return {}
    return _of_the_single(kind, where) if kind.single else {"where": where}


def _of_the_single(kind: Kind, where: str) -> dict[str, str]:
    known = attributes_of(kind.every)
    filters = query.filters_of(where, known)
    if filters is None:
        raise ValueError(f"there is one {kind.name}: it can be asked by name=value; names are: {', '.join(known)}")
    return filters


def matches(item: Mapping[str, Any], filters: Mapping[str, str]) -> bool:
    return all(str(item.get(name, "")).casefold() == value.casefold() for name, value in filters.items())
