"""The proof: is what lies on disk what was written?

Rules
1. The tape is read once, by a follower while it arrives (`following`) and here as far as none has. Processors share
   the work: each takes a run of files; an extent that lies in two runs is read for itself.
2. `read_from` is `device` only where every file was found to be out of this machine's memory before it was read;
   otherwise, where the system cannot tell, and where nobody asked for it, it is `cache`.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from blake3 import blake3

from ..lifecycle.needs import Proof
from ..model.tape import Range, Ranges
from .arrivals import Arrived
from .history import Extent, own_digest
from .reading import CHUNK, Reader, opened
from .staging import Tree

WORKERS = min(4, os.cpu_count() or 1)
_EMPTY = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC

log = logging.getLogger(__name__)


def read(
    tree: Tree,
    extents: Iterable[Extent],
    arrived: Callable[[Extent], Arrived | None],
    stop: Callable[[], bool],
    *,
    device: bool = True,
    followed: Reader | None = None,
) -> Proof:
    """Read and compare; `extents` cover the tape. Raises InterruptedError when `stop` says so, OSError.

    `arrived` tells what was read back when it came; `followed` has read the beginning of the tape and found no damage.
    """
    extents = sorted(extents)
    first = 0
    readers: list[Reader] = []
    if followed:
        followed.stop = stop
        followed.finish(extents)
        readers, first = [followed], followed.next
    bounds = _bounds(tree, extents, first)
    fresh = [
        Reader(tree, Range(*run), arrived, stop, device=device, threads=blake3.AUTO, last=True)
        for run in pairwise(bounds)
    ]
    readers += fresh
    with ThreadPoolExecutor(WORKERS, "stagedoor-proof") as pool:
        for done in [pool.submit(reader.read, extents, tree.tape.size) for reader in fresh]:
            done.result()
    lost = [gap for reader in readers for gap in reader.lost]
    lost += [
        Range(one.start, one.end)
        for one in _shared(tree, extents, bounds[0 if first else 1 : -1])
        if not intact(tree, one)
    ]
    if lost:
        return Proof(lost=Ranges(lost))
    cached = any(reader.cached for reader in readers) if readers else not device
    hashes = [found for reader in readers for found in reader.hashes]
    return Proof(lost=Ranges(), files=tuple(hashes), read_from="cache" if cached else "device")


def _bounds(tree: Tree, extents: Sequence[Extent], first: int) -> list[int]:
    """Where each worker begins and the last one ends, counted in files: about as many bytes, or files, for each."""
    count = len(tree.manifest.files)
    starts = [tree.tape.range_of(index).start for index in range(first, count)]
    size = tree.tape.size - starts[0] if starts else 0
    cuts = [bisect_left(starts, starts[0] + size * number // WORKERS) for number in range(1, WORKERS)] if size else []
    files = [_with_its_extent(tree, extents, first + cut) for cut in cuts if first + cut < count]
    return sorted({first, count, *(file for file in files if file > first)})


def _with_its_extent(tree: Tree, extents: Sequence[Extent], file: int) -> int:
    """The file that begins where the extent does in which this one begins; the file itself where none does."""
    extent = extents[bisect_right(extents, tree.tape.range_of(file).start, key=lambda one: one.start) - 1]
    begins = tree.tape.whole(extent.start)
    return begins if tree.tape.range_of(begins).start == extent.start else file


def _shared(tree: Tree, extents: Sequence[Extent], cuts: Sequence[int]) -> list[Extent]:
    """Extents of which two readers saw a part; `cuts`: where one of them ends and the next begins, counted in files."""
    found = set()
    for cut in cuts:
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
        file = opened(tree.file(index))
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
    """Remove whatever the manifest does not declare; make folders and empty files, and empty those that are not."""
    folders = {tree.path(folder.path) for folder in tree.manifest.folders}
    files = {tree.path(file.path) for file in tree.manifest.files}
    _remove_strangers(tree.data, folders, files)
    tree.make_folders()
    for file in tree.manifest.files:
        if not file.size:
            os.close(os.open(tree.path(file.path), _EMPTY, 0o600))


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
