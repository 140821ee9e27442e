"""What is sent: BIG, SEQ and SMALL, where asked for MANY, and smaller ones over lines that lag.

Random bytes, the same every time: they cannot be packed, and are nowhere twice.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

BLOCK = 1 << 20


@dataclass(frozen=True)
class Load:
    """`count` files of `size` bytes, spread over `folders`; 0: none."""

    name: str
    count: int
    size: int
    folders: int = 0
    stem: str = "shot"

    @property
    def bytes(self) -> int:
        return self.count * self.size

    @property
    def words(self) -> str:
        return f"{self.name}: {self.count:,} x {_binary(self.size)}"

    def scaled(self, scale: float) -> Load:
        """Fewer files; of a single file, fewer bytes."""
        if self.count == 1:
            return replace(self, size=max(1, int(self.size * scale)))
        folders = max(1, int(self.folders * scale)) if self.folders else 0
        return replace(self, count=max(1, int(self.count * scale)), folders=folders)

    def paths(self) -> list[str]:
        if not self.folders:
            return [f"{self.stem}.{1001 + number}.exr" for number in range(self.count)]
        return [f"{number % self.folders:03}/{self.stem}.{1001 + number}.exr" for number in range(self.count)]


LOADS = {
    load.name: load
    for load in (
        Load("BIG", 1, 4 << 30),
        Load("SEQ", 1000, 2 << 20),
        Load("SMALL", 10_000, 16 << 10, 100),
        Load("MANY", 100_000, 100),
    )
}
USUAL = ("BIG", "SEQ", "SMALL")
WAN_LOADS = {
    load.name: load
    for load in (Load("ONE", 1, 512 << 20), Load("FRAMES", 200, 2 << 20), Load("CRUMBS", 2000, 16 << 10, 20))
}


def made(load: Load, folder: Path) -> Path:
    """The tree of a load; made once and kept. A half-made one is made again."""
    tree = folder / f"{load.name.lower()}_{load.count}x{load.size}"
    done = folder / f"{tree.name}.made"
    if done.exists():
        return tree
    shutil.rmtree(tree, ignore_errors=True)
    for number, path in enumerate(load.paths()):
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_random(file, load.size, f"{load.name}/{number}")
    done.touch()
    return tree


def write_random(file: Path, size: int, seed: str) -> None:
    """Bytes that cannot be packed and are nowhere twice."""
    source = random.Random(seed)
    with file.open("wb") as stream:
        for start in range(0, size, BLOCK):
            stream.write(source.randbytes(min(BLOCK, size - start)))


def _binary(size: int) -> str:
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size} bytes"
