"""What is set on things: `lifecycle.levels.LevelBook`.

Rules
1. A change reads, decides and writes in one write transaction: of two at a time none is lost.
2. Whether a setting makes sense on a thing is decided by `model.settings`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table, select, update

from ..model.errors import NotFound
from ..model.metadata import Metadata
from ..model.settings import Level, Value
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
            was_set = given.pop(name, None) is not None
            if value is not None:
                given[name] = value
            _keep(connection, level, id_, settings=given)
        return was_set

    def change_metadata(self, level: Level, id_: str, change: Callable[[Metadata], Metadata]) -> Metadata:
        with self._database.write() as connection:
            changed = change(_kept(connection, level, id_, "metadata"))
            _keep(connection, level, id_, metadata=changed)
        return changed


def _kept(connection: Connection, level: Level, id_: str, column: str) -> Any:
    table = _TABLES[level]
    row = connection.execute(select(table.c[column]).where(table.c.id == id_)).one_or_none()
    if row is None:
        raise NotFound(detail=f"no {level} {id_}")
    return row[0]


def _keep(connection: Connection, level: Level, id_: str, **values: Any) -> None:
    table = _TABLES[level]
    connection.execute(update(table).where(table.c.id == id_).values(**values))
