"""`cp -r`: what it takes to copy the files on this machine. No peer, the floor."""

from __future__ import annotations

from pathlib import Path

from ..contestant import Attempt, Contestant
from ..loads import Load


class Copy(Contestant):
    name = "cp"
    words = "cp -r, no net"

    def start(self) -> None:
        pass

    def prepare(self, load: Load, source: Path) -> Attempt:
        return Attempt(["cp", "-r", str(source), str(self.ground)])
