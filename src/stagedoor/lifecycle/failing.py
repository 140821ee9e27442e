"""What becomes of a job whose step failed.

Rules
1. What cannot do harm twice (network, full disk, proof, placing) is tried again by itself, ever more rarely.
2. A person must act where the place is taken or the publish hook failed: no time of a next try is set then.
3. The vendor gets a sentence, the studio the detail.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..model import errors
from ..model.entities import Job
from ..model.states import JobFact, WrongMove
from .needs import Clock, JobBook

log = logging.getLogger("stagedoor.job")
BACK_OFF_SECONDS = (10, 30, 60, 300, 900, 3600)


class Failing:
    def __init__(self, jobs: JobBook, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock

    @contextmanager
    def caught(self, job: Job, sentence: str) -> Iterator[None]:
        """Turn what a step raises into a failed job. Interruption goes through: the step will be done again."""
        try:
            yield
        except InterruptedError:
            raise
        except WrongMove:
            return  # aborted meanwhile: the row is the truth, nothing is left to do
        except errors.StagedoorError as error:
            self.fail(job, error.message, error.error_code, error.detail, again=False)
        except Exception as error:
            log.exception("job %s", job.id)
            self.fail(job, f"{sentence} It is tried again.", "step_failed", f"{type(error).__name__}: {error}")

    def fail(self, job: Job, message: str, code: str, detail: str, *, again: bool = True, reference: str = "") -> None:
        """Set a job to failed, with the time of the next try where one is due."""
        now = self._clock()
        wait = BACK_OFF_SECONDS[min(job.failures, len(BACK_OFF_SECONDS) - 1)] if again else None
        try:
            self._jobs.move(
                job.id,
                JobFact.FAILED,
                now,
                error=message,
                error_code=code,
                error_detail=detail,
                reference=reference,
                failures=job.failures + 1,
                due=None if wait is None else now + wait * 1000,
            )
        except WrongMove:
            return  # aborted meanwhile
        log.warning("job %s failed (%s): %s", job.id, code, detail or message)
