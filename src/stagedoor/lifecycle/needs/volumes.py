"""What the steps ask of disks: staging and placing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from ...model.entities import (
    Volume,
)
from ...model.manifest import Manifest
from ...model.tape import Range, Ranges


class InTheWay(ValueError):
    """A file stands where a place needs a folder: for a vendor, the place is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What is known of a place before anything is there."""

    absolute: str
    """where it will be, links resolved as far as it exists"""
    key: str
    """`absolute` as its file system compares names: equal keys are the same place"""
    exists: bool
    can_replace: bool
    """whether its file system can let two things change places"""
    must_stay: str
    """why that which is there can never be replaced; empty where it can"""
    device: int
    free: int
    total: int


class Arrival(NamedTuple):
    path: str
    """absolute"""
    kept: str
    """where that lies which was there before; empty where nothing was"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHash:
    path: str
    size: int
    modified: int | None
    xxh128: str
    blake3: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The outcome of reading everything once. With `lost` ranges there are no hashes."""

    lost: Ranges
    files: tuple[FileHash, ...] = ()
    read_from: str = "cache"
    """`device`, or `cache` where pages could not be dropped"""


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry at its place."""

    volume: Volume
    path: str


@dataclass(frozen=True, slots=True)
class Staged:
    """An entry in the staging of another upload."""

    folder: Path
    name: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of an upload that may be here already."""

    file: int
    """its number in the manifest"""
    blake3: bytes
    """of its content"""
    origins: Sequence[tuple[Placed | Staged, str]]
    """where to look: an entry, and the relative path in it"""


@dataclass(frozen=True, slots=True)
class Copied:
    received: list[int]
    """numbers of files that are there now, whoever brought them"""
    left: list[int]
    """those not looked at before `stop` said so"""


class PartWriter(Protocol):
    """Takes the bytes of one part, in order. One thread at a time."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Raises OSError (ENOSPC ...) from the disk, BadRange for more bytes than announced, RangeInFlight when
        another connection took the range over because this one stalled."""
        ...

    def commit(self) -> None:
        """Check length and digest, record the bytes as received. Raises DigestMismatch; nothing counts then."""
        ...

    def close(self) -> None:
        """Free the range. Without a commit nothing of this part counts. May be called again."""
        ...


class Upload(Protocol):
    """The staging of one task: what arrived, and where it lies. Safe for use by many threads."""

    @property
    def folder(self) -> Path: ...
    @property
    def manifest(self) -> Manifest: ...
    @property
    def size(self) -> int: ...
    @property
    def received(self) -> int: ...
    @property
    def complete(self) -> bool: ...

    def missing(self) -> Ranges: ...

    def begin(self, part: Range, algorithm: str, digest: bytes) -> PartWriter:
        """Open a part. Raises RangeInFlight where another connection is sending bytes of it."""
        ...

    def prove(self, stop: Callable[[], bool]) -> Proof:
        """Flush, read everything once, compare with the digests of what was written; what does not match is dropped
        from what was received. Idempotent. `stop` is asked now and then; InterruptedError when it says so."""
        ...


class Storage(Protocol):
    """Volumes on disk: staging and placing."""

    def inspect(self, volume: Volume, path: str) -> Spot:
        """Raises ValueError (for the studio's log) where nothing can ever be placed there: it leaves the volumes by a
        link, the name is too long for the disk, the disk cannot place safely; InTheWay where a file stands where a
        folder must be."""
        ...

    def create(self, volume: Volume, path: str, upload_id: str, manifest: Manifest) -> Path:
        """Make the staging of an upload whose entry will go to `path`; its folder. Idempotent."""
        ...

    def open(self, folder: Path, upload_id: str) -> Upload:
        """The upload that is staged there, one object per upload and process. After an unclean end of the server,
        what is not known to be on the device is read again here first. Raises FileNotFoundError."""
        ...

    def known(self, upload_id: str) -> Upload | None:
        """The same upload, where this process has it open already."""
        ...

    def copy(self, upload: Upload, wanted: Sequence[Wanted], stop: Callable[[], bool]) -> Copied:
        """Copy files that are here already into an upload, sharing their blocks where the disk can. Only what is read
        back with the digest that was wanted counts as received. `stop` is asked between files. Raises OSError from
        the disk of the upload; what was received before stays."""
        ...

    def check(self, folder: Path, upload_id: str, volume: Volume, path: str, *, replace: bool = False) -> None:
        """Just before placing: raises DestinationTaken or ValueError where `place` could not succeed. Passes where
        the entry has been placed already."""
        ...

    def place(self, folder: Path, upload_id: str, volume: Volume, path: str, *, replace: bool = False) -> Arrival:
        """Move the proved entry to its place, at once. What is there stays, unless `replace`: then the two change
        places, and the old one is kept aside. Journalled before and after: a repeat after a crash finds out whether
        it happened. Raises DestinationTaken, OSError."""
        ...

    def clear(self, folder: Path, upload_id: str) -> str:
        """Remove what is left of a staging; where that lies which the entry replaced, if it did. Idempotent."""
        ...

    def remove_kept(self, path: str) -> None:
        """Remove what was kept aside, as `place` named it. Idempotent. Raises OSError, ValueError."""
        ...

    def stop(self) -> None:
        """Before a clean end: read no more, and flush every open upload, so that nothing need be read again."""
        ...
