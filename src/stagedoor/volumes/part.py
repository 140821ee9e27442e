"""The bytes of one part on their way into files.

Rules
1. The client's digest proves the journey and nothing else; the server makes its own of every run it writes. That one
   guards against a disk, not against a person, so it is the quickest there is.
2. Bytes that were acknowledged before are hashed and dropped; only missing runs are written.
3. Nothing counts before `commit`. What an uncommitted part left in the files is missing, and is overwritten later.
4. At most one file is open.
5. No more parts are hashed at once than there are processors: further threads would only keep others waiting, those
   that answer requests as well.
6. Where a part is hashed in runs, a large file that arrives whole and new is an extent of its own, with its blake3: the
   proof need not make that again. The server's own digest of a run that is new is the one that proves the journey.
7. Where that is wanted, what was written is read back at once (`arrivals`).
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

from blake3 import blake3

from .. import bulk
from ..model.errors import BadRange, DigestMismatch
from ..model.tape import Piece, Range, Ranges, Run
from ..wire.parts import RUNS
from .arrivals import Arrived, ReadBack
from .claims import Claim, Claims
from .history import Extent, own_digest
from .staging import Tree

HASHES: dict[str, Callable[[], Any]] = {RUNS: own_digest, "blake3": blake3, "sha-256": hashlib.sha256}
Acknowledge = Callable[[Range, list[Extent], list[Arrived]], None]
STAGED_MODE = 0o666
"""less the umask, as most files are to be where they are placed. Nobody else comes into staging."""
_hashing = threading.BoundedSemaphore(os.cpu_count() or 1)


class _Run:
    """A run of the part that is hashed for itself, and what of it was missing."""

    def __init__(self, run: Run, algorithm: str, missing: Ranges) -> None:
        self.end = run.end
        self.journey = HASHES[algorithm]()
        gaps = list(missing.within(run.start, run.end))
        new = gaps == [(run.start, run.end)]
        self._gaps = [(gap, self.journey if new and algorithm == RUNS else own_digest()) for gap in gaps]
        self._content = blake3() if new and run.file else None

    def update(self, at: int, view: memoryview) -> None:
        self.journey.update(view)
        if self._content:
            self._content.update(view)
        for gap, digest in self._gaps:
            start, end = max(at, gap.start), min(at + len(view), gap.end)
            if start < end and digest is not self.journey:
                digest.update(view[start - at : end - at])

    def extents(self) -> list[Extent]:
        content = self._content.hexdigest() if self._content else ""
        return [Extent(*gap, digest.hexdigest(), content) for gap, digest in self._gaps]


class Part:
    """Implements `PartWriter`. One thread at a time."""

    def __init__(
        self,
        tree: Tree,
        claims: Claims,
        claim: Claim,
        missing: Ranges,
        expected: tuple[str, bytes],
        acknowledge: Acknowledge,
        *,
        back: bool,
    ) -> None:
        self._algorithm, self._digest = expected
        self._range = claim.range
        self._at = claim.range.start
        self._claims, self._claim = claims, claim
        self._acknowledge = acknowledge
        self._back = ReadBack(tree) if back else None
        self._file = _OneFile(tree, self._back)
        self._missing = missing
        runs = tree.tape.runs(*self._range) if self._algorithm == RUNS else [Run(*self._range, file=False)]
        self._runs = [_Run(run, self._algorithm, missing) for run in runs]
        self._run = 0
        """the one that the next byte belongs to"""
        self._broken = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        with memoryview(data) as view, self._claims.at_work(self._claim):
            if self._at + len(view) > self._range.end:
                self._broken = True
                raise BadRange(
                    "The part holds more bytes than its range announces.", details={"size": self._range.size}
                )
            whole, self._broken = not self._broken, True
            with _hashing:
                self._hash(view)
            self._keep(view)
            self._at += len(view)
            self._broken = not whole

    def commit(self) -> None:
        with self._claims.at_work(self._claim):
            if self._broken:
                raise OSError(errno.EIO, "the part was not written in full")
            if self._at != self._range.end:
                raise BadRange(
                    "The part ended before its range did; send it again.",
                    details={"size": self._range.size, "received": self._at - self._range.start},
                )
            if not hmac.compare_digest(self._journey(), self._digest):
                raise DigestMismatch(details={"start": self._range.start, "end": self._range.end})
            self._file.close()
            self._broken = True  # a second commit is a mistake
            extents = self._extents()
            self._acknowledge(self._range, extents, self._back.of(extents) if self._back else [])

    def close(self) -> None:
        self._file.close()
        self._claims.free(self._claim)

    def _hash(self, view: memoryview) -> None:
        at = self._at
        while view:
            run = self._runs[self._run]
            piece, view = view[: run.end - at], view[run.end - at :]
            run.update(at, piece)
            at += len(piece)
            self._run += at == run.end

    def _keep(self, view: memoryview) -> None:
        for gap in self._missing:
            start, end = max(self._at, gap.start), min(self._at + len(view), gap.end)
            if start < end:
                self._file.write(start, view[start - self._at : end - self._at])

    def _journey(self) -> bytes:
        digests = [run.journey.digest() for run in self._runs]
        if self._algorithm != RUNS:
            return bytes(digests[0])
        whole = own_digest()
        whole.update(b"".join(digests))
        return bytes(whole.digest())

    def _extents(self) -> list[Extent]:
        return [extent for run in self._runs for extent in run.extents()]


class _OneFile:
    """Writes runs of the tape into files, one open at a time."""

    def __init__(self, tree: Tree, back: ReadBack | None) -> None:
        self._tree = tree
        self._back = back
        self._index = -1
        self._descriptor = -1

    def write(self, start: int, view: memoryview) -> None:
        pieces = list(self._tree.tape.pieces(start, start + len(view)))
        done = 0
        while done < len(pieces):
            piece = pieces[done]
            self._open(piece.file)
            self._piece(piece, view[: piece.size])
            view = view[piece.size :]
            done += 1
            files = bulk.small(pieces, done, len(pieces) - 1)
            count = self._whole(files, view) if files else 0
            view = view[sum(file.size for file in files[:count]) :]
            done += count

    def _piece(self, piece: Piece, view: memoryview) -> None:
        left, offset = view, piece.offset
        while left:
            written = os.pwrite(self._descriptor, left, offset)
            left, offset = left[written:], offset + written
        if self._back:
            with _hashing:
                self._back.piece(self._descriptor, piece, view)

    def _whole(self, files: Sequence[Piece], view: memoryview) -> int:
        """Write whole files, as far as that is nothing special; how many."""
        named = [self._tree.manifest.files[one.file] for one in files]
        paths, sizes, times = zip(*((file.path, file.size, file.modified) for file in named), strict=True)
        count, changed = bulk.write(
            self._tree.base, list(paths), list(sizes), list(times), view, STAGED_MODE, back=bool(self._back)
        )
        if self._back:
            with _hashing:
                self._back.whole(files[:count], changed[:count], view)
        return count

    def close(self) -> None:
        descriptor, self._descriptor, self._index = self._descriptor, -1, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self, index: int) -> None:
        if index == self._index:
            return
        self.close()
        flags = (os.O_RDWR if self._back else os.O_WRONLY) | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._tree.file(index), flags, STAGED_MODE)
        self._index = index
