"""The read side: filters and pages, newest first.

Rules
1. Every list answers `(total, items)`: how many match, and those of the page.
2. A filter that is None does not filter. `since` is milliseconds: made at or after.
3. `wanted` narrows further by its `where` (see `where`) and says which page; what confines a user stands beside it,
   never in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, case, func, or_, select

from ..model.audit import LogLine
from ..model.entities import Changed, Concern, HookRun, Job, Offer, Role, RunState, Sums, Task, User, Volume
from ..model.hooks import HookName
from ..model.slice import FIRST, Slice
from ..model.states import RUNNING, UNFINISHED, JobState, OfferState, TaskStatus
from . import attributes
from .attributes import Entity
from .columns import batches, fold
from .database import Database
from .house import USER, VOLUME
from .ids import may_be_id
from .offers import OFFER_COLUMNS, entries_of, offer_of
from .rows import JOB_COLUMNS, TASK_COLUMNS, job_of, task_of
from .tables import audit, entries, jobs, offers, picked, runs, tasks, users, volumes
from .where import Compiler, rows_of

_RUN = picked(runs)
_LINE = picked(audit)
_MOVING = [JobState.RECEIVING, *RUNNING]


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
        wanted: Slice = FIRST,
    ) -> tuple[int, list[Job]]:
        """Jobs without their tasks. Ended ones are hidden unless `finished`, or asked for by `id` or `states`."""
        given = _equal((jobs.c.user_id, user_id), (jobs.c.id, id), (jobs.c.folded, fold(code) if code else code))
        if states is not None:
            given.append(jobs.c.state.in_(list(states)))
        elif not finished and id is None:
            given.append(jobs.c.state.in_(UNFINISHED))
        given += _since(jobs.c.created, since)
        total, rows = self._page(attributes.JOB, JOB_COLUMNS, given, wanted)
        return total, [job_of(row) for row in rows]

    def tasks(
        self,
        *,
        user_id: str | None = None,
        job_id: str | None = None,
        wanted: Slice = FIRST,
    ) -> tuple[int, list[Task]]:
        """Tasks of the newest job first; within a job in their order."""
        given = _equal((tasks.c.user_id, user_id), (tasks.c.job_id, job_id))
        total, rows = self._page(attributes.TASK, TASK_COLUMNS, given, wanted)
        return total, [task_of(row) for row in rows]

    def sums(self, job_ids: Sequence[str]) -> dict[str, Sums]:
        """What the tasks of each job come to."""
        with self._database.read() as connection:
            return sums_of(connection, job_ids)

    def with_tasks(self, found: Sequence[Job]) -> list[Job]:
        """Jobs, and the tasks that they come without."""
        its: dict[str, list[Task]] = {job.id: [] for job in found}
        with self._database.read() as connection:
            for batch in batches(list(its)):
                query = select(*TASK_COLUMNS).where(tasks.c.job_id.in_(batch)).order_by(tasks.c.job_id, tasks.c.number)
                for row in connection.execute(query):
                    its[row.job_id].append(task_of(row))
        return [replace(job, tasks=tuple(its[job.id])) for job in found]

    def changed(self, since: int, most: int) -> list[Changed]:
        """The jobs that have changed since a time, `most` at the most; those that take bytes, each time they are told.

        The audit log tells of every move but the arrival of bytes and the beginning of a step.
        """
        lines = select(audit.c.entity_id).where(audit.c.entity == "job", audit.c.created >= since)
        busy = select(jobs.c.id).where(jobs.c.state.in_(_MOVING), jobs.c.modified >= since)
        with self._database.read() as connection:
            ids = [*connection.scalars(busy.limit(most)), *connection.scalars(lines.distinct().limit(most))]
            wanted = list(dict.fromkeys(ids))[:most]
            columns = (jobs.c.id, jobs.c.user_id, jobs.c.state, jobs.c.size, jobs.c.modified)
            rows = [
                row
                for batch in batches(wanted)
                for row in connection.execute(select(*columns).where(jobs.c.id.in_(batch)))
            ]
            sums = sums_of(connection, [row.id for row in rows])
        return [Changed(*row, sums[row.id].received if row.id in sums else 0) for row in rows]

    def owners(self, user_ids: Iterable[str]) -> dict[str, User]:
        """Users by their ids, those that there are."""
        wanted = sorted(set(user_ids))
        with self._database.read() as connection:
            rows = [
                row
                for batch in batches(wanted)
                for row in connection.execute(select(*USER).where(users.c.id.in_(batch)))
            ]
        return {row.id: User(**row._mapping) for row in rows}

    def offers(
        self,
        *,
        user_id: str | None = None,
        id: str | None = None,
        state: OfferState | None = None,
        since: int | None = None,
        wanted: Slice = FIRST,
    ) -> tuple[int, list[Offer]]:
        """Offers with their entries."""
        given = [
            *_equal((offers.c.user_id, user_id), (offers.c.id, id), (offers.c.state, state)),
            *_since(offers.c.created, since),
        ]
        total, rows = self._page(attributes.OFFER, OFFER_COLUMNS, given, wanted)
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
        wanted: Slice = FIRST,
    ) -> tuple[int, list[HookRun]]:
        """Runs. Those of a job are its own and the one that decided its offer."""
        given = _equal(
            (runs.c.hook, hook),
            (runs.c.offer_id, offer_id),
            (runs.c.user_id, user_id),
            (runs.c.state, state),
        )
        if job_id is not None:
            its_offer = select(jobs.c.offer_id).where(jobs.c.id == job_id, jobs.c.offer_id != "")
            given.append((runs.c.job_id == job_id) | runs.c.offer_id.in_(its_offer))
        if states is not None:
            given.append(runs.c.state.in_(list(states)))
        given += _since(runs.c.started, since)
        total, rows = self._page(attributes.RUN, _RUN, given, wanted)
        return total, [HookRun(**row._mapping) for row in rows]

    def concerns(self, found: Sequence[HookRun]) -> dict[str, Concern]:
        """Whom and what each run is about, as far as it is known still."""
        people = self.owners(run.user_id for run in found if run.user_id)
        with self._database.read() as connection:
            codes = dict(_pairs(connection, jobs.c.id, jobs.c.code, [run.job_id for run in found]))
            sums = sums_of(connection, list(codes))
            ids = list(dict.fromkeys(run.offer_id for run in found if run.job_id not in codes))
            names = dict(_pairs(connection, entries.c.offer_id, entries.c.filename, ids, entries.c.number == 0))
            counts = dict(_counts(connection, ids))
        return {
            run.id: Concern(
                user=people[run.user_id].code if run.user_id in people else "",
                name=codes.get(run.job_id) or names.get(run.offer_id, ""),
                entries=sums[run.job_id].entries if run.job_id in sums else counts.get(run.offer_id, 0),
            )
            for run in found
        }

    def users(
        self,
        *,
        id: str | None = None,
        code: str | None = None,
        role: Role | None = None,
        enabled: bool | None = None,
        wanted: Slice = FIRST,
    ) -> tuple[int, list[User]]:
        """`code` is compared as people compare it."""
        given = _equal(
            (users.c.id, id),
            (users.c.folded, fold(code) if code else code),
            (users.c.role, role),
            (users.c.enabled, enabled),
        )
        total, rows = self._page(attributes.USER, USER, given, wanted)
        return total, [User(**row._mapping) for row in rows]

    def volumes(
        self,
        *,
        code: str | None = None,
        enabled: bool | None = None,
        wanted: Slice = FIRST,
    ) -> tuple[int, list[Volume]]:
        given = _equal((volumes.c.folded, fold(code) if code else code), (volumes.c.enabled, enabled))
        total, rows = self._page(attributes.VOLUME, VOLUME, given, wanted)
        return total, [Volume(**row._mapping) for row in rows]

    def log(
        self,
        *,
        id: str | None = None,
        user: str | None = None,
        entity: str | None = None,
        thing: str | None = None,
        verb: str | None = None,
        code: str | None = None,
        since: int | None = None,
        among: Iterable[str] | None = None,
        wanted: Slice = FIRST,
    ) -> tuple[int, list[LogLine]]:
        """Lines of the audit log. `user` and `thing` take an id, or what people call it. `among`: of these types.

        An address is no id, and an id no address, so that one index is read; a thing may be called anything.
        """
        given = [
            *_equal((audit.c.id, id), (audit.c.entity, entity), (audit.c.verb, verb), (audit.c.code, code)),
            *_by(user),
            *_named(thing, audit.c.entity_id, audit.c.entity_folded),
            *_since(audit.c.created, since),
        ]
        if among is not None:
            given.append(audit.c.entity.in_(list(among)))
        total, rows = self._page(attributes.LOG, _LINE, given, wanted)
        return total, [LogLine(**row._mapping) for row in rows]

    def _page(
        self,
        entity: Entity,
        columns: Sequence[Column[Any]],
        given: list[ColumnElement[bool]],
        wanted: Slice,
    ) -> tuple[int, Sequence[Any]]:
        limit, skip = max(wanted.limit, 0), max(wanted.skip, 0)
        with self._database.read() as connection:
            if wanted.where is not None:
                compiler = Compiler(connection, entity, given, inside=wanted.inside)
                condition = compiler.condition(wanted.where)
                if not isinstance(condition, ColumnElement):
                    total, keys = compiler.select(condition, limit, skip)
                    return total, rows_of(connection, columns, entity, keys)
                given = [*given, condition]
            return _counted_page(connection, entity, columns, given, limit, skip)


def sums_of(connection: Connection, job_ids: Sequence[str]) -> dict[str, Sums]:
    taken = case((tasks.c.status != TaskStatus.EXCLUDED, tasks.c.received), else_=0)
    query = select(tasks.c.job_id, func.count(), func.sum(tasks.c.file_count), func.sum(taken))
    query = query.group_by(tasks.c.job_id)
    rows = [row for batch in batches(job_ids) for row in connection.execute(query.where(tasks.c.job_id.in_(batch)))]
    return {row[0]: Sums(row[1], int(row[2]), int(row[3])) for row in rows}


def _pairs(
    connection: Connection, key: Column[Any], value: Column[Any], keys: Sequence[str], *given: ColumnElement[bool]
) -> Iterator[tuple[str, str]]:
    """What stands beside these keys."""
    for batch in batches(list({one for one in keys if one})):
        for row in connection.execute(select(key, value).where(key.in_(batch), *given)):
            yield row[0], row[1]


def _counts(connection: Connection, offer_ids: Sequence[str]) -> Iterator[tuple[str, int]]:
    """How many entries offers have."""
    query = select(entries.c.offer_id, func.count()).group_by(entries.c.offer_id)
    for batch in batches(offer_ids):
        for row in connection.execute(query.where(entries.c.offer_id.in_(batch))):
            yield row[0], row[1]


def _counted_page(
    connection: Connection,
    entity: Entity,
    columns: Sequence[Column[Any]],
    given: Sequence[ColumnElement[bool]],
    limit: int,
    skip: int,
) -> tuple[int, Sequence[Any]]:
    """Keys first, since an index may have them; then the rows of the page alone."""
    total = connection.scalar(select(func.count()).select_from(entity.table).where(*given)) or 0
    keys = select(entity.key).where(*given).order_by(*entity.order).limit(limit).offset(skip)
    return total, rows_of(connection, columns, entity, connection.scalars(keys).all())


def _equal(*pairs: tuple[Column[Any], Any]) -> list[ColumnElement[bool]]:
    return [column == value for column, value in pairs if value is not None]


def _by(user: str | None) -> list[ColumnElement[bool]]:
    if user and "@" in user:
        return [audit.c.user_folded == fold(user)]
    if user and may_be_id(user):
        return [audit.c.user_id == user]
    return _named(user, audit.c.user_id, audit.c.user_folded)


def _named(text: str | None, id: Column[str], folded: Column[str]) -> list[ColumnElement[bool]]:
    return [] if text is None else [or_(id == text, folded == fold(text))]


def _since(column: Column[int], since: int | None) -> list[ColumnElement[bool]]:
    return [] if since is None else [column >= since]
