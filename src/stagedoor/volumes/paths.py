"""From a volume and a path to an open folder, never out of the volumes.

Rules
1. A path is walked name by name, each relative to the folder before it. Links to folders are followed; where the walk
   ends, the real folder must lie in a configured volume.
2. `.stagedoor` is never entered, neither by name nor by a link.
3. Folders made on the way are entered without following anything.
4. A place's key is its real path as the file system compares names: equal keys are the same place.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..lifecycle.needs import InTheWay
from ..model import names
from ..model.entities import Volume
from .staging import DIRECTORY, REAL_DIRECTORY


class FileSystem(NamedTuple):
    """Things can be renamed within one of these, and not between two."""

    device: int
    mount: int
    """0 where the system does not tell"""


@dataclass(frozen=True, slots=True)
class Located:
    """A place, as far as it exists. The descriptors are open as long as the `locate` block."""

    parent: int
    """the deepest folder that exists above the place"""
    parent_path: str
    rest: tuple[str, ...]
    """the names from there on; the last one is the entry's"""
    top: int
    """the highest folder within the volume on the same file system"""
    file_system: FileSystem

    @property
    def absolute(self) -> str:
        return "/".join([self.parent_path.rstrip("/"), *self.rest])

    @property
    def found(self) -> os.stat_result | None:
        """What is there already, a link not followed."""
        if len(self.rest) > 1:
            return None
        return found(self.parent, self.rest[0])


@contextmanager
def locate(volume: Volume, path: str, volumes: Callable[[], list[Volume]]) -> Iterator[Located]:
    """Walk to a place. Raises ValueError where nothing can be placed there, OSError from the disk."""
    wanted = _names(path)
    with ExitStack() as stack:
        root = _open(stack, volume.root, DIRECTORY)
        parent, depth, followed = root, 0, False
        for name in wanted[:-1]:
            entered, link = _enter(stack, parent, name)
            if entered is None:
                break
            parent, depth, followed = entered, depth + 1, followed or link
        parent_path = real_path(parent)
        if followed:
            root = _open(stack, _volume_of(parent_path, volumes()), DIRECTORY)
        system = file_system(parent)
        top = _top(stack, parent, os.fstat(root), system)
        yield Located(parent, parent_path, tuple(wanted[depth:]), top, system)


def make_parents(stack: ExitStack, place: Located, finish: Callable[[int], None]) -> int:
    """Make and open the folders that are missing above a place; `finish` is called with each new one."""
    folder = place.parent
    for name in place.rest[:-1]:
        made = False
        with suppress(FileExistsError):
            os.mkdir(name, 0o777, dir_fd=folder)
            made = True
        inner = _open(stack, name, REAL_DIRECTORY, folder)
        if made:
            finish(inner)
            os.fsync(folder)
        folder = inner
    return folder


def key(place: Located, capabilities: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """The real path as its file system, or the volume's own, compares names."""
    text = place.absolute
    if not all(found.get("case_sensitive", True) for found in (capabilities, root)):
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    if any(found.get("unicode_normalising") for found in (capabilities, root)):
        return unicodedata.normalize("NFC", text)
    return text


def free(path: str) -> tuple[int, int, int]:
    """Free and total bytes of the file system that holds `path` (or what exists of it), and its device number."""
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    space = os.statvfs(place)
    return space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize, place.stat().st_dev


def found(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def real_path(folder: int) -> str:
    """Where an open folder really is."""
    if sys.platform == "darwin":
        return os.fsdecode(fcntl.fcntl(folder, 50, bytes(1024)).rstrip(b"\0"))  # F_GETPATH
    if os.fstat(folder).st_nlink == 0:
        raise FileNotFoundError(errno.ENOENT, "the folder was removed")
    return str(Path(f"/proc/self/fd/{folder}").readlink())


def file_system(folder: int) -> FileSystem:
    """A mount counts as a file system of its own: nothing can be renamed out of it."""
    mount = 0
    with suppress(OSError), open(f"/proc/self/fdinfo/{folder}") as lines:
        mount = next((int(line.split()[1]) for line in lines if line.startswith("mnt_id:")), 0)
    return FileSystem(os.fstat(folder).st_dev, mount)


def _names(path: str) -> list[str]:
    parts = path.split("/")
    for part in parts:
        reason = names.fault(part, windows=False)
        if reason:
            raise ValueError(f"in the path {path!r}, the name {part!r} {reason}")
    return parts


def _open(stack: ExitStack, path: str, flags: int, folder: int | None = None) -> int:
    descriptor = os.open(path, flags, dir_fd=folder)
    stack.callback(os.close, descriptor)
    return descriptor


def _enter(stack: ExitStack, folder: int, name: str) -> tuple[int | None, bool]:
    """Open the folder `name`, and whether it was a link; None where there is nothing."""
    try:
        return _open(stack, name, REAL_DIRECTORY, folder), False
    except FileNotFoundError:
        return None, False
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
    status = found(folder, name)
    if status is None or not stat.S_ISLNK(status.st_mode):
        raise InTheWay(f"{real_path(folder)}/{name} is a file, where a folder must be")
    try:
        return _open(stack, name, DIRECTORY, folder), True
    except OSError as error:
        raise ValueError(f"{real_path(folder)}/{name} is a link that leads to no folder: {error.strerror}") from error


def _volume_of(path: str, volumes: list[Volume]) -> str:
    """The real root of the volume that holds a real path, the deepest one."""
    roots = sorted((os.path.realpath(volume.root) for volume in volumes if volume.enabled), key=len, reverse=True)
    for root in roots:
        inside = path + "/"
        if inside.startswith(root.rstrip("/") + "/"):
            below = inside[len(root.rstrip("/")) :]
            if any(part.casefold().startswith(names.OURS) for part in below.split("/")):
                raise ValueError(f"a link leads into {names.OURS}: {path}")
            return root
    raise ValueError(f"a link leads out of the volumes: {path}")


def _top(stack: ExitStack, parent: int, root: os.stat_result, system: FileSystem) -> int:
    folder = parent
    while not os.path.samestat(here := os.fstat(folder), root):
        above = _open(stack, "..", REAL_DIRECTORY, folder)
        if file_system(above) != system:
            break
        if os.path.samestat(os.fstat(above), here):
            raise OSError(errno.ESTALE, "a folder was moved out of the volume just now")
        folder = above
    return folder
