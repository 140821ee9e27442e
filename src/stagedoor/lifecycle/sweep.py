"""What time alone brings about.

Rules
1. Each sweep looks at the rows and does what is due; a sweep that is missed or done twice does no harm.
2. One fault does not keep the others from being looked at.
3. What had arrived of an aborted job is kept for `keep_aborted_hours`, for the next publish of the same files; of one
   that expired it is not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from ..model.errors import Conflict
from ..model.settings import DAY
from . import about, replaced
from .control import Control
from .keeping import forget_runs, old_runs
from .needs import (
    AuditBook,
    Clock,
    House,
    InvitationBook,
    JobBook,
    LinkBook,
    OfferBook,
    Programs,
    RunBook,
    Runner,
    Storage,
)
from .notify import Notifying
from .receive import Receiving
from .sessions import Sessions
from .turns import Turns

log = logging.getLogger("stagedoor.sweep")
HOUR = 3_600_000
KEEP_INVITATIONS = 90 * DAY
"""after their end"""
EXPIRED = "No byte came for a long time; what had arrived was cleared. Publish again."


class Sweep:
    def __init__(
        self,
        house: House,
        offers: OfferBook,
        jobs: JobBook,
        runs: RunBook,
        audit: AuditBook,
        sessions: Sessions,
        links: LinkBook,
        invitations: InvitationBook,
        storage: Storage,
        programs: Programs,
        control: Control,
        receiving: Receiving,
        turns: Turns,
        runner: Runner,
        notifying: Notifying,
        clock: Clock,
    ) -> None:
        self._house = house
        self._offers = offers
        self._runs = runs
        self._audit = audit
        self._sessions = sessions
        self._links = links
        self._invitations = invitations
        self._storage = storage
        self._programs = programs
        self._jobs = jobs
        self._control = control
        self._receiving = receiving
        self._turns = turns
        self._runner = runner
        self._notifying = notifying
        self._clock = clock

    def start(self) -> None:
        """Once, when the server starts: what was cut between the last byte and the next step."""
        _each(self._jobs.taking(), self._receiving.settle)

    def sweep(self) -> None:
        now = self._clock()
        self._receiving.sum_up()
        self._notifying.look()
        self._offers.expire(now)
        _each(self._jobs.due(now), self._retry)
        _each(self._jobs.idle(now), self._expire)
        self._turns.begin_next()
        _each(self._jobs.working(), self._runner.enqueue)
        kept = self._house.settings().number("keep_aborted_hours") * HOUR
        _each(self._jobs.uncleared(now - kept), self._control.clear)
        self._forget_runs(now)
        self._forget_lines(now)
        self._sessions.forget()
        self._links.forget(now)
        self._invitations.forget(now - KEEP_INVITATIONS)
        replaced.remove_due(self._jobs, self._storage, now)

    def _forget_lines(self, now: int) -> None:
        """The audit log goes back `keep_audit_days`; 0: for ever."""
        days = self._house.settings().number("keep_audit_days")
        if days:
            self._audit.forget(now - days * DAY)

    def _forget_runs(self, now: int) -> None:
        """Hook runs are kept `keep_runs_days`."""
        forget_runs(self._runs, self._programs, old_runs(self._house, self._runs, now))

    def _retry(self, job_id: str) -> None:
        self._control.retry_now(job_id)

    def _expire(self, job_id: str) -> None:
        self._control.abort_now(job_id, EXPIRED, code="staging_expired")
        self._control.clear(job_id)


def _each(ids: Iterable[str], act: Callable[[str], None]) -> None:
    for job_id in ids:
        try:
            with about.block(job=job_id):
                act(job_id)
        except Conflict:
            pass  # a person was quicker
        except Exception:
            log.exception("sweep: job %s", job_id, extra={"facts": {"job": job_id}})
