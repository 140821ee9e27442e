"""What the tests of `stagedoor.volumes` share: a volume in a temporary folder, and somebody who sends bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blake3 import blake3
from xxhash import xxh3_128

from part_digest import of_runs
from stagedoor.lifecycle.needs import Arrival, FileHash, Proof
from stagedoor.model.entities import Volume
from stagedoor.model.manifest import File, Folder, Manifest
from stagedoor.model.tape import Range
from stagedoor.volumes import Disk
from stagedoor.volumes.following import STEP
from stagedoor.volumes.upload import StagedUpload

ID = "0123456789abcdef01234567"


def never() -> bool:
    return False


def volume(root: Path, code: str = "v", **more: Any) -> Volume:
    root.mkdir(parents=True, exist_ok=True)
    return Volume(id=code, code=code, root=str(root), **more)


def tree(files: dict[str, int], folders: tuple[str, ...] = (), *, name: str = "shot") -> Manifest:
    """A folder entry: sizes by path; folders above files are added."""
    above = {str(parent) for path in (*files, *folders) for parent in Path(path).parents} - {"."}
    paths = sorted(above | set(folders))
    return Manifest(
        name=name,
        is_dir=True,
        files=tuple(File(path, size, 1_500_000_000_123 + index) for index, (path, size) in enumerate(files.items())),
        folders=(Folder("", 1_400_000_000_000), *(Folder(path, 1_450_000_000_000) for path in paths)),
    )


def single(size: int, *, name: str = "plate.exr") -> Manifest:
    return Manifest(name=name, is_dir=False, files=(File("", size, 1_500_000_000_123),), folders=())


def content(size: int) -> bytes:
    return hashlib.shake_128(b"tape").digest(size)


class House:
    """One volume, one disk that can be killed and started again."""

    def __init__(self, root: Path, durability: str = "cache", step: int = STEP, **more: Any) -> None:
        self.volume = volume(root / "volume", **more)
        self.volumes = [self.volume]
        self.root = Path(self.volume.root)
        self.durability = durability
        self.proof = "device"
        self.step = step
        self.disk = self.start()
        self.folder = Path()

    def start(self) -> Disk:
        """A new process, as far as the disk can tell: nothing but the files is left."""
        self.disk = Disk(lambda _: self.durability, lambda: self.volumes, lambda _: self.proof, step=self.step)
        return self.disk

    def stage(self, manifest: Manifest, path: str = "a/b/shot", upload_id: str = ID) -> StagedUpload:
        self.folder = self.disk.create(self.volume, path, upload_id, manifest)
        return self.disk.open(self.folder, upload_id)

    def again(self, upload_id: str = ID) -> StagedUpload:
        return self.start().open(self.folder, upload_id)

    def proved(self, manifest: Manifest, path: str = "a/b/shot", upload_id: str = ID) -> StagedUpload:
        upload = self.stage(manifest, path, upload_id)
        if upload.size:
            send(upload, 0, upload.size)
        assert not upload.prove(never).lost
        return upload

    def place(self, path: str = "a/b/shot", upload_id: str = ID) -> str:
        return self.disk.place(self.folder, upload_id, self.volume, path).path

    def replace(self, path: str = "a/b/shot", upload_id: str = ID) -> Arrival:
        return self.disk.place(self.folder, upload_id, self.volume, path, replace=True)

    def check(self, path: str = "a/b/shot", upload_id: str = ID, *, replace: bool = False) -> None:
        self.disk.check(self.folder, upload_id, self.volume, path, replace=replace)


def digest(data: bytes, algorithm: str = "blake3", sizes: Sequence[int] = (), start: int = 0) -> bytes:
    """Of a part that begins there, on a tape of files of these sizes."""
    match algorithm:
        case "xxh128-runs":
            return of_runs(sizes, start, data)
        case "sha-256":
            return hashlib.sha256(data).digest()
    return blake3(data).digest()


def send(
    upload: StagedUpload,
    start: int,
    end: int,
    *,
    algorithm: str = "blake3",
    data: bytes | None = None,
    chunk: int = 7,
) -> None:
    """Send a range of the tape, in chunks that fit nothing."""
    data = content(upload.size)[start:end] if data is None else data
    sizes = [file.size for file in upload.manifest.files]
    writer = upload.begin(Range(start, end), algorithm, digest(data, algorithm, sizes, start))
    try:
        for at in range(0, len(data), chunk):
            writer.write(data[at : at + chunk])
        writer.commit()
    finally:
        writer.close()


def laid_out(upload: StagedUpload, base: Path) -> bytes:
    """The tape as it lies on disk."""
    return b"".join((base / file.path if file.path else base).read_bytes() for file in upload.manifest.files)


def hashes(tape: bytes, upload: StagedUpload) -> list[tuple[str, str, str]]:
    found, at = [], 0
    for file in upload.manifest.files:
        data = tape[at : at + file.size]
        found.append((file.path, xxh3_128(data).hexdigest(), blake3(data).hexdigest()))
        at += file.size
    return found


def of(proof: Proof) -> list[tuple[str, str, str]]:
    def told(file: FileHash) -> tuple[str, str, str]:
        return file.path, file.xxh128, file.blake3

    return [told(file) for file in proof.files]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(data)


def swap(path: Path) -> None:
    """Another file of the same size and time under its name."""
    times = path.stat()
    other = path.with_name("other")
    other.write_bytes(bytes(times.st_size))
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.rename(path)


def cut(path: Path) -> None:
    os.truncate(path, 3)


def remove(path: Path) -> None:
    path.unlink()
