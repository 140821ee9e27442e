"""What changes on jobs, for those who look on.

Rules
1. One look at the database serves everybody, however many look on; who may see a change is said beside it.
2. A job is told again only where something of it differs from what was told last, or it has been moved since: what
   failed and failed again between two looks has failed once more.
3. Other servers change jobs as well: a look goes back over `OVERLAP` milliseconds, by which clocks and transactions may
   differ. What this process receives is known to the byte without the database.
4. Where more has changed than `MOST` nothing is told but that: everybody looks for themselves, and once more when
   `OVERLAP` is over. What was before is not looked at again.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..model.entities import Changed
from ..wire.jobs import JobNews
from .needs import Clock
from .receive import Receiving
from .views import percent, time_left

OVERLAP = 12_000
"""longer than `Meter.WINDOW`: that an upload has come to rest is told as well"""
MOST = 1000


class Changes(Protocol):
    def changed(self, since: int, most: int) -> list[Changed]: ...


class News(NamedTuple):
    owner: str
    """id of the user whose job it is"""
    job: JobNews


class Watching:
    """Used by one caller at a time."""

    def __init__(self, changes: Changes, receiving: Receiving, clock: Clock) -> None:
        self._changes = changes
        self._receiving = receiving
        self._clock = clock
        self._looked = 0
        self._from = 0
        self._anew: int | None = None
        """when everybody is to look for themselves once more"""
        self._told: dict[str, tuple[int, JobNews]] = {}
        """by job: when it had been changed, and what was said"""

    def begin(self) -> None:
        """From now on: what was before, whoever looks on has seen."""
        self._looked = self._clock()
        self._from, self._anew, self._told = 0, None, {}

    def look(self) -> list[News] | None:
        """What has changed since the last look; None where it is too much to tell."""
        now = self._clock()
        found = self._changes.changed(max(min(self._looked, now) - OVERLAP, self._from), MOST)
        self._looked = now
        if len(found) >= MOST:
            self._from, self._anew, self._told = now, now + OVERLAP, {}
            return None
        if self._anew is not None and now >= self._anew:
            self._anew = None
            return None
        untold = self._receiving.untold()
        before, self._told = self._told, {}
        fresh = []
        for job in found:
            news = self._news(job, untold.get(job.id, 0))
            self._told[job.id] = (job.modified, news)
            if before.get(job.id) != self._told[job.id]:
                fresh.append(News(job.user_id, news))
        return fresh

    def _news(self, job: Changed, untold: int) -> JobNews:
        uploading = job.state.phase == "upload"
        received = min(job.received + untold, job.size) if uploading or job.state.ended else job.size
        rate = self._receiving.meter.speed(job.id) if uploading else 0.0
        return JobNews(
            id=job.id,
            status=job.state.status,
            phase=job.state.phase,
            size=job.size,
            received=received,
            progress=percent(received, job.size),
            speed=round(rate / 1e6, 3) if rate else -1.0,
            etr=time_left(job.size - received, rate),
        )
