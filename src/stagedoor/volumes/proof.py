"""Reading everything once: is what lies on disk what was written?

Rules
1. The tape is read once, in order. The digest of every extent is compared, and the hashes of every file are made in the
   same pass.
2. What is missing, too short, unreadable or different costs the extents it lies in, and nothing else. Bytes beyond a
   file's size are cut off.
3. Before a file is read its pages are dropped. `read_from` is `device` only where samples of every file (first, middle
   and last byte) were then found to be out of this machine's memory; otherwise, and where the system cannot tell,
   it is `cache`. On a network file system the device is the file server.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from blake3 import blake3
from xxhash import xxh3_128

from ..lifecycle.needs import FileHash, Proof
from ..model.tape import Range, Ranges
from .history import Extent
from .staging import Tree

CHUNK = 2**20
ASK_SECONDS = 0.2
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EIO}

log = logging.getLogger(__name__)


def read(tree: Tree, extents: Iterable[Extent], stop: Callable[[], bool]) -> Proof:
    """Read and compare; `extents` cover the tape. Raises InterruptedError when `stop` says so, OSError."""
    reader = _Reader(sorted(extents), stop)
    files = []
    for index, file in enumerate(tree.manifest.files):
        xxh128, digest = reader.file(tree.file(index), file.size)
        files.append(FileHash(path=file.path, size=file.size, modified=file.modified, xxh128=xxh128, blake3=digest))
    if reader.lost:
        return Proof(lost=Ranges(reader.lost))
    return Proof(lost=Ranges(), files=tuple(files), read_from="cache" if reader.cached else "device")


def intact(tree: Tree, extent: Extent) -> bool:
    """Whether an extent can be read back as it was written."""
    digest = blake3()
    buffer = memoryview(bytearray(CHUNK))
    for index, offset, size in tree.tape.pieces(extent.start, extent.end):
        file = _open(tree.file(index))
        if file is None:
            return False
        try:
            end = offset + size
            while offset < end:
                count = os.preadv(file, [buffer[: min(CHUNK, end - offset)]], offset)
                if not count:
                    return False
                digest.update(buffer[:count])
                offset += count
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            log.warning("cannot read %s again: %s", tree.file(index), error)
            return False
        finally:
            os.close(file)
    return digest.hexdigest() == extent.digest


def tidy(tree: Tree) -> None:
    """Remove whatever the manifest does not declare; make folders and empty files that are missing."""
    folders = {tree.path(folder.path) for folder in tree.manifest.folders}
    files = {tree.path(file.path) for file in tree.manifest.files}
    _remove_strangers(tree.data, folders, files)
    tree.make_folders()
    for file in tree.manifest.files:
        if not file.size:
            os.close(os.open(tree.path(file.path), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def _remove_strangers(folder: str, folders: set[str], files: set[str]) -> None:
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.path in folders:
                        waiting.append(entry.path)
                        continue
                    log.error("%s was not declared and is removed", entry.path)
                    shutil.rmtree(entry.path)
                elif entry.path not in files or not entry.is_file(follow_symlinks=False):
                    log.error("%s was not declared and is removed", entry.path)
                    Path(entry.path).unlink()


class _Reader:
    def __init__(self, extents: Sequence[Extent], stop: Callable[[], bool]) -> None:
        self.lost: list[Range] = []
        self.cached = False
        self._extents = iter(extents)
        self._extent: Extent | None = None
        self._at = 0
        self._stop = stop
        self._asked = 0.0
        self._buffer = memoryview(bytearray(CHUNK))

    def file(self, path: str, size: int) -> tuple[str, str]:
        """Read one file; its xxh128 and blake3 (worth nothing where something was lost)."""
        xxh128, digest = xxh3_128(), blake3()
        left = size
        file = _open(path)
        if file is not None:
            try:
                self._prepare(file, path, size)
                while left:
                    self._ask()
                    count = os.readv(file, [self._buffer[: min(CHUNK, left)]])
                    if not count:
                        break
                    view = self._buffer[:count]
                    xxh128.update(view)
                    digest.update(view)
                    self._compare(view)
                    left -= count
            except OSError as error:
                if error.errno != errno.EIO:  # anything else says nothing about the bytes
                    raise
                log.error("cannot read %s: %s", path, error)
            finally:
                os.close(file)
        if left:
            self._skip(left)
        return xxh128.hexdigest(), digest.hexdigest()

    def _prepare(self, file: int, path: str, size: int) -> None:
        if os.fstat(file).st_size > size:
            log.error("%s is longer than declared and is cut to %d bytes", path, size)
            os.truncate(path, size)
        if size and not _dropped(file, size, 1 if self.cached else 5):
            self.cached = True

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._asked >= ASK_SECONDS:
            self._asked = now
            if self._stop():
                raise InterruptedError("the proof was stopped")

    def _compare(self, view: memoryview) -> None:
        while view:
            extent = self._current()
            count = min(len(view), extent.end - self._at)
            self._digest.update(view[:count])
            self._pass(extent, count)
            view = view[count:]

    def _skip(self, size: int) -> None:
        """Go on without bytes: the digests of the extents passed cannot match."""
        while size:
            extent = self._current()
            count = min(size, extent.end - self._at)
            self._pass(extent, count)
            size -= count

    def _current(self) -> Extent:
        if self._extent is None:
            self._extent = next(self._extents)
            self._digest = blake3()
        return self._extent

    def _pass(self, extent: Extent, count: int) -> None:
        self._at += count
        if self._at == extent.end:
            if self._digest.hexdigest() != extent.digest:
                self.lost.append(Range(extent.start, extent.end))
            self._extent = None


def _open(path: str) -> int | None:
    """A regular file, or None where there is none: no link is followed, nothing blocks."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in _NOT_THERE:
            raise
        log.warning("cannot open %s: %s", path, error)
        return None
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    return None


def _dropped(file: int, size: int, attempts: int) -> bool:
    """Drop a file's pages; whether samples of it are then out of memory."""
    if not hasattr(os, "RWF_NOWAIT") or not hasattr(os, "posix_fadvise"):
        return False
    # Asking for a byte makes the system read on from there: ask backwards, and a small file only once.
    samples = [size - 1, size // 2, 0] if size > CHUNK else [0]
    for attempt in range(attempts):  # a page that another processor holds is not dropped at once
        if attempt:
            time.sleep(attempt / 1000)
        try:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            return False
        if not any(_cached(file, offset) for offset in samples):
            return True
    return False


def _cached(file: int, offset: int) -> bool:
    """Whether a byte is in memory, or whether that cannot be told."""
    try:
        os.preadv(file, [bytearray(1)], offset, os.RWF_NOWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
