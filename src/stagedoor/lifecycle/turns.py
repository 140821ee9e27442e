"""Whose turn it is: jobs that wait are begun in their order, within the limits.

Rules
1. A job whose step is to be done waits, in its row, until its turn has come; the engine is given only those.
2. The next are begun at once, in this process: when a job begins to wait, when one has left its steps, when a queue,
   a limit or a job is changed. The sweep does the same, for what another process changed.
3. A job that is under way is not stopped by a limit that was lowered; a paused queue begins none.
"""

from __future__ import annotations

from .needs import Clock, Runner, TurnBook


class Turns:
    def __init__(self, book: TurnBook, runner: Runner, clock: Clock) -> None:
        self._book = book
        self._runner = runner
        self._clock = clock

    def begin_next(self) -> None:
        for job_id in self._book.begin_next(self._clock()):
            self._runner.enqueue(job_id)
