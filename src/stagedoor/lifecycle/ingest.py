"""Step 6: the publish hook runs with everything known.

Rules
1. A job is done only after the hook has exited 0, or when placed where no publish hook is set.
2. The hook runs at least once, never twice at a time. Before a run whose outcome is unknown is repeated, what is left
   of it is ended. Every run carries the same idempotency key (the job's id) and its attempt number.
3. A hook that fails waits for a person, except for `publish_hook_retries`. A retry never uploads again.
"""

from __future__ import annotations

import logging

from ..model.entities import Job, RunState
from ..model.hooks import HookName
from ..model.states import JobFact, JobState, WrongMove
from .failing import Failing
from .jobhooks import JobHooks
from .needs import Clock, House, JobBook, Programs, RunBook

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
        jobs: JobBook,
        runs: RunBook,
        programs: Programs,
        hooks: JobHooks,
        failing: Failing,
        clock: Clock,
    ) -> None:
        self._house = house
        self._jobs = jobs
        self._runs = runs
        self._programs = programs
        self._hooks = hooks
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
        hook = self._house.hook(HookName.PUBLISH, job.queue_id)
        if hook is None:
            self._done(job)
            return
        run = self._hooks.begin(job, hook, attempt=self._jobs.begin_attempt(job.id))
        outcome = self._hooks.run(job, hook, run, seconds=self._house.settings_of(job).number("publish_seconds"))
        if outcome.state is RunState.SUCCEEDED:
            self._done(job)
        elif outcome.state is not RunState.CANCELLED:
            again = job.failures < self._house.settings_of(job).number("publish_hook_retries")
            self._failing.fail(job, FAILED.format(run.id), "hook_failed", outcome.error, again=again, reference=run.id)

    def _end_earlier(self, job: Job) -> None:
        for run in self._runs.runs_of_job(job.id):
            if run.state is RunState.RUNNING and run.hook is HookName.PUBLISH:
                self._programs.end(run)
                self._runs.update(run.id, state=RunState.LOST, ended=self._clock(), error=LOST)

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
