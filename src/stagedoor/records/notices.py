"""What post hooks are still to be told: `lifecycle.needs.NoticeBook`.

Rules
1. A notice is made in the transaction that changes the job, so that neither is ever without the other.
2. It is there until its hook has run to an end, whatever that was.
3. Where no hook of that name is set when it happens, there is nobody to tell and no notice.
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, delete, exists, insert, select, update

from ..model.entities import Job, Notice
from ..model.hooks import HookName
from ..model.states import JobState
from .database import Database
from .ids import new_id
from .queues import of_queue
from .tables import hooks, notices


class Notices:
    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, limit: int) -> list[Notice]:
        """The oldest ones."""
        query = select(notices).order_by(notices.c.id).limit(limit)
        with self._database.read() as connection:
            return [Notice(**row._mapping) for row in connection.execute(query)]

    def begin(self, notice_id: str) -> int:
        """Count a run that is about to begin; its number, from 1, or 0 where the notice is settled."""
        counted = update(notices).where(notices.c.id == notice_id).values(attempts=notices.c.attempts + 1)
        with self._database.write() as connection:
            return connection.scalar(counted.returning(notices.c.attempts)) or 0

    def settle(self, notice_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(notices).where(notices.c.id == notice_id))


def submitted(connection: Connection, job: Job, now: int) -> None:
    _keep(connection, HookName.POST_SUBMIT, job, now)


def moved(connection: Connection, job: Job, now: int) -> None:
    """Of failures those are told after which a person must act, and the first of several that are retried."""
    if job.state is JobState.DONE:
        _keep(connection, HookName.POST_DONE, job, now)
    elif job.state.status == "failed" and (job.due is None or job.failures == 1):
        _keep(connection, HookName.POST_FAILED, job, now)


def _keep(connection: Connection, hook: HookName, job: Job, now: int) -> None:
    if not connection.scalar(select(exists().where(hooks.c.name == hook, of_queue(hooks.c.queue, job.queue_id)))):
        return
    notice = Notice(
        id=new_id(),
        hook=hook,
        job_id=job.id,
        created=now,
        status=job.state.status,
        error=job.error,
        error_code=job.error_code,
        error_detail=job.error_detail,
        reference=job.reference,
        due=job.due,
    )
    connection.execute(insert(notices).values(**asdict(notice)))
