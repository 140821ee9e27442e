"""How many connections an upload uses.

Rules
1. The round trip tells how many to begin with: on a long line one connection alone carries little, and with loss ever
   less, while the rates of several add up.
2. As long as each of them carries little there may be room: their number is doubled, up to `MOST`. Where doubling
   brought nothing it is left at that. On a short line nothing is lost that more of them could make up for: there
   machines are the limit.
3. Standard library only, no clock: it is told what happened.
"""

from __future__ import annotations

MOST = 64
ENOUGH = 25_000_000
"""bytes per second of one connection; where each carries that, more of them only get in each other's way"""
GAIN = 1.1
"""what doubling must bring at least, as a factor"""
_FIRST = ((0.003, 4), (0.015, 8), (0.045, 16), (0.080, 32))


SHORT = _FIRST[0][0]


def most(round_trip: float) -> int:
    """Connections at the most."""
    return _FIRST[0][1] if round_trip < SHORT else MOST


def first(round_trip: float) -> int:
    """Connections to begin with. `round_trip`: seconds."""
    return next((count for seconds, count in _FIRST if round_trip < seconds), MOST)


def look_again(round_trip: float) -> float:
    """Seconds after which the number is looked at again."""
    return max(0.5, 10 * round_trip)


class Growth:
    """Not safe for threads."""

    def __init__(self, count: int, most: int = MOST) -> None:
        self.count = count
        self._most = most
        self._before: float | None = None
        """bytes per second before the last doubling"""
        self._settled = False

    def seen(self, rate: float) -> int:
        """Told the bytes per second of all connections together since it was told last: how many there should be."""
        if self._before is not None and rate < GAIN * self._before:
            self._settled = True
        if not self._settled and rate < ENOUGH * self.count and self.count < self._most:
            self._before = rate
            self.count = min(2 * self.count, self._most)
        return self.count
