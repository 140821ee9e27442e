"""Queues, and whose turn it is: `lifecycle.needs.TurnBook`, and the writes of `lifecycle.queues`.

Rules
1. Exactly one queue is the default, and it cannot be removed.
2. A queue that unfinished jobs are in cannot be removed. Its hooks go with it.
3. Who is begun is decided and written in one write transaction: no two processes exceed a limit together.
4. The queue with the higher priority goes first; within a queue and among equals, the job that was made first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, delete, exists, func, insert, or_, select, update

from ..model.entities import BUILT_IN_QUEUES, DEFAULT_QUEUE, Job, Queue, QueueStatus
from ..model.errors import Conflict, NotFound
from ..model.settings import Settings
from ..model.states import JOB, RUNNING, UNFINISHED, WAITING, JobFact, JobState, after
from .audit import note
from .columns import batches, fold, only
from .database import Database
from .ids import new_id
from .tables import hooks, jobs, picked, queues, workspaces

QUEUE = picked(queues, "folded")
_CHANGES = {
    column.name for column in picked(queues, "id", "code", "folded", "created", "modified", "settings", "metadata")
}


class QueueRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def queues(self) -> list[Queue]:
        """The one that goes first comes first."""
        with self._database.read() as connection:
            return all_queues(connection)

    def add_queue(self, queue: Queue) -> Queue:
        """Raises Conflict (`queue_exists`)."""
        with self._database.write() as connection:
            taken = connection.scalar(select(queues.c.code).where(queues.c.folded == fold(queue.code)))
            if taken is not None:
                raise Conflict(f"There is a queue {taken} already.", code="queue_exists", details={"code": taken})
            made = replace(queue, id=queue.id or new_id())
            if made.default:
                _no_default(connection)
            _insert(connection, made)
            note(connection, "create", "queue", made.id, made.code, after=asdict(made))
            return made

    def update_queue(self, queue_id: str, now: int, **changes: Any) -> Queue:
        """Set fields but `id` and `code`. Raises Conflict where no default would remain."""
        only(changes, _CHANGES)
        with self._database.write() as connection:
            before = _queue(connection, queue_id)
            changed = replace(before, modified=now, **changes)
            if before.default and not changed.default:
                raise Conflict("There must be a default queue; make another one the default.", code="default_queue")
            if changed.default:
                _no_default(connection)
            connection.execute(update(queues).where(queues.c.id == queue_id).values(**asdict(changed)))
            note(connection, "change", "queue", queue_id, before.code, before=asdict(before), after=asdict(changed))
            return changed

    def remove_queue(self, queue_id: str) -> None:
        with self._database.write() as connection:
            queue = _queue(connection, queue_id)
            if queue.default:
                raise Conflict("Make another queue the default first.", code="default_queue")
            used = select(jobs.c.id).where(jobs.c.queue_id == queue_id, jobs.c.state.in_(UNFINISHED))
            found = list(connection.scalars(used.order_by(jobs.c.id)))
            if found:
                raise Conflict(
                    f"Unfinished jobs are in the queue {queue.code}; move them to another one first.",
                    code="queue_in_use",
                    details={"jobs": found[:100]},
                )
            connection.execute(delete(hooks).where(hooks.c.queue == queue.code))
            connection.execute(delete(queues).where(queues.c.id == queue_id))
            note(connection, "remove", "queue", queue_id, queue.code, before=asdict(queue))

    def begin_next(self, now: int) -> list[str]:
        """Start the jobs whose turn it is, within the limits; their ids."""
        with self._database.read() as connection:
            if not connection.scalar(select(exists().where(jobs.c.state.in_(WAITING)))):
                return []
        with self._database.write() as connection:
            chosen = _chosen(connection, _room(connection))
            for state in WAITING:
                ids = [job_id for job_id, its_state in chosen if its_state is state]
                following = after(JOB, state, JobFact.STARTED)
                for batch in batches(ids):
                    these = update(jobs).where(jobs.c.id.in_(batch), jobs.c.state == state)
                    connection.execute(these.values(state=following, modified=now))
        return [job_id for job_id, _ in chosen]

    def running(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many jobs are under way, by queue and by user."""
        with self._database.read() as connection:
            room = _room(connection)
        return dict(room.of_queue), dict(room.of_user)

    def waiting(self) -> dict[str, int]:
        """How many jobs wait for their turn, by queue."""
        counted = select(jobs.c.queue_id, func.count()).where(jobs.c.state.in_(WAITING)).group_by(jobs.c.queue_id)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    def reasons(self, found: Sequence[Job]) -> dict[str, str]:
        """By id, why jobs that wait for their turn have not been begun."""
        if not any(job.state in WAITING for job in found):
            return {}
        with self._database.read() as connection:
            room = _room(connection)
        return {job.id: room.reason(job) for job in found if job.state in WAITING}


