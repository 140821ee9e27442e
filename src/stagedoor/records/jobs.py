"""Jobs, their tasks and receipts: `lifecycle.needs.JobBook`.

Rules
1. States change only through the tables `states.JOB` and `states.TASK`; a move they do not know changes nothing.
2. A move reads, decides and writes in one write transaction: two processes cannot both make it.
3. A job that ends gives back its places in the same transaction.
4. One offer makes at most one job; the same submit again finds it.
5. Every move but the arrival of parts adds a line to the audit log, in its transaction.
6. Unknown ids raise NotFound, unknown columns TypeError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update

from ..model.entities import Earlier, Job, Task
from ..model.errors import Conflict, NotFound, OfferClosed
from ..model.states import (
    JOB,
    RUNNING,
    TASK,
    UNFINISHED,
    JobFact,
    JobState,
    OfferFact,
    OfferState,
    TaskFact,
    TaskStatus,
    WrongMove,
    after,
)
from . import notices, reservations, rows
from .audit import note
from .columns import batches, fold, only, pack, unpack
from .database import Database
from .offers import close
from .tables import jobs, offers, receipts, tasks

_MOVED_WITH = {"error", "error_code", "error_detail", "reference", "due", "failures", "expires", "finished"}
_SET_ALONE = _MOVED_WITH | {"code", "hostname", "ip", "client", "size", "queue_id", "attempts", "settings", "metadata"}
_TASK_CHANGES = {"received", "error", "kept", "kept_until"}
_TOLD = {"code", "queue_id"}
_KEPT_AT_ONCE = 10
_VERBS = {
    JobFact.STARVED: "wait",
    JobFact.RECEIVED: "receive",
    JobFact.DAMAGED: "damage",
    JobFact.PAUSED: "pause",
    JobFact.RESUMED: "resume",
    JobFact.PROVED: "prove",
    JobFact.PLACED: "place",
    JobFact.INGESTED: "finish",
    JobFact.FAILED: "fail",
    JobFact.RETRIED: "retry",
    JobFact.ABORTED: "abort",
}
"""what the audit log says of a move; a part that arrives is none of its business"""
_ENTRY_VERBS = {TaskFact.HELD: "hold", TaskFact.EXCLUDED: "exclude", TaskFact.RELEASED: "release"}
_NOTES_KEPT = 1000

ENDED = [state for state in JobState if state.ended]
FAILED = [state for state in JobState if state.status == "failed"]
WORKING = [JobState.PROVING, JobState.PLACING, JobState.INGESTING]
_UPLOADING = [JobState.AWAITING_BYTES, JobState.RECEIVING]

_CLOSED = {
    OfferState.CHECKED: "This offer was only checked and cannot be submitted; offer the files again.",
    OfferState.SUBMITTED: "This offer has been submitted already, with other entries; offer the files again.",
    OfferState.SUPERSEDED: "A newer offer of yours replaced this one; submit that, or offer the files again.",
    OfferState.WITHDRAWN: "This offer was withdrawn; offer the files again.",
    OfferState.EXPIRED: "This offer has expired; offer the files again.",
}


class Jobs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, job: Job, now: int) -> Job:
        with self._database.write() as connection:
            state = _offer_state(connection, job, now)
            if state is OfferState.OPEN:
                _make(connection, job, now)
                return job
            before = rows.load_of_offer(connection, job.offer_id) if state is OfferState.SUBMITTED else None
        if before and {task.id for task in before.tasks} == {task.id for task in job.tasks}:
            return before
        raise OfferClosed(_CLOSED[state], code=f"offer_{state}")

    def job(self, job_id: str) -> Job | None:
        with self._database.read() as connection:
            return rows.load(connection, job_id)

    def job_of_offer(self, offer_id: str) -> Job | None:
        with self._database.read() as connection:
            return rows.load_of_offer(connection, offer_id)

    def count_unfinished(self, user_id: str) -> int:
        query = select(func.count()).where(jobs.c.user_id == user_id, jobs.c.state.in_(UNFINISHED))
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def move(self, job_id: str, fact: JobFact, now: int, **changes: Any) -> Job:
        only(changes, _MOVED_WITH)
        with self._database.write() as connection:
            before = rows.state_of(connection, job_id)
            state = after(JOB, before, fact)
            if state.ended:
                changes.setdefault("finished", now)
                reservations.free_job(connection, job_id)
            _update(connection, job_id, {**changes, "state": state, "modified": now})
            moved = rows.bare(connection, job_id)
            _note_move(connection, moved, before, fact)
            notices.moved(connection, moved, now)
            return moved

    def state(self, job_id: str) -> JobState:
        with self._database.read() as connection:
            return rows.state_of(connection, job_id)

    def set(self, job_id: str, now: int, **changes: Any) -> None:
        only(changes, _SET_ALONE)
        if "code" in changes:
            changes["folded"] = fold(changes["code"])
        if "hostname" in changes:
            changes["hostname_folded"] = fold(changes["hostname"])
        with self._database.write() as connection:
            told = _fields(connection, job_id, set(changes) & _TOLD)
            _update(connection, job_id, {**changes, "modified": now})
            if told:
                note(connection, "change", "job", job_id, changes.get("code", ""), before=told, after=changes)

    def note(self, job_id: str, text: str, now: int) -> None:
        """Append a line to the job's log; the last 1,000 are kept."""
        with self._database.write() as connection:
            before = connection.scalar(select(jobs.c.notes).where(jobs.c.id == job_id)) or ()
            _update(connection, job_id, {"notes": (*before, text)[-_NOTES_KEPT:], "modified": now})

    def move_task(self, job_id: str, task_id: str, fact: TaskFact, **changes: Any) -> Task:
        only(changes, _TASK_CHANGES)
        this = _this_task(job_id, task_id)
        with self._database.write() as connection:
            row = connection.execute(select(*rows.TASK_COLUMNS).where(*this)).one_or_none()
            if row is None:
                raise NotFound(detail=f"job {job_id} has no task {task_id}")
            task = rows.task_of(row)
            task = replace(task, status=after(TASK, task.status, fact), **changes)
            connection.execute(update(tasks).where(*this).values(status=task.status, **changes))
            if task.kept and "kept" in changes:
                _note_kept(connection, "keep", task)
        return task

    def set_kept(self, job_id: str, task_id: str, kept: str, until: int | None) -> None:
        this = _this_task(job_id, task_id)
        with self._database.write() as connection:
            before = rows.task_of(connection.execute(select(*rows.TASK_COLUMNS).where(*this)).one())
            connection.execute(update(tasks).where(*this).values(kept=kept, kept_until=until))
            if kept != before.kept:
                told = before if before.kept else replace(before, kept=kept, kept_until=until)
                _note_kept(connection, "keep" if kept else "remove", told)

    def kept_before(self, now: int) -> list[Task]:
        due = select(*rows.TASK_COLUMNS).where(tasks.c.kept_until <= now, tasks.c.kept != "")
        first = due.order_by(tasks.c.kept_until).limit(_KEPT_AT_ONCE)
        with self._database.read() as connection:
            return [rows.task_of(row) for row in connection.execute(first)]

    def set_received(self, job_id: str, task_id: str, received: int) -> None:
        with self._database.write() as connection:
            connection.execute(update(tasks).where(*_this_task(job_id, task_id)).values(received=received))

    def begin_attempt(self, job_id: str) -> int:
        counted = update(jobs).where(jobs.c.id == job_id).values(attempts=jobs.c.attempts + 1)
        with self._database.write() as connection:
            attempt: int | None = connection.scalar(counted.returning(jobs.c.attempts))
        if attempt is None:
            raise NotFound(detail=f"no job {job_id}")
        return attempt

    def working(self) -> list[str]:
        return self._ids(jobs.c.state.in_(RUNNING))

    def taking(self) -> list[str]:
        return self._ids(jobs.c.state.in_(_UPLOADING))

    def due(self, now: int) -> list[str]:
        return self._ids(jobs.c.state.in_(FAILED), jobs.c.due <= now)

    def idle(self, now: int) -> list[str]:
        return self._ids(jobs.c.state.in_(_UPLOADING), jobs.c.expires > 0, jobs.c.expires <= now)

    def earlier(self, user_id: str, job_id: str, most: int) -> list[Earlier]:
        placed = tasks.c.status == TaskStatus.DONE
        query = (
            select(*rows.EARLIER_COLUMNS, placed.label("placed"))
            .join(jobs, jobs.c.id == tasks.c.job_id)
            .where(jobs.c.user_id == user_id, jobs.c.id != job_id, or_(placed, jobs.c.cleared.is_(False)))
            .order_by(jobs.c.created.desc(), jobs.c.id.desc(), tasks.c.number)
            .limit(most)
        )
        with self._database.read() as connection:
            return [rows.earlier_of(row) for row in connection.execute(query)]

    def uncleared(self, aborted_before: int) -> list[str]:
        due = or_(jobs.c.state == JobState.DONE, jobs.c.finished <= aborted_before)
        return self._ids(jobs.c.state.in_(ENDED), jobs.c.cleared.is_(False), due)

    def cleared(self, job_id: str) -> None:
        with self._database.write() as connection:
            _update(connection, job_id, {"cleared": True})

    def unfinished_on(self, volume_id: str) -> list[str]:
        """Ids of unfinished jobs with an entry that goes to a volume."""
        query = select(tasks.c.job_id).join(jobs, jobs.c.id == tasks.c.job_id).distinct()
        where = (tasks.c.volume_id == volume_id, jobs.c.state.in_(UNFINISHED))
        with self._database.read() as connection:
            return list(connection.scalars(query.where(*where).order_by(tasks.c.job_id)))

    def staging_parents(self) -> list[str]:
        """The folders that stagings of unfinished jobs lie in."""
        query = select(tasks.c.staging).join(jobs, jobs.c.id == tasks.c.job_id).where(jobs.c.cleared.is_(False))
        with self._database.read() as connection:
            return sorted({staging.rpartition("/")[0] for staging in connection.scalars(query)})

    def uploads_kept(self, upload_ids: Sequence[str]) -> frozenset[str]:
        """Those of these uploads whose staging is still a job's."""
        query = select(tasks.c.upload_id).join(jobs, jobs.c.id == tasks.c.job_id).where(jobs.c.cleared.is_(False))
        with self._database.read() as connection:
            return frozenset(
                found
                for batch in batches(upload_ids)
                for found in connection.scalars(query.where(tasks.c.upload_id.in_(batch)))
            )

    def uploads_replacing(self, upload_ids: Sequence[str]) -> frozenset[str]:
        """Those of these uploads whose job knows of what was replaced, or may yet replace it."""
        query = select(tasks.c.upload_id).join(jobs, jobs.c.id == tasks.c.job_id)
        query = query.where(or_(tasks.c.kept != "", jobs.c.cleared.is_(False)))
        with self._database.read() as connection:
            return frozenset(
                found
                for batch in batches(upload_ids)
                for found in connection.scalars(query.where(tasks.c.upload_id.in_(batch)))
            )

    def task_of_upload(self, upload_id: str) -> tuple[Job, Task] | None:
        with self._database.read() as connection:
            row = connection.execute(select(*rows.TASK_COLUMNS).where(tasks.c.upload_id == upload_id)).one_or_none()
            if row is None:
                return None
            task = rows.task_of(row)
            return rows.bare(connection, task.job_id, [task]), task

    def lacking(self, job_id: str) -> frozenset[TaskStatus]:
        """What the tasks are that keep a job from going on: empty when every one is QUEUED or EXCLUDED."""
        lacking = tasks.c.status.not_in([TaskStatus.QUEUED, TaskStatus.EXCLUDED])
        query = select(tasks.c.status).where(tasks.c.job_id == job_id, lacking).distinct()
        with self._database.read() as connection:
            return frozenset(connection.scalars(query))

    def change_tasks(self, job_id: str, task_ids: Sequence[str], fact: TaskFact, now: int) -> None:
        """Hold, exclude or release tasks, and have the job look again at what it has; in one transaction.

        Raises WrongMove where that cannot be done with one of them, or placing has begun.
        """
        with self._database.write() as connection:
            state = rows.state_of(connection, job_id)
            if state.phase != "upload":
                state = after(JOB, state, JobFact.CHANGED)
            for task_id in task_ids:
                status: TaskStatus | None = connection.scalar(
                    select(tasks.c.status).where(*_this_task(job_id, task_id))
                )
                if status is None:
                    raise NotFound(detail=f"job {job_id} has no task {task_id}")
                following = after(TASK, status, fact)
                connection.execute(update(tasks).where(*_this_task(job_id, task_id)).values(status=following))
            left = select(func.count(), func.coalesce(func.sum(tasks.c.size), 0))
            left = left.where(tasks.c.job_id == job_id, tasks.c.status != TaskStatus.EXCLUDED)
            number, size = connection.execute(left).one()
            if not number:
                raise Conflict("No entry would be left; abort the job instead.", code="last_entry")
            _update(connection, job_id, {"state": state, "size": int(size), "modified": now})
            _note_entries(connection, job_id, task_ids, fact)

    def proved(self, job_id: str, task_ids: Sequence[str], receipt: bytes, now: int) -> None:
        """Keep the receipt and go on with the placing. Raises WrongMove unless just these tasks belong to the job."""
        packed = pack(receipt)
        with self._database.write() as connection:
            before = rows.state_of(connection, job_id)
            state = after(JOB, before, JobFact.PROVED)
            its_tasks = select(tasks.c.id).where(tasks.c.job_id == job_id, tasks.c.status != TaskStatus.EXCLUDED)
            if set(connection.scalars(its_tasks)) != set(task_ids):
                raise WrongMove("other entries belong to the job than were proved")
            connection.execute(delete(receipts).where(receipts.c.job_id == job_id))
            connection.execute(insert(receipts).values(job_id=job_id, body=packed))
            _update(connection, job_id, {"state": state, "failures": 0, "modified": now})
            _note_move(connection, rows.bare(connection, job_id), before, JobFact.PROVED)

    def receipt(self, job_id: str) -> bytes | None:
        with self._database.read() as connection:
            packed = connection.scalar(select(receipts.c.body).where(receipts.c.job_id == job_id))
        return None if packed is None else unpack(packed)

    def _ids(self, *where: ColumnElement[bool]) -> list[str]:
        with self._database.read() as connection:
            return list(connection.scalars(select(jobs.c.id).where(*where).order_by(jobs.c.id)))


