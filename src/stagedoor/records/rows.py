"""Rows of jobs and tasks, as the values that they hold and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from ..model.entities import Earlier, Job, Task
from ..model.errors import NotFound
from ..model.notation import Place
from ..model.states import JobState
from .tables import jobs, picked, tasks

JOB_COLUMNS = picked(jobs, "cleared")
TASK_COLUMNS = picked(tasks, "user_id")
EARLIER_COLUMNS = [
    tasks.c[name] for name in ("job_id", "id", "filename", "file_count", "volume_id", "path", "upload_id", "staging")
]


def query(where: ColumnElement[bool]) -> Any:
    return select(*JOB_COLUMNS).where(where)


def bare(connection: Connection, job_id: str, its_tasks: Sequence[Task] = ()) -> Job:
    """With no tasks but these."""
    return job_of(connection.execute(query(jobs.c.id == job_id)).one(), its_tasks)


def load(connection: Connection, job_id: str) -> Job | None:
    return with_tasks(connection, connection.execute(query(jobs.c.id == job_id)).one_or_none())


def load_of_offer(connection: Connection, offer_id: str) -> Job | None:
    return with_tasks(connection, connection.execute(query(jobs.c.offer_id == offer_id)).one_or_none())


def with_tasks(connection: Connection, row: Row[Any] | None) -> Job | None:
    if row is None:
        return None
    its_tasks = connection.execute(select(*TASK_COLUMNS).where(tasks.c.job_id == row.id).order_by(tasks.c.number))
    return job_of(row, [task_of(task) for task in its_tasks])


def job_of(row: Row[Any], its_tasks: Sequence[Task] = ()) -> Job:
    return Job(**row._mapping, tasks=tuple(its_tasks))


def task_of(row: Row[Any]) -> Task:
    values = dict(row._mapping)
    place = Place(values.pop("volume_id"), values.pop("path"))
    return Task(**values, place=place)


def earlier_of(row: Any) -> Earlier:
    values = dict(row._mapping)
    place = Place(values.pop("volume_id"), values.pop("path"))
    return Earlier(**{**values, "placed": bool(values["placed"])}, place=place)


def task_row(task: Task, user_id: str) -> dict[str, Any]:
    values = {field.name: getattr(task, field.name) for field in fields(task) if field.name != "place"}
    return {**values, "user_id": user_id, "volume_id": task.place.volume_id, "path": task.place.path}


def state_of(connection: Connection, job_id: str) -> JobState:
    state: JobState | None = connection.scalar(select(jobs.c.state).where(jobs.c.id == job_id))
    if state is None:
        raise NotFound(detail=f"no job {job_id}")
    return state
