"""Step 6: the publish hook runs with everything known.

Rules
1. A job is done only after the hook has exited 0, or when placed where no publish hook is set.
2. The hook runs at least once, never twice at a time. Before a run whose outcome is unknown is repeated, what is left
   of it is ended. Every run carries the same idempotency key (the job's id) and its attempt number.
3. A hook that fails waits for a person, except for `publish_hook_retries`. A retry never uploads again.
"""

from __future__ import annotations

import logging

import msgspec

from ..model.entities import Hook, HookRun, Job, RunState
from ..model.hooks import HookName
from ..model.states import JobFact, JobState, WrongMove
from .failing import Failing
from .hookinput import publish_input
from .needs import Clock, House, JobBook, OfferBook, Outcome, Programs, RunBook, RunOrder
from .views import absolute_of

log = logging.getLogger("stagedoor.job")

LOST = "The server ended while this ran; its outcome is unknown."
FAILED = (
    "Everything has arrived, but the studio's ingest failed. The studio can see why and can run it again; "
    "nothing needs to be sent again. Reference: {}"
)


class Ingesting:
    def __init__(
        self,
        house: House,
        offers: OfferBook,
        jobs: JobBook,
        runs: RunBook,
        programs: Programs,
        failing: Failing,
        clock: Clock,
    ) -> None:
        self._house = house
        self._offers = offers
        self._jobs = jobs
        self._runs = runs
        self._programs = programs
        self._failing = failing
        self._clock = clock

    def ingest(self, job_id: str) -> None:
        """Do the step, where the job stands before it. Raises InterruptedError when the server is ending."""
        job = self._jobs.job(job_id)
        if job is None or job.state is not JobState.INGESTING:
            return
        with self._failing.caught(job, "The files have arrived, but the studio's ingest could not be started."):
            self._ingest(job)

    def _ingest(self, job: Job) -> None:
        self._end_earlier(job)
        hook = self._house.hook(HookName.PUBLISH)
        if hook is None:
            self._done(job)
            return
        run = self._begin(job, hook)
        outcome = self._run(job, hook, run)
        if outcome.state is RunState.SUCCEEDED:
            self._done(job)
        elif outcome.state is not RunState.CANCELLED:
            again = job.failures < self._house.settings().number("publish_hook_retries")
            self._failing.fail(job, FAILED.format(run.id), "hook_failed", outcome.error, again=again, reference=run.id)

    def _end_earlier(self, job: Job) -> None:
        for run in self._runs.runs_of_job(job.id):
            if run.state is RunState.RUNNING:
                self._programs.end(run)
                self._runs.update(run.id, state=RunState.LOST, ended=self._clock(), error=LOST)

    def _begin(self, job: Job, hook: Hook) -> HookRun:
        run = HookRun(
            id=self._offers.new_id(),
            hook=hook.name,
            command=hook.command,
            version=self._programs.version(hook.command),
            state=RunState.RUNNING,
            started=self._clock(),
            user_id=job.user_id,
            offer_id=job.offer_id,
            job_id=job.id,
            attempt=self._jobs.begin_attempt(job.id),
        )
        self._runs.begin(run)
        return run

    def _run(self, job: Job, hook: Hook, run: HookRun) -> Outcome:
        user, offer = self._house.user(job.user_id), self._offers.offer(job.offer_id)
        assert user is not None and offer is not None
        volumes = {volume.id: volume for volume in self._house.volumes()}
        hashes = hash_files(self._jobs.receipt(job.id))
        folder = self._programs.folder(run.id)
        names = {task.id: f"hashes-{task.number}.jsonl" for task in job.tasks}
        return self._programs.run(
            RunOrder(
                run=run,
                environment=hook.environment,
                input=publish_input(
                    job=job,
                    user=user,
                    workspace=self._house.workspace(),
                    volumes=volumes,
                    trees={task.id: self._offers.tree(job.offer_id, task.id) for task in job.tasks},
                    placed={task.id: absolute_of(task.place, volumes) for task in job.tasks},
                    modified={entry.id: entry.modified for entry in offer.entries},
                    hashes={task_id: str(folder / name) for task_id, name in names.items()},
                    attempt=run.attempt,
                ),
                files={name: hashes.get(task_id, b"") for task_id, name in names.items()},
                seconds=self._house.settings().number("publish_seconds"),
                answer_bytes=0,
            )
        )

    def _done(self, job: Job) -> None:
        try:
            self._jobs.move(
                job.id,
                JobFact.INGESTED,
                self._clock(),
                error="",
                error_code="",
                error_detail="",
                reference="",
                due=None,
            )
        except WrongMove:
            return  # aborted while the hook ran
        log.info("job %s done: %d entries, %d bytes", job.id, len(job.tasks), job.size)


def hash_files(receipt: bytes | None) -> dict[str, bytes]:
    """Per task id, JSON lines `{path, size, xxh128, blake3}` of every file of a receipt."""
    if receipt is None:
        return {}
    return {entry.id: _lines(entry.files) for entry in msgspec.json.decode(receipt, type=_Hashed).entries}


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
