"""Step 3: parts arrive.

Rules
1. Only the owner of a job sends its bytes, and only while the job takes them.
2. A part is answered when its bytes and its line in the upload's journal are written. The database is told now and
   then, not with every part; the upload itself knows exactly.
3. When the last byte of the last entry is there the job goes on, in the request that brought it. `settle` finds out
   the same from what lies on disk: for a request that was cut between the two, and when entries are held, left out or
   let in again.
4. An entry on hold and a paused job take no parts; where nothing but entries on hold is missing the job is paused.
5. A full disk makes the job wait and says so; what was acknowledged stays.
"""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from pathlib import Path

from ..model import errors
from ..model.entities import Job, Task, User
from ..model.pace import Pace
from ..model.settings import Settings
from ..model.states import JobFact, JobState, TaskFact, TaskStatus, WrongMove
from ..model.tape import Range
from ..wire.parts import PartAnswer, UploadView
from . import about
from .lately import Lately
from .needs import Clock, House, JobBook, PartWriter, Storage, Upload
from .submit import DAY
from .tally import Tally
from .turns import Turns

_TOLD_EVERY = 2.0
_RANGES_TOLD = 10_000
_FULL = (errno.ENOSPC, errno.EDQUOT)
_TAKES_BYTES = (JobState.AWAITING_BYTES, JobState.RECEIVING)
_KEPT_BACK = (TaskStatus.ONHOLD, TaskStatus.EXCLUDED)

ON_HOLD = "on_hold"
_HELD = "All that is still to come is on hold at the studio; it goes on when the studio lets it."


class Meter:
    """Bytes per second of every job, over the last seconds."""

    WINDOW = 10.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def add(self, job_id: str, size: int) -> None:
        with self._lock:
            self._seen.setdefault(job_id, deque()).append((time.monotonic(), size))

    def speed(self, job_id: str) -> float:
        with self._lock:
            seen = self._seen.get(job_id)
            if not seen:
                return 0.0
            now = time.monotonic()
            while seen and seen[0][0] < now - self.WINDOW:
                seen.popleft()
            if not seen:
                del self._seen[job_id]
                return 0.0
            return sum(size for _, size in seen) / max(now - seen[0][0], 1.0)


