"""What a user sent before, and where it may still lie.

Rules
1. Only the user's own other jobs are looked at: the newest `ENTRIES` entries of them.
2. Of the entries whose names have one stem the newest `ALIKE` are read; `FILES` files in all at the most.
3. What was placed is known by its receipt, content and all. Of what was not, whatever became of its job, the files that
   lie whole in its staging are known by name and size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from ..model.entities import Earlier, Job, Volume
from ..model.likeness import stem
from ..model.tape import Tape
from .needs import House, JobBook, Placed, Staged, Storage, Upload

ENTRIES = 2000
ALIKE = 4
FILES = 400_000


class KnownFile(msgspec.Struct, frozen=True):
    """A file of a receipt; of a staging, without its digest."""

    path: str
    size: int
    blake3: str = ""


class Known(NamedTuple):
    stem: str
    """of the entry's name"""
    origin: Placed | Staged
    files: list[KnownFile]


class _ReceiptEntry(msgspec.Struct):
    id: str
    files: list[KnownFile]


class _Receipt(msgspec.Struct):
    entries: list[_ReceiptEntry]


class Shelf:
    def __init__(self, house: House, jobs: JobBook, storage: Storage) -> None:
        self._house = house
        self._jobs = jobs
        self._storage = storage

    def alike(self, job: Job, filenames: Iterable[str]) -> Iterator[Known]:
        """Entries of this job's user that resemble these, newest first."""
        chosen = self._choose(job, {stem(name) for name in filenames})
        volumes = {volume.id: volume for volume in self._house.volumes() if volume.enabled}
        for job_id, entries in groupby(chosen, key=lambda entry: entry.job_id):
            its = list(entries)
            yield from self._placed(job_id, [entry for entry in its if entry.placed], volumes)
            for entry in its:
                if not entry.placed and (upload := self._open(entry)):
                    yield Known(stem(entry.filename), Staged(upload.folder, upload.manifest.name), _whole(upload))

    def _choose(self, job: Job, stems: Set[str]) -> Iterator[Earlier]:
        seen: Counter[str] = Counter()
        files = 0
        for entry in self._jobs.earlier(job.user_id, job.id, ENTRIES):
            name = stem(entry.filename)
            if name in stems and seen[name] < ALIKE and files + entry.file_count <= FILES:
                seen[name] += 1
                files += entry.file_count
                yield entry

    def _placed(self, job_id: str, entries: list[Earlier], volumes: dict[str, Volume]) -> Iterator[Known]:
        body = self._jobs.receipt(job_id) if entries else None
        if body is None:
            return
        files = {entry.id: entry.files for entry in msgspec.json.decode(body, type=_Receipt).entries}
        for entry in entries:
            volume = volumes.get(entry.place.volume_id)
            if volume and entry.id in files:
                yield Known(stem(entry.filename), Placed(volume, entry.place.path), files[entry.id])

    def _open(self, entry: Earlier) -> Upload | None:
        try:
            return self._storage.open(Path(entry.staging), entry.upload_id)
        except OSError:
            return None  # it has been cleared, or its disk is away


def _whole(upload: Upload) -> list[KnownFile]:
    """The files of a staging that have arrived from first byte to last."""
    lacking = lacking_files(upload)
    files = upload.manifest.files
    return [KnownFile(file.path, file.size) for index, file in enumerate(files) if index not in lacking]


def lacking_files(upload: Upload) -> dict[int, int]:
    """Numbers of the files that miss something, and how many bytes."""
    tape = Tape([file.size for file in upload.manifest.files])
    lacking: Counter[int] = Counter()
    for gap in upload.missing():
        for piece in tape.pieces(gap.start, gap.end):
            lacking[piece.file] += piece.size
    return lacking
