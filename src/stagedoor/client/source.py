"""The bytes of one entry, as they lie on this disk.

Rules
1. Before anything is sent, every file of the manifest is compared with the disk: size, and time where it was offered.
2. After it was read into a part, a file must still be what it was then.
3. Files beside the manifest are not looked at: they are not part of what was validated.
4. One buffer is used again and again, and one file is open per reader; beside it only those that the system is to send
   by itself (`body`).
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .. import bulk
from ..model import manifest, names
from ..model.manifest import File
from ..model.tape import Piece, Range, Tape
from ..wire.tree import Entry
from .body import Body, InFile, InMemory, PartDigest
from .errors import SourceChanged, TransferFailed
from .scan import Local, Survey, absolute, survey

Change = tuple[str, str]
"""path from the name of the entry on, and what differs"""
CHANGES_TOLD = 1000
CHUNK = 1 << 18
"""bytes read and hashed at a time: what a processor keeps close by"""
BY_SYSTEM = 1 << 18
"""bytes of a piece from which on it is cheaper to let the system send it than to copy it here and back"""
FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    """of the entry"""
    files: tuple[File, ...]
    """as validated, in the order of the tape"""
    locals: tuple[Local, ...]
    """the same files here"""
    tape: Tape
    root: str
    """the path that those begin with"""

    @property
    def large(self) -> bool:
        """Whether its files are, on average, for the system to send."""
        return _large(self.tape.size, len(self.files))

    def shown(self, index: int) -> str:
        return _shown(self.name, self.files[index].path)


def find(entry: Entry, path: str) -> Source:
    """The files of a validated entry below a local path. Raises SourceChanged with every difference.

    Raises TransferFailed where the job does not say where they are.
    """
    if not path:
        raise TransferFailed(
            f"Task {names.printable(entry.id)} ({names.printable(entry.filename)}) has no `source`: the job was made "
            "without the path on this machine. Abort it, publish again and give one."
        )
    validated, _ = manifest.read(entry, windows_names=False)
    tape = Tape([file.size for file in validated.files])
    root = absolute(path)
    unchanged = _unchanged(validated.files, root)
    if unchanged is not None:
        return Source(validated.name, validated.files, unchanged, tape, root)
    here = survey(path)
    changes: list[Change] = []
    found: list[Local] = []
    for file in validated.files:
        local = here.files.get(file.path)
        reason = _missing(file.path, here) if local is None else difference(file, local)
        if reason:
            changes.append((_shown(validated.name, file.path), reason))
        elif local:
            found.append(local)
    if changes:
        raise changed(changes)
    return Source(validated.name, validated.files, tuple(found), tape, root)


def _unchanged(files: Sequence[File], root: str) -> tuple[Local, ...] | None:
    """The quick way: the files of a manifest where they are spelled as there and all is as it was; else None."""
    found: list[Local] = []
    while len(found) < len(files):
        run = bulk.batch(files, len(found), len(files))
        paths, sizes = [file.path for file in run], [file.size for file in run]
        count, times = bulk.look(root, paths, sizes, follow=True)
        locals_ = list(map(Local, [f"{root}/{path}" for path in paths], sizes, times[::2]))
        if not run or count < len(run) or any(map(difference, run, locals_)):
            return None
        found += locals_
    return tuple(found)


def difference(file: File, local: Local) -> str:
    """In what a local file is not what was validated; empty where it is."""
    if local.size != file.size:
        return f"has {local.size} bytes; {file.size} were validated"
    if file.modified is not None and local.modified != file.modified:
        return "was modified after it was validated"
    return ""


def changed(changes: Sequence[Change]) -> SourceChanged:
    path, reason = changes[0]
    message = f"{path} {reason}; publish it again."
    if len(changes) > 1:
        message = f"{len(changes)} files are not what was validated; publish them again. The first: {path} {reason}."
    told = [{"path": path, "reason": reason} for path, reason in changes[:CHANGES_TOLD]]
    return SourceChanged(message, details={"files": told, "total": len(changes)})


def _missing(path: str, here: Survey) -> str:
    return here.faults.get(path) or here.faults.get("") or "is gone"


def _shown(entry: str, path: str) -> str:
    return names.printable(f"{entry}/{path}" if path else entry)


class Reader:
    """Reads parts of sources. Not safe for threads: each has its own."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._path = ""
        self._descriptor = -1

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._path, self._descriptor = "", -1

    def read(self, source: Source, part: Range, *, by_system: bool) -> Body:
        """A part, valid until the next call; where `by_system`, large pieces are only hashed. Raises SourceChanged."""
        pieces = list(source.tape.pieces(part.start, part.end))
        if by_system and _large(part.size, len(pieces)):
            return self._hashed(source, pieces, part)
        return self._in_memory(source, pieces, part)

    def _in_memory(self, source: Source, pieces: Sequence[Piece], part: Range) -> Body:
        view = self._room(part.size)
        digest = PartDigest(source.tape, part)
        filled = hashed = 0
        done = 0
        while done < len(pieces):
            for run, last in _runs(pieces[done]):
                self._piece(source, run, view[filled : filled + run.size], last=last)
                filled += run.size
                if filled - hashed >= CHUNK:  # while a processor has them close by
                    digest.update(view[hashed:filled])
                    hashed = filled
            done += 1
            files = bulk.small(pieces, done, len(pieces) - 1)
            count = self._whole(source, files, view[filled:]) if files else 0
            filled += sum(file.size for file in files[:count])
            done += count
        digest.update(view[hashed:filled])
        return Body(digest.digest(), [InMemory(view)])

    def _hashed(self, source: Source, pieces: Sequence[Piece], part: Range) -> Body:
        view = self._room(CHUNK)
        digest = PartDigest(source.tape, part)
        found: list[InFile] = []
        try:
            for piece in pieces:
                for run, last in _runs(piece):
                    self._piece(source, run, view[: run.size], last=last)
                    digest.update(view[: run.size])
                found.append(InFile(io.FileIO(os.dup(self._descriptor)), piece.offset, piece.size))
        except BaseException:
            Body(b"", found).close()
            raise
        return Body(digest.digest(), found)

    def _room(self, size: int) -> memoryview:
        if len(self._buffer) < size:
            self._buffer = bytearray(size)
        return memoryview(self._buffer)[:size]

    def _whole(self, source: Source, files: Sequence[Piece], view: memoryview) -> int:
        """Read whole files, as far as that is nothing special and they are what they were; how many."""
        known = [source.locals[one.file] for one in files]
        paths, sizes = [one.path[len(source.root) + 1 :] for one in known], [one.size for one in known]
        count, times = bulk.read(source.root, paths, sizes, view, follow=True)
        return next((at for at in range(count) if times[2 * at] != known[at].mtime_ns), count)

    def _piece(self, source: Source, piece: Piece, view: memoryview, *, last: bool) -> None:
        local = source.locals[piece.file]
        try:
            self._open(local.path)
            complete = _fill(self._descriptor, view, piece.offset)
            if complete and not last:
                return
            status = os.fstat(self._descriptor)
        except OSError as error:
            self.close()
            reason = "is gone" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror or error}"
            raise changed([(source.shown(piece.file), reason)]) from error
        if not complete or (status.st_size, status.st_mtime_ns) != (local.size, local.mtime_ns):
            raise changed([(source.shown(piece.file), "was modified while it was sent")])

    def _open(self, path: str) -> None:
        if path != self._path:
            self.close()
            self._descriptor = os.open(path, FLAGS)
            self._path = path


def _large(size: int, pieces: int) -> bool:
    return size >= BY_SYSTEM * pieces


def _runs(piece: Piece) -> Iterator[tuple[Piece, bool]]:
    """A piece in runs of `CHUNK`, and whether it is the last."""
    for offset in range(0, piece.size, CHUNK):
        size = min(CHUNK, piece.size - offset)
        yield Piece(piece.file, piece.offset + offset, size), offset + size == piece.size


def _fill(descriptor: int, view: memoryview, offset: int) -> bool:
    """Read until the view is full; False where the file ends before. Raises OSError."""
    if not hasattr(os, "preadv"):  # macOS before 11, Windows
        os.lseek(descriptor, offset, os.SEEK_SET)
    raw = None if hasattr(os, "preadv") else io.FileIO(descriptor, closefd=False)
    while view:
        count = os.preadv(descriptor, [view], offset) if raw is None else raw.readinto(view)
        if not count:
            return False
        view = view[count:]
        offset += count
    return True
