"""The ground where files arrive, and what happens to them between two runs.

1. Nothing is removed before the last run: files are truncated, which gives their blocks back, and the tree is renamed
   into a trash folder of the same file system.
2. Bytes still to be written belong to whoever wrote them: everything is on the device before the next run begins.
3. Over loopback the memory that a run will fill has been touched just before, whoever's run it is.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

COMPARE_BLOCK = 4 << 20
_NOTHING = bytes(2 << 20)


class Trash:
    """Trees that are no longer needed; emptied at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, ground: Path) -> None:
        """Everything inside of a folder, which itself stays."""
        for path in sorted(ground.iterdir()):
            for file in _files(path):
                with suppress(FileNotFoundError):  # of a run that was cut off, its server may still tidy up
                    os.truncate(file, 0)
            self._count += 1
            path.rename(self._folder / str(self._count))

    def empty(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def sync(folder: Path) -> float:
    """Seconds until everything on the file system of a folder is on the device."""
    began = time.perf_counter()
    handle = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle):
            raise OSError(ctypes.get_errno(), "syncfs", str(folder))
    finally:
        os.close(handle)
    return time.perf_counter() - began


def touch_memory(folder: Path, size: int) -> None:
    """Have the machine give the memory that so many bytes of files will want, by files here that are emptied at once.

    A virtual machine may give memory that it does not use back to its host, within seconds; the first touch of it takes
    longer then than everything else that happens to a byte, and whose turn it is would depend on who was there before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / str(number) for number in range(-(-size // len(_NOTHING)))]
    for file in files:
        file.write_bytes(_NOTHING)
    for file in files:
        os.truncate(file, 0)


def arrived(folder: Path) -> int:
    """Bytes in files, of those set aside in advance the ones written."""
    total = 0
    for file in _files(folder):
        try:
            found = file.stat()
        except FileNotFoundError:
            continue
        total += min(found.st_size, found.st_blocks * 512)
    return total


def differences(source: Path, target: Path, *, contents: bool, names: bool = True) -> str:
    """In words, what arrived otherwise than it was sent; empty where nothing did.

    Without `names` only sizes are compared: some servers give files names of their own.
    """
    sent = {str(file.relative_to(source)): file for file in _files(source)}
    got = {str(file.relative_to(target)): file for file in _files(target)}
    if not names:
        same = sorted(file.stat().st_size for file in sent.values()) == sorted(
            file.stat().st_size for file in got.values()
        )
        return "" if same else f"{len(got)} files arrived of {len(sent)}, or of other sizes"
    if sent.keys() != got.keys():
        odd = min(sent.keys() ^ got.keys())
        return f"{len(got)} files arrived of {len(sent)}; {odd} is on one side only"
    for name, file in sent.items():
        if file.stat().st_size != got[name].stat().st_size or (contents and not _same(file, got[name])):
            return f"{name} is not what was sent"
    return ""


def _same(one: Path, other: Path) -> bool:
    with one.open("rb", 0) as left, other.open("rb", 0) as right:
        while True:
            block = left.read(COMPARE_BLOCK)
            if block != right.read(COMPARE_BLOCK):
                return False
            if not block:
                return True


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
