"""The studio's word on a job about to be made: the pre-submit hook.

Rules
1. It says no by an answer with `rejected`, whose `warning` the vendor reads, or by its exit code, without a reason for
   the vendor. Either way no job is made, and the offer stays open.
2. What could not run (no program, a signal, its deadline, an answer that cannot be read) is no refusal: no job is made
   either, but the vendor is told so, with a reference.
3. Exit code 0 and no answer lets the job be made. The hook changes nothing about it.
"""

from __future__ import annotations

import msgspec

from ..model import errors
from ..model.entities import Job, RunState
from ..model.hooks import HookName
from ..wire.hookdata import PreSubmitOutput
from .jobhooks import JobHooks
from .judge import BrokenAnswer
from .needs import House, Outcome, RunBook
from .offer import Gate, check_failed

ANSWER_BYTES = 2**20
LONGEST_REASON = 2000
STATUS = "init"


class PreSubmit:
    def __init__(self, house: House, runs: RunBook, hooks: JobHooks) -> None:
        self._house = house
        self._runs = runs
        self._hooks = hooks
        self._gate = Gate("The studio is checking many jobs just now; submit again in a minute.")

    def ask(self, job: Job) -> None:
        """Raises SubmitRefused, CheckFailed, Busy."""
        hook = self._house.hook(HookName.PRE_SUBMIT, job.queue_id)
        if hook is None:
            return
        settings = self._house.settings_of(job)
        with self._gate.enter(settings.number("pre_submit_at_once")):
            run = self._hooks.begin(job, hook)
            seconds = settings.number("pre_submit_seconds")
            outcome = self._hooks.run(job, hook, run, seconds=seconds, answer_bytes=ANSWER_BYTES, status=STATUS)
        try:
            reason = refusal(outcome)
        except BrokenAnswer as broken:
            if outcome.state is RunState.SUCCEEDED:
                self._runs.update(run.id, state=RunState.FAILED, error=broken.faults[0])
            raise check_failed(run, broken.faults[0]) from None
        if reason is not None:
            sentence = reason or f"{errors.SubmitRefused().message} Reference: {run.id}"
            if not outcome.error:
                self._runs.update(run.id, error=f"It refused: {reason or 'no reason given'}")
            raise errors.SubmitRefused(sentence, details={"reference": run.id}, detail=outcome.error or reason)


def refusal(outcome: Outcome) -> str | None:
    """Why no job is made, empty where it gave no reason; None where one is. Raises BrokenAnswer: it could not say."""
    by_exit_code = outcome.state is RunState.FAILED and (outcome.exit_code or 0) > 0
    if outcome.state is not RunState.SUCCEEDED and not by_exit_code:
        raise BrokenAnswer([outcome.error])
    try:
        answer = msgspec.json.decode(outcome.output or b"{}", type=PreSubmitOutput)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if by_exit_code:
            return ""
        raise BrokenAnswer([f"the answer cannot be read ({error}): write one object, {{rejected, warning}}"]) from None
    if not (by_exit_code or answer.rejected):
        return None
    return (answer.warning or "").strip()[:LONGEST_REASON]
