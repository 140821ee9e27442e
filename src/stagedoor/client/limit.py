"""A limit on the speed of an upload, which may be changed while it runs."""

from __future__ import annotations

import threading
import time

from ..model.pace import Pace


class Limit:
    """Bytes per second for all connections of an upload together; 0 for none. Safe for threads."""

    def __init__(self, rate: float = 0) -> None:
        """Raises ValueError for a negative rate."""
        self._lock = threading.Lock()
        self._pace = Pace()
        self.rate = rate

    @property
    def rate(self) -> float:
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        if rate < 0:
            raise ValueError("a limit is a number of bytes per second, or 0 for none")
        self._rate = rate

    def delay(self, size: int) -> float:
        """Seconds to wait before the next `size` bytes are sent; they count as sent then."""
        with self._lock:
            return self._pace.delay(size, self._rate, time.monotonic())
