"""What lies in staging that no job speaks of.

Rules
1. Only what we made is looked at: folders `.stagedoor` of our own user, at the top of a volume, at a mount below it,
   and wherever an upload was staged before.
2. Nothing is judged by its name alone: a leftover is told with the time of the last change to it.
3. Whatever is removed, no link is followed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..model.names import OURS
from .replacing import REPLACED


@dataclass(frozen=True, slots=True)
class Staged:
    """A folder in staging."""

    folder: Path
    changed: int
    """milliseconds since 1970: the last change that shows on its folders and its journal"""

    @property
    def upload_id(self) -> str:
        return self.folder.name

    @property
    def size(self) -> int:
        """Bytes that removing it frees."""
        return sum(path.lstat().st_blocks * 512 for path in self.folder.rglob("*") if not path.is_dir())

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def staged(roots: Iterable[str], parents: Iterable[str]) -> list[Staged]:
    """Everything in staging. `roots`: of the volumes; `parents`: `.stagedoor` folders where uploads were staged."""
    return [found for place in _places(roots, parents) for found in _within(place)]


def replaced(roots: Iterable[str], parents: Iterable[str]) -> list[Staged]:
    """Everything that was kept aside when entries replaced it."""
    return [found for place in _places(roots, parents) for found in _within(place / REPLACED)]


def _places(roots: Iterable[str], parents: Iterable[str]) -> list[Path]:
    places = {Path(parent) for parent in parents}
    for root in roots:
        places |= {Path(point) / OURS for point in (root, *_mounts_below(root))}
    return sorted(_real(places))


def _real(places: Iterable[Path]) -> set[Path]:
    """Folders that are ours, each once whatever the ways to it."""
    found = set()
    for place in places:
        with suppress(OSError):
            if place.name == OURS and not place.is_symlink() and place.stat().st_uid == os.geteuid():
                found.add(place.resolve())
    return found


def _within(place: Path) -> Iterator[Staged]:
    with suppress(OSError):
        for folder in sorted(place.iterdir()):
            if folder.name != REPLACED and folder.is_dir() and not folder.is_symlink():
                yield Staged(folder, _changed(folder))


def _changed(folder: Path) -> int:
    latest = 0.0
    for path in (folder, folder / "data", folder / "state", folder / "state" / "journal"):
        with suppress(OSError):
            latest = max(latest, path.lstat().st_mtime)
    return int(latest * 1000)


def _mounts_below(root: str) -> list[str]:
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return []
    real = os.path.realpath(root).rstrip("/") + "/"
    points = [re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), line.split()[4]) for line in lines]
    return [point for point in points if point.startswith(real)]
