"""What nobody needs any more: found, shown, and removed where that is wanted.

Rules
1. `find` changes nothing. What it found may be removed later; whatever has come to be needed meanwhile is left.
2. What the sweep of a running server does by itself is the sweep's: the same code, and only while no server runs.
3. A further kind of litter is a function in `KINDS`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..lifecycle import replaced
from ..lifecycle.control import Control
from ..lifecycle.keeping import forget_runs, old_runs
from ..lifecycle.receive import Receiving
from ..lifecycle.submit import DAY
from ..lifecycle.sweep import EXPIRED
from ..lifecycle.turns import Turns
from ..volumes import leftovers
from ..volumes.replacing import remove as remove_keep
from .homes import Home, now

FRESH_MILLISECONDS = 3_600_000
"""younger than this, a folder may belong to something that is being made"""
_RUN = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Litter:
    """One thing that nobody needs."""

    kind: str
    """staging, upload, replaced, run, run folder, engine, log"""
    name: str
    reason: str
    size: int = 0
    """bytes that removing it frees, where that is known"""
    remove: Callable[[], None] = field(repr=False)


def find(home: Home, *, idle_days: int | None = None) -> list[Litter]:
    """`idle_days`: how long nothing must have come for a staging without a job; left out: `staging_idle_days`."""
    return [litter for kind in KINDS for litter in kind(home, idle_days)]


def _uploads(home: Home, _: int | None) -> Iterator[Litter]:
    """Jobs that wait for bytes in vain. A running server gives them up by itself."""
    if home.paths.is_served:
        return
    for job_id in home.records.jobs.idle(now()):
        yield Litter(
            kind="upload",
            name=job_id,
            reason="no byte came for a long time (staging_idle_days)",
            remove=partial(_give_up, home, job_id),
        )


def _give_up(home: Home, job_id: str) -> None:
    """As the sweep does it; what lies in staging is cleared too."""
    records = home.records
    engine = _NoEngine()
    turns = Turns(records.queues, engine, now)
    receiving = Receiving(records.house, records.jobs, home.storage, turns, now)
    control = Control(
        records.house, records.offers, records.jobs, home.storage, home.programs, receiving, turns, engine, now
    )
    if job_id in records.jobs.idle(now()):
        control.abort_now(job_id, EXPIRED, code="staging_expired")
        control.clear(job_id)


class _NoEngine:
    """What there is of an engine while no server runs: nothing is under way."""

    def enqueue(self, job_id: str) -> None: ...

    def busy(self, job_id: str) -> bool:
        return False

    def forget(self, job_id: str) -> None: ...


def _stagings(home: Home, idle_days: int | None) -> Iterator[Litter]:
    """What no job speaks of: its offer was never submitted because the server died, or its database was restored."""
    jobs = home.records.jobs
    days = idle_days or home.records.house.settings().number("staging_idle_days")
    found = leftovers.staged([volume.root for volume in home.manage.volumes()], jobs.staging_parents())
    for one in _unknown(found, days, jobs.uploads_kept):
        yield Litter(
            kind="staging",
            name=str(one.folder),
            reason=f"no unfinished job speaks of it, and nothing came for {days} days",
            size=one.size,
            remove=one.remove,
        )


def _unknown(
    found: Iterable[leftovers.Staged], days: int, known: Callable[[Sequence[str]], frozenset[str]]
) -> list[leftovers.Staged]:
    """What has not changed for so many days, and of whose upload no job knows."""
    old = [one for one in found if one.changed < now() - days * DAY]
    uploads = known([one.upload_id for one in old])
    return [one for one in old if one.upload_id not in uploads]


def _replaced(home: Home, _: int | None) -> Iterator[Litter]:
    """What entries replaced, and whose time is over; and what is kept of a replacement that no job speaks of."""
    jobs = home.records.jobs
    if not home.paths.is_served:
        for task in jobs.kept_before(now()):
            folder = Path(task.kept).parents[1]
            yield Litter(
                kind="replaced",
                name=task.kept,
                reason="kept for keep_replaced_days",
                size=_size(folder),
                remove=partial(replaced.remove, jobs, home.storage, task, now()),
            )
    days = home.records.house.settings().number("keep_replaced_days")
    found = leftovers.replaced([volume.root for volume in home.manage.volumes()], jobs.staging_parents())
    for one in _unknown(found, days, jobs.uploads_replacing):
        yield Litter(
            kind="replaced",
            name=str(one.folder),
            reason=f"no job speaks of what was replaced here, more than {days} days ago",
            size=one.size,
            remove=partial(remove_keep, one.folder),
        )


def _runs(home: Home, _: int | None) -> Iterator[Litter]:
    """Hook runs past their time. A running server forgets them by itself."""
    if home.paths.is_served:
        return
    records = home.records
    for run_id in old_runs(records.house, records.runs, now()):
        yield Litter(
            kind="run",
            name=run_id,
            reason="kept for keep_runs_days",
            size=_size(home.programs.folder(run_id)),
            remove=partial(forget_runs, records.runs, home.programs, [run_id]),
        )


def _run_folders(home: Home, _: int | None) -> Iterator[Litter]:
    if not home.paths.runs.is_dir():
        return
    for folder in sorted(home.paths.runs.iterdir()):
        fresh = folder.stat().st_mtime * 1000 > now() - FRESH_MILLISECONDS
        if _RUN.fullmatch(folder.name) and not fresh and home.records.runs.run(folder.name) is None:
            yield Litter(
                kind="run folder",
                name=str(folder),
                reason="no hook run of this id is known",
                size=_size(folder),
                remove=partial(shutil.rmtree, folder, ignore_errors=True),
            )


def _engine(home: Home, _: int | None) -> Iterator[Litter]:
    """What the engine remembers of jobs that have ended. It cleans up after itself, unless the server is killed."""
    from ..engine import ALIVE, forget_ended, remembered

    for job_id, status in sorted(remembered(home.paths.engine).items()):
        job = home.records.jobs.job(job_id)
        if job is None or (job.state.ended and status not in ALIVE):
            yield Litter(
                kind="engine",
                name=job_id,
                reason="the job has ended" if job else "there is no such job",
                remove=partial(forget_ended, home.paths.engine, [job_id]),
            )


def _logs(home: Home, _: int | None) -> Iterator[Litter]:
    """More old log files than are kept, as after the number was made smaller."""
    keep = home.paths.log_choice().files
    for path in sorted(home.paths.log.parent.glob(home.paths.log.name + ".*")):
        number = path.suffix[1:]
        if number.isdigit() and int(number) > keep:
            yield Litter(
                kind="log",
                name=str(path),
                reason=f"{keep} old files are kept ([log] files)",
                size=path.stat().st_size,
                remove=partial(path.unlink, missing_ok=True),
            )


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


KINDS: tuple[Callable[[Home, int | None], Iterator[Litter]], ...] = (
    _uploads,
    _stagings,
    _replaced,
    _runs,
    _run_folders,
    _engine,
    _logs,
)
