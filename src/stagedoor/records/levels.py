"""What is set on things: `lifecycle.levels.LevelBook`.

Rules
1. A change reads, decides and writes in one write transaction: of two at a time none is lost.
2. Whether a setting makes sense on a thing is decided by `model.settings`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Table, select, update

from ..model.errors import NotFound
from ..model.metadata import Metadata
from ..model.settings import SETTINGS, Level, Value
from .audit import note
from .database import Database
from .tables import jobs, queues, users, volumes, workspaces

_TABLES: dict[Level, Table] = {
    Level.WORKSPACE: workspaces,
    Level.USER: users,
    Level.VOLUME: volumes,
    Level.QUEUE: queues,
    Level.JOB: jobs,
}


class LevelRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def change_setting(self, level: Level, id_: str, name: str, value: Value | None) -> bool:
        """Set it, or with None take it away; whether it was set before."""
        with self._database.write() as connection:
            given = dict(_kept(connection, level, id_, "settings"))
            before = given.pop(name, None)
            if value is not None:
                given[name] = value
            _keep(connection, level, id_, settings=given)
            if (value, before) != (None, None):
                _note_setting(connection, level, id_, name, before, value)
        return before is not None

    def change_metadata(self, level: Level, id_: str, change: Callable[[Metadata], Metadata]) -> Metadata:
        with self._database.write() as connection:
            before = _kept(connection, level, id_, "metadata")
            changed = change(before)
            _keep(connection, level, id_, metadata=changed)
            told = {"before": asdict(before), "after": asdict(changed)}
            note(connection, "change", level.value, id_, _code(connection, level, id_), **told)
        return changed


def _note_setting(
    connection: Connection, level: Level, id_: str, name: str, before: Value | None, after: Value | None
) -> None:
    """On the workspace a setting is a thing of its own; elsewhere it belongs to what it is set on."""
    verb = "unset" if after is None else "set"
    if level is Level.WORKSPACE:
        default = SETTINGS[name].default
        one, other = _or(before, default), _or(after, default)
        note(connection, verb, "setting", name, name, before={"value": one}, after={"value": other})
    else:
        one_set, other_set = {"settings": {name: before}}, {"settings": {name: after}}
        note(connection, verb, level.value, id_, _code(connection, level, id_), before=one_set, after=other_set)


def _or(value: Value | None, default: Value) -> Value:
    return default if value is None else value


def _code(connection: Connection, level: Level, id_: str) -> str:
    table = _TABLES[level]
    return connection.scalar(select(table.c.code).where(table.c.id == id_)) or ""


def _kept(connection: Connection, level: Level, id_: str, column: str) -> Any:
    table = _TABLES[level]
    row = connection.execute(select(table.c[column]).where(table.c.id == id_)).one_or_none()
    if row is None:
        raise NotFound(detail=f"no {level} {id_}")
    return row[0]


def _keep(connection: Connection, level: Level, id_: str, **values: Any) -> None:
    table = _TABLES[level]
    connection.execute(update(table).where(table.c.id == id_).values(**values))
