"""A limit on the speed of an upload, which may be changed while it runs."""

from __future__ import annotations

import threading
import time

_BURST_SECONDS = 0.25


class Limit:
    """Bytes per second for all connections of an upload together; 0 for none. Safe for threads."""

    def __init__(self, rate: float = 0) -> None:
        """Raises ValueError for a negative rate."""
        self._lock = threading.Lock()
        self._free_at = 0.0
        self.rate = rate

    @property
    def rate(self) -> float:
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        if rate < 0:
            raise ValueError("a limit is a number of bytes per second, or 0 for none")
        with self._lock:
            self._rate = rate
            self._free_at = min(self._free_at, time.monotonic() + _BURST_SECONDS)

    def delay(self, size: int) -> float:
        """Seconds to wait before the next `size` bytes are sent; they are counted as sent then."""
        with self._lock:
            if not self._rate:
                return 0.0
            now = time.monotonic()
            at = max(self._free_at, now - _BURST_SECONDS)
            self._free_at = at + size / self._rate
            return max(0.0, at - now)
