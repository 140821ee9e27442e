"""Step 5: entries appear at their places, each at once.

Rules
1. Just before the first rename all destinations are checked again; one fault stops all, and nothing is placed.
2. Then entries go in order. If one fails nevertheless, those before it stay, the job names it, and a retry goes on
   with it: forward, never back.
3. An abort or a pause is seen between two entries.
4. What was left out is not placed.
5. What an entry replaces is kept aside; the task says where, and until when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..model import errors
from ..model.entities import Job, Task, Volume
from ..model.names import printable
from ..model.states import JobFact, JobState, TaskFact, TaskStatus
from . import replaced
from .failing import Failing
from .needs import Clock, House, JobBook, Storage


class Placing:
    def __init__(self, house: House, jobs: JobBook, storage: Storage, failing: Failing, clock: Clock) -> None:
        self._house = house
        self._jobs = jobs
        self._storage = storage
        self._failing = failing
        self._clock = clock

    def place(self, job_id: str, stop: Callable[[], bool]) -> None:
        """Do the step, where the job stands before it. Raises InterruptedError when `stop` says so."""
        job = self._jobs.job(job_id)
        if job is None or job.state is not JobState.PLACING:
            return
        with self._failing.caught(job, "The files have arrived but could not be put in their place."):
            self._place(job, stop)

    def _place(self, job: Job, stop: Callable[[], bool]) -> None:
        volumes = {volume.id: volume for volume in self._house.volumes()}
        left = [task for task in job.tasks if task.status not in (TaskStatus.DONE, TaskStatus.EXCLUDED)]
        for task in left:
            with self._named(job, task):
                volume = _volume_of(task, volumes)
                self._storage.check(
                    Path(task.staging), task.upload_id, volume, task.place.path, replace=task.verdict.replaces
                )
        for task in left:
            if stop():
                raise InterruptedError
            if self._jobs.state(job.id) is not JobState.PLACING:
                return
            with self._named(job, task):
                volume = _volume_of(task, volumes)
                placed = self._storage.place(
                    Path(task.staging), task.upload_id, volume, task.place.path, replace=task.verdict.replaces
                )
            until = replaced.until(self._house, task, self._clock()) if placed.kept else None
            self._jobs.move_task(job.id, task.id, TaskFact.PLACED, error="", kept=placed.kept, kept_until=until)
        self._jobs.move(job.id, JobFact.PLACED, self._clock(), failures=0, error="", error_code="", error_detail="")

    @contextmanager
    def _named(self, job: Job, task: Task) -> Iterator[None]:
        """Errors name the entry, and the task carries them."""
        try:
            yield
        except errors.DestinationTaken as error:
            self._jobs.move_task(job.id, task.id, TaskFact.FAILED, error=error.message)
            raise errors.DestinationTaken(
                f"{printable(task.filename)}: {error.message}", detail=error.detail
            ) from error
        except (OSError, ValueError) as error:
            self._jobs.move_task(job.id, task.id, TaskFact.FAILED, error="This entry could not be put in its place.")
            raise OSError(f"{task.filename}: {error}") from error


def _volume_of(task: Task, volumes: dict[str, Volume]) -> Volume:
    volume = volumes.get(task.place.volume_id)
    if volume is None:
        raise ValueError("its volume has been removed")
    return volume
