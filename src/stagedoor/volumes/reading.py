"""Reading the tape from disk: the digest of every extent is compared, and the hashes of every file are made.

Rules
1. A reader goes through a run of files in the order of the tape, as far as it is told, and later on from there. One
   thread at a time; between two times it holds nothing open.
2. What is missing, too short, unreadable or different costs the extents it lies in, and nothing else. Bytes beyond a
   file's size are cut off. Empty files are not looked at.
3. From the device: pages are dropped before they are read. Where samples of them (the first, middle and last byte of
   what is read of a file) are then still in memory, or the system cannot tell, that was the cache. On a network file
   system the device is the file server.
4. A file that is an extent with its blake3 is only compared: its hashes were made from the bytes it is compared with.
5. From the cache: what was read back when it arrived is not read again, unless somebody has changed it since. A reader
   that is not the last one leaves that question to whoever asks at the end.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from blake3 import blake3
from xxhash import xxh3_128, xxh3_128_hexdigest

from .. import bulk
from ..lifecycle.needs import FileHash
from ..model.manifest import File
from ..model.tape import Range
from .arrivals import OF_NOTHING, Arrived, unchanged
from .history import Extent, own_digest
from .staging import Tree

CHUNK = 2**18
"""bytes read at a time: what a processor keeps close by while it is hashed three times; fewer than the buffer has"""
LARGE = 2**25
"""bytes; larger files are read ahead in longer chunks, and may be read in part"""
LARGE_CHUNK = 2**21
"""two of them still lie close by: with 4 MiB a large file took a third longer"""
BATCH = 32
"""files that are opened, and asked of the device, before the first of them is read"""
ASK_SECONDS = 0.2
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EIO}

log = logging.getLogger(__name__)


class Reader:
    """Reads a run of the manifest's files, hashing large ones with so many threads. `arrived` tells what was read back
    already, `stop` is asked now and then; InterruptedError when it says so. `last`: nobody looks at the files after."""

    def __init__(
        self,
        tree: Tree,
        files: Range,
        arrived: Callable[[Extent], Arrived | None],
        stop: Callable[[], bool],
        *,
        device: bool,
        threads: int = 1,
        last: bool = False,
    ) -> None:
        self.hashes: list[FileHash] = []
        """of the files so far; worth nothing where anything is lost"""
        self.changed = array("q")
        """when each of them had last changed as it was read, in nanoseconds"""
        self.lost: list[Range] = []
        self.cached = not device
        """whether anything may have been read from this machine's memory"""
        self.stop = stop
        self.device = device
        self._threads = threads
        self._last = last
        self._ask_arrived = arrived
        self._arrived: dict[int, Arrived] = {}
        """by where they begin on the tape, those of the extents that are read just now"""
        self._tree = tree
        self._files = files
        self._at = tree.tape.range_of(files.start).start if files.size else 0
        self._file: _File | None = None
        """the file that has been read in part"""
        self._extents: Iterator[Extent] = iter(())
        self._extent: Extent | None = None
        self._asked = 0.0
        self._buffer = memoryview(bytearray())

    @property
    def next(self) -> int:
        """The first file that has not been read to its end."""
        return self._files.start + len(self.hashes)

    @property
    def reached(self) -> int:
        """The place on the tape from which on extents are wanted."""
        return self._extent.end if self._extent else self._at

    def read(self, extents: Sequence[Extent], until: int) -> None:
        """Go on up to a place on the tape: to the last file that ends there or before; into a large one.

        `extents`, sorted, cover the tape from `reached` to there. Raises OSError.
        """
        first = max(0, bisect_right(extents, self.reached, key=lambda one: one.start) - 1)
        rest = extents[first:]
        self._extents = iter(rest)
        if not self.device:
            self._arrived = {one.extent.start: one for one in map(self._ask_arrived, rest) if one}
        self._begins = list(self._arrived)
        self._buffer = memoryview(bytearray(bulk.MOST_BYTES))
        if self._file is None or self._go_on(self._file, until):
            self._whole_files(until)
            if self.next < self._files.end and self._tree.manifest.files[self.next].size >= LARGE and self._at < until:
                self._file = _File(self._tree, self.next, self._threads)
                self._go_on(self._file, until)
        self._buffer = memoryview(bytearray())

    def finish(self, extents: Sequence[Extent]) -> None:
        """Read the file to its end that was read in part."""
        if self._file:
            self.read(extents, self._tree.tape.range_of(self._file.index).end)

    def _whole_files(self, until: int) -> None:
        end = min(self._tree.tape.whole(until), self._files.end)
        while self.next < end:
            if self._known(end):
                continue
            later = bisect_right(self._begins, self._at)
            stop = self._tree.tape.whole(self._begins[later]) if later < len(self._begins) else end
            self._read_some(min(stop, end))

    def _known(self, end: int) -> bool:
        """Take over the files of an extent that begins here and was read back, if there is one."""
        found = self._arrived.get(self._at)
        if found is None:
            return False
        run = range(self.next, min(self._tree.tape.whole(found.extent.end), end))
        files = [index for index in run if self._tree.manifest.files[index].size]
        if self._last and not unchanged(self._tree, files, found.changed):
            return False
        self._ask()
        hashes = found.hashes()
        for file in self._tree.manifest.files[run.start : run.stop]:
            self._note(file, *(next(hashes) if file.size else OF_NOTHING))
        self._current()
        self._at, self._extent = found.extent.end, None
        return True

    def _read_some(self, end: int) -> None:
        """Read small files, and then a few as they come."""
        self._small_files(end)
        run = range(self.next, min(self.next + BATCH, end))
        batch = [_File(self._tree, index, self._threads) for index in run]
        try:
            for file in batch:
                self._prepare(file, 0, file.size)
            for file in batch:
                self._feed(file, file.size)
                self._end(file)
        finally:
            for file in batch:
                file.close()

    def _small_files(self, end: int) -> None:
        """Read on, as far as files are small and nothing about them is special."""
        files = self._tree.manifest.files
        going = True
        while going:
            self._ask()
            batch = bulk.small(files, self.next, end)
            paths, sizes = [file.path for file in batch], [file.size for file in batch]
            count, times = bulk.read(self._tree.base, paths, sizes, self._buffer, drop=self.device)
            start = 0
            for file, changed in zip(batch[:count], times[1::2], strict=False):
                view = self._buffer[start : start + file.size]
                self._note(file, xxh3_128_hexdigest(view), blake3(view).hexdigest(), changed)
                start += file.size
            self._compare(self._buffer[:start])
            going = 0 < count == len(batch)

    def _go_on(self, file: _File, until: int) -> bool:
        """Read more of a large file; whether that was the end of it."""
        end = min(file.size, file.offset + until - self._at)
        try:
            self._prepare(file, file.offset, end)
            self._feed(file, end)
            if end == file.size:
                self._end(file)
                self._file = None
        finally:
            file.close()
        return end == file.size

    def _prepare(self, file: _File, start: int, end: int) -> None:
        file.descriptor = opened(file.path) if file.size else None
        if file.descriptor is None or not self.device:
            return
        if not _dropped(file.descriptor, start, end, 1 if self.cached else 5):
            self.cached = True
        elif end - start <= LARGE_CHUNK:
            os.posix_fadvise(file.descriptor, start, end - start, os.POSIX_FADV_WILLNEED)

    def _feed(self, file: _File, end: int) -> None:
        start = file.offset
        if not start and file.size:
            file.begin(self._current())
        for view in self._chunks(file, start, end):
            file.hash(view)
            self._compare(view)
            start += len(view)
        self._skip(end - start)
        file.offset = end

    def _end(self, file: _File) -> None:
        changed = -1 if file.descriptor is None else os.fstat(file.descriptor).st_ctime_ns
        self._note(self._tree.manifest.files[file.index], file.xxh128, file.blake3, changed)

    def _note(self, file: File, xxh128: str, blake3: str, changed: int) -> None:
        """That was the next file."""
        self.hashes.append(
            FileHash(path=file.path, size=file.size, modified=file.modified, xxh128=xxh128, blake3=blake3)
        )
        self.changed.append(changed)

    def _chunks(self, file: _File, start: int, end: int) -> Iterator[memoryview]:
        """The bytes of a file as far as they can be read."""
        if file.descriptor is None:
            return
        try:
            if file.size < LARGE:
                yield from self._in_turn(file.descriptor, file.path, file.size)
            else:
                yield from self._ahead(file.descriptor, file, start, end)
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

    def _ahead(self, descriptor: int, file: _File, start: int, end: int) -> Iterator[memoryview]:
        if os.fstat(descriptor).st_size > file.size:
            _cut(file.path, file.size)
        buffers = [memoryview(bytearray(LARGE_CHUNK)) for _ in range(2)]
        with ThreadPoolExecutor(1, "stagedoor-ahead") as pool:

            def fetch(offset: int) -> Future[int]:
                buffer = buffers[((offset - start) // LARGE_CHUNK) % 2]
                return pool.submit(_fill, descriptor, buffer[: max(0, min(LARGE_CHUNK, end - offset))], offset)

            coming = fetch(start)
            for offset in range(start, end, LARGE_CHUNK):
                self._ask()
                count = coming.result()
                coming = fetch(offset + LARGE_CHUNK)
                if count:
                    yield buffers[((offset - start) // LARGE_CHUNK) % 2][:count]
                if count < min(LARGE_CHUNK, end - offset):
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
            self._extent = next(self._extents)
            self._digest: Any = own_digest()
            self._whole = self._extent.start == self._at
        return self._extent

    def _pass(self, extent: Extent, count: int) -> None:
        self._at += count
        if self._at == extent.end:
            if self._whole and self._digest.hexdigest() != extent.digest:
                self.lost.append(Range(extent.start, extent.end))
            self._extent = None


class _File:
    """A file of the manifest that is being read."""

    __slots__ = ("_hashes", "_known", "descriptor", "index", "offset", "path", "size")

    def __init__(self, tree: Tree, index: int, threads: int) -> None:
        self.index = index
        self.path = tree.file(index)
        self.size = tree.manifest.files[index].size
        self.offset = 0
        self.descriptor: int | None = None
        self._known: Extent | None = None
        self._hashes = (xxh3_128(), blake3(max_threads=threads) if self.size >= LARGE else blake3())

    def begin(self, extent: Extent) -> None:
        """Told the extent that its first byte lies in."""
        if extent.blake3:
            self._known = extent

    def hash(self, view: memoryview) -> None:
        if not self._known:
            for made in self._hashes:
                made.update(view)

    @property
    def xxh128(self) -> str:
        return self._known.digest if self._known else str(self._hashes[0].hexdigest())

    @property
    def blake3(self) -> str:
        return self._known.blake3 if self._known else str(self._hashes[1].hexdigest())

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def opened(path: str) -> int | None:
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


def _dropped(file: int, start: int, end: int, attempts: int) -> bool:
    """Drop these pages of a file; whether samples of them are then out of memory."""
    if not hasattr(os, "RWF_NOWAIT") or not hasattr(os, "posix_fadvise"):
        return False
    # Asking for a byte makes the system read on from there: ask backwards, and a small file only once.
    samples = [end - 1, (start + end) // 2, start] if end - start > CHUNK else [start]
    for attempt in range(attempts):  # a page that another processor holds is not dropped at once
        if attempt:
            time.sleep(attempt / 1000)
        try:
            os.posix_fadvise(file, start, end - start, os.POSIX_FADV_DONTNEED)
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
