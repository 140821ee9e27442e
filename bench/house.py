"""Stagedoor as a contestant: a studio of its own for each way of measuring it.

1. "Upload alone" is `stagedoor job resume JOB` of a job that was made before the clock started, with no publish hook:
   process start, look at the source, sending, proof of every byte, placing. "Whole" is `stagedoor publish PATH` with
   both hooks, from process start to the end of the publish hook.
2. Every run is a new user's: nothing that an earlier run left can be used again.
3. Over a line that is to be measured with CUBIC the client, which would take BBR where it can, is kept to CUBIC.
4. `proof` says whether the proof reads what was written from the cache, or flushes it and reads it from the device.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from stagedoor import Session, scan
from stagedoor.model.errors import StagedoorError
from studio import STAGEDOOR, Account, Studio, clean

from .contestant import Attempt, Contestant
from .ground import Trash
from .loads import Load
from .place import LOOPBACK, Place
from .processes import Server, Unusable

COPYING_HOOK = """
import json, sys
with open(sys.argv[1]) as stream:
    data = json.load(stream)
for entry in data["files"]:
    entry["can_publish"] = True
    entry["path"] = "volume=projects/in/" + entry["filename"]
with open(sys.argv[2], "w") as stream:
    json.dump({"files": data["files"]}, stream)
"""
READING_HOOK = "import json, sys\njson.load(open(sys.argv[1]))\n"
DEFAULT_PROOF = "device"
READY_SECONDS = 60
PHASES = ("scan, check, submit", "upload, proof", "place, hook", "end noticed")
T = TypeVar("T")


class House:
    """A studio with a server process that is measured."""

    def __init__(self, folder: Path, place: Place, *, publish_hook: bool = True, tls: bool = False) -> None:
        self.studio = Studio(folder)
        self.place = place
        self._tls = tls
        self._fingerprint = ""
        self._server: Server | None = None
        self.studio.hook("pre-publish-server", COPYING_HOOK)
        if publish_hook:
            self.studio.hook("publish-server", READING_HOOK)

    def start(self) -> None:
        port = self.place.free_port()
        self.url = f"{'https' if self._tls else 'http'}://{self.place.host}:{port}"
        where = ["--home", str(self.studio.home), "--host", self.place.host, "--port", str(port)]
        how = ["--tls-self-signed"] if self._tls else [] if self.place == LOOPBACK else ["--insecure"]
        log = self.studio.folder / "server.out"
        self._server = Server(self.place, [STAGEDOOR, "serve", *where, *how], port, log, env=clean())
        self._wait_ready(log)

    def _wait_ready(self, log: Path) -> None:
        """The port may be open before the server has told its fingerprint, and before it answers."""
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            told = re.findall(r"Fingerprint .*: ([0-9a-f]{64})", log.read_text())
            self._fingerprint = told[-1] if self._tls and told else ""
            try:
                if self._fingerprint or not self._tls:
                    self.asking(self.studio.admin, lambda admin: admin.find_one("User"))
                    return
            except StagedoorError:
                pass
            time.sleep(0.05)
        raise Unusable(f"Stagedoor does not answer after {READY_SECONDS} s:\n{log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    @property
    def pid(self) -> int:
        assert self._server
        return self._server.pid

    def prove(self, how: str) -> None:
        """Set where the proof reads from."""
        if how != DEFAULT_PROOF:
            self.studio.command("settings", "set", "proof", how)

    def vendor(self) -> Account:
        """A new user."""
        code = f"{uuid.uuid4().hex[:12]}@vendor.example"
        made = self.asking(self.studio.admin, lambda admin: admin.create("user", {"code": code, "role": "standard"}))
        return Account(code, made["id"], made["api_key"])

    def asking(self, who: Account, ask: Callable[[Session], T]) -> T:
        """Ask the server something as its neighbour, not over the line."""

        def ask_once() -> T:
            with Session(self.url, who.code, who.api_key, fingerprint=self._fingerprint or None) as session:
                return ask(session)

        return self.place.beside_server(ask_once)

    def job(self, who: Account, source: Path) -> str:
        """A job that wants its bytes; its id."""

        def submit(session: Session) -> str:
            answer = session.publish(scan([str(source)]))["files"]
            tasks = [{"id": entry["id"], "source": entry["source"]} for entry in answer]
            hooks = [{"when": "publish-server", "data": {"files": answer}}]
            return str(session.create("job", {"code": source.name, "tasks": tasks, "hooks": hooks})["id"])

        return self.asking(who, submit)

    def env(self, who: Account) -> dict[str, str]:
        found = clean(STAGEDOOR_URL=self.url, STAGEDOOR_USER=who.code, STAGEDOOR_API_KEY=who.api_key)
        if self.place.congestion:
            found["STAGEDOOR_CONGESTION"] = self.place.congestion
        return {**found, "STAGEDOOR_TLS_FINGERPRINT": self._fingerprint} if self._fingerprint else found


class Stagedoor(Contestant):
    """`whole`, `proof` and `tls` tell the ways of measuring apart."""

    whole = False
    proof = "cache"
    words = "Stagedoor, upload alone"
    name = "stagedoor"
    options: tuple[str, ...] = ()

    def __init__(self, folder: Path, place: Place) -> None:
        super().__init__(folder, place)
        self.ground.rmdir()
        self.house = House(folder / "studio", place, publish_hook=self.whole, tls=self.tls)
        self.ground = self.house.studio.volume
        self._who = self.house.studio.admin
        self._job = ""

    def start(self) -> None:
        self.house.prove(self.proof)
        self.house.start()

    def stop(self) -> None:
        self.house.stop()

    @property
    def servers(self) -> list[int]:
        return [self.house.pid]

    def prepare(self, load: Load, source: Path) -> Attempt:
        self._who = self.house.vendor()
        if self.whole:
            words = ["publish", str(source)]
        else:
            self._job = self.house.job(self._who, source)
            words = ["job", "resume", self._job]
        return Attempt([STAGEDOOR, *words, *self.options, "--json"], env=self.house.env(self._who))

    def landed(self, source: Path) -> Path:
        return self.ground / "in" / source.name

    def arrived(self) -> int:
        return int(self._last_job()["received"])

    def facts(self) -> dict[str, Any]:
        if not self.whole:
            return {}
        job = self._last_job()
        proved = self.house.asking(self._who, lambda session: session.receipt(job)["proved"])
        return {
            "moments": [datetime.fromisoformat(text).timestamp() for text in (job["created"], proved, job["finished"])]
        }

    def clear(self, trash: Trash) -> None:
        """What is under way of a run that was cut off is given up first."""
        job = self._last_job()
        if job["status"] not in ("done", "aborted"):
            self.house.asking(self._who, lambda session: session.abort(job))
        if (self.ground / "in").exists():
            trash.take(self.ground / "in")

    def _last_job(self) -> dict[str, Any]:
        found = self.house.asking(self._who, lambda session: session.find_one("Job"))
        if found is None:
            raise Unusable("Stagedoor made no job")
        return found


class Flushed(Stagedoor):
    name = "stagedoor-flushed"
    words = "Stagedoor, upload alone, flushed"
    proof = "device"


class Tls(Stagedoor):
    name = "stagedoor-tls"
    words = "Stagedoor, upload alone, TLS"
    tls = True


class Whole(Stagedoor):
    name = "stagedoor-publish"
    words = "Stagedoor, whole publish"
    whole = True


class WholeFlushed(Whole):
    name = "stagedoor-publish-flushed"
    words = "Stagedoor, whole publish, flushed"
    proof = "device"
