"""What is kept for a time only, and how it is forgotten: for the server's sweep and for `stagedoor gc`.

Rules
1. Finding and removing are apart: what is found may be shown to a person before it is removed.
2. Removing is idempotent, and harmless beside another process that removes the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from .needs import House, Programs, RunBook
from .submit import DAY


def old_runs(house: House, runs: RunBook, now: int) -> list[str]:
    """Ids of hook runs that have been kept for `keep_runs_days`."""
    return runs.ended_before(now - house.settings().number("keep_runs_days") * DAY)


def forget_runs(runs: RunBook, programs: Programs, run_ids: Sequence[str]) -> None:
    for run_id in run_ids:
        programs.remove(run_id)
    runs.forget(run_ids)
