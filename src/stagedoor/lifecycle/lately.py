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
    """Remembers each answer of `ask` for a second. What `ask` raises is not remembered. Safe for threads.

    Of many that want to know the same one asks, and the others wait for its answer; where it was told to forget
    meanwhile, they ask themselves.
    """

    def __init__(self, ask: Callable[[K], V], seconds: float = SECONDS) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known: dict[K, tuple[float, V]] = {}
        self._asking: dict[K, threading.Lock] = {}
        self._forgotten = 0

    def __call__(self, key: K) -> V:
        known = self._known.get(key)
        if known and known[0] > time.monotonic():
            return known[1]
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        with asking:
            known = self._known.get(key)
            if known and known[0] > time.monotonic():
                return known[1]
            return self._asked(key, self._forgotten)

    def _asked(self, key: K, forgotten: int) -> V:
        until = time.monotonic() + self._seconds
        try:
            answer = self._ask(key)
        finally:  # also where it raises: keys come from whoever asks, and would pile up
            with self._lock:
                self._asking.pop(key, None)
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            if forgotten == self._forgotten:
                self._known[key] = (until, answer)
        return answer

    def forget(self, key: K) -> None:
        with self._lock:
            self._forgotten += 1
            self._known.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._forgotten += 1
            self._known.clear()
