"""What entries replaced: kept aside for a time, then removed.

Rules
1. A copy is kept `keep_replaced_days` from the day of its replacement; changing the setting breaks no promise.
2. Staging goes when its job has ended; what the entry replaced stays.
3. A copy that cannot be removed is tried again a day later.
"""

from __future__ import annotations

import logging
from pathlib import Path

from ..model.entities import Task
from ..model.settings import DAY
from .needs import House, JobBook, Storage

log = logging.getLogger("stagedoor.job")


def until(house: House, task: Task, now: int) -> int:
    """Until when that is kept which the entry of a task replaces now."""
    return now + house.settings_at(task.place.volume_id).number("keep_replaced_days") * DAY


def clear(house: House, jobs: JobBook, storage: Storage, task: Task, now: int) -> None:
    """Remove the staging of a task whose job has ended."""
    kept = storage.clear(Path(task.staging), task.upload_id)
    if kept and task.kept_until is None:  # ended between the exchange and its row
        jobs.set_kept(task.job_id, task.id, kept, until(house, task, now))


def remove_due(jobs: JobBook, storage: Storage, now: int) -> None:
    """Remove copies that have had their time."""
    for task in jobs.kept_before(now):
        remove(jobs, storage, task, now)


def remove(jobs: JobBook, storage: Storage, task: Task, now: int) -> None:
    try:
        storage.remove_kept(task.kept)
    except (OSError, ValueError) as error:
        log.warning("what job %s replaced cannot be removed, %s: %s", task.job_id, task.kept, error)
        jobs.set_kept(task.job_id, task.id, task.kept, now + DAY)
    else:
        jobs.set_kept(task.job_id, task.id, "", task.kept_until)
