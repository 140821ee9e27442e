"""What the records of a journal come to.

Rules
1. Every byte that counts as received lies in exactly one extent: a run of bytes with the digest the server made while
   it wrote them.
2. A later record wins: a part over an older extent replaces it whole.
3. `flushed` speaks of what stands before the place in the journal that it names; a part that was flushed before it was
   recorded says so itself. All other extents are claims, to be read again after an unclean end.
4. Records of an unknown kind are passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from xxhash import xxh3_128

from ..model.tape import Range, Ranges
from .journal import Record


class Extent(NamedTuple):
    start: int
    end: int
    digest: str
    """the server's own, hex: see `own_digest`"""
    blake3: str = ""
    """hex, where this is a whole file whose blake3 was made while it was written; the own digest is its xxh128 then"""


def own_digest() -> Any:
    """A new digest of bytes as they were written: XXH3, 128 bits, some 20 GB/s. What clients send is never taken."""
    return xxh3_128()


class Thing(NamedTuple):
    """Something on a disk, recognised whatever its name."""

    device: int
    inode: int


class Extents:
    """What was received. Not safe for use by many threads."""

    def __init__(self) -> None:
        self._by_start: dict[int, Extent] = {}
        self.ranges = Ranges()

    def __iter__(self) -> Iterator[Extent]:
        """In the order of the tape."""
        return iter(sorted(self._by_start.values()))

    def __contains__(self, extent: Extent) -> bool:
        return self._by_start.get(extent.start) == extent

    def run(self, start: int, most: int) -> list[Extent]:
        """What was received from a place on without a gap: up to `most` bytes, and to the end of an extent."""
        found = []
        at = start
        while at - start < most and (extent := self._by_start.get(at)):
            found.append(extent)
            at = extent.end
        return found

    def add(self, extents: Iterable[Extent]) -> None:
        extents = list(extents)
        for extent in extents:
            if self.ranges.within(extent.start, extent.end):
                self.drop([Range(extent.start, extent.end)])
            self._by_start[extent.start] = extent
        self.ranges = self.ranges.union((extent.start, extent.end) for extent in extents)

    def drop(self, lost: Iterable[tuple[int, int]]) -> None:
        """Forget every extent that has a byte in `lost`."""
        lost = Ranges(lost)
        gone = [item for item in self._by_start.values() if lost.within(item.start, item.end)]
        for extent in gone:
            del self._by_start[extent.start]
        self.ranges = self.ranges.without((extent.start, extent.end) for extent in gone)


class History:
    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.extents = Extents()
        self.placing: Thing | None = None
        """what is to be moved to the destination"""
        self.placed = ""
        """where it went"""
        self.kept = ""
        """where that lies which was there before"""
        self.claims: list[tuple[int, Extent]] = []
        """where in the journal an extent is recorded that is not known to be on the device"""
        self.claimed = 0
        """bytes of all claims"""
        for record in records:
            self.apply(record.value, record.at)

    @property
    def unflushed(self) -> list[Extent]:
        """What is received but not known to be on the device."""
        return [extent for _, extent in self.claims if extent in self.extents]

    def apply(self, value: dict[str, Any], at: int = 0) -> None:
        kind = value.get("record")
        if kind == "part":
            extents = [Extent(*item) for item in value["extents"]]
            self.extents.add(extents)
            if not value.get("flushed"):
                self.claims += [(at, extent) for extent in extents]
                self.claimed += _bytes(extents)
        elif kind == "lost":
            self.extents.drop([(start, end) for start, end in value["ranges"]])
        elif kind == "flushed":
            self.claims = [claim for claim in self.claims if claim[0] >= value["before"]]
            self.claimed = _bytes(extent for _, extent in self.claims)
        elif kind == "placing":
            self.placing = Thing(value["device"], value["inode"])
        elif kind == "placed":
            self.placed = value["path"]
            self.kept = value.get("kept", "")


def _bytes(extents: Iterable[Extent]) -> int:
    return sum(extent.end - extent.start for extent in extents)


def part_record(part: Range, extents: Iterable[Extent], flushed: bool) -> dict[str, Any]:
    noted = [list(item) if item.blake3 else list(item[:3]) for item in extents]
    return {"record": "part", "part": list(part), "extents": noted, "flushed": flushed}


def lost_record(lost: Iterable[tuple[int, int]]) -> dict[str, Any]:
    return {"record": "lost", "ranges": [list(item) for item in lost]}


def flushed_record(before: int) -> dict[str, Any]:
    return {"record": "flushed", "before": before}


def placing_record(thing: os.stat_result) -> dict[str, Any]:
    return {"record": "placing", "device": thing.st_dev, "inode": thing.st_ino}


def keeping_record(path: str) -> dict[str, Any]:
    """What is to be placed moves to where that will be kept which it replaces."""
    return {"record": "keeping", "path": path}


def swapping_record(path: str) -> dict[str, Any]:
    """It lies there now, and is about to change places."""
    return {"record": "swapping", "path": path}


def placed_record(path: str, kept: str = "") -> dict[str, Any]:
    return {"record": "placed", "path": path, "kept": kept}
