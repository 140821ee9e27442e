"""The last check and the rename.

Rules
1. The entry appears at once. What is there stays and is an error, unless it may be replaced: then the two change
   places, and the old one is kept aside (`replacing`).
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

from ..lifecycle.needs import Arrival
from ..model.entities import Volume
from ..model.errors import DestinationTaken
from . import rename, replacing
from .history import placed_record, placing_record
from .modes import dress_for, finish_parent, put_on
from .paths import Located, file_system, found, locate, make_parents, real_path
from .staging import DIRECTORY, opened
from .upload import StagedUpload

Volumes = Callable[[], list[Volume]]
MayReplace = Callable[[Located], bool]
"""whether what is at a place may make way"""


def never(_: Located) -> bool:
    return False


def check(upload: StagedUpload, volume: Volume, path: str, volumes: Volumes, may_replace: MayReplace = never) -> None:
    """Raises DestinationTaken, ValueError, OSError where `place` could not succeed."""
    if upload.history.placed:
        return
    _must_be_proved(upload)
    with locate(volume, path, volumes) as place, opened(upload.tree.data, DIRECTORY) as data:
        if replacing.is_thing(upload.history.placing, place.found, data):
            return
        _way(upload, place, volumes, may_replace)
        _staged(upload, data)
        if file_system(data) != place.file_system:
            raise ValueError(f"{upload.folder} is on another file system than {place.absolute}: were mounts changed?")
        dress_for(volume, place.parent)


def place(
    upload: StagedUpload, volume: Volume, path: str, volumes: Volumes, may_replace: MayReplace = never
) -> Arrival:
    """Where the entry lies then, and where what it replaced. Idempotent. Raises DestinationTaken, ValueError,
    OSError."""
    with upload.placing:
        if upload.history.placed:
            return Arrival(upload.history.placed, upload.history.kept)
        _must_be_proved(upload)
        with locate(volume, path, volumes) as spot, opened(upload.tree.data, DIRECTORY) as data, ExitStack() as stack:
            if replacing.is_thing(upload.history.placing, spot.found, data):
                parent = spot.parent
                _finish_link(upload, data)
            else:
                way = _way(upload, spot, volumes, may_replace)
                parent = make_parents(stack, spot, lambda folder: finish_parent(volume, folder))
                _move(upload, volume, spot, data, parent, way)
            os.fsync(parent)
            os.fsync(data)
            kept = replacing.settle(upload.folder, upload.history.placing)
            upload.note(placed_record(spot.absolute, kept), sync=True)
            return Arrival(spot.absolute, kept)


Way = Callable[[StagedUpload, int, int, Located], None]
"""how the entry comes to its place: given its staging, the folders where it is and where it goes, and the place"""


def _move(upload: StagedUpload, volume: Volume, spot: Located, data: int, parent: int, way: Way) -> None:
    source, waits = _staged(upload, data)
    if not waits:
        put_on(dress_for(volume, parent), upload.tree)
    above, _, _ = spot.absolute.rpartition("/")
    if real_path(parent) != (above or "/"):
        raise OSError(errno.ESTALE, "the folder above was moved just now", above)
    upload.note(placing_record(source), sync=True)
    try:
        way(upload, data, parent, spot)
    except (FileExistsError, rename.Unsupported) as error:
        raise DestinationTaken(detail=f"{spot.absolute} exists") from error
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        reason = f"{upload.folder} is on another file system than the destination: were mounts changed?"
        raise OSError(errno.EXDEV, reason, spot.absolute) from error


def _way(upload: StagedUpload, spot: Located, volumes: Volumes, may_replace: MayReplace) -> Way:
    """How to get to a place as it is now. Raises DestinationTaken where what is there must stay."""
    with replacing.kept_new(upload) as waiting:
        if waiting:
            _must_not_stay(spot, volumes)
            return replacing.swap
    there = spot.found
    if there is None:
        return _to_free_name
    if upload.manifest.is_dir and upload.history.placing and rename.is_claim(there):
        return _over_claim  # an attempt of ours left it there: nothing else is moved over
    if not may_replace(spot):
        raise DestinationTaken(detail=f"{spot.absolute} exists")
    _must_not_stay(spot, volumes)
    return replacing.swap


def _must_not_stay(spot: Located, volumes: Volumes) -> None:
    reason = replacing.must_stay(spot, volumes())
    if reason:
        raise DestinationTaken(detail=f"{spot.absolute} exists and cannot be replaced: {reason}")


def _to_free_name(upload: StagedUpload, data: int, parent: int, spot: Located) -> None:
    rename.move(data, upload.manifest.name, parent, spot.rest[-1])


def _over_claim(upload: StagedUpload, data: int, parent: int, spot: Located) -> None:
    rename.over_claim(data, upload.manifest.name, parent, spot.rest[-1])


def _finish_link(upload: StagedUpload, data: int) -> None:
    """A file that went by link has two names until this."""
    if found(data, upload.manifest.name):
        os.unlink(upload.manifest.name, dir_fd=data)


def _must_be_proved(upload: StagedUpload) -> None:
    if not upload.proved:
        raise ValueError(f"{upload.folder} has not been proved")


def _staged(upload: StagedUpload, data: int) -> tuple[os.stat_result, bool]:
    """The entry, and whether it waits in its keep already, dressed."""
    source = found(data, upload.manifest.name)
    if source is not None:
        return source, False
    with replacing.kept_new(upload) as waiting:
        source = found(*waiting) if waiting else None
    if source is None:
        raise FileNotFoundError(errno.ENOENT, "the staged entry is gone", upload.tree.base)
    return source, True