@dataclass
class _Room:
    """Limits, and what is under way."""

    settings: Settings
    queues: dict[str, Queue]
    of_queue: Counter[str] = field(default_factory=Counter)
    of_user: Counter[str] = field(default_factory=Counter)

    def full(self) -> bool:
        return self.of_queue.total() >= self.settings.number("jobs_at_once")

    def takes(self, queue_id: str, user_id: str) -> bool:
        queue = self.queues.get(queue_id)
        if queue and queue.status is QueueStatus.PAUSED:
            return False
        of_queue = (self.settings.on_queue(queue) if queue else self.settings).number("jobs_at_once")
        of_user = self.settings.number("user_jobs_at_once")
        return self.of_queue[queue_id] < of_queue and (not of_user or self.of_user[user_id] < of_user)

    def reason(self, job: Job) -> str:
        """For the studio."""
        queue = self.queues.get(job.queue_id)
        if queue and queue.status is QueueStatus.PAUSED:
            return f"The queue {queue.code} is paused."
        most = self.settings.number("jobs_at_once")
        if self.full():
            return f"{self.of_queue.total()} jobs are under way; jobs_at_once is {most}."
        if self.takes(job.queue_id, job.user_id):
            return "It begins in a moment."
        of_queue = self.settings.on_queue(queue).number("jobs_at_once") if queue else most
        if queue and self.of_queue[job.queue_id] >= of_queue:
            return f"{self.of_queue[job.queue_id]} jobs of the queue {queue.code} are under way; it takes {of_queue}."
        of_user = self.of_user[job.user_id]
        return f"{of_user} jobs of this user are under way; user_jobs_at_once is {of_user}."

    def add(self, queue_id: str, user_id: str, number: int = 1) -> None:
        self.of_queue[queue_id] += number
        self.of_user[user_id] += number


def _room(connection: Connection) -> _Room:
    given = connection.scalar(select(workspaces.c.settings)) or {}
    room = _Room(Settings(given), {queue.id: queue for queue in all_queues(connection)})
    counted = select(jobs.c.queue_id, jobs.c.user_id, func.count()).where(jobs.c.state.in_(RUNNING))
    for queue_id, user_id, number in connection.execute(counted.group_by(jobs.c.queue_id, jobs.c.user_id)):
        room.add(queue_id, user_id, number)
    return room


def _chosen(connection: Connection, room: _Room) -> list[tuple[str, JobState]]:
    waiting = select(jobs.c.id, jobs.c.state, jobs.c.queue_id, jobs.c.user_id).where(jobs.c.state.in_(WAITING))
    order = func.coalesce(queues.c.priority, BUILT_IN_QUEUES[DEFAULT_QUEUE]).desc()
    in_order = waiting.outerjoin_from(jobs, queues, queues.c.id == jobs.c.queue_id).order_by(order, jobs.c.id)
    chosen: list[tuple[str, JobState]] = []
    for row in connection.execute(in_order).all():
        if room.full():
            break
        if room.takes(row.queue_id, row.user_id):
            room.add(row.queue_id, row.user_id)
            chosen.append((row.id, row.state))
    return chosen


def all_queues(connection: Connection) -> list[Queue]:
    found = connection.execute(select(*QUEUE).order_by(queues.c.priority.desc(), queues.c.id))
    return [Queue(**row._mapping) for row in found]


def of_queue(column: Column[str], queue_id: str) -> ColumnElement[bool]:
    """Whether a column that holds the code of a queue means this one, or none."""
    return or_(column == "", column == select(queues.c.code).where(queues.c.id == queue_id).scalar_subquery())


def make_built_in(connection: Connection, now: int) -> None:
    """The queues that a workspace begins with."""
    for code, priority in BUILT_IN_QUEUES.items():
        default = code == DEFAULT_QUEUE
        _insert(
            connection, Queue(id=new_id(), code=code, priority=priority, default=default, created=now, modified=now)
        )


def _insert(connection: Connection, queue: Queue) -> None:
    connection.execute(insert(queues).values(**asdict(queue), folded=fold(queue.code)))


def _queue(connection: Connection, queue_id: str) -> Queue:
    row = connection.execute(select(*QUEUE).where(queues.c.id == queue_id)).one_or_none()
    if row is None:
        raise NotFound(detail=f"no queue {queue_id}")
    return Queue(**row._mapping)


def _no_default(connection: Connection) -> None:
    connection.execute(update(queues).where(queues.c.default.is_(True)).values(default=False))
