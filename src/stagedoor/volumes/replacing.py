"""Changing places with what is there, and keeping that aside.

    .stagedoor/replaced/<upload id>/
      about          what was replaced, and when: JSON, for people
      data/<name>    the new entry at first; from the exchange on, what it replaced

Rules
1. The new entry moves to where the old one will be kept; then the two change places in one call. So the place is never
   empty, and the old one is never anywhere but at its place or in its keep.
2. A keep outlives the staging beside it. It goes after its time, or at once where it holds nothing that was replaced.
3. What holds a volume, a `.stagedoor` or a mounted file system is never replaced.
4. Removing follows no link and enters no other file system.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..model.entities import Volume
from ..model.names import OURS
from . import rename
from .history import Thing, keeping_record, swapping_record
from .paths import Located, found
from .staging import DIRECTORY, REAL_DIRECTORY, opened, sync_folders
from .upload import StagedUpload

REPLACED = "replaced"
_TRIES = 10
_OCTAL = re.compile(r"\\([0-7]{3})")


def keep_of(staging: Path) -> Path:
    """Where an upload keeps what its entry replaces."""
    return staging.parent / REPLACED / staging.name


def must_stay(spot: Located, volumes: Iterable[Volume]) -> str:
    """Why what is at a place can never be replaced; empty where it can, or where nothing is there."""
    there = spot.found
    if there is None or not stat.S_ISDIR(there.st_mode):
        return ""
    if os.path.lexists(f"{spot.absolute}/{OURS}"):
        return f"it holds {OURS}"
    for volume in volumes:
        if _within(os.path.realpath(volume.root), spot.absolute):
            return f"it holds the volume {volume.code}"
    mount = _mount_within(spot.absolute)
    return f"{mount} is mounted there" if mount else ""


def swap(upload: StagedUpload, data: int, parent: int, spot: Located) -> None:
    """Let the staged entry and what is at its place change places. Raises OSError."""
    name, target = upload.manifest.name, spot.rest[-1]
    folder = keep_of(upload.folder)
    make_keep(folder, spot.absolute)
    with opened(str(folder / "data"), REAL_DIRECTORY) as keep:
        if found(keep, target) is None:
            upload.note(keeping_record(str(folder)), sync=True)
            rename.no_replace(data, name, keep, target)
            for changed in (keep, data):
                os.fsync(changed)
        upload.note(swapping_record(str(folder)), sync=True)
        _exchange(keep, parent, target)
        os.fsync(keep)


def make_keep(folder: Path, place: str) -> None:
    """Idempotent, whatever of it was made."""
    if (folder / "data").is_dir():
        return
    for made in (folder.parent, folder):
        made.mkdir(mode=0o700, exist_ok=True)
    about = {"replaced": place, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    with opened(str(folder / "about"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
        os.write(file, json.dumps(about).encode() + b"\n")
        os.fsync(file)
    os.mkdir(folder / "data", 0o700)  # noqa: PTH102 - last: it says that the rest is there
    sync_folders([folder, folder.parent, folder.parent.parent])


def _exchange(keep: int, parent: int, target: str) -> None:
    """What is there may go just now, and come again: then the place is free for a moment."""
    for attempt in range(_TRIES):
        try:
            rename.exchange(keep, target, parent, target)
            return
        except FileNotFoundError:
            pass
        try:
            rename.no_replace(keep, target, parent, target)
            return
        except FileExistsError:
            if attempt == _TRIES - 1:
                raise


@contextmanager
def kept_new(upload: StagedUpload) -> Iterator[tuple[int, str] | None]:
    """The folder and name of the new entry where it waits in its keep for the exchange; None where it does not."""
    folder = keep_of(upload.folder) / "data"
    name = _only(folder)
    if name is None:
        yield None
        return
    with opened(str(folder), REAL_DIRECTORY) as keep:
        yield (keep, name) if is_thing(upload.history.placing, found(keep, name), keep) else None


def settle(staging: Path, new: Thing | None) -> str:
    """Leave of a keep what was replaced, and nothing else; where that lies. `new`: what the entry itself is."""
    folder = keep_of(staging)
    name = _only(folder / "data")
    if name is not None:
        with opened(str(folder / "data"), DIRECTORY) as keep:
            if not is_thing(new, found(keep, name), keep):
                return str(folder / "data" / name)
    remove(folder)
    return ""


def kept_folder(path: str) -> Path:
    """The keep of a thing that `settle` named. Raises ValueError for what is none."""
    above = Path(path).parts[:-1]
    if len(above) < 5 or (above[-4], above[-3], above[-1]) != (OURS, REPLACED, "data") or ".." in above:
        raise ValueError(f"{path} is nothing that was kept aside")
    return Path(*above[:-1])


def remove(folder: Path) -> None:
    """Idempotent. Raises OSError."""
    if not folder.exists():
        return
    mount = _mount_within(os.path.realpath(folder))
    if mount:
        raise OSError(f"{mount} is mounted in {folder}")
    shutil.rmtree(folder)


def is_thing(thing: Thing | None, there: os.stat_result | None, beside: int) -> bool:
    """Device numbers may change with a mount; what we moved is still on the file system of the staging."""
    if thing is None or there is None:
        return False
    return there.st_ino == thing.inode and there.st_dev == os.fstat(beside).st_dev


def _only(folder: Path) -> str | None:
    try:
        return next(iter(os.listdir(folder)), None)
    except FileNotFoundError:
        return None


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _mount_within(folder: str) -> str:
    """A file system that is mounted at a folder or below, where the system tells."""
    if sys.platform != "linux":
        return ""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            mount = _OCTAL.sub(lambda match: chr(int(match[1], 8)), line.split(" ", 5)[4])
            if _within(mount, folder):
                return mount
    return ""
