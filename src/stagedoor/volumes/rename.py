"""Moving a thing to a name that must be free, or exchanging two things.

Rules
1. Nothing is ever lost: no file, no link, no empty folder. Plain `rename` replaces all of these silently.
2. Where the system has a no-replace rename it is used. Elsewhere a file goes by link and unlink, a folder by `mkdir`,
   which claims the name, and a rename over that empty folder.
3. FileExistsError says that the name is taken; everything else is left as the system says it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from contextlib import suppress
from typing import Any

CLAIM_MODE = 0o1300
"""of a folder that claims a name, given as it is made: nobody else makes folders like this"""

_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_NAME, _NO_REPLACE, _EXCHANGE = ("renameatx_np", 4, 2) if sys.platform == "darwin" else ("renameat2", 1, 2)


class Unsupported(OSError):
    """The system or this file system does not know such a rename."""


def move(source_folder: int, source: str, target_folder: int, target: str) -> None:
    """Move a file or folder by the best means there is. Folders are given as descriptors, names relative to them.
    Raises FileExistsError, OSError."""
    try:
        no_replace(source_folder, source, target_folder, target)
    except Unsupported:
        by_hand(source_folder, source, target_folder, target)


def no_replace(source_folder: int, source: str, target_folder: int, target: str) -> None:
    """One system call. Raises FileExistsError, Unsupported, OSError."""
    _call(source_folder, source, target_folder, target, _NO_REPLACE)


def exchange(one_folder: int, one: str, other_folder: int, other: str) -> None:
    """Let two things change places, at once. Raises FileNotFoundError where one is gone, Unsupported, OSError."""
    _call(one_folder, one, other_folder, other, _EXCHANGE)


def by_hand(source_folder: int, source: str, target_folder: int, target: str) -> None:
    """Move without a no-replace rename. Raises FileExistsError, OSError."""
    if stat.S_ISDIR(os.stat(source, dir_fd=source_folder, follow_symlinks=False).st_mode):
        os.mkdir(target, CLAIM_MODE, dir_fd=target_folder)
        over_claim(source_folder, source, target_folder, target)
    else:
        _by_link(source_folder, source, target_folder, target)


def is_claim(thing: os.stat_result) -> bool:
    """Whether this is a folder by which we claimed a name; left behind where the server died right then."""
    return (
        stat.S_ISDIR(thing.st_mode)
        and stat.S_IMODE(thing.st_mode) & ~stat.S_ISGID == CLAIM_MODE
        and thing.st_uid == os.geteuid()
    )


def over_claim(source_folder: int, source: str, target_folder: int, target: str) -> None:
    """Move a folder over the empty one that claims its name. Raises FileExistsError where that is no longer empty."""
    try:
        os.rename(source, target, src_dir_fd=source_folder, dst_dir_fd=target_folder)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from error
        with suppress(OSError):
            os.rmdir(target, dir_fd=target_folder)
        raise


def _by_link(source_folder: int, source: str, target_folder: int, target: str) -> None:
    try:
        os.link(source, target, src_dir_fd=source_folder, dst_dir_fd=target_folder, follow_symlinks=False)
    except FileExistsError:
        # A network file system may have made the link, lost its answer, and asked again.
        one = os.stat(source, dir_fd=source_folder, follow_symlinks=False)
        other = os.stat(target, dir_fd=target_folder, follow_symlinks=False)
        if not os.path.samestat(one, other):
            raise
    os.unlink(source, dir_fd=source_folder)


def _system() -> Any:
    call = getattr(ctypes.CDLL(None, use_errno=True), _NAME, None)
    if call is not None:
        call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
        call.restype = ctypes.c_int
    return call


_RENAME = _system()


def _call(source_folder: int, source: str, target_folder: int, target: str, flag: int) -> None:
    if _RENAME is None:
        raise Unsupported(errno.ENOSYS, os.strerror(errno.ENOSYS), target)
    if _RENAME(source_folder, os.fsencode(source), target_folder, os.fsencode(target), flag) == 0:
        return
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        raise Unsupported(number, os.strerror(number), target)
    raise OSError(number, os.strerror(number), target)
