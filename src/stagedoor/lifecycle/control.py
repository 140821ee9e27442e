"""What people do to jobs and offers beside the steps: abort, retry, pause, move, hold entries, withdraw.

Rules
1. Retry goes on where the job failed: the proof, the placing, or the hook alone. It never asks for bytes again.
2. Abort ends a job wherever it stands. What has been placed stays; a hook that runs is ended.
3. A paused job takes no bytes and begins no step. A proof is broken off, placing stops between two entries; a hook
   that runs goes on to its end. What the studio paused, the studio resumes.
4. Only who works at the studio chooses queues, and holds, excludes and releases entries: before the placing. An entry
   that is left out is neither uploaded nor proved nor placed; one on hold keeps the job from going on.
5. Nobody sets a publish to done.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..model import errors
from ..model.entities import Job, Offer, Queue, User
from ..model.states import JobFact, JobState, OfferFact, TaskFact, WrongMove
from . import replaced
from .needs import Clock, House, JobBook, OfferBook, Programs, Runner, Storage
from .queues import find_queue
from .receive import ON_HOLD, Receiving
from .submit import DAY
from .turns import Turns
from .views import may_see, owned_by

BY_STUDIO = "The studio paused this job; it goes on when the studio resumes it."
BY_OWNER = "This job is paused; it goes on when it is resumed."


class Control:
    def __init__(
        self,
        house: House,
        offers: OfferBook,
        jobs: JobBook,
        storage: Storage,
        programs: Programs,
        receiving: Receiving,
        turns: Turns,
        runner: Runner,
        clock: Clock,
    ) -> None:
        self._house = house
        self._offers = offers
        self._jobs = jobs
        self._storage = storage
        self._programs = programs
        self._receiving = receiving
        self._turns = turns
        self._runner = runner
        self._clock = clock

    def job(self, job_id: str) -> Job | None:
        return self._jobs.job(job_id)

    # --- retry and abort

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
        self._changed()

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
        self._changed()

    # --- pause and resume

    def pause(self, user: User, job_id: str) -> Job:
        """The same again changes nothing. Raises Conflict where the job has failed or ended."""
        job = owned_by(user, self._jobs.job(job_id))
        if user.id != job.user_id:
            self._pause(job, BY_STUDIO, error_code="paused_by_studio", error_detail=f"paused by {user.code}")
        elif job.error_code != "paused_by_studio" or job.state.status != "paused":
            self._pause(job, BY_OWNER, error_code="paused_by_owner", error_detail="")
        self._changed()
        return self._again(job_id)

    def _pause(self, job: Job, error: str, *, error_code: str, error_detail: str) -> None:
        told = {"error": error, "error_code": error_code, "error_detail": error_detail}
        try:
            if job.state.status == "paused":
                self._jobs.set(job.id, self._clock(), **told)
            else:
                self._jobs.move(job.id, JobFact.PAUSED, self._clock(), **told)
        except WrongMove:
            raise errors.Conflict("Only a job that waits or runs can be paused.", code="job_not_pausable") from None

    def resume(self, user: User, job_id: str) -> Job:
        """Raises Conflict where the job is not paused or entries are on hold, Forbidden where the studio paused it."""
        job = owned_by(user, self._jobs.job(job_id))
        if job.state.status != "paused":
            raise errors.Conflict("This job is not paused.", code="job_not_paused")
        if job.error_code == "paused_by_studio" and not user.works_here:
            raise errors.Forbidden(BY_STUDIO, code="paused_by_studio")
        if job.error_code == ON_HOLD:
            way = " Release or exclude them." if user.works_here else " Ask the studio."
            raise errors.Conflict(f"Entries of this job are on hold at the studio.{way}", code="on_hold")
        self._resume(job)
        return self._again(job_id)

    def _resume(self, job: Job) -> None:
        now = self._clock()
        expires = now + self._house.settings_of(job).number("staging_idle_days") * DAY
        try:
            self._jobs.move(job.id, JobFact.RESUMED, now, error="", error_code="", error_detail="", expires=expires)
        except WrongMove:
            return  # somebody was quicker
        self._receiving.settle(job.id)
        self._changed()

    # --- queues and entries

    def move_to(self, user: User, job_id: str, named: str) -> Job:
        """Into another queue. Raises Forbidden for vendors, NotFound, Conflict where the job has ended."""
        job = owned_by(user, self._jobs.job(job_id))
        queue = self._queue(user, named)
        if job.state.ended:
            raise errors.Conflict("This job has ended already.", code="job_ended")
        self._jobs.set(job_id, self._clock(), queue_id=queue.id)
        self._changed()
        return self._again(job_id)

    def _queue(self, user: User, named: str) -> Queue:
        if not user.works_here:
            raise errors.Forbidden
        return find_queue(named, self._house.queues())

    def set_entries(self, user: User, job_id: str, task_ids: Sequence[str], fact: TaskFact) -> Job:
        """Hold, exclude or release entries. Raises Forbidden for vendors, NotFound, Conflict when it is too late."""
        job = owned_by(user, self._jobs.job(job_id))
        if not {task.id for task in job.tasks}.issuperset(task_ids):
            raise errors.NotFound
        if not user.works_here:
            raise errors.Forbidden
        try:
            self._jobs.change_tasks(job_id, task_ids, fact, self._clock())
        except WrongMove as error:
            raise errors.Conflict(
                "Entries can be held, excluded and released before they are placed, and what is neither held nor "
                "excluded need not be released.",
                code="entry_not_settable",
                detail=str(error),
            ) from None
        self._settle(job_id)
        return self._again(job_id)

    def _settle(self, job_id: str) -> None:
        self._changed()
        job = self._again(job_id)
        if job.state is JobState.UPLOAD_PAUSED and job.error_code == ON_HOLD:
            self._resume(job)
        else:
            self._receiving.settle(job_id)

    def rename(self, user: User, job_id: str, code: str) -> Job:
        owned_by(user, self._jobs.job(job_id))
        if not code.strip() or len(code) > 255:
            raise errors.BadRequest("A job's code has 1 to 255 characters.")
        self._jobs.set(job_id, self._clock(), code=code.strip())
        return self._again(job_id)

    # --- offers, staging

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
            replaced.clear(self._house, self._jobs, self._storage, task, self._clock())
        self._runner.forget(job_id)
        self._jobs.cleared(job_id)

    def _changed(self) -> None:
        """No more parts on what was remembered; and it may be somebody's turn."""
        self._receiving.look_again()
        self._turns.begin_next()

    def _again(self, job_id: str) -> Job:
        job = self._jobs.job(job_id)
        assert job is not None
        return job
