"""The door to volumes on disk: staging and placing.

Rules
1. One object per upload and process. The last `KEPT_OPEN` stay in memory; older ones are flushed and go when nobody
   holds them, so that memory does not grow with the number of jobs.
2. Uploads are read while they arrive, by `READERS` threads in all (`following`).
3. What a file system can do is probed when a place on it is first looked at. Only a good answer is remembered.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from ..lifecycle.needs import Arrival, Copied, Spot, Upload, Wanted
from ..model.entities import Volume
from ..model.manifest import Manifest
from ..model.names import OURS
from . import copying, placing, replacing
from .following import STEP
from .history import History, Thing
from .journal import Journal
from .paths import FileSystem, Located, free, key, locate, real_path
from .probe import probe
from .staging import Staging, home
from .upload import StagedUpload

KEPT_OPEN = 64
READERS = max(1, (os.cpu_count() or 1) // 2)
_GATES = 64

log = logging.getLogger(__name__)


class Disk:
    """Implements `Storage`. `durability` answers `cache` or `flush`, `proof_from` `device` or `cache`, for what is
    staged in a folder; `volumes` the volumes as configured now; `step` how many bytes are waited for before they are
    read."""

    def __init__(
        self,
        durability: Callable[[Path], str],
        volumes: Callable[[], list[Volume]],
        proof_from: Callable[[Path], str] = lambda folder: "device",
        *,
        step: int = STEP,
    ) -> None:
        self._durability = durability
        self._proof_from = proof_from
        self._volumes = volumes
        self.readers = ThreadPoolExecutor(READERS, "stagedoor-follow")
        self._stopping = threading.Event()
        self._step = step
        self._lock = threading.Lock()
        self._gates = [threading.Lock() for _ in range(_GATES)]
        self._uploads: WeakValueDictionary[str, StagedUpload] = WeakValueDictionary()
        self._recent: OrderedDict[str, StagedUpload] = OrderedDict()
        self._capabilities: dict[FileSystem, dict[str, Any]] = {}

    def inspect(self, volume: Volume, path: str) -> Spot:
        try:
            with locate(volume, path, self._volumes) as place:
                able = self._able(place)
                room, total, device = free(place.parent_path)
                return Spot(
                    absolute=place.absolute,
                    key=key(place, able, volume.capabilities),
                    exists=place.found is not None,
                    can_replace=bool(able["exchange"]),
                    must_stay=replacing.must_stay(place, self._volumes()),
                    device=device,
                    free=room,
                    total=total,
                )
        except OSError as error:
            raise ValueError(_reason(volume, path, error)) from error

    def create(self, volume: Volume, path: str, upload_id: str, manifest: Manifest) -> Path:
        """Raises ValueError as `inspect` does, OSError."""
        with locate(volume, path, self._volumes) as place:
            self._able(place)
            with home(place.top):
                folder = Path(real_path(place.top)) / OURS / upload_id
                Staging(folder, upload_id).make(manifest, place.absolute)
                return folder

    def open(self, folder: Path, upload_id: str) -> StagedUpload:
        known = self.known(upload_id)
        if known:
            return known
        with self._gate(upload_id):
            known = self.known(upload_id)
            if known:
                return known
            durability, proof_from = partial(self._durability, Path(folder)), partial(self._proof_from, Path(folder))
            staging = Staging(Path(folder), upload_id)
            upload = StagedUpload(staging, durability, proof_from, self.readers, self._stopping.is_set, self._step)
            with self._lock:
                self._uploads[upload_id] = upload
                self._recent[upload_id] = upload
                older = self._recent.popitem(last=False)[1] if len(self._recent) > KEPT_OPEN else None
        if older:
            _flush(older)
        return upload

    def copy(self, upload: Upload, wanted: Sequence[Wanted], stop: Callable[[], bool]) -> Copied:
        assert isinstance(upload, StagedUpload)
        return copying.copy(upload, wanted, self._volumes, stop)

    def check(self, folder: Path, upload_id: str, volume: Volume, path: str, *, replace: bool = False) -> None:
        try:
            placing.check(self.open(folder, upload_id), volume, path, self._volumes, self._may(replace))
        except OSError as error:
            raise ValueError(_reason(volume, path, error)) from error

    def place(self, folder: Path, upload_id: str, volume: Volume, path: str, *, replace: bool = False) -> Arrival:
        return placing.place(self.open(folder, upload_id), volume, path, self._volumes, self._may(replace))

    def clear(self, folder: Path, upload_id: str) -> str:
        staging = Staging(Path(folder), upload_id)
        with self._gate(upload_id):
            with self._lock:
                self._uploads.pop(upload_id, None)
                self._recent.pop(upload_id, None)
            kept = replacing.settle(staging.folder, _thing_of(staging))
            staging.remove()
            return kept

    def remove_kept(self, path: str) -> None:
        replacing.remove(replacing.kept_folder(path))

    def stop(self) -> None:
        self._stopping.set()
        self.readers.shutdown()
        self.flush()

    def flush(self) -> None:
        with self._lock:
            uploads = list(self._uploads.values())
        for upload in uploads:
            _flush(upload)

    def known(self, upload_id: str) -> StagedUpload | None:
        with self._lock:
            upload = self._uploads.get(upload_id)
            if upload and upload_id in self._recent:
                self._recent.move_to_end(upload_id)
            return upload

    def _gate(self, upload_id: str) -> threading.Lock:
        """Opening and clearing one upload exclude each other, and keep few others waiting."""
        return self._gates[hash(upload_id) % _GATES]

    def _may(self, replace: bool) -> placing.MayReplace:
        return lambda place: replace and bool(self._able(place)["exchange"])

    def _able(self, place: Located) -> dict[str, Any]:
        """What the place's file system can do. Raises ValueError where that is not enough."""
        able = self._capabilities.get(place.file_system)
        if able is None:
            able = probe(real_path(place.top))
            if not able["safe"]:
                raise ValueError(f"{place.absolute}: nothing can be placed safely: {able['reason']}")
            self._capabilities[place.file_system] = able
        for name in place.rest:
            if len(name.encode()) > able["longest_name"]:
                raise ValueError(f"{place.absolute}: this disk takes names of {able['longest_name']} bytes at most")
        return able


def _thing_of(staging: Staging) -> Thing | None:
    """What the entry of a staging is on disk, if it was to be placed."""
    try:
        return History(Journal(staging.journal).read()).placing
    except FileNotFoundError:
        return None


def _flush(upload: StagedUpload) -> None:
    try:
        upload.flush()
    except OSError as error:
        log.warning("%s cannot be flushed: %s", upload.folder, error)


def _reason(volume: Volume, path: str, error: OSError) -> str:
    return f"{path!r} on volume {volume.code} ({volume.root}): {error.strerror or error} {error.filename or ''}".strip()
