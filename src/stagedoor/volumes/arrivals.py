"""Files that were read back when they had just been written, while a processor had them close by.

Rules
1. A file that comes whole and new in one part is read back and compared with what was received, piece by piece as it is
   written. The proof need not read it once more as long as nobody has changed it since.
2. Only where the proof may read from the cache, and where `bulk` has its compiled part, which compares.
3. An extent is known, or nothing of it: where one of its files was not read back, the proof reads them all.
4. What is known is in memory alone: a new process reads what it finds.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from blake3 import blake3
from xxhash import xxh3_128, xxh3_128_digest

from .. import bulk
from ..model import tape
from ..model.tape import Piece
from .history import Extent
from .staging import Tree

_XXH128, _BOTH = 16, 48
"""bytes of that digest, and of both"""


class Arrived(NamedTuple):
    """An extent of whole files that were all read back."""

    extent: Extent
    changed: array[int]
    """of each file that has bytes: when anything of it had changed last, in nanoseconds"""
    digests: bytes
    """of the same files: xxh128 and blake3 of each, one after another"""

    def hashes(self) -> Iterator[tuple[str, str, int]]:
        """xxh128 and blake3 of each of them, hex, and when it had changed last."""
        for number, changed in enumerate(self.changed):
            both = self.digests[number * _BOTH : (number + 1) * _BOTH]
            yield both[:_XXH128].hex(), both[_XXH128:].hex(), changed


OF_NOTHING = xxh3_128().hexdigest(), blake3().hexdigest(), -1
"""the same of an empty file, of which the last does not count"""


class ReadBack:
    """Of one part; it is told of every piece that was written, in the order of the tape. One thread at a time."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._files = array("q")
        """of the manifest, those that are known"""
        self._changed = array("q")
        self._digests = bytearray()
        """as in `Arrived`, but of large files nothing: theirs are those of their extent"""
        self._large: set[int] = set()
        self._file = -1
        """the one that has been read back so far"""
        self._at = 0
        self._hashes: tuple[Any, ...] = ()

    def piece(self, descriptor: int, piece: Piece, view: memoryview) -> None:
        """These bytes were written to a file that is open for reading as well. Raises OSError."""
        size = self._tree.manifest.files[piece.file].size
        if not piece.offset:
            self._file, self._at = piece.file, 0
            self._hashes = (xxh3_128(), blake3()) if size < tape.LARGE else ()
        if (piece.file, piece.offset) != (self._file, self._at) or not bulk.same(descriptor, piece.offset, view):
            return
        for made in self._hashes:
            made.update(view)
        self._at += piece.size
        if self._at == size:
            status = os.fstat(descriptor)
            if status.st_size == size:
                self._add(piece.file, status.st_ctime_ns, b"".join(made.digest() for made in self._hashes))

    def whole(self, pieces: Sequence[Piece], changed: Sequence[int], view: memoryview) -> None:
        """Whole small files, end to end, as `bulk.write` told of them."""
        start = 0
        for piece, when in zip(pieces, changed, strict=True):
            data = view[start : start + piece.size]
            start += piece.size
            if when != bulk.NO_TIME:
                self._add(piece.file, when, xxh3_128_digest(data) + blake3(data).digest())

    def of(self, extents: Sequence[Extent]) -> list[Arrived]:
        """What is known of these, which are of this part: where they begin or end within a file, nothing."""
        return [arrived for extent in extents if (arrived := self._of(extent))]

    def _add(self, file: int, changed: int, digests: bytes) -> None:
        self._files.append(file)
        self._changed.append(changed)
        self._digests += digests or bytes(_BOTH)
        if not digests:
            self._large.add(file)

    def _of(self, extent: Extent) -> Arrived | None:
        files = array("q", (piece.file for piece in self._tree.tape.pieces(extent.start, extent.end)))
        first = bisect_left(self._files, files[0])
        end = first + len(files)
        if self._files[first:end] != files:
            return None
        if extent.blake3:  # it is one file
            return Arrived(extent, self._changed[first:end], bytes.fromhex(extent.digest + extent.blake3))
        if not self._large.isdisjoint(files):
            return None
        return Arrived(extent, self._changed[first:end], bytes(self._digests[first * _BOTH : end * _BOTH]))


def unchanged(tree: Tree, files: Sequence[int], changed: Sequence[int]) -> bool:
    """Whether nobody has changed anything of these files since: `changed`, in nanoseconds, of each."""
    done = 0
    while done < len(files):
        some = [tree.manifest.files[index] for index in files[done : done + bulk.AT_A_TIME]]
        count, times = bulk.look(tree.base, [file.path for file in some], [file.size for file in some])
        if times[1 : 2 * count : 2] != array("q", changed[done : done + count]):
            return False
        done += count
        if count < len(some):
            if _changed(tree.file(files[done])) != changed[done]:
                return False
            done += 1
    return True


def _changed(path: str) -> int:
    try:
        return os.lstat(path).st_ctime_ns
    except OSError:
        return bulk.NO_TIME
