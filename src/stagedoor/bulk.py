"""Many small files in one call, outside the interpreter lock: for files of a few kilobytes the lock is what takes time.

Rules
1. Each function goes through files in order, does what is done to an ordinary file, and stops before the first that
   is anything else or that the system refuses. It returns how many it did. The rest, and every error, is the
   caller's, who can do a file by itself anyway.
2. Paths begin in `folder`: the way there is gone once a call, not once a file.
3. Where the compiled part (`_bulk.c`) is missing, none is done: nothing but time is lost.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from types import ModuleType
from typing import Protocol, TypeVar


class Sized(Protocol):
    @property
    def size(self) -> int: ...


AnyFile = TypeVar("AnyFile", bound=Sized)

_compiled: ModuleType | None
try:
    from . import _bulk as _compiled
except ImportError:  # no compiler where it was installed
    _compiled = None

NO_TIME = -(2**63)
"""for a time that is not known, and for one that cannot be told"""
_MOST_MS = 2**63 // 1_000_000
AT_A_TIME = 64
"""files that are worth one call"""
SMALL = 2**18
"""bytes of the largest file that is"""
MOST_BYTES = 2**20
"""of all of them"""


def batch(files: Sequence[AnyFile], first: int, end: int) -> Sequence[AnyFile]:
    """Those from `first` on, before `end`, that go in one call; none where it is no use."""
    return files[first : min(first + AT_A_TIME, end)] if _compiled else ()


def small(files: Sequence[AnyFile], first: int, end: int) -> Sequence[AnyFile]:
    """The same where their bytes go as well: as long as they are few, and not none."""
    found = batch(files, first, end)
    room = MOST_BYTES
    for count, file in enumerate(found):
        if not 0 < file.size <= min(SMALL, room):
            return found[:count]
        room -= file.size
    return found


def able() -> bool:
    """Whether the compiled part is there."""
    return _compiled is not None


def write(
    folder: str,
    paths: list[str],
    sizes: list[int],
    modified: list[int | None],
    view: memoryview,
    mode: int,
    *,
    back: bool = False,
) -> tuple[int, array[int]]:
    """Make or open files and write each from its beginning on, out of bytes that lie end to end. No link is
    followed; what a file holds beyond its size stays. `modified`: a time in milliseconds that each gets if it can.

    `back`: what was written is read back; and, of each file that holds just that, when anything of it had changed last,
    in nanoseconds (`NO_TIME` of others).
    """
    changed = array("q", [NO_TIME]) * (len(paths) if back else 0)
    if not _compiled:
        return 0, changed
    return int(_compiled.write(folder, paths, sizes, _times(modified), view, mode, changed)), changed


def same(descriptor: int, offset: int, view: memoryview) -> bool:
    """Whether an open file holds these bytes there, as far as that can be read. For large pieces as well."""
    return bool(_compiled and _compiled.same(descriptor, offset, view))


def read(
    folder: str, paths: list[str], sizes: list[int], view: memoryview, *, follow: bool = False, drop: bool = False
) -> tuple[int, array[int]]:
    """Read whole files of just these sizes, end to end; and two times of each, in nanoseconds: when its content, and
    when anything of it had changed last once it was read. `follow`: links as well. `drop`: from the device, where the
    system tells that this is so; an empty file is none of those."""
    times = array("q", bytes(16 * len(paths)))
    return (int(_compiled.read(folder, paths, sizes, view, times, follow, drop)) if _compiled else 0), times


def look(folder: str, paths: list[str], sizes: list[int], *, follow: bool = False) -> tuple[int, array[int]]:
    """Files of just these sizes, and two times of each as `read` tells them. `follow`: links as well, and only what
    may be read."""
    times = array("q", bytes(16 * len(paths)))
    return (int(_compiled.look(folder, paths, sizes, times, follow)) if _compiled else 0), times


def dress(folder: str, paths: list[str], modified: list[int | None], mode: int, group: int) -> int:
    """Give files that are this group's a mode, and a time in milliseconds. No link is followed."""
    return int(_compiled.dress(folder, paths, _times(modified), mode, group)) if _compiled else 0


def _times(modified: list[int | None]) -> list[int]:
    """In nanoseconds, those that can be told."""
    return [one * 1_000_000 if one is not None and -_MOST_MS < one < _MOST_MS else NO_TIME for one in modified]
