"""The last check and the rename.

Rules
1. The entry appears at once, under a name that was free: nothing is ever replaced.
2. What is about to be moved is journalled before the rename, with its inode, and the fact after it. A repeat finds out
   by the inode whether the thing at the destination is ours.
3. Missing parents are made right before the rename and stay. The parent must still be where it was found.
4. Only what was proved is placed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import ExitStack

from ..model.entities import Volume
from ..model.errors import DestinationTaken
from . import rename
from .history import Thing, placed_record, placing_record
from .modes import dress_for, finish_parent, put_on
from .paths import Located, file_system, found, locate, make_parents, real_path
from .staging import DIRECTORY, opened
from .upload import StagedUpload

Volumes = Callable[[], list[Volume]]


def check(upload: StagedUpload, volume: Volume, path: str, volumes: Volumes) -> None:
    """Raises DestinationTaken, ValueError, OSError where `place` could not succeed."""
    if upload.history.placed:
        return
    _must_be_proved(upload)
    with locate(volume, path, volumes) as place, opened(upload.tree.data, DIRECTORY) as data:
        if _is(upload.history.placing, place.found, data):
            return
        _must_be_free(upload, place)
        _staged(upload, data)
        if file_system(data) != place.file_system:
            raise ValueError(f"{upload.folder} is on another file system than {place.absolute}: were mounts changed?")
        dress_for(volume, place.parent)


def place(upload: StagedUpload, volume: Volume, path: str, volumes: Volumes) -> str:
    """The absolute path of the placed entry. Idempotent. Raises DestinationTaken, ValueError, OSError."""
    with upload.placing:
        if upload.history.placed:
            return upload.history.placed
        _must_be_proved(upload)
        with locate(volume, path, volumes) as spot, opened(upload.tree.data, DIRECTORY) as data, ExitStack() as stack:
            if _is(upload.history.placing, spot.found, data):
                parent = spot.parent
                _finish_link(upload, data)
            else:
                claimed = _must_be_free(upload, spot)
                parent = make_parents(stack, spot, lambda folder: finish_parent(volume, folder))
                _move(upload, volume, spot, data, parent, claimed)
            os.fsync(parent)
            os.fsync(data)
            upload.note(placed_record(spot.absolute), sync=True)
            return spot.absolute


def _move(upload: StagedUpload, volume: Volume, spot: Located, data: int, parent: int, claimed: bool) -> None:
    source = _staged(upload, data)
    put_on(dress_for(volume, parent), upload.tree)
    above, _, target = spot.absolute.rpartition("/")
    if real_path(parent) != (above or "/"):
        raise OSError(errno.ESTALE, "the folder above was moved just now", above)
    upload.note(placing_record(source), sync=True)
    try:
        (rename.over_claim if claimed else rename.move)(data, upload.manifest.name, parent, target)
    except FileExistsError as error:
        raise DestinationTaken(detail=f"{spot.absolute} exists") from error
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        reason = f"{upload.folder} is on another file system than the destination: were mounts changed?"
        raise OSError(errno.EXDEV, reason, spot.absolute) from error


def _finish_link(upload: StagedUpload, data: int) -> None:
    """A file that went by link has two names until this."""
    if found(data, upload.manifest.name):
        os.unlink(upload.manifest.name, dir_fd=data)


def _must_be_proved(upload: StagedUpload) -> None:
    if not upload.proved:
        raise ValueError(f"{upload.folder} has not been proved")


def _must_be_free(upload: StagedUpload, spot: Located) -> bool:
    """Whether an attempt of ours left its claim there: of all that may be there, only that can be moved over."""
    there = spot.found
    if there is None:
        return False
    if upload.manifest.is_dir and upload.history.placing and rename.is_claim(there):
        return True
    raise DestinationTaken(detail=f"{spot.absolute} exists")


def _staged(upload: StagedUpload, data: int) -> os.stat_result:
    source = found(data, upload.manifest.name)
    if source is None:
        raise FileNotFoundError(errno.ENOENT, "the staged entry is gone", upload.tree.base)
    return source


def _is(thing: Thing | None, there: os.stat_result | None, data: int) -> bool:
    """Device numbers may change with a mount; what we moved is still on the file system of the staging."""
    if thing is None or there is None:
        return False
    return there.st_ino == thing.inode and there.st_dev == os.fstat(data).st_dev