class Receiving:
    """Takes parts for the uploads of jobs."""

    def __init__(
        self,
        house: House,
        jobs: JobBook,
        storage: Storage,
        turns: Turns,
        clock: Clock,
        tally: Tally | None = None,
    ) -> None:
        self._tally = tally or Tally()
        self._house = house
        self._jobs = jobs
        self._storage = storage
        self._turns = turns
        self._clock = clock
        self._lock = threading.Lock()
        self._open_parts: dict[str, int] = {}
        self._told: dict[str, float] = {}
        self._untold: dict[str, Part] = {}
        self._summed: dict[str, int] = {}
        self._found = Lately(self._look_up)
        self._settings: Lately[str, Settings] = Lately(lambda _: self._house.settings())
        self._rate: Lately[str, int] = Lately(self._rate_of)
        self._paces: dict[str, Pace] = {}
        self.meter = Meter()

    def view(self, user: User, upload_id: str) -> UploadView:
        """What an upload has and lacks."""
        job, task = self._look_up((user.id, upload_id))
        most = self._house.settings().number("part_bytes")
        settled = job.state not in (*_TAKES_BYTES, JobState.UPLOAD_PAUSED)
        if settled or task.status is TaskStatus.EXCLUDED:
            return _view(job, task, task.size, (), is_open=False, most=most)
        upload = self._open(task)
        missing = tuple((gap.start, gap.end) for gap in upload.missing())
        if not missing:
            self._entry_received(task)
            return _view(job, task, task.size, (), is_open=False, most=most)
        is_open = job.state in _TAKES_BYTES and task.status not in _KEPT_BACK
        return _view(job, task, upload.received, missing[:_RANGES_TOLD], is_open=is_open, most=most)

    def begin(self, job: Job, task: Task, part: Range, total: int, algorithm: str, digest: bytes) -> Part:
        """Open a part of what `find` found. Raises StagedoorError where it does not fit or cannot be taken now."""
        _check_open(job, task)
        settings = self._settings("")
        _check_range(part, total, task, settings)
        self._enter(job.user_id, settings.number("open_parts"))
        try:
            upload = self._open(task)
            writer = upload.begin(part, algorithm, digest)
        except BaseException:
            self._leave(job.user_id)
            raise
        return Part(self, job, task, upload, writer, part.size)

    def received(self, task: Task) -> int:
        """Bytes of a task that are there: exactly while it is being sent, else as last summed up."""
        upload = self._storage.known(task.upload_id)
        return upload.received if upload else task.received

    def settings_changed(self) -> None:
        """Need not be said; it is noticed a second later anyway."""
        self._settings.clear()
        self._rate.clear()

    def delay(self, job_id: str, size: int) -> float:
        """Seconds by which to wait after so many bytes of a job, to keep to the speed that it may be sent at."""
        rate = self._rate(job_id)
        if not rate:
            self._paces.pop(job_id, None)
            return 0.0
        with self._lock:
            return self._paces.setdefault(job_id, Pace()).delay(size, rate, time.monotonic())

    def _rate_of(self, job_id: str) -> int:
        job = self._jobs.job(job_id)
        return self._house.settings_of(job).number("upload_rate") if job else 0

    def sum_up(self) -> None:
        """Tell the database what came since it was last told: the last parts before a line went dead."""
        self._forget_paces()
        for key in list(self._untold):
            part = self._untold.pop(key, None)
            if part is not None:
                received = part.upload.received
                if key in self._summed:
                    self._summed[key] = received
                self._jobs.set_received(part.job.id, part.task.id, received)

    def _forget_paces(self) -> None:
        now = time.monotonic()
        with self._lock:
            for job_id in [job_id for job_id, pace in self._paces.items() if pace.unused(now)]:
                del self._paces[job_id]

    def untold(self) -> dict[str, int]:
        """By job, the bytes that came since the database was last told."""
        found: dict[str, int] = {}
        for key, part in list(self._untold.items()):
            more = part.upload.received - self._summed.get(key, part.task.received)
            found[part.job.id] = found.get(part.job.id, 0) + max(more, 0)
        return found

    @property
    def open_parts(self) -> int:
        """Parts on their way just now."""
        with self._lock:
            return sum(self._open_parts.values())

    def settle(self, job_id: str) -> None:
        """Bring job and tasks to what lies on disk: received entries, and the job when all are."""
        job = self._jobs.job(job_id)
        if job is None or job.state not in _TAKES_BYTES:
            return
        for task in job.tasks:
            if task.status not in (TaskStatus.QUEUED, *_KEPT_BACK) and self._open(task).complete:
                self._task_received(task)
        self._go_on(job_id)

    def find(self, user: User, upload_id: str) -> tuple[Job, Task]:
        """As it was a second ago at most. Raises NotFound before anything is said about a stranger's upload."""
        job, task = self._found((user.id, upload_id))
        about.also(job=job.id)
        if job.state not in _TAKES_BYTES or task.status in _KEPT_BACK:
            self._found.forget((user.id, upload_id))
            return self._look_up((user.id, upload_id))
        return job, task

    def look_again(self) -> None:
        """Jobs or entries have been changed by somebody: what was remembered of them does not hold."""
        self._found.clear()

    def _look_up(self, key: tuple[str, str]) -> tuple[Job, Task]:
        user_id, upload_id = key
        found = self._jobs.task_of_upload(upload_id)
        if found is None or found[0].user_id != user_id:
            raise errors.NotFound
        return found

    def _open(self, task: Task) -> Upload:
        try:
            return self._storage.open(Path(task.staging), task.upload_id)
        except FileNotFoundError as error:
            raise errors.Conflict(
                "What was uploaded is no longer there; abort this job and publish again.",
                code="upload_gone",
                detail=f"staging {task.staging} is gone: {error}",
            ) from error

    def _enter(self, user_id: str, most: int) -> None:
        with self._lock:
            if self._open_parts.get(user_id, 0) >= most:
                raise errors.Busy(f"You have {most} parts in flight; wait for one to end.", code="too_many_parts")
            self._open_parts[user_id] = self._open_parts.get(user_id, 0) + 1

    def _leave(self, user_id: str) -> None:
        with self._lock:
            self._open_parts[user_id] -= 1

    def _committed(self, part: Part) -> PartAnswer:
        self.meter.add(part.job.id, part.size)
        self._tally.part(part.size)
        self._tell(part)
        if part.upload.complete:
            self._entry_received(part.task)
        return PartAnswer(received=part.upload.received, size=part.task.size, complete=part.upload.complete)

    def _tell(self, part: Part) -> None:
        """Sum up in the database, at most every two seconds for a task, and when it begins."""
        now = time.monotonic()
        key = part.task.upload_id
        if now - self._told.get(key, -_TOLD_EVERY) < _TOLD_EVERY:
            self._untold[key] = part
            return
        self._told[key] = now
        self._untold.pop(key, None)
        received = self._summed[key] = part.upload.received
        days = self._house.settings_of(part.job).number("staging_idle_days")
        try:
            if part.task.status is TaskStatus.PENDING:
                self._jobs.move_task(part.job.id, part.task.id, TaskFact.BYTES)
            self._jobs.set_received(part.job.id, part.task.id, received)
            self._jobs.move(
                part.job.id, JobFact.BYTES, self._clock(), error="", error_code="", expires=self._clock() + days * DAY
            )
        except WrongMove:
            pass  # a part beside this one was the last, or the job was aborted: there is nothing left to sum up

    def _starved(self, job_id: str, error: OSError) -> errors.NoSpace:
        refusal = errors.NoSpace(detail=str(error))
        self._told.clear()  # the next part that is written says so at once
        try:
            self._jobs.move(
                job_id,
                JobFact.STARVED,
                self._clock(),
                error="Waiting for space at the studio.",
                error_code=refusal.error_code,
                error_detail=str(error),
            )
        except WrongMove:
            pass  # it has ended meanwhile
        return refusal

    def _entry_received(self, task: Task) -> None:
        self._task_received(task)
        self._go_on(task.job_id)

    def _task_received(self, task: Task) -> None:
        self._told.pop(task.upload_id, None)
        self._untold.pop(task.upload_id, None)
        self._summed.pop(task.upload_id, None)
        self._found.clear()
        try:
            self._jobs.move_task(task.job_id, task.id, TaskFact.RECEIVED, received=task.size)
        except WrongMove:
            pass  # the request that brought the other half of the last bytes was quicker

    def _go_on(self, job_id: str) -> None:
        """With the next step, where every entry is there; to a halt, where the others are on hold."""
        lacking = self._jobs.lacking(job_id)
        try:
            if not lacking:
                self._jobs.move(job_id, JobFact.RECEIVED, self._clock(), error="", error_code="")
            elif lacking == {TaskStatus.ONHOLD}:
                self._jobs.move(job_id, JobFact.PAUSED, self._clock(), error=_HELD, error_code=ON_HOLD)
        except WrongMove:
            return
        if not lacking:
            self._paces.pop(job_id, None)
            self._turns.begin_next()


