"""Files that are here already, copied into an upload.

Rules
1. What counts is what lies in the copy: it is read back and hashed, and is received only where that is the content that
   was asked for.
2. Blocks are shared where the disk can (reflink); else the system copies, without the bytes passing through here; else
   they are read and written.
3. A group of files is copied under one claim of its range, so that a part and a copy never write the same bytes, and is
   noted with one record. Files in between that are not copied can be sent when the group is done.
4. Origins are opened name by name within the volumes; no link is followed inside an entry, and only regular files of
   the right size are read.
5. An extent holds at most `EXTENT` bytes: damage costs no more than damage to a part. A large file that fits into one
   has its own, with the blake3 that the copy was found to have: the proof need not make that again.
"""

from __future__ import annotations

import errno
import fcntl
import hmac
import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from blake3 import blake3

from ..lifecycle.needs import Copied, Placed, Staged, Wanted
from ..model.entities import Volume
from ..model.errors import RangeInFlight
from ..model.tape import LARGE, Range, Tape
from .history import Extent, own_digest
from .paths import locate
from .staging import REAL_DIRECTORY, opened
from .upload import StagedUpload

CHUNK = 2**20
EXTENT = 16 * 2**20
GROUP_FILES = 256
GROUP_BYTES = 64 * 2**20
_FICLONE = 0x40049409
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_COPY = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = (errno.ENOSPC, errno.EDQUOT)

log = logging.getLogger(__name__)


def copy(
    upload: StagedUpload, wanted: Sequence[Wanted], volumes: Callable[[], list[Volume]], stop: Callable[[], bool]
) -> Copied:
    """See `Storage.copy`."""
    received: list[int] = []
    left: list[int] = []
    with ExitStack() as stack:
        copier = _Copier(upload, _Origins(stack, volumes))
        for group in _groups(upload.tree.tape, sorted(wanted, key=lambda want: want.file)):
            if stop():
                left += [want.file for want in group]
            else:
                received += copier.group(group)
    return Copied(received, left)


