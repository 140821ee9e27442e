"""copyparty and its own client with 8 connections: hashes on both sides, as Stagedoor does.

What it remembers of earlier uploads lies in a folder of its own, away from the files.
"""

from __future__ import annotations

from pathlib import Path

from ..contestant import PARALLEL, Attempt, Contestant, in_venv
from ..loads import Load
from ..processes import Server


class Copyparty(Contestant):
    name = "copyparty"
    words = "copyparty, u2c with 8 connections"
    http = True

    def start(self) -> None:
        self._client = in_venv("u2c")
        self._port = self.place.free_port()
        where = [
            "-i",
            self.place.host,
            "-p",
            str(self._port),
            "-v",
            f"{self.ground}::rwmd",
            "--hist",
            str(self.folder / "hist"),
        ]
        command = [in_venv("copyparty"), "-q", "--no-crt", *where]
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        self._server = Server(self.place, command, self._port, self.folder / "log", env=env, cwd=self.folder)

    def prepare(self, load: Load, source: Path) -> Attempt:
        url = f"http://{self.place.host}:{self._port}/"
        return Attempt([self._client, "-j", str(PARALLEL), url, str(source)], cwd=self.folder)
