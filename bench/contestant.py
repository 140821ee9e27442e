"""What takes part: something that takes a tree from here to there."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from . import ground
from .loads import Load
from .place import Place
from .processes import Server, Unusable

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT / ".bench"
PARALLEL = 8
"""how many files, or connections, a client sends at a time where it can be told"""


@dataclass(frozen=True)
class Attempt:
    """A client to be run once."""

    command: list[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None


class Contestant(ABC):
    """`ground` is the folder where files arrive; it stays while what it holds comes and goes."""

    name: ClassVar[str]
    words: ClassVar[str]
    http: ClassVar[bool] = False
    tls: bool = False
    keeps_names: ClassVar[bool] = True

    def __init__(self, folder: Path, place: Place) -> None:
        self.folder = folder
        self.place = place
        self.ground = folder / "files"
        self.ground.mkdir(parents=True)
        self._server: Server | None = None

    @abstractmethod
    def start(self) -> None:
        """Raises Unusable where something is missing."""

    def stop(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    @property
    def servers(self) -> list[int]:
        return [self._server.pid] if self._server else []

    @abstractmethod
    def prepare(self, load: Load, source: Path) -> Attempt:
        """What has to be there before the clock starts, and the command that is timed."""

    def landed(self, source: Path) -> Path:
        """Where the tree is, once it has arrived."""
        return self.ground / source.name

    def arrived(self) -> int:
        """Bytes that are there of a run that was cut off."""
        return ground.arrived(self.ground)

    def facts(self) -> dict[str, Any]:
        """What else is known of the last run."""
        return {}

    def clear(self, trash: ground.Trash) -> None:
        trash.take(self.ground)


def program(name: str) -> str:
    """Its path. Raises Unusable."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not found:
        raise Unusable(f"{name} is not installed; see scripts/bench-packages.sh")
    return found


def in_venv(name: str) -> str:
    """A program of the peers' Python packages. Raises Unusable."""
    path = BENCH / "venv" / "bin" / name
    if not path.exists():
        raise Unusable(f"{name} is not in .bench/venv; see scripts/bench-packages.sh")
    return str(path)


def end(servers: list[Contestant]) -> None:
    """All of them, also when one does not end well."""
    for one in servers:
        with suppress(Exception):
            one.stop()