def _note_move(connection: Connection, job: Job, before: JobState, fact: JobFact) -> None:
    verb = _VERBS.get(fact)
    if verb is None or (fact is JobFact.STARVED and before is job.state):
        return
    failed = fact in (JobFact.FAILED, JobFact.ABORTED)
    note(
        connection,
        verb,
        "job",
        job.id,
        job.code,
        before={"state": before},
        after={"state": job.state},
        code_of_error=job.error_code if failed else "",
        message=job.error if failed else "",
        details={"detail": job.error_detail} if failed and job.error_detail else {},
    )


def _note_entries(connection: Connection, job_id: str, task_ids: Sequence[str], fact: TaskFact) -> None:
    code = connection.scalar(select(jobs.c.code).where(jobs.c.id == job_id)) or ""
    note(connection, _ENTRY_VERBS[fact], "job", job_id, code, details={"entries": list(task_ids)})


def _note_kept(connection: Connection, verb: str, task: Task) -> None:
    details = {"job": task.job_id, "path": task.kept, "until": task.kept_until}
    note(connection, verb, "replaced", task.id, task.filename, details=details)


def _fields(connection: Connection, job_id: str, names: set[str]) -> dict[str, Any]:
    if not names:
        return {}
    row = connection.execute(select(*(jobs.c[name] for name in sorted(names))).where(jobs.c.id == job_id)).one_or_none()
    return dict(row._mapping) if row else {}


