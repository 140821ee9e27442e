"""What a file system can do, found by doing it in a folder of our own.

Rules
1. Everything happens in `.stagedoor/probe-<random>`, which is gone afterwards.
2. `safe` says whether an entry can be placed here without ever replacing anything: by a no-replace rename, or by
   links for files together with claimed names for folders. `reason` says why not.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from . import rename
from .staging import DIRECTORY, REAL_DIRECTORY, home, opened

_CLONE = 0x40049409  # FICLONE of Linux


def probe(root: str) -> dict[str, Any]:
    """What the file system below the folder `root` can do, as JSON values.

    `no_replace`, `exchange`, `hard_links`, `folder_claim`, `reflink`, `case_sensitive`, `unicode_normalising` and
    `safe` are booleans, `longest_name` counts bytes, `reason` is a sentence or empty.
    """
    try:
        with _room(root) as room:
            found = _look(room)
    except OSError as error:
        return {"safe": False, "reason": f"cannot work in {root}: {error.strerror or error}"}
    safe = found["no_replace"] or (found["hard_links"] and found["folder_claim"])
    reason = "" if safe else "it knows neither a rename that never replaces nor hard links and claimed folder names"
    return {**found, "safe": safe, "reason": reason}


def clock_ahead(root: str) -> float:
    """Seconds by which the clock of the file system below a folder is ahead of ours. Raises OSError."""
    with _room(root) as room:
        before = time.time()
        _file(room, "now", b"x")
        after = time.time()
        theirs = os.stat("now", dir_fd=room).st_mtime
    if before - 1 <= theirs <= after:  # some file systems keep whole seconds
        return 0.0
    return theirs - after if theirs > after else theirs - before


@contextmanager
def _room(root: str) -> Iterator[int]:
    name = f"probe-{secrets.token_hex(8)}"
    with opened(root, DIRECTORY) as top, home(top) as ours:
        os.mkdir(name, 0o700, dir_fd=ours)
        try:
            with opened(name, REAL_DIRECTORY, ours) as room:
                yield room
        finally:
            shutil.rmtree(name, ignore_errors=True, dir_fd=ours)


def _look(room: int) -> dict[str, Any]:
    return {
        "no_replace": _works(_no_replace, room),
        "exchange": _works(_exchange, room),
        "hard_links": _works(_hard_links, room),
        "folder_claim": _works(_folder_claim, room),
        "reflink": _works(_reflink, room),
        "case_sensitive": not _same(room, "Case", "cASE"),
        "unicode_normalising": _same(room, "é", unicodedata.normalize("NFD", "é")),
        "longest_name": _longest_name(room),
    }


def _works(attempt: Callable[[int], bool], room: int) -> bool:
    try:
        return attempt(room)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
            raise  # says nothing about what the file system can do
        return False


def _no_replace(room: int) -> bool:
    for kind in ("file", "folder"):
        make = _file if kind == "file" else _folder
        for name in ("a", "b"):
            make(room, f"{kind}-{name}")
        with suppress(FileExistsError):
            rename.no_replace(room, f"{kind}-a", room, f"{kind}-b")
            return False
        rename.no_replace(room, f"{kind}-a", room, f"{kind}-c")
    return True


def _exchange(room: int) -> bool:
    """A folder and a file change places, from one folder to another."""
    for name in ("swap", "swap/a"):
        _folder(room, name)
    _file(room, "swap-b")
    before = os.stat("swap/a", dir_fd=room).st_ino
    with opened("swap", REAL_DIRECTORY, room) as inner:
        rename.exchange(inner, "a", room, "swap-b")
    return os.stat("swap-b", dir_fd=room).st_ino == before


def _hard_links(room: int) -> bool:
    _file(room, "link-a")
    os.link("link-a", "link-b", src_dir_fd=room, dst_dir_fd=room, follow_symlinks=False)
    with suppress(FileExistsError):
        os.link("link-a", "link-b", src_dir_fd=room, dst_dir_fd=room, follow_symlinks=False)
        return False
    return True


def _folder_claim(room: int) -> bool:
    """A rename goes over an empty folder and is refused over one that is not."""
    for name in ("claim-a", "claim-b", "claim-c"):
        _folder(room, name)
    os.rename("claim-a", "claim-b", src_dir_fd=room, dst_dir_fd=room)
    _file(room, "claim-b/inside")
    with suppress(OSError):
        os.rename("claim-c", "claim-b", src_dir_fd=room, dst_dir_fd=room)
        return False
    return True


def _reflink(room: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    _file(room, "clone-a", b"x" * 4096)
    _file(room, "clone-b")
    with opened("clone-a", os.O_RDONLY, room) as source, opened("clone-b", os.O_WRONLY, room) as target:
        fcntl.ioctl(target, _CLONE, source)
    return True


def _same(room: int, one: str, other: str) -> bool:
    """Whether the file system takes two names for one."""
    _file(room, one)
    try:
        os.stat(other, dir_fd=room)
    except OSError:
        return False
    return True


def _longest_name(room: int) -> int:
    """Some file systems report 255 and take less, where they encrypt names."""
    fits, too_long = 0, os.fpathconf(room, "PC_NAME_MAX") + 1
    while too_long - fits > 1:
        size = too_long - 1 if not fits else (fits + too_long) // 2
        if _takes(room, size):
            fits = size
        else:
            too_long = size
            fits = fits or 1
    return fits


def _takes(room: int, size: int) -> bool:
    name = "n" * size
    try:
        _file(room, name)
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EINVAL):
            return False
        raise
    os.unlink(name, dir_fd=room)
    return True


def _file(room: int, name: str, content: bytes = b"") -> None:
    with opened(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, room) as file:
        os.write(file, content)


def _folder(room: int, name: str) -> None:
    os.mkdir(name, 0o700, dir_fd=room)
