"""What is sent with the request for a list, from the expression of a query; `query` cuts it off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import query
from .entities import JOB, JOB_FILTERS, Kind, attributes_of

QUERY_CODES = frozenset({"query_refused", "query_too_slow", "attribute_unknown", "state_unknown"})


def to_send(kind: Kind, where: str | None) -> dict[str, str]:
    """What to send with the request for a list."""
    if where is None:
        return {}
    if kind.single:
        return _of_the_single(kind, where)
    simple = query.filters_of(where, JOB_FILTERS) if kind is JOB else None
    return {"where": where} if simple is None else job_filters(simple)


def _of_the_single(kind: Kind, where: str) -> dict[str, str]:
    known = attributes_of(kind.every)
    filters = query.filters_of(where, known)
    if filters is None:
        raise ValueError(f"there is one {kind.name}: it can be asked by name=value; names are: {', '.join(known)}")
    return filters


def job_filters(known: dict[str, str]) -> dict[str, str]:
    if "status" in known and "state" in known:
        raise ValueError("status and state are the same filter: give one of them")
    if "since" in known:
        known = {**known, "since": query.moment(known["since"])}
    return {"state" if name == "status" else name: value for name, value in known.items()}


def matches(item: Mapping[str, Any], filters: Mapping[str, str]) -> bool:
    return all(str(item.get(name, "")).casefold() == value.casefold() for name, value in filters.items())
