"""Permissions, group and times of what is placed.

Rules
1. A volume's `file_mode`, `folder_mode` and `group` decide. Where a mode is not set, things get what a file or folder
   made in the destination's parent would get: umask or default ACL, the parent's group where its setgid bit says so.
2. The vendor's owner and permission bits never travel. Modification times of files and folders do.
3. A group that the studio set and that cannot be given is an error; one that would only be inherited is logged.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from .. import bulk
from ..model.entities import Volume
from .staging import Tree

_ACCESS, _DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
_OWNER, _OWNING_GROUP, _MASK, _OTHER = 0x01, 0x04, 0x10, 0x20

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dress:
    file_mode: int
    folder_mode: int
    group: int
    group_required: bool
    file_acl: bytes = b""
    folder_acl: bytes = b""
    default_acl: bytes = b""


def dress_for(volume: Volume, parent: int) -> Dress:
    """What things made in the open folder `parent` wear. Raises ValueError for an unknown group."""
    above = os.fstat(parent)
    inherits = bool(above.st_mode & stat.S_ISGID)
    sticky_group = inherits or sys.platform == "darwin"
    mask = _umask()
    acl = _acl(parent)
    natural_file, natural_folder = volume.file_mode is None, volume.folder_mode is None
    return Dress(
        file_mode=0o666 & ~mask if volume.file_mode is None else volume.file_mode & 0o7777,
        folder_mode=(0o777 & ~mask | (stat.S_ISGID if inherits else 0))
        if volume.folder_mode is None
        else volume.folder_mode & 0o7777,
        group=_group(volume.group) if volume.group else above.st_gid if sticky_group else os.getegid(),
        group_required=bool(volume.group),
        file_acl=_masked(acl, 0o666) if natural_file else b"",
        folder_acl=_masked(acl, 0o777) if natural_folder else b"",
        default_acl=acl if natural_folder else b"",
    )


def put_on(dress: Dress, tree: Tree) -> None:
    """Dress a staged tree. Times of folders come last: whatever happens inside one changes its time."""
    files = tree.manifest.files
    done = 0
    while done < len(files):
        if not dress.file_acl:
            done += _put_on_many(dress, tree, done)
        if done < len(files):
            path = tree.file(done)
            _own(path, dress, dress.file_mode, {_ACCESS: dress.file_acl})
            _set_time(path, files[done].modified)
            done += 1
    for folder in reversed(tree.manifest.folders):
        path = tree.path(folder.path)
        _own(path, dress, dress.folder_mode, {_ACCESS: dress.folder_acl, _DEFAULT: dress.default_acl})
        _set_time(path, folder.modified)


def _put_on_many(dress: Dress, tree: Tree, start: int) -> int:
    """Dress files from there on, as far as that is nothing special; how many."""
    files = bulk.batch(tree.manifest.files, start, len(tree.manifest.files))
    modified = [file.modified for file in files]
    return bulk.dress(tree.base, [file.path for file in files], modified, dress.file_mode, dress.group)


def finish_parent(volume: Volume, folder: int) -> None:
    """A folder made on the way to the place: what it got is right unless the volume says otherwise."""
    if volume.group:
        os.fchown(folder, -1, _group(volume.group))
    if volume.folder_mode is not None:
        os.fchmod(folder, volume.folder_mode & 0o7777)


def _own(path: str, dress: Dress, mode: int, acls: dict[str, bytes]) -> None:
    if os.lstat(path).st_gid != dress.group:
        try:
            os.lchown(path, -1, dress.group)
        except PermissionError:
            if dress.group_required:
                raise
            log.warning("%s cannot be given the group %d of its new parent", path, dress.group)
    os.chmod(path, mode)  # noqa: PTH101 - text is faster, for 100,000 files. Last: a change of group clears bits
    for attribute, acl in acls.items():
        if acl:
            with suppress(OSError):
                os.setxattr(path, attribute, acl, follow_symlinks=False)


def _set_time(path: str, modified: int | None) -> None:
    if modified is None:
        return
    nanoseconds = modified * 1_000_000
    try:
        os.utime(path, ns=(nanoseconds, nanoseconds), follow_symlinks=False)
    except (OSError, OverflowError) as error:
        log.warning("%s keeps its own time, %d ms cannot be set: %s", path, modified, error)


def _group(name: str) -> int:
    import grp

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        if name.isascii() and name.isdigit():
            return int(name)
        raise ValueError(f"this machine knows no group {name!r}") from None


def _umask() -> int:
    """Without changing it for a moment, which other threads would notice, where the system can tell."""
    with suppress(OSError), open("/proc/self/status") as lines:
        match = re.search(r"^Umask:\s*([0-7]+)$", lines.read(), re.MULTILINE)
        if match:
            return int(match[1], 8)
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _acl(folder: int) -> bytes:
    if sys.platform != "linux":
        return b""
    try:
        return os.getxattr(folder, _DEFAULT)
    except OSError:
        return b""


def _masked(acl: bytes, mode: int) -> bytes:
    """An access ACL made of a default ACL, as the kernel does for a new file: `mode` limits owner, mask and other."""
    if len(acl) < 4:
        return b""
    entries = [struct.unpack_from("<HHI", acl, offset) for offset in range(4, len(acl), 8)]
    limits = {_OWNER: mode >> 6 & 7, _OTHER: mode & 7, _class_of(tag for tag, _, _ in entries): mode >> 3 & 7}
    limited = (struct.pack("<HHI", tag, permissions & limits.get(tag, 7), who) for tag, permissions, who in entries)
    return acl[:4] + b"".join(limited)


def _class_of(tags: Iterable[int]) -> int:
    """The entry that stands for the group bits."""
    return _MASK if _MASK in set(tags) else _OWNING_GROUP
