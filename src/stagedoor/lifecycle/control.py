"""What people do to jobs and offers beside the steps: abort, retry, withdraw.

Rules
1. Retry goes on where the job failed: the proof, the placing, or the hook alone. It never asks for bytes again.
2. Abort ends a job wherever it stands. What has been placed stays; a hook that runs is ended.
3. Nobody sets a publish to done.
"""

from __future__ import annotations

from pathlib import Path

from ..model import errors
from ..model.entities import Job, Offer, User
from ..model.states import JobFact, OfferFact, WrongMove
from .needs import Clock, JobBook, OfferBook, Programs, Runner, Storage
from .views import may_see, owned_by


class Control:
    def __init__(
        self, offers: OfferBook, jobs: JobBook, storage: Storage, programs: Programs, runner: Runner, clock: Clock
    ) -> None:
        self._offers = offers
        self._jobs = jobs
        self._storage = storage
        self._programs = programs
        self._runner = runner
        self._clock = clock

    def job(self, job_id: str) -> Job | None:
        return self._jobs.job(job_id)

    def retry(self, user: User, job_id: str) -> Job:
        owned_by(user, self._jobs.job(job_id))
        self.retry_now(job_id)
        return self._again(job_id)

    def retry_now(self, job_id: str) -> None:
        """Raises Conflict where the job has not failed."""
        try:
            self._jobs.move(job_id, JobFact.RETRIED, self._clock(), due=None)
        except WrongMove:
            raise errors.Conflict("Only a failed job can be retried.", code="job_not_failed") from None
        self._runner.enqueue(job_id)

    def abort(self, user: User, job_id: str) -> Job:
        job = owned_by(user, self._jobs.job(job_id))
        own = user.id == job.user_id
        self.abort_now(
            job_id, "Aborted by its owner." if own else "Aborted by the studio.", detail=f"aborted by {user.code}"
        )
        return self._again(job_id)

    def abort_now(self, job_id: str, note: str, *, code: str = "aborted", detail: str = "") -> None:
        """Raises Conflict where the job has ended. `detail` is for the studio: vendors read no names."""
        try:
            self._jobs.move(
                job_id, JobFact.ABORTED, self._clock(), due=None, error=note, error_code=code, error_detail=detail
            )
        except WrongMove:
            raise errors.Conflict("This job has ended already.", code="job_ended") from None
        self._programs.end_job(job_id)
        self._jobs.note(job_id, note, self._clock())

    def rename(self, user: User, job_id: str, code: str) -> Job:
        owned_by(user, self._jobs.job(job_id))
        if not code.strip() or len(code) > 255:
            raise errors.BadRequest("A job's code has 1 to 255 characters.")
        self._jobs.set(job_id, self._clock(), code=code.strip())
        return self._again(job_id)

    def withdraw(self, user: User, offer_id: str) -> Offer:
        offer = self._offers.offer(offer_id)
        if offer is None or not may_see(user, offer.user_id):
            raise errors.NotFound
        if not self._offers.close(offer_id, OfferFact.WITHDRAWN, self._clock()):
            raise errors.OfferClosed("This offer is no longer open.", code="offer_closed")
        return self._offers.offer(offer_id) or offer

    def clear(self, job_id: str) -> None:
        """Remove the staging of an ended job; later, where a step of it still runs: it may be placing."""
        job = self._jobs.job(job_id)
        if job is None or not job.state.ended or self._runner.busy(job_id):
            return
        for task in job.tasks:
            self._storage.clear(Path(task.staging), task.upload_id)
        self._runner.forget(job_id)
        self._jobs.cleared(job_id)

    def _again(self, job_id: str) -> Job:
        job = self._jobs.job(job_id)
        assert job is not None
        return job
