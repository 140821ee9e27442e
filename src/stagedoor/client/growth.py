"""How many connections an upload uses.

Rules
1. The round trip tells how many to begin with: on a long line one connection alone carries little, and with loss ever
   less, while the rates of several add up.
2. As long as each of them carries little there may be room: their number is doubled, up to `MOST`. Where doubling
   brought nothing it is left at that. On a short line nothing is lost that more of them could make up for: there
   machines are the limit.
3. Where packets wait in the line it is full, and more connections would only make them wait longer: a round trip that
   takes half as long again as on the empty line says so.
4. Standard library only, no clock: it is told what happened.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST = 128
ENOUGH = 25_000_000
"""bytes per second of one connection; where each carries that, more of them only get in each other's way"""
GAIN = 1.1
"""what doubling must bring at least, as a factor"""
FULL = 1.5
"""of round trips, those now to that of the empty line"""
_FIRST = ((0.003, 4), (0.015, 8), (0.045, 16), (0.080, 32))
_FIRST_AT_MOST = 64


SHORT = _FIRST[0][0]


def most(round_trip: float) -> int:
    """Connections at the most."""
    return _FIRST[0][1] if round_trip < SHORT else MOST


def first(round_trip: float) -> int:
    """Connections to begin with. `round_trip`: seconds."""
    return next((count for seconds, count in _FIRST if round_trip < seconds), _FIRST_AT_MOST)


def look_again(round_trip: float) -> float:
    """Seconds after which the number is looked at again."""
    return max(0.5, 6 * round_trip)


def full(round_trips: Sequence[tuple[float, float]]) -> bool:
    """`round_trips`: of each connection as it is now, and the shortest so far; seconds. None: it cannot be told."""
    if not round_trips:
        return False
    now = sorted(trip for trip, _ in round_trips)[len(round_trips) // 2]
    return now > FULL * min(least for _, least in round_trips)


class Growth:
    """Not safe for threads."""

    def __init__(self, count: int, most: int = MOST) -> None:
        self.count = count
        self._most = most
        self._before: float | None = None
        """bytes per second before the last doubling"""
        self._settled = False

    def seen(self, rate: float, *, full: bool = False) -> int:
        """Told the bytes per second of all connections together since it was told last, and whether the line is full:
        how many there should be."""
        if full:
            return self.count
        if self._before is not None and rate < GAIN * self._before:
            self._settled = True
        if not self._settled and rate < ENOUGH * self.count and self.count < self._most:
            self._before = rate
            self.count = min(2 * self.count, self._most)
        return self.count
