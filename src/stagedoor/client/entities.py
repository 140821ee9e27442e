"""What can be asked for by name in `find`, `get_entity`, `create`, `update` and `delete_one`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ..wire import calls
from ..wire.calls import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The calls of one entity type; None where there is none."""

    name: str
    every: Call
    one: Call | None = None
    add: Call | None = None
    change: Call | None = None
    remove: Call | None = None
    single: bool = False
    """there is exactly one, and `every` answers it"""
    key: str = "id"
    """what names one in a path"""
    no_removal: str = "cannot be deleted"


JOB = Kind(
    name="job",
    every=calls.JOBS,
    one=calls.JOB,
    add=calls.SUBMIT,
    change=calls.CHANGE_JOB,
    no_removal="cannot be deleted; session.abort(job) ends it",
)
TASK = Kind(name="task", every=calls.TASKS, no_removal="cannot be deleted; session.abort(job) ends its job")
USER = Kind(
    name="user",
    every=calls.USERS,
    one=calls.USER,
    add=calls.ADD_USER,
    change=calls.CHANGE_USER,
    no_removal="cannot be deleted, since jobs name them; update it with {'status': 'disabled'}",
)
_KINDS = (
    JOB,
    TASK,
    USER,
    Kind(
        name="volume",
        every=calls.VOLUMES,
        one=calls.VOLUME,
        add=calls.ADD_VOLUME,
        change=calls.CHANGE_VOLUME,
        remove=calls.REMOVE_VOLUME,
    ),
    Kind(
        name="queue",
        every=calls.QUEUES,
        one=calls.QUEUE,
        add=calls.ADD_QUEUE,
        change=calls.CHANGE_QUEUE,
        remove=calls.REMOVE_QUEUE,
    ),
    Kind(name="offer", every=calls.OFFERS, one=calls.OFFER_BY_ID, remove=calls.WITHDRAW),
    Kind(name="run", every=calls.RUNS, one=calls.RUN),
    Kind(name="log", every=calls.LOG, no_removal="cannot be deleted: lines go after their time"),
    Kind(name="workspace", every=calls.WORKSPACE, change=calls.CHANGE_WORKSPACE, single=True),
    Kind(name="hook", every=calls.HOOKS, change=calls.SET_HOOK, remove=calls.UNSET_HOOK, key="name"),
    Kind(name="setting", every=calls.SETTINGS, change=calls.SET_SETTING, remove=calls.UNSET_SETTING, key="name"),
)
_ALIASES = {"transfer": "job"}
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}


def kind_of(entity: str) -> Kind:
    """Raises ValueError naming the entity types there are."""
    name = entity.strip().lower()
    found = KINDS.get(_ALIASES.get(name, name))
    if found is None:
        there = ", ".join(sorted([*KINDS, *_ALIASES]))
        raise ValueError(f"there is no entity type {entity!r}; there are: {there}")
    return found


def attributes_of(call: Call) -> tuple[str, ...]:
    """The keys of what a call answers; of a list, those of its items."""
    return _keys(call.items or call.answer)


def writable(call: Call) -> tuple[str, ...]:
    """The keys that a call takes."""
    return _keys(call.body)


def check_attributes(call: Call, attributes: Sequence[str] | None) -> None:
    known = attributes_of(call)
    for name in attributes or ():
        if name not in known:
            raise ValueError(f"there is no attribute {name!r}; there are: {', '.join(known)}")


def only(item: dict[str, Any], attributes: Sequence[str] | None) -> dict[str, Any]:
    """These keys of it; all without `attributes`."""
    return item if attributes is None else {key: item[key] for key in attributes if key in item}


def _keys(struct: Any) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(struct))
