"""Which ranges of an upload are being sent right now.

Rules
1. A range in flight is refused to another connection, unless the first made no progress for `STALLED_SECONDS`: then
   it is taken over, and the first one's next step raises RangeInFlight.
2. A claim is never taken over while its bytes are being written: two connections never write the same bytes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..model.errors import RangeInFlight
from ..model.tape import Range

STALLED_SECONDS = 10.0


class Claim:
    __slots__ = ("at_work", "moved", "range", "taken")

    def __init__(self, part: Range) -> None:
        self.range = part
        self.moved = time.monotonic()
        self.at_work = False
        self.taken = False


class Claims:
    def __init__(self, stalled_seconds: float = STALLED_SECONDS) -> None:
        self._stalled_seconds = stalled_seconds
        self._lock = threading.Lock()
        self._open: list[Claim] = []

    def take(self, part: Range) -> Claim:
        """Claim a range. Raises RangeInFlight."""
        with self._lock:
            rivals = [claim for claim in self._open if claim.range.start < part.end and part.start < claim.range.end]
            if not all(self._stalled(rival) for rival in rivals):
                raise RangeInFlight(details={"start": part.start, "end": part.end})
            for rival in rivals:
                rival.taken = True
                self._open.remove(rival)
            claim = Claim(part)
            self._open.append(claim)
        return claim

    @contextmanager
    def at_work(self, claim: Claim) -> Iterator[None]:
        """While inside, the claim cannot be taken over. Raises RangeInFlight where it has been."""
        with self._lock:
            if claim.taken:
                raise RangeInFlight(
                    "This connection stalled and another one is sending these bytes.",
                    details={"start": claim.range.start, "end": claim.range.end},
                )
            claim.at_work = True
        try:
            yield
        finally:
            with self._lock:
                claim.at_work = False
                claim.moved = time.monotonic()

    def free(self, claim: Claim) -> None:
        with self._lock:
            if claim in self._open:
                self._open.remove(claim)

    def _stalled(self, claim: Claim) -> bool:
        return not claim.at_work and time.monotonic() - claim.moved >= self._stalled_seconds
