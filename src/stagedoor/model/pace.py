"""A limit on speed: how long to wait before the next bytes. Told the time, it does not know it."""

from __future__ import annotations

BURST_SECONDS = 0.25
"""as much as comes in this time may go at once after a pause"""
UNUSED_SECONDS = 600.0


class Pace:
    """Counts the bytes that went ahead of what the limit allows. Not safe for threads."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._at = 0.0

    def unused(self, now: float) -> bool:
        """Whether no bytes went for so long that what is remembered of them is worth nothing."""
        return now - self._at > UNUSED_SECONDS

    def delay(self, size: int, rate: float, now: float) -> float:
        """Seconds to wait before `size` bytes go, which count as gone then. `rate`: bytes per second, 0: none."""
        if not rate:
            self._ahead = 0.0
            return 0.0
        self._ahead = max(0.0, self._ahead - rate * (now - self._at))
        self._at = now
        seconds = max(0.0, self._ahead / rate - BURST_SECONDS)
        self._ahead += size
        return seconds
