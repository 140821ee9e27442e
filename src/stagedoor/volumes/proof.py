"""Reading everything once: is what lies on disk what was written?

Rules
1. The tape is read once. The digest of every extent is compared, and the hashes of every file are made in the same
   pass. Processors share the work: each takes a run of files; an extent that lies in two runs is read for itself.
2. What is missing, too short, unreadable or different costs the extents it lies in, and nothing else. Bytes beyond a
   file's size are cut off.
3. A proof from the device drops a file's pages before it is read. `read_from` is `device` only where samples of every
   file (first, middle and last byte) were then found to be out of this machine's memory; otherwise, where the system
   cannot tell, and where nobody asked for it, it is `cache`. On a network file system the device is the file server.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from blake3 import blake3
from xxhash import xxh3_128

from ..lifecycle.needs import FileHash, Proof
from ..model.tape import Range, Ranges
from .history import Extent, own_digest
from .staging import Tree

CHUNK = 2**18
"""bytes read at a time: what a processor keeps close by while it is hashed three times"""
LARGE = 2**25
"""bytes; larger files are read ahead in longer chunks, and hashed by all processors"""
LARGE_CHUNK = 2**21
"""two of them still lie close by: with 4 MiB a large file took a third longer"""
WORKERS = min(4, os.cpu_count() or 1)
SMALL = 2**16
"""bytes of a file, on average; below, threads take longer to hand Python to each other than to read and hash"""
BATCH = 32
"""files that are opened, and asked of the device, before the first of them is read"""
ASK_SECONDS = 0.2
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EIO}

log = logging.getLogger(__name__)


def read(tree: Tree, extents: Iterable[Extent], stop: Callable[[], bool], *, device: bool = True) -> Proof:
    """Read and compare; `extents` cover the tape. Raises InterruptedError when `stop` says so, OSError."""
    extents = sorted(extents)
    bounds = _bounds(tree, 1 if not device and tree.tape.size < SMALL * len(tree.manifest.files) else WORKERS)
    with ThreadPoolExecutor(WORKERS, "stagedoor-proof") as pool:
        readers = [_Reader(tree, extents, Range(*run), stop, device) for run in pairwise(bounds)]
        hashes = [found for part in pool.map(_Reader.read, readers) for found in part]
    lost = [gap for reader in readers for gap in reader.lost]
    lost += [Range(one.start, one.end) for one in _shared(tree, extents, bounds) if not intact(tree, one)]
    if lost:
        return Proof(lost=Ranges(lost))
    cached = not device or any(reader.cached for reader in readers)
    return Proof(lost=Ranges(), files=tuple(hashes), read_from="cache" if cached else "device")


def _bounds(tree: Tree, workers: int) -> list[int]:
    """Where each worker begins and the last one ends, counted in files: about as many bytes, or files, for each."""
    count, size = len(tree.manifest.files), tree.tape.size
    starts = [tree.tape.range_of(index).start for index in range(count)]
    cuts = {bisect_left(starts, size * number // workers) for number in range(1, workers)} if size else set()
    return sorted({0, count, *(cut for cut in cuts if cut < count)})


def _shared(tree: Tree, extents: Sequence[Extent], bounds: Sequence[int]) -> list[Extent]:
    """Extents that two workers saw a part of."""
    found = set()
    for cut in bounds[1:-1]:
        at = tree.tape.range_of(cut).start
        extent = extents[bisect_right(extents, at, key=lambda one: one.start) - 1]
        if extent.start < at < extent.end:
            found.add(extent)
    return sorted(found)


def intact(tree: Tree, extent: Extent) -> bool:
    """Whether an extent can be read back as it was written."""
    digest = own_digest()
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
    return bool(digest.hexdigest() == extent.digest)


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


@dataclass
class _Open:
    """A file of the manifest that is about to be read."""

    path: str
    size: int
    descriptor: int | None


@dataclass
class _Reader:
    """Reads a run of files, from `files.start` up to `files.end` in the manifest. One thread."""

    tree: Tree
    extents: Sequence[Extent]
    files: Range
    stop: Callable[[], bool]
    device: bool
    lost: list[Range] = field(default_factory=list)
    cached: bool = False
    """whether any file may have been read from memory"""

    def __post_init__(self) -> None:
        self._at = self.tree.tape.range_of(self.files.start).start if self.files.size else 0
        first = max(0, bisect_right(self.extents, self._at, key=lambda one: one.start) - 1)
        self._waiting = iter(self.extents[first:])
        self._extent: Extent | None = None
        self._asked = 0.0
        self._buffer = memoryview(bytearray(CHUNK + 1))

    def read(self) -> list[FileHash]:
        hashes = []
        for start in range(self.files.start, self.files.end, BATCH):
            batch = range(start, min(start + BATCH, self.files.end))
            opened = [self._prepare(index) for index in batch]
            try:
                for index, file in zip(batch, opened, strict=True):
                    hashes.append(self._file(index, file))
            finally:
                for file in opened:
                    if file.descriptor is not None:
                        os.close(file.descriptor)
        return hashes

    def _prepare(self, index: int) -> _Open:
        file = _Open(self.tree.file(index), self.tree.manifest.files[index].size, None)
        file.descriptor = _open(file.path)
        if file.descriptor is None or not file.size:
            return file
        if self.device:
            if not _dropped(file.descriptor, file.size, 1 if self.cached else 5):
                self.cached = True
            elif file.size <= LARGE_CHUNK:
                os.posix_fadvise(file.descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
        return file

    def _file(self, index: int, file: _Open) -> FileHash:
        """Read one file; its hashes (worth nothing where something was lost)."""
        xxh128 = xxh3_128()
        digest = blake3(max_threads=blake3.AUTO) if file.size >= LARGE else blake3()
        left = file.size
        for view in self._chunks(file):
            xxh128.update(view)
            digest.update(view)
            self._compare(view)
            left -= len(view)
        if left:
            self._skip(left)
        named = self.tree.manifest.files[index]
        return FileHash(
            path=named.path,
            size=named.size,
            modified=named.modified,
            xxh128=xxh128.hexdigest(),
            blake3=digest.hexdigest(),
        )

    def _chunks(self, file: _Open) -> Iterator[memoryview]:
        """The bytes of a file as far as it can be read, at most as many as were declared."""
        if file.descriptor is None:
            return
        try:
            if file.size < LARGE:
                yield from self._in_turn(file.descriptor, file.path, file.size)
            else:
                yield from self._ahead(file.descriptor, file.path, file.size)
        except OSError as error:
            if error.errno != errno.EIO:  # anything else says nothing about the bytes
                raise
            log.error("cannot read %s: %s", file.path, error)

    def _in_turn(self, descriptor: int, path: str, size: int) -> Iterator[memoryview]:
        left = size
        while left >= 0:  # one byte more than was declared is asked for, and not expected
            self._ask()
            wanted = min(CHUNK, left) + 1
            found = os.readv(descriptor, [self._buffer[:wanted]])
            if found > left:
                _cut(path, size)
            count = min(found, left)
            if count:
                yield self._buffer[:count]
            left -= count
            if not found or (not left and found < wanted):
                return

    def _ahead(self, descriptor: int, path: str, size: int) -> Iterator[memoryview]:
        if os.fstat(descriptor).st_size > size:
            _cut(path, size)
        buffers = [memoryview(bytearray(LARGE_CHUNK)) for _ in range(2)]
        with ThreadPoolExecutor(1, "stagedoor-ahead") as pool:

            def fetch(offset: int) -> Future[int]:
                buffer = buffers[(offset // LARGE_CHUNK) % 2]
                return pool.submit(_fill, descriptor, buffer[: max(0, min(LARGE_CHUNK, size - offset))], offset)

            coming = fetch(0)
            for offset in range(0, size, LARGE_CHUNK):
                self._ask()
                count = coming.result()
                coming = fetch(offset + LARGE_CHUNK)
                if count:
                    yield buffers[(offset // LARGE_CHUNK) % 2][:count]
                if count < min(LARGE_CHUNK, size - offset):
                    return

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._asked >= ASK_SECONDS:
            self._asked = now
            if self.stop():
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
            self._extent = next(self._waiting)
            self._digest = own_digest()
            self._whole = self._extent.start == self._at
        return self._extent

    def _pass(self, extent: Extent, count: int) -> None:
        self._at += count
        if self._at == extent.end:
            if self._whole and self._digest.hexdigest() != extent.digest:
                self.lost.append(Range(extent.start, extent.end))
            self._extent = None


def _cut(path: str, size: int) -> None:
    log.error("%s is longer than declared and is cut to %d bytes", path, size)
    os.truncate(path, size)


def _fill(descriptor: int, buffer: memoryview, offset: int) -> int:
    """Read until the buffer is full or the file ends; how many bytes."""
    filled = 0
    while filled < len(buffer):
        count = os.preadv(descriptor, [buffer[filled:]], offset + filled)
        if not count:
            break
        filled += count
    return filled


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
