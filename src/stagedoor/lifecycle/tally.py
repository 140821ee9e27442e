"""What this process has done since it started, counted for `/metrics`.

Rules
1. Counting costs a lock and an addition: no query, no text, nothing on a disk.
2. Every name that is counted stands in `FAMILIES` with its labels; numbers only grow.
3. Labels take few values: routes, codes, states. Never an id, a name of a person or a file.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Mapping
from typing import NamedTuple

BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0, 120.0, 600.0)
"""upper bounds of durations, in seconds"""


class Family(NamedTuple):
    help: str
    labels: tuple[str, ...]
    durations: bool = False


FAMILIES: Mapping[str, Family] = {
    "stagedoor_requests_total": Family("Requests answered", ("method", "route", "status")),
    "stagedoor_request_seconds": Family("Time from request to answer", ("method", "route"), True),
    "stagedoor_refusals_total": Family("Requests refused, by the code of the refusal", ("route", "code")),
    "stagedoor_sign_ins_total": Family("Sign-ins of pages, by way and outcome", ("way", "outcome")),
    "stagedoor_entries_total": Family("Entries offered, by what was decided", ("verdict", "code")),
    "stagedoor_parts_total": Family("Parts acknowledged", ()),
    "stagedoor_part_bytes_total": Family("Bytes acknowledged", ()),
    "stagedoor_hook_runs_total": Family("Hook runs that ended, by outcome", ("hook", "state")),
    "stagedoor_hook_seconds": Family("How long hook runs took", ("hook",), True),
}

Labels = tuple[str, ...]


class Durations:
    """How many there were in each bucket, not added up; and their sum."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.sum = 0.0

    def copy(self) -> Durations:
        made = Durations()
        made.counts, made.sum = list(self.counts), self.sum
        return made


class Tally:
    """Safe for use by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, Labels], int] = {}
        self._durations: dict[tuple[str, Labels], Durations] = {}

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        key = (name, labels)
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + by

    def took(self, name: str, seconds: float, *labels: str) -> None:
        key = (name, labels)
        with self._lock:
            found = self._durations.get(key)
            if found is None:
                found = self._durations[key] = Durations()
            found.counts[bisect.bisect_left(BUCKETS, seconds)] += 1
            found.sum += seconds

    def part(self, size: int) -> None:
        """On the path of every part: one lock for both."""
        with self._lock:
            self._counts[_PARTS] = self._counts.get(_PARTS, 0) + 1
            self._counts[_BYTES] = self._counts.get(_BYTES, 0) + size

    def hook_ended(self, hook: str, state: str, seconds: float) -> None:
        self.count("stagedoor_hook_runs_total", hook, state)
        self.took("stagedoor_hook_seconds", seconds, hook)

    def counts(self) -> dict[tuple[str, Labels], int]:
        with self._lock:
            return dict(self._counts)

    def durations(self) -> dict[tuple[str, Labels], Durations]:
        with self._lock:
            return {key: found.copy() for key, found in self._durations.items()}


_PARTS = ("stagedoor_parts_total", ())
_BYTES = ("stagedoor_part_bytes_total", ())
