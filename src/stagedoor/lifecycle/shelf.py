"""Short lists, which are read whole: filtered by the same language, and cut into pages.

Rules
1. An attribute is what the item shows under that name; how it is compared stands in the table of its list.
2. Items come in the order they are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from ..model.query import All, Comparison, Expression
from ..wire.jobs import Page
from .compare import Fits, Kind, Patience, Text, Time, unknown
from .wanted import Wanted

Item = TypeVar("Item")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Shelf:
    name: str
    attributes: Mapping[str, Kind]


HOOKS = Shelf("hook", {"name": Text(), "queue": Text(), "command": Text(), "status": Text(), "modified": Time()})
QUEUES = Shelf(
    "queue",
    {
        "id": Text(),
        "code": Text(),
        "created": Time(),
        "modified": Time(),
        "description": Text(),
        "status": Text(),
    },
)
SETTINGS = Shelf("setting", {"name": Text(), "value": Text(), "default": Text(), "reason": Text()})
KEYS = Shelf("key", {"id": Text(), "label": Text(), "created": Time(), "expires": Time(), "revoked": Time()})

SESSIONS = Shelf(
    "session",
    {"id": Text(), "created": Time(), "last_used": Time(), "ip": Text(), "client": Text(), "way": Text()},
)
PASSKEYS = Shelf("passkey", {"id": Text(), "name": Text(), "host": Text(), "created": Time(), "last_used": Time()})
INVITATIONS = Shelf(
    "invitation",
    {
        "id": Text(),
        "email": Text(),
        "role": Text(),
        "created": Time(),
        "expires": Time(),
        "state": Text(),
        "by": Text(),
    },
)


def page(items: Sequence[Item], shelf: Shelf, wanted: Wanted) -> Page:
    """Raises BadRequest for a query that cannot be asked."""
    part = wanted.slice()
    found = list(items) if part.where is None else _chosen(items, shelf, part.where)
    return Page(total=len(found), items=found[part.skip : part.skip + part.limit])


def _chosen(items: Sequence[Item], shelf: Shelf, expression: Expression) -> list[Item]:
    decided = _decide(items, shelf, expression, Patience())
    return [item for item, yes in zip(items, decided, strict=True) if yes]


def _decide(items: Sequence[Any], shelf: Shelf, expression: Expression, patience: Patience) -> list[bool]:
    if isinstance(expression, Comparison):
        return _compare(items, shelf, expression, patience)
    join = all if isinstance(expression, All) else any
    parts = [_decide(items, shelf, part, patience) for part in expression.parts]
    return [join(found) for found in zip(*parts, strict=True)]


def _compare(items: Sequence[Any], shelf: Shelf, comparison: Comparison, patience: Patience) -> list[bool]:
    kind = shelf.attributes.get(comparison.attribute)
    if kind is None:
        raise unknown(comparison.attribute, shelf.name, shelf.attributes)
    asked = kind.asked(comparison)
    values = [_value(getattr(item, comparison.attribute)) for item in items]
    if isinstance(asked.test, Fits):
        return [yes is not asked.negated for yes in asked.test.many(values, patience)]
    return [asked.holds(value) for value in values]


def _value(value: Any) -> Any:
    """As it is compared: moments in milliseconds, all else as JSON writes it."""
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(milliseconds=1)
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
