"""The tus protocol: the server of its authors with their file store; tuspy, and tus-js-client with 8 at once.

The file store cannot put parts together, so one file is one stream. Files are called by ids there.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path

from ..contestant import BENCH, PARALLEL, Attempt, Contestant, in_venv, program
from ..loads import Load
from ..processes import Server, Unusable

HERE = Path(__file__).parent
MODULES = BENCH / "node" / "node_modules"


class Tus(Contestant):
    http = True
    keeps_names = False

    def start(self) -> None:
        node = program("node")
        if not (MODULES / "@tus" / "server").exists():
            raise Unusable("@tus/server is not in .bench/node; see scripts/bench-packages.sh")
        self._port = self.place.free_port()
        script = linked("tus_server.mjs")
        command = [node, str(script), self.place.host, str(self._port), str(self.ground)]
        self._server = Server(self.place, command, self._port, self.folder / "log")

    def prepare(self, load: Load, source: Path) -> Attempt:
        listed = self.folder / "list.json"
        listed.write_text(json.dumps([str(source / path) for path in load.paths()]))
        return Attempt([*self.client(), f"http://{self.place.host}:{self._port}/files", str(listed)])

    @abstractmethod
    def client(self) -> list[str]:
        """The command, without address and list of files."""

    def landed(self, source: Path) -> Path:
        return self.ground


class TusJs(Tus):
    name = "tus-js"
    words = "tus, tus-js-client with 8 at once"

    def client(self) -> list[str]:
        return [program("node"), str(linked("tus_client.mjs")), str(PARALLEL)]


class Tuspy(Tus):
    name = "tuspy"
    words = "tus, tuspy"

    def client(self) -> list[str]:
        return [in_venv("python"), str(HERE / "tus_client.py")]


def linked(script: str) -> Path:
    """A copy beside the packages: Node looks for them from where a script lies."""
    copy = BENCH / "node" / script
    copy.write_text((HERE / script).read_text())
    return copy
