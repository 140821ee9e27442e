"""The files of an entry laid end to end: one run of bytes, addressed by half-open ranges `[start, end)`.

Rules
1. Byte 0 is the first byte of the first file that has any; files follow in the order of the manifest.
2. A range is any part of the tape; it may cut files and span many.
3. `Ranges` is a set of bytes: sorted, disjoint, never touching, never empty. Looking at a few of its bytes, and adding
   a few, costs little however many ranges it has.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple


class Range(NamedTuple):
    start: int
    end: int
    """one past the last byte"""

    @property
    def size(self) -> int:
        return self.end - self.start


class Piece(NamedTuple):
    """A run of bytes within one file."""

    file: int
    """which file, counted in the manifest"""
    offset: int
    """of the first byte in that file"""
    size: int


class Run(NamedTuple):
    """A run of bytes that is hashed for itself."""

    start: int
    end: int
    file: bool
    """whether it is a file, from its first byte to its last"""


LARGE = 2**20
"""bytes of a file from which on it is hashed for itself where it lies whole in a part: then the digest that proved its
journey is that of the file"""


class Tape:
    """Where each file begins on the tape."""

    __slots__ = ("_large", "_starts", "size")

    def __init__(self, sizes: Sequence[int]) -> None:
        self._starts = [0, *accumulate(sizes)]
        self._large = [index for index, size in enumerate(sizes) if size >= LARGE]
        self.size = self._starts[-1]

    def range_of(self, index: int) -> Range:
        return Range(self._starts[index], self._starts[index + 1])

    def whole(self, until: int) -> int:
        """How many files lie wholly before a place on the tape."""
        return bisect_right(self._starts, until) - 1

    def runs(self, start: int, end: int) -> list[Run]:
        """A range, cut where a large file that lies whole in it begins and ends. Both ends of a line cut alike."""
        first = bisect_left(self._large, start, key=lambda index: self._starts[index])
        found: list[Run] = []
        at = start
        for index in self._large[first:]:
            file = self.range_of(index)
            if file.end > end:
                break
            if at < file.start:
                found.append(Run(at, file.start, file=False))
            found.append(Run(*file, file=True))
            at = file.end
        if at < end:
            found.append(Run(at, end, file=False))
        return found

    def file_end(self, start: int, until: int) -> int:
        """The last place up to `until` where a file ends; `until` where that is not after `start`."""
        end = self._starts[self.whole(until)]
        return end if end > start else until

    def pieces(self, start: int, end: int) -> Iterator[Piece]:
        """The files that `[start, end)` touches, in order; empty files have no bytes and are left out."""
        if not 0 <= start <= end <= self.size:
            raise ValueError(f"[{start}, {end}) is not within [0, {self.size})")
        index = bisect_right(self._starts, start) - 1
        while start < end:
            stop = min(end, self._starts[index + 1])
            if stop > start:
                yield Piece(index, start - self._starts[index], stop - start)
                start = stop
            index += 1


class Ranges:
    """An immutable set of bytes of a tape."""

    __slots__ = ("_items", "_size")

    def __init__(self, items: Iterable[tuple[int, int]] = ()) -> None:
        merged: list[Range] = []
        for start, end in sorted(items):
            if start < 0 or end < start:
                raise ValueError(f"[{start}, {end}) is not a range")
            if start == end:
                continue
            if merged and start <= merged[-1].end:
                merged[-1] = Range(merged[-1].start, max(end, merged[-1].end))
            else:
                merged.append(Range(start, end))
        self._items = tuple(merged)
        self._size = sum(item.size for item in merged)

    @classmethod
    def _of(cls, items: tuple[Range, ...], size: int) -> Ranges:
        """Of items that keep rule 3 already."""
        made = cls.__new__(cls)
        made._items, made._size = items, size
        return made

    def __iter__(self) -> Iterator[Range]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return f"Ranges({[tuple(item) for item in self._items]})"

    @property
    def size(self) -> int:
        """How many bytes."""
        return self._size

    def union(self, other: Iterable[tuple[int, int]]) -> Ranges:
        whole = self
        for item in other if isinstance(other, Ranges) else Ranges(other):
            whole = whole._with(item)
        return whole

    def within(self, start: int, end: int) -> Ranges:
        """The bytes of this set that lie in `[start, end)`."""
        return Ranges(
            (max(item.start, start), min(item.end, end))
            for item in self._items[self._first(start) : bisect_left(self._items, (end,))]
            if item.end > start
        )

    def missing(self, start: int, end: int) -> Ranges:
        """The bytes of `[start, end)` that are not in this set."""
        gaps = []
        for item in self.within(start, end):
            gaps.append((start, item.start))
            start = item.end
        gaps.append((start, end))
        return Ranges(gap for gap in gaps if gap[0] < gap[1])

    def without(self, other: Iterable[tuple[int, int]]) -> Ranges:
        other = other if isinstance(other, Ranges) else Ranges(other)
        return Ranges(gap for item in self._items for gap in other.missing(item.start, item.end))

    def _first(self, start: int) -> int:
        """The number of the first item that may have a byte at `start` or after."""
        return max(0, bisect_right(self._items, (start, 1 << 62)) - 1)

    def _with(self, added: Range) -> Ranges:
        low = self._first(added.start)
        if low < len(self._items) and self._items[low].end < added.start:
            low += 1
        high = bisect_right(self._items, (added.end, 1 << 62))
        met = self._items[low:high]
        if met:
            added = Range(min(added.start, met[0].start), max(added.end, met[-1].end))
        size = self._size + added.size - sum(item.size for item in met)
        return Ranges._of((*self._items[:low], added, *self._items[high:]), size)