def _groups(tape: Tape, wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    group: list[Wanted] = []
    size = 0
    for want in wanted:
        if group and (len(group) == GROUP_FILES or size >= GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(want)
        size += tape.range_of(want.file).size
    if group:
        yield group


class _Copier:
    def __init__(self, upload: StagedUpload, origins: _Origins) -> None:
        self._upload = upload
        self._tape = upload.tree.tape
        self._origins = origins
        self._buffer = memoryview(bytearray(CHUNK))

    def group(self, group: Sequence[Wanted]) -> list[int]:
        """Numbers of the files that are there then. None where a connection is sending some of them just now."""
        span = Range(self._tape.range_of(group[0].file).start, self._tape.range_of(group[-1].file).end)
        if not span.size:
            return [want.file for want in group]
        claims = self._upload.claims
        try:
            claim = claims.take(span)
        except RangeInFlight:
            return []
        try:
            with claims.at_work(claim):
                return self._claimed(group, span)
        finally:
            claims.free(claim)

    def _claimed(self, group: Sequence[Wanted], span: Range) -> list[int]:
        missing = self._upload.missing().within(*span)  # only now: nobody else can change these any more
        noted = _Noted()
        there: list[int] = []
        for want in group:
            place = self._tape.range_of(want.file)
            lacking = missing.within(*place).size
            found = self._find(want, place, noted) if lacking and lacking == place.size else None
            noted = found or noted
            if found or not lacking:
                there.append(want.file)
        if extents := noted.all():
            self._upload.take_in(extents)
        return there

    def _find(self, want: Wanted, place: Range, noted: _Noted) -> _Noted | None:
        """Copy a file from the first origin that has its content; what is to be noted then."""
        alone = LARGE <= place.size < EXTENT
        for origin, path in want.origins:
            source = self._origins.open(origin, path, place.size)
            if source is None:
                continue
            try:
                after = noted.at(place.start, alone=alone)
                if self._copied(want, source, after, place.size):
                    if alone:
                        after.close(want.blake3.hex())
                    return after
            except OSError as error:
                if error.errno in _FULL:
                    raise
                log.warning("%s: cannot be copied from %s: %s", self._upload.tree.file(want.file), origin, error)
            finally:
                os.close(source)
        return None

    def _copied(self, want: Wanted, source: int, noted: _Noted, size: int) -> bool:
        digest = blake3()
        with opened(self._upload.tree.file(want.file), _COPY) as target:
            transfer = _nothing if _cloned(source, target) else _transfer
            done = 0
            while done < size:
                view = self._buffer[: min(CHUNK, size - done)]
                if not transfer(source, target, done, view) or not _read(target, done, view):
                    return False
                digest.update(view)
                noted.add(view)
                done += len(view)
        return hmac.compare_digest(digest.digest(), want.blake3)


class _Noted:
    """Digests of what was copied, in extents. A file is noted in a copy of this, which is kept where it was right."""

    def __init__(self) -> None:
        self._extents: list[Extent] = []
        self._start = self._end = 0
        self._digest = own_digest()

    def at(self, start: int, *, alone: bool) -> _Noted:
        """To go on from there; `alone`: with an extent of its own."""
        after = _Noted()
        after._extents = list(self._extents)
        after._start, after._end, after._digest = self._start, self._end, self._digest.copy()
        if start != self._end or alone:
            after.close()
            after._start = after._end = start
        return after

    def add(self, view: memoryview) -> None:
        while view:
            count = min(len(view), self._start + EXTENT - self._end)
            self._digest.update(view[:count])
            self._end += count
            if self._end == self._start + EXTENT:
                self.close()
            view = view[count:]

    def all(self) -> list[Extent]:
        self.close()
        return self._extents

    def close(self, blake3: str = "") -> None:
        """End an extent here; `blake3` where it is a file."""
        if self._end > self._start:
            self._extents.append(Extent(self._start, self._end, self._digest.hexdigest(), blake3))
        self._start, self._digest = self._end, own_digest()


class _Origins:
    """Entries that files are copied from, each found once."""

    def __init__(self, stack: ExitStack, volumes: Callable[[], list[Volume]]) -> None:
        self._stack = stack
        self._volumes = volumes
        self._found: dict[tuple[str, str], tuple[int, str] | None] = {}

    def open(self, origin: Placed | Staged, path: str, size: int) -> int | None:
        """A file of an entry, where it is there, regular and of this size."""
        key = (origin.volume.id, origin.path) if isinstance(origin, Placed) else (str(origin.folder), origin.name)
        try:
            if key not in self._found:
                self._found[key] = None
                self._found[key] = self._entry(origin)
            entry = self._found[key]
            names = path.split("/") if path else []
            return None if entry is None else _open(entry[0], [entry[1], *names], size)
        except (OSError, ValueError):
            return None

    def _entry(self, origin: Placed | Staged) -> tuple[int, str] | None:
        """The open folder that holds an entry, and its name there."""
        if isinstance(origin, Staged):
            return self._stack.enter_context(opened(str(origin.folder / "data"), REAL_DIRECTORY)), origin.name
        place = self._stack.enter_context(locate(origin.volume, origin.path, self._volumes))
        return (place.parent, place.rest[0]) if len(place.rest) == 1 else None


def _open(folder: int, names: Sequence[str], size: int) -> int | None:
    with ExitStack() as stack:
        for name in names[:-1]:
            folder = stack.enter_context(opened(name, REAL_DIRECTORY, folder))
        file = os.open(names[-1], _FILE, dir_fd=folder)
    status = os.fstat(file)
    if stat.S_ISREG(status.st_mode) and status.st_size == size:
        return file
    os.close(file)
    return None


def _cloned(source: int, target: int) -> bool:
    """Let the target share the blocks of the source, where the disk can. They part when either is written."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _nothing(source: int, target: int, offset: int, view: memoryview) -> bool:
    return True


def _transfer(source: int, target: int, offset: int, view: memoryview) -> bool:
    """Copy a run of bytes; False where the source ends before. `view` is room for it."""
    done = 0
    while done < len(view):
        count = _by_system(source, target, offset + done, len(view) - done)
        if count is None:
            return _read(source, offset, view) and _write(target, offset, view)
        if not count:
            return False
        done += count
    return True


def _by_system(source: int, target: int, offset: int, size: int) -> int | None:
    """None where the system does not copy between these."""
    if not hasattr(os, "copy_file_range"):
        return None
    try:
        return os.copy_file_range(source, target, size, offset, offset)
    except OSError as error:
        if error.errno in _FULL:
            raise
        return None


def _read(file: int, offset: int, view: memoryview) -> bool:
    while view:
        count = os.preadv(file, [view], offset)
        if not count:
            return False
        view, offset = view[count:], offset + count
    return True


def _write(file: int, offset: int, view: memoryview) -> bool:
    while view:
        count = os.pwrite(file, view, offset)
        view, offset = view[count:], offset + count
    return True
