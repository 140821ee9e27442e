"""FTP: pyftpdlib, and one curl that sends 8 files at a time."""

from __future__ import annotations

from pathlib import Path

from ..contestant import Attempt, Contestant, in_venv, program
from ..loads import Load
from ..processes import Server
from .web import curl, curl_list


class Ftp(Contestant):
    name = "ftp"
    words = "FTP: pyftpdlib, curl with 8 at a time"

    def start(self) -> None:
        self._curl = program("curl")
        self._port = self.place.free_port()
        where = ["-i", self.place.host, "-p", str(self._port), "-d", str(self.ground)]
        command = [in_venv("python"), "-m", "pyftpdlib", "--write", *where]
        self._server = Server(self.place, command, self._port, self.folder / "log")

    def prepare(self, load: Load, source: Path) -> Attempt:
        listed = curl_list(load, source, f"ftp://{self.place.host}:{self._port}", self.folder / "curl.list")
        return Attempt(curl(self._curl, listed, ["--ftp-create-dirs"]))
