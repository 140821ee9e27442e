"""Which bytes go into the next part.

Rules
1. A part is about three seconds of what its connection carries, so that little is lost when the line breaks and
   progress is seen; before anything is known, 1 MiB.
2. It is at most an equal share of what is left, so that all connections end together and small uploads use several.
3. It is never below 256 KiB unless fewer bytes are left, nor above what the server takes.
4. A part lies within one upload and within one missing range.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from ..model.tape import Range

KIB = 1024
MIB = 1024 * KIB
SMALLEST = 256 * KIB
FIRST = MIB
LARGEST = 16 * MIB
SHORT_PART = 4 * MIB
"""largest part of a line whose round trip costs nothing: what a processor keeps close by from disk to network"""
SECONDS = 3.0
IN_MEMORY = 256 * MIB


class Part(NamedTuple):
    upload: str
    bytes: Range


def part_size(remaining: int, connections: int, rate: float | None, largest: int) -> int:
    """Bytes of the next part. `rate`: bytes per second of this connection; `largest`: what the server takes."""
    share = -(-remaining // connections)
    line = FIRST if rate is None else int(rate * SECONDS)
    return max(1, min(max(SMALLEST, min(share, line)), LARGEST, IN_MEMORY // connections, largest))


class Plan:
    """What is still to be handed out. Not safe for threads."""

    def __init__(self, connections: int) -> None:
        self.connections = connections
        self.most = LARGEST
        self._ranges: deque[Part] = deque()
        self._largest: dict[str, int] = {}
        self.remaining = 0

    def add(self, upload: str, missing: Iterable[tuple[int, int]], largest: int) -> None:
        self._largest[upload] = largest
        for start, end in missing:
            self._ranges.append(Part(upload, Range(start, end)))
            self.remaining += end - start

    def take(self, rate: float | None) -> Part | None:
        """The next part; None when everything is handed out."""
        if not self._ranges:
            return None
        upload, missing = self._ranges.popleft()
        largest = min(self._largest[upload], self.most)
        size = part_size(self.remaining, self.connections, rate, largest)
        if missing.size - size < SMALLEST // 4 and missing.size <= largest:
            size = missing.size
        part = Range(missing.start, min(missing.start + size, missing.end))
        self.remaining -= part.size
        if part.end < missing.end:
            self._ranges.appendleft(Part(upload, Range(part.end, missing.end)))
        return Part(upload, part)

    def halve(self, part: Part) -> Part:
        """The first half of a part that did not get through; the rest is handed out later. Not below 256 KiB."""
        start, end = part.bytes
        if end - start < 2 * SMALLEST:
            return part
        middle = start + (end - start) // 2
        self._ranges.appendleft(Part(part.upload, Range(middle, end)))
        self.remaining += end - middle
        return Part(part.upload, Range(start, middle))

    def smaller(self, upload: str, size: int) -> None:
        """From now on, no part of this upload is larger."""
        self._largest[upload] = min(self._largest[upload], size)

    def drop(self, upload: str) -> None:
        """Hand out no more parts of this upload."""
        self._ranges = deque(part for part in self._ranges if part.upload != upload)
        self.remaining = sum(part.bytes.size for part in self._ranges)
