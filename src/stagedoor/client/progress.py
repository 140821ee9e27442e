"""How far an upload is, how fast, how long still."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

WINDOW_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of an upload."""

    sent: int
    """bytes that the server has acknowledged, those of earlier runs included"""
    total: int
    """bytes of the whole job"""
    files: int
    """how many files are being sent by this run"""
    speed: float
    """bytes per second, over the last ten seconds"""
    eta_seconds: float | None
    """seconds until all is sent; None while that cannot be told"""
    reused: int = 0
    """bytes of `sent` that this run did not send: they were at the studio already"""
    message: str = ""
    """why nothing moves, where something is in the way"""


Tell = Callable[[Progress], object]


class Speed:
    """Bytes per second over the last seconds, from running totals."""

    def __init__(self, window: float = WINDOW_SECONDS) -> None:
        self._window = window
        self._samples: deque[tuple[float, int]] = deque()

    def at(self, now: float, done: int) -> float:
        self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[1][0] >= self._window:
            self._samples.popleft()
        began, before = self._samples[0]
        return max(0.0, (done - before) / (now - began)) if now > began else 0.0


def eta(left: int, speed: float) -> float | None:
    return 0.0 if left <= 0 else left / speed if speed >= 1 else None


def wants_bytes(job: Mapping[str, Any]) -> bool:
    """Whether a job waits for bytes: not all have come yet, or the proof asks for some again."""
    return bool(job["phase"] == "upload" and job["received"] < job["size"])
