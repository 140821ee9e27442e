"""Runs of hooks: `lifecycle.needs.RunBook`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update

from ..model.entities import HookRun, RunState
from ..model.errors import NotFound
from .audit import note
from .columns import batches, only
from .database import Database
from .tables import picked, runs

_CHANGES = {column.name for column in picked(runs, "id", "hook", "command", "started", "replay")}


class Runs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, run: HookRun) -> None:
        with self._database.write() as connection:
            connection.execute(insert(runs).values(**asdict(run)))
            if run.replay:  # all others follow from an offer or a job, which have lines of their own
                details = {"job": run.job_id, "command": run.command}
                note(connection, "replay", "run", run.id, run.hook.value, details=details)

    def update(self, run_id: str, **changes: Any) -> None:
        """Set fields of HookRun. Raises NotFound."""
        only(changes, _CHANGES)
        with self._database.write() as connection:
            if not connection.execute(update(runs).where(runs.c.id == run_id).values(**changes)).rowcount:
                raise NotFound(detail=f"no run {run_id}")

    def run(self, run_id: str) -> HookRun | None:
        return next(iter(self._runs(runs.c.id == run_id)), None)

    def unfinished(self) -> list[HookRun]:
        return self._runs(runs.c.state == RunState.RUNNING)

    def runs_of_job(self, job_id: str) -> list[HookRun]:
        return self._runs(runs.c.job_id == job_id)

    def ended_before(self, when: int) -> list[str]:
        """Ids of runs that ended before a time, the oldest first: those whose keeping may be over."""
        with self._database.read() as connection:
            old = select(runs.c.id).where(runs.c.started < when, runs.c.ended < when)
            return list(connection.scalars(old.order_by(runs.c.started)))

    def forget(self, run_ids: Sequence[str]) -> None:
        with self._database.write() as connection:
            for batch in batches(run_ids):
                connection.execute(delete(runs).where(runs.c.id.in_(batch)))

    def _runs(self, where: ColumnElement[bool]) -> list[HookRun]:
        with self._database.read() as connection:
            return [
                HookRun(**row._mapping) for row in connection.execute(select(runs).where(where).order_by(runs.c.id))
            ]