def _this_task(job_id: str, task_id: str) -> tuple[ColumnElement[bool], ...]:
    return tasks.c.job_id == job_id, tasks.c.id == task_id


def _offer_state(connection: Connection, job: Job, now: int) -> OfferState:
    """The state of the offer behind a submit, as its time makes it."""
    query = select(offers.c.state, offers.c.expires).where(offers.c.id == job.offer_id, offers.c.user_id == job.user_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(detail=f"user {job.user_id} has no offer {job.offer_id}")
    state: OfferState = row.state
    if state is OfferState.OPEN and row.expires <= now:
        close(connection, [job.offer_id], OfferFact.EXPIRED, now)
        return OfferState.EXPIRED
    return state


def _make(connection: Connection, job: Job, now: int) -> None:
    values = {field.name: getattr(job, field.name) for field in fields(job) if field.name != "tasks"}
    connection.execute(insert(jobs).values(**values, folded=fold(job.code), cleared=False))
    if job.tasks:
        connection.execute(insert(tasks), [rows.task_row(task, job.user_id) for task in job.tasks])
    details = {"offer": job.offer_id, "entries": [task.filename for task in job.tasks], "size": job.size}
    note(connection, "create", "job", job.id, job.code, details=details)
    reservations.hand_over(connection, job.offer_id, job.id, [task.id for task in job.tasks])
    close(connection, [job.offer_id], OfferFact.SUBMITTED, now)
    notices.submitted(connection, job, now)


def _update(connection: Connection, job_id: str, values: Mapping[str, Any]) -> None:
    if not connection.execute(update(jobs).where(jobs.c.id == job_id).values(**values)).rowcount:
        raise NotFound(detail=f"no job {job_id}")
