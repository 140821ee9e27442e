"""Answers that may be a moment old: for questions that every part asks, and whose answers change once in a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

SECONDS = 1.0
_MOST = 4096


class Lately(Generic[K, V]):
    """Remembers each answer of `ask` for a second. What `ask` raises is not remembered. Safe for threads."""

    def __init__(self, ask: Callable[[K], V], seconds: float = SECONDS) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known: dict[K, tuple[float, V]] = {}

    def __call__(self, key: K) -> V:
        now = time.monotonic()
        with self._lock:
            known = self._known.get(key)
        if known and known[0] > now:
            return known[1]
        answer = self._ask(key)
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = (now + self._seconds, answer)
        return answer

    def forget(self, key: K) -> None:
        with self._lock:
            self._known.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._known.clear()
