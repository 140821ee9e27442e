"""rclone over WebDAV, to its own WebDAV server, without the pause that it otherwise makes between two calls.

The server remembers folders that it made, so every run goes to a new one. Distributions may have an rclone that does
not know how to leave out the pause, and says nothing: with it 10,000 files take five minutes.
"""

from __future__ import annotations

from pathlib import Path

from ..contestant import PARALLEL, Attempt, Contestant, in_venv
from ..loads import Load
from ..place import Place
from ..processes import Server


class Rclone(Contestant):
    name = "rclone"
    words = "rclone over WebDAV, 8 at a time"
    http = True

    def start(self) -> None:
        self._rclone = in_venv("rclone")
        self._port = self.place.free_port()
        config = ["--config", str(self.folder / "rclone.conf")]
        (self.folder / "rclone.conf").touch()
        command = [
            self._rclone,
            "serve",
            "webdav",
            *config,
            "--addr",
            f"{self.place.host}:{self._port}",
            str(self.ground),
        ]
        self._server = Server(self.place, command, self._port, self.folder / "log")

    def __init__(self, folder: Path, place: Place) -> None:
        super().__init__(folder, place)
        self._turn = 0

    def prepare(self, load: Load, source: Path) -> Attempt:
        self._turn += 1
        remote = f":webdav,url='http://{self.place.host}:{self._port}',pacer_min_sleep=0s:run{self._turn}"
        fast = ["--transfers", str(PARALLEL), "--checkers", str(PARALLEL)]
        return Attempt([self._rclone, "--config", str(self.folder / "rclone.conf"), "copy", *fast, str(source), remote])

    def landed(self, source: Path) -> Path:
        return self.ground / f"run{self._turn}"
