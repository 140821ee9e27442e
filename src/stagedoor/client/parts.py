"""Which bytes go into the next part.

Rules
1. A part is about three seconds of what its connection carries, so that little is lost when the line breaks and
   progress is seen; before anything is known, 1 MiB. It is at most twice the one before: how a connection begins,
   before it has lost anything, says little about how it goes on.
2. It is at most a quarter of its connection's share of what is left, a slow connection's share being smaller: so all
   connections end together, and small uploads use several.
3. It is not below a quarter of a second of its connection, between 64 and 256 KiB, unless fewer bytes are left; nor
   above what the server takes.
4. A part lies within one upload and within one missing range. It ends where a file ends, where one does in its second
   half: files that arrive whole are proved more quickly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from ..model.tape import Range, Tape

KIB = 1024
MIB = 1024 * KIB
SMALLEST = 64 * KIB
WORTH_HALVING = 512 * KIB
FIRST = MIB
LARGEST = 16 * MIB
SHORT_PART = 4 * MIB
"""largest part of a line whose round trip costs nothing, where parts go through memory: what a processor keeps close by
from disk to network"""
SECONDS = 3.0
LEAST_SECONDS = 0.25
LEAST = 256 * KIB
"""below which no part is but for the last seconds of a slow connection"""
SHARES = 4
"""parts that each connection may still take of what is left"""
IN_MEMORY = 256 * MIB


class Part(NamedTuple):
    upload: str
    bytes: Range


class Shown(NamedTuple):
    """What a connection has carried so far."""

    rate: float
    """bytes per second"""
    mean: float
    """of all connections"""
    last: int
    """bytes of its last part"""


def part_size(remaining: int, connections: int, shown: Shown | None, largest: int) -> int:
    """Bytes of the next part. `largest`: what the server takes."""
    share = -(-remaining // (SHARES * connections))
    line, least = FIRST, SMALLEST
    if shown:
        share = int(share * min(1.0, shown.rate / shown.mean if shown.mean else 1.0))
        line = min(int(shown.rate * SECONDS), 2 * shown.last)
        least = max(SMALLEST, min(LEAST, int(shown.rate * LEAST_SECONDS)))
    return max(1, min(max(least, min(share, line)), LARGEST, IN_MEMORY // connections, largest))


class Plan:
    """What is still to be handed out. Not safe for threads."""

    def __init__(self, connections: int) -> None:
        self.connections = connections
        self._ranges: deque[Part] = deque()
        self._largest: dict[str, int] = {}
        self._tapes: dict[str, Tape] = {}
        self.remaining = 0

    def add(self, upload: str, missing: Iterable[tuple[int, int]], largest: int, tape: Tape) -> None:
        self._largest[upload] = largest
        self._tapes[upload] = tape
        for start, end in missing:
            self._ranges.append(Part(upload, Range(start, end)))
            self.remaining += end - start

    def take(self, shown: Shown | None) -> Part | None:
        """The next part; None when everything is handed out."""
        if not self._ranges:
            return None
        upload, missing = self._ranges.popleft()
        largest = self._largest[upload]
        size = part_size(self.remaining, self.connections, shown, largest)
        if missing.size - size < SMALLEST // 4 and missing.size <= largest:
            size = missing.size
        end = min(missing.start + size, missing.end)
        part = Range(missing.start, self._tapes[upload].file_end(missing.start + size // 2, end))
        self.remaining -= part.size
        if part.end < missing.end:
            self._ranges.appendleft(Part(upload, Range(part.end, missing.end)))
        return Part(upload, part)

    def halve(self, part: Part) -> Part:
        """The first half of a part that did not get through; the rest is handed out later. Not small ones."""
        start, end = part.bytes
        if end - start < WORTH_HALVING:
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
