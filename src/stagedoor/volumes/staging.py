"""Where uploads in progress lie, and the documents beside their bytes.

    .stagedoor/               mode 0700, at the top of a file system within a volume
      <upload id>/
        data/<entry name>     the vendor's tree, and nothing else
        state/manifest        what was offered; made last, so that it says the staging is whole
        state/journal         what was received
        state/proof           the hashes, once everything is proved

Rules
1. The vendor's names stand below `data/` only, ours below `state/` only.
2. A document is written beside its place, flushed and renamed: it is whole or not there.
3. Whatever is removed, no link is followed.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ..lifecycle.needs import FileHash, Proof
from ..model.manifest import File, Folder, Manifest
from ..model.names import OURS
from ..model.tape import Ranges, Tape

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
REAL_DIRECTORY = DIRECTORY | os.O_NOFOLLOW
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NAMES, _DIGESTS = 3, 0
"""how hard documents are compressed: names of frames resemble each other, digests take long and shrink to half"""


class _Offered(msgspec.Struct, kw_only=True):
    format: int = 1
    place: str
    """for people: where the entry will go"""
    name: str
    is_dir: bool
    files: list[File]
    folders: list[Folder]


class _Proved(msgspec.Struct, kw_only=True):
    format: int = 1
    read_from: str
    files: list[FileHash]


@contextmanager
def opened(path: str, flags: int, folder: int | None = None) -> Iterator[int]:
    """A descriptor that is closed at the end."""
    file = os.open(path, flags | os.O_CLOEXEC, dir_fd=folder)
    try:
        yield file
    finally:
        os.close(file)


class Tree:
    """The vendor's files as they lie in staging."""

    def __init__(self, data: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.tape = Tape([file.size for file in manifest.files])
        self.data = str(data)
        self.base = f"{data}/{manifest.name}"

    def path(self, relative: str) -> str:
        """Where a file or folder of the manifest lies."""
        return f"{self.base}/{relative}" if relative else self.base

    def file(self, index: int) -> str:
        return self.path(self.manifest.files[index].path)

    def make_folders(self) -> None:
        for folder in self.manifest.folders:
            Path(self.path(folder.path)).mkdir(mode=0o700, parents=True, exist_ok=True)


class Staging:
    """The folder of one upload."""

    def __init__(self, folder: Path, upload_id: str) -> None:
        if not _ID.fullmatch(upload_id) or folder.name != upload_id or folder.parent.name != OURS:
            raise ValueError(f"{folder} is not the staging of upload {upload_id!r}")
        self.folder = folder
        self.data = folder / "data"
        self.journal = folder / "state" / "journal"
        self._state = folder / "state"

    def make(self, manifest: Manifest, place: str) -> None:
        """Make everything up to the manifest. Raises FileExistsError where another manifest is staged here."""
        with suppress(FileNotFoundError):
            if self.manifest() != manifest:
                raise FileExistsError(errno.EEXIST, "another manifest is staged here", str(self.folder))
            return
        for folder in (self.folder, self.data, self._state):
            folder.mkdir(mode=0o700, exist_ok=True)
        Tree(self.data, manifest).make_folders()
        self.journal.touch(mode=0o600)
        document = _Offered(
            place=place,
            name=manifest.name,
            is_dir=manifest.is_dir,
            files=list(manifest.files),
            folders=list(manifest.folders),
        )
        self._keep("manifest", document, _NAMES)
        sync_folders([self.folder, self.folder.parent])

    def manifest(self) -> Manifest:
        """Raises FileNotFoundError."""
        kept = msgspec.json.decode(self._kept("manifest"), type=_Offered)
        return Manifest(name=kept.name, is_dir=kept.is_dir, files=tuple(kept.files), folders=tuple(kept.folders))

    def keep_proof(self, proof: Proof) -> None:
        self._keep("proof", _Proved(read_from=proof.read_from, files=list(proof.files)), _DIGESTS)

    def proof(self) -> Proof | None:
        try:
            kept = msgspec.json.decode(self._kept("proof"), type=_Proved)
        except FileNotFoundError:
            return None
        return Proof(lost=Ranges(), files=tuple(kept.files), read_from=kept.read_from)

    def remove(self) -> None:
        """Idempotent, also while bytes are still being written here."""
        for attempt in range(20):
            try:
                shutil.rmtree(self.folder)
                return
            except FileNotFoundError:
                if not self.folder.exists():
                    return
            except OSError as error:
                if error.errno != errno.ENOTEMPTY or attempt == 19:
                    raise

    def _keep(self, name: str, document: msgspec.Struct, level: int) -> None:
        fresh = self._state / f"{name}.new"
        with fresh.open("wb") as file:
            file.write(zlib.compress(msgspec.json.encode(document), level))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._state / name)
        sync_folders([self._state])

    def _kept(self, name: str) -> bytes:
        return zlib.decompress((self._state / name).read_bytes())


@contextmanager
def home(top: int) -> Iterator[int]:
    """The `.stagedoor` in an open folder, made where it is missing. Raises OSError where it is a link, or another's."""
    with suppress(FileExistsError):
        os.mkdir(OURS, 0o700, dir_fd=top)
    with opened(OURS, REAL_DIRECTORY, top) as folder:
        found = os.fstat(folder)
        if found.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, f"{OURS} belongs to another user", OURS)
        if stat.S_IMODE(found.st_mode) != 0o700:
            os.fchmod(folder, 0o700)
        for attribute in ("system.posix_acl_default", "system.posix_acl_access"):
            with suppress(OSError, AttributeError):  # not on macOS; mostly there is none
                os.removexattr(folder, attribute)
        yield folder


def sync_folders(folders: Iterable[str | Path]) -> None:
    for folder in folders:
        with opened(str(folder), os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            os.fsync(descriptor)