class Part:
    """One part on its way: `write` its bytes in order, then `commit`; `close` in any case."""

    def __init__(
        self, receiving: Receiving, job: Job, task: Task, upload: Upload, writer: PartWriter, size: int
    ) -> None:
        self._receiving = receiving
        self._writer = writer
        self._closed = False
        self.job = job
        self.task = task
        self.upload = upload
        self.size = size

    def write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._writer.write(data)
        except OSError as error:
            raise self._translated(error) from error

    def delay(self, size: int) -> float:
        """Seconds to wait before the next bytes are taken, after these."""
        return self._receiving.delay(self.job.id, size)

    def commit(self) -> PartAnswer:
        try:
            self._writer.commit()
        except OSError as error:
            raise self._translated(error) from error
        return self._receiving._committed(self)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self._receiving._leave(self.job.user_id)

    def _translated(self, error: OSError) -> errors.StagedoorError:
        if error.errno in _FULL:
            return self._receiving._starved(self.job.id, error)
        return errors.Busy("The studio's disk cannot be written just now; try again.", detail=str(error))


def _view(
    job: Job, task: Task, received: int, missing: tuple[tuple[int, int], ...], *, is_open: bool, most: int
) -> UploadView:
    return UploadView(
        id=task.upload_id,
        job=job.id,
        task=task.id,
        size=task.size,
        received=received,
        complete=not missing,
        open=is_open,
        missing=missing,
        part_bytes=most,
    )


def _check_open(job: Job, task: Task) -> None:
    if job.state is JobState.UPLOAD_PAUSED:
        raise errors.JobPaused(job.error)
    if job.state not in _TAKES_BYTES or task.status is TaskStatus.EXCLUDED:
        raise errors.Conflict("This upload takes no more bytes.", code="upload_closed")
    if task.status is TaskStatus.ONHOLD:
        raise errors.Conflict("The studio keeps this entry on hold; it takes no bytes.", code="entry_on_hold")


def _check_range(part: Range, total: int, task: Task, settings: Settings) -> None:
    if total != task.size:
        raise errors.BadRange(
            f"The upload has {task.size} bytes, not {total}.", code="wrong_total", details={"size": task.size}
        )
    most = settings.number("part_bytes")
    if part.size > most:
        raise errors.LimitExceeded(
            f"A part has at most {most} bytes, this one has {part.size}; send smaller ones.", details={"limit": most}
        )
