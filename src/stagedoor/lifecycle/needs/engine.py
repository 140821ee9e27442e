"""What the steps ask of the engine."""

from __future__ import annotations

from typing import Protocol


class Runner(Protocol):
    def enqueue(self, job_id: str) -> None:
        """See to it that the job's steps are run. Harmless when they are under way."""
        ...

    def busy(self, job_id: str) -> bool:
        """Whether a step of this job runs, or is about to."""
        ...

    def forget(self, job_id: str) -> None:
        """The job has ended: nothing of it need be remembered."""
        ...
