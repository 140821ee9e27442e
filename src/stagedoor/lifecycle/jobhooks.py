"""Running a hook of a job: what it is given, and its record.

Rules
1. Every run is recorded before it begins, with the hook as it was then.
2. The hashes of a job lie beside the input of every run that begins after its proof.
3. What the outcome means for the job is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..model.entities import Hook, HookRun, Job, Notice
from .hookinput import job_input
from .needs import Clock, House, JobBook, OfferBook, Outcome, Programs, RunBook, RunOrder
from .views import absolute_of


class JobHooks:
    def __init__(
        self, house: House, offers: OfferBook, jobs: JobBook, runs: RunBook, programs: Programs, clock: Clock
    ) -> None:
        self._house = house
        self._offers = offers
        self._jobs = jobs
        self._runs = runs
        self._programs = programs
        self._clock = clock

    def begin(self, job: Job, hook: Hook, *, attempt: int = 1) -> HookRun:
        """Record that a run begins."""
        run = hook.begun(
            self._offers.new_id(),
            at=self._clock(),
            version=self._programs.version(hook.command),
            user_id=job.user_id,
            offer_id=job.offer_id,
            job_id=job.id,
            attempt=attempt,
        )
        self._runs.begin(run)
        return run

    def run(
        self,
        job: Job,
        hook: Hook,
        run: HookRun,
        *,
        seconds: int,
        answer_bytes: int = 0,
        status: str = "",
        notice: Notice | None = None,
    ) -> Outcome:
        """Run to the end. `status`: of a job that is not made yet. `answer_bytes`: so much it may answer."""
        user, offer = self._house.user(job.user_id), self._offers.offer(job.offer_id)
        assert user is not None and offer is not None
        volumes = {volume.id: volume for volume in self._house.volumes()}
        names, contents = hash_files(job, self._jobs.receipt(job.id))
        folder = self._programs.folder(run.id)
        return self._programs.run(
            RunOrder(
                run=run,
                environment=hook.environment,
                run_as=hook.run_as,
                input=job_input(
                    hook.name,
                    job=job,
                    user=user,
                    workspace=self._house.workspace(),
                    queue=self._house.queue(job.queue_id),
                    volumes=volumes,
                    trees={task.id: self._offers.tree(job.offer_id, task.id) for task in job.tasks},
                    placed={task.id: absolute_of(task.place, volumes) for task in job.tasks},
                    modified={entry.id: entry.modified for entry in offer.entries},
                    hashes=paths_of(folder, names),
                    attempt=run.attempt,
                    status=status,
                    notice=notice,
                ),
                files=contents,
                may_answer=answer_bytes > 0,
                seconds=seconds,
                answer_bytes=answer_bytes,
            )
        )


def paths_of(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    return {task_id: str(folder / name) for task_id, name in files.items()}


def hash_files(job: Job, receipt: bytes | None) -> tuple[dict[str, str], dict[str, bytes]]:
    """JSON lines `{path, size, xxh128, blake3}` of every file of a receipt: the name of a task's file, by its id, and
    what stands in it, by that name."""
    if receipt is None:
        return {}, {}
    lines = {entry.id: _lines(entry.files) for entry in msgspec.json.decode(receipt, type=_Hashed).entries}
    names = {task.id: f"hashes-{task.number}.jsonl" for task in job.tasks if task.id in lines}
    return names, {name: lines[task_id] for task_id, name in names.items()}


def _lines(files: list[msgspec.Raw]) -> bytes:
    """File by file, so that 100,000 of them never lie decoded side by side."""
    decoder, encoder = msgspec.json.Decoder(_HashLine), msgspec.json.Encoder()
    lines = bytearray()
    for file in files:
        lines += encoder.encode(decoder.decode(file))
        lines += b"\n"
    return bytes(lines)


class _HashLine(msgspec.Struct):
    path: str
    size: int
    xxh128: str
    blake3: str


class _HashedEntry(msgspec.Struct):
    id: str
    files: list[msgspec.Raw]


class _Hashed(msgspec.Struct):
    """What the hash files are made of, in a receipt."""

    entries: list[_HashedEntry]
