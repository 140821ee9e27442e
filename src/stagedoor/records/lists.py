"""The read side: filters and pages, newest first.

Rules
1. Every list answers `(total, items)`: how many match, and those of the page.
2. A filter that is None does not filter. `since` is milliseconds: made at or after.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func, select

from ..model.entities import HookRun, Job, Offer, Role, RunState, User, Volume
from ..model.hooks import HookName
from ..model.states import JobState, OfferState, TaskStatus
from .columns import batches, fold
from .database import Database
from .house import USER, VOLUME
from .jobs import ENDED, JOB_COLUMNS, job_of
from .offers import OFFER_COLUMNS, entries_of, offer_of
from .tables import jobs, offers, runs, tasks, users, volumes


class Lists:
    def __init__(self, database: Database) -> None:
        self._database = database

    def jobs(
        self,
        *,
        user_id: str | None = None,
        id: str | None = None,
        code: str | None = None,
        states: Iterable[JobState] | None = None,
        since: int | None = None,
        finished: bool = False,
        limit: int = 50,
        skip: int = 0,
    ) -> tuple[int, list[Job]]:
        """Jobs without their tasks. Ended ones are hidden unless `finished`, or asked for by `id` or `states`."""
        where = _equal((jobs.c.user_id, user_id), (jobs.c.id, id), (jobs.c.folded, fold(code) if code else code))
        if states is not None:
            where.append(jobs.c.state.in_(list(states)))
        elif not finished and id is None:
            where.append(jobs.c.state.not_in(ENDED))
        total, rows = self._page(jobs, JOB_COLUMNS, [*where, *_since(jobs.c.created, since)], limit, skip)
        return total, [job_of(row) for row in rows]

    def received(self, job_ids: Sequence[str]) -> dict[str, int]:
        """Bytes received by each job, over the tasks that belong to it."""
        query = select(tasks.c.job_id, func.sum(tasks.c.received)).group_by(tasks.c.job_id)
        query = query.where(tasks.c.status != TaskStatus.EXCLUDED)
        with self._database.read() as connection:
            rows = [
                row for batch in batches(job_ids) for row in connection.execute(query.where(tasks.c.job_id.in_(batch)))
            ]
        return {row[0]: int(row[1]) for row in rows}

    def offers(
        self,
        *,
        user_id: str | None = None,
        state: OfferState | None = None,
        since: int | None = None,
        limit: int = 50,
        skip: int = 0,
    ) -> tuple[int, list[Offer]]:
        """Offers with their entries."""
        where = [*_equal((offers.c.user_id, user_id), (offers.c.state, state)), *_since(offers.c.created, since)]
        total, rows = self._page(offers, OFFER_COLUMNS, where, limit, skip)
        with self._database.read() as connection:
            entries = entries_of(connection, [row.id for row in rows])
        return total, [offer_of(row, entries.get(row.id, ())) for row in rows]

    def runs(
        self,
        *,
        hook: HookName | None = None,
        job_id: str | None = None,
        offer_id: str | None = None,
        user_id: str | None = None,
        state: RunState | None = None,
        states: Iterable[RunState] | None = None,
        since: int | None = None,
        limit: int = 50,
        skip: int = 0,
    ) -> tuple[int, list[HookRun]]:
        """Runs. Those of a job are its own and the one that decided its offer."""
        where = _equal(
            (runs.c.hook, hook),
            (runs.c.offer_id, offer_id),
            (runs.c.user_id, user_id),
            (runs.c.state, state),
        )
        if job_id is not None:
            its_offer = select(jobs.c.offer_id).where(jobs.c.id == job_id, jobs.c.offer_id != "")
            where.append((runs.c.job_id == job_id) | runs.c.offer_id.in_(its_offer))
        if states is not None:
            where.append(runs.c.state.in_(list(states)))
        total, rows = self._page(runs, list(runs.columns), [*where, *_since(runs.c.started, since)], limit, skip)
        return total, [HookRun(**row._mapping) for row in rows]

    def users(
        self,
        *,
        code: str | None = None,
        role: Role | None = None,
        enabled: bool | None = None,
        limit: int = 50,
        skip: int = 0,
    ) -> tuple[int, list[User]]:
        """`code` is compared as people compare it."""
        where = _equal((users.c.folded, fold(code) if code else code), (users.c.role, role), (users.c.enabled, enabled))
        total, rows = self._page(users, USER, where, limit, skip)
        return total, [User(**row._mapping) for row in rows]

    def volumes(
        self, *, code: str | None = None, enabled: bool | None = None, limit: int = 50, skip: int = 0
    ) -> tuple[int, list[Volume]]:
        where = _equal((volumes.c.folded, fold(code) if code else code), (volumes.c.enabled, enabled))
        total, rows = self._page(volumes, VOLUME, where, limit, skip)
        return total, [Volume(**row._mapping) for row in rows]

    def _page(
        self, table: Table, columns: Sequence[Column[Any]], where: Sequence[ColumnElement[bool]], limit: int, skip: int
    ) -> tuple[int, Sequence[Any]]:
        page = select(*columns).where(*where).order_by(table.c.id.desc()).limit(max(limit, 0)).offset(max(skip, 0))
        with self._database.read() as connection:
            total = connection.scalar(select(func.count()).select_from(table).where(*where)) or 0
            return total, connection.execute(page).all()


def _equal(*pairs: tuple[Column[Any], Any]) -> list[ColumnElement[bool]]:
    return [column == value for column, value in pairs if value is not None]


def _since(column: Column[int], since: int | None) -> list[ColumnElement[bool]]:
    return [] if since is None else [column >= since]
