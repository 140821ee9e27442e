"""What an administrator asks of the database as a whole: is it sound, how much is in it, what stands still.

Rules
1. Nothing here changes anything.
2. Counts go over indexes; 100,000 jobs are counted in milliseconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, text

from ..model.states import UNFINISHED, WAITING, JobState
from .database import Database
from .jobs import FAILED, WORKING
from .tables import jobs, queues, tasks


@dataclass(frozen=True, slots=True)
class Upcoming:
    """Bytes of unfinished jobs: how many were announced, how many of them are there."""

    size: int
    received: int


class Health:
    def __init__(self, database: Database) -> None:
        self._database = database

    def faults(self) -> list[str]:
        """What SQLite finds damaged in its file; PostgreSQL looks after itself."""
        if self._database.engine.dialect.name != "sqlite":
            return []
        with self._database.read() as connection:
            found = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check(10)"))]
        return [] if found == ["ok"] else found

    def ahead(self) -> float:
        """Seconds by which the clock of a database server is ahead of ours; 0 for a file."""
        if self._database.engine.dialect.name == "sqlite":
            return 0.0
        with self._database.read() as connection:
            theirs = connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
        return float(theirs or 0) - time.time()

    def jobs_by_state(self) -> dict[JobState, int]:
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def jobs_by_queue(self) -> dict[str, int]:
        """Jobs whose steps run or wait for their turn, by queue."""
        query = (
            select(queues.c.code, func.count())
            .join(jobs, jobs.c.queue_id == queues.c.id)
            .where(jobs.c.state.in_([*WORKING, *WAITING]))
            .group_by(queues.c.code)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def upcoming(self) -> Upcoming:
        unfinished = jobs.c.state.in_(UNFINISHED)
        query = select(func.sum(tasks.c.size), func.sum(tasks.c.received)).join(jobs, jobs.c.id == tasks.c.job_id)
        with self._database.read() as connection:
            row = connection.execute(query.where(unfinished)).one()
        return Upcoming(int(row[0] or 0), int(row[1] or 0))

    def still_since(self, when: int) -> list[str]:
        """Ids of jobs whose step has been under way, without a change, since before a time."""
        return self._ids(jobs.c.state.in_(WORKING), jobs.c.modified < when)

    def waiting_for_a_person(self) -> list[str]:
        """Ids of failed jobs that are not tried again by themselves."""
        return self._ids(jobs.c.state.in_(FAILED), jobs.c.due.is_(None))

    def _ids(self, *where: ColumnElement[bool]) -> list[str]:
        with self._database.read() as connection:
            return list(connection.scalars(select(jobs.c.id).where(*where).order_by(jobs.c.id)))
