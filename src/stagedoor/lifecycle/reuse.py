"""Beside step 3: what the studio has already is copied, not sent.

Rules
1. The client is told which files resemble earlier ones in name and size, hashes those alone, and says what they are.
   What it names is looked for among what the same user sent before, never another's, and copied into the upload.
2. A copy counts once it has been read back with the content that was named; then as if it had been sent.
3. An answer tells which of the named files have arrived, and nothing else: it is the same whether the content was never
   here, is here no longer, has changed at its place, or belongs to somebody else. Another user's files are not even
   looked at, so that time tells nothing of them. Of the user's own, a copy takes longer than a look-up that finds
   nothing; that is not evened out.
4. Only the owner of a job does this, and only while the job takes bytes. Whoever fails here can send instead.
5. One request copies for about `COPY_SECONDS`; what is left then is named again.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from ..model import errors
from ..model.entities import Job, Task, User
from ..model.likeness import stem, unversioned
from ..model.states import JobFact, JobState, TaskFact, TaskStatus, WrongMove
from ..wire.reuse import (
    DIGEST_BYTES,
    Identities,
    ReuseAnswer,
    ReuseRequest,
    ReuseView,
    TaskFiles,
    numbers_of,
    ranges_of,
)
from .earlier import Known, Shelf, lacking_files
from .needs import Clock, Copied, House, JobBook, Placed, Staged, Storage, Upload, Wanted
from .receive import Receiving
from .submit import DAY

WORTH_BYTES = 64 * 1024
"""less than this in all is sent quicker than it is looked for"""
LARGEST = 16 * 2**30
"""a file must be copied within the time that a client waits for an answer"""
MOST_IDENTITIES = 20_000
COPY_SECONDS = 20.0
_ORIGINS = 3
_TAKES_BYTES = (JobState.AWAITING_BYTES, JobState.RECEIVING)

log = logging.getLogger("stagedoor.reuse")
Origins = dict[int, list[tuple[Placed | Staged, str]]]


class Reusing:
    def __init__(self, house: House, jobs: JobBook, storage: Storage, receiving: Receiving, clock: Clock) -> None:
        self._house = house
        self._jobs = jobs
        self._storage = storage
        self._receiving = receiving
        self._clock = clock
        self._shelf = Shelf(house, jobs, storage)

    def candidates(self, user: User, job_id: str) -> ReuseView:
        """Files of a job that miss every byte and resemble earlier ones."""
        job = self._find(user, job_id)
        tasks = [task for task in job.tasks if task.status is not TaskStatus.QUEUED]
        found: dict[str, list[int]] = {}
        if job.state in _TAKES_BYTES and tasks:
            known: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
            for entry in self._shelf.alike(job, [task.filename for task in tasks]):
                known[entry.stem].update((stem(file.path), file.size) for file in entry.files)
            found = {task.id: self._alike(task, known[stem(task.filename)]) for task in tasks} if known else {}
        told = tuple(TaskFiles(task=id_, files=ranges_of(files)) for id_, files in found.items() if files)
        return ReuseView(job=job.id, tasks=told, most=MOST_IDENTITIES)

    def copy(self, user: User, job_id: str, request: ReuseRequest) -> ReuseAnswer:
        """Copy what is here of the files named. Raises BadRequest, Conflict."""
        job = self._find(user, job_id)
        if job.state not in _TAKES_BYTES:
            raise errors.Conflict("This upload takes no more bytes.", code="upload_closed")
        named = _read(job, request)
        tasks = {task.id: task for task in job.tasks}
        uploads = {id_: upload for id_ in named if (upload := self._open(tasks[id_]))}
        origins = self._origins(job, tasks, named, uploads)
        end = time.monotonic() + COPY_SECONDS
        outcome: dict[str, Copied] = {}
        for id_, upload in uploads.items():
            wanted = [Wanted(number, named[id_][number], found) for number, found in origins[id_].items()]
            outcome[id_] = self._copy(upload, wanted, end)
            if outcome[id_].received:
                self._tell(job, tasks[id_], upload)
        if any(upload.complete for upload in uploads.values()):
            self._receiving.settle(job.id)
        return ReuseAnswer(
            received=_told({id_: copied.received for id_, copied in outcome.items()}),
            left=_told({id_: copied.left for id_, copied in outcome.items()}),
        )

    def _find(self, user: User, job_id: str) -> Job:
        """Bytes come from the owner alone, whatever their role."""
        job = self._jobs.job(job_id)
        if job is None or job.user_id != user.id:
            raise errors.NotFound
        return job

    def _open(self, task: Task) -> Upload | None:
        try:
            return self._storage.open(Path(task.staging), task.upload_id)
        except FileNotFoundError:
            return None  # sending a part says so

    def _alike(self, task: Task, known: set[tuple[str, int]]) -> list[int]:
        upload = self._open(task) if known else None
        if upload is None:
            return []
        lacking = lacking_files(upload)
        found = [
            (number, file.size)
            for number, file in enumerate(upload.manifest.files)
            if 0 < file.size <= LARGEST and lacking.get(number) == file.size and (stem(file.path), file.size) in known
        ]
        return [number for number, _ in found] if sum(size for _, size in found) >= WORTH_BYTES else []

    def _origins(
        self,
        job: Job,
        tasks: Mapping[str, Task],
        named: Mapping[str, Mapping[int, bytes]],
        uploads: Mapping[str, Upload],
    ) -> dict[str, Origins]:
        """Where the files named may lie, by task and number."""
        found: dict[str, Origins] = {id_: {number: [] for number in named[id_]} for id_ in uploads}
        looked_for = {id_: _Looked(upload, named[id_]) for id_, upload in uploads.items()}
        by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for id_ in uploads:
            by_stem[stem(tasks[id_].filename)].append(id_)
        for entry in self._shelf.alike(job, [tasks[id_].filename for id_ in uploads]):
            for id_ in by_stem[entry.stem]:
                looked_for[id_].add_to(found[id_], entry)
        return found

    def _copy(self, upload: Upload, wanted: list[Wanted], end: float) -> Copied:
        try:
            return self._storage.copy(upload, wanted, lambda: time.monotonic() > end)
        except OSError as error:
            log.warning("%s: nothing more can be copied here: %s", upload.folder, error)
            return Copied([], [])

    def _tell(self, job: Job, task: Task, upload: Upload) -> None:
        days = self._house.settings().number("staging_idle_days")
        try:
            self._jobs.move_task(job.id, task.id, TaskFact.BYTES)
            self._jobs.set_received(job.id, task.id, upload.received)
            self._jobs.move(
                job.id, JobFact.BYTES, self._clock(), error="", error_code="", expires=self._clock() + days * DAY
            )
        except WrongMove:
            pass  # a part beside this was the last, or the job was aborted: there is nothing left to sum up


class _Looked:
    """The files of one task that are looked for: by content, and by name where the content is not known."""

    def __init__(self, upload: Upload, named: Mapping[int, bytes]) -> None:
        files = upload.manifest.files
        self._by_content: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        self._by_name: dict[tuple[str, int], int] = {}
        for number, digest in named.items():
            if number >= len(files):
                raise errors.BadRequest(f"The entry has {len(files)} files; there is no number {number}.")
            file = files[number]
            self._by_content[digest.hex(), file.size].append(number)
            self._by_name[unversioned(file.path), file.size] = number

    def add_to(self, found: Origins, entry: Known) -> None:
        for file in entry.files:
            if file.blake3:
                numbers = self._by_content.get((file.blake3, file.size), [])
            else:
                number = self._by_name.get((unversioned(file.path), file.size))
                numbers = [] if number is None else [number]
            for number in numbers:
                if len(found[number]) < _ORIGINS:
                    found[number].append((entry.origin, file.path))


def _read(job: Job, request: ReuseRequest) -> dict[str, dict[int, bytes]]:
    """The digests named, by task and number of the file. Raises BadRequest, LimitExceeded, NotFound."""
    known = {task.id for task in job.tasks}
    named: dict[str, dict[int, bytes]] = {}
    count = 0
    for item in request.tasks:
        if item.task not in known:
            raise errors.NotFound
        count += _count(item)
        if count > MOST_IDENTITIES:
            raise errors.LimitExceeded(
                f"One request names at most {MOST_IDENTITIES} files; make several.", details={"limit": MOST_IDENTITIES}
            )
        digests = (item.blake3[at : at + DIGEST_BYTES] for at in range(0, len(item.blake3), DIGEST_BYTES))
        named.setdefault(item.task, {}).update(zip(numbers_of(item.files), digests, strict=True))
    return named


def _count(item: Identities) -> int:
    """How many files are named. Raises BadRequest where that is not said in one way."""
    if not all(0 <= start < end for start, end in item.files):
        raise errors.BadRequest("Files are named by half-open ranges of their numbers: [first, one past the last].")
    count = sum(end - start for start, end in item.files)
    if count * DIGEST_BYTES != len(item.blake3):
        raise errors.BadRequest(f"Every file named takes {DIGEST_BYTES} bytes of blake3: {count} files are named.")
    return count


def _told(files: Mapping[str, list[int]]) -> tuple[TaskFiles, ...]:
    return tuple(TaskFiles(task=id_, files=ranges_of(numbers)) for id_, numbers in files.items() if numbers)
