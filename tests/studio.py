"""A real studio for tests: a home, volumes, users and a server process that can be killed and started again."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import warm
from stagedoor import Session

BIN = Path(sys.executable).parent
STAGEDOOR = str(BIN / "stagedoor")


@dataclass(frozen=True)
class Account:
    code: str
    id: str
    api_key: str


_first: list[tuple[Path, str]] = []
"""a home as it is after `init`, and what that said"""


@dataclass
class Studio:
    """`folder` holds the home, the volume `projects` (default, alias /Volumes/projects) and hook scripts."""

    folder: Path
    port: int = 0
    process: Any = None
    admin: Account = field(init=False)
    database: str = ""

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.volume = self.folder / "projects"
        self.volume.mkdir(parents=True)
        self.admin = _account(self._init())
        self.command("volume", "add", "projects", str(self.volume), "--default", "--alias", "/Volumes/projects")
        self.port = self.port or free_port()

    def _init(self) -> str:
        """What `init` said. Homes with a database of their own are copies of one: to make it takes half a second."""
        words = ("init", "--admin", "admin@studio.example", "--workspace", "studio", "--json")
        if self.database:
            return self.command(*words, "--database", self.database)
        if not _first:
            _first.append((Path(tempfile.mkdtemp(prefix="stagedoor-home-")) / "home", self.command(*words)))
            atexit.register(shutil.rmtree, _first[0][0].parent, ignore_errors=True)
            shutil.copytree(self.home, _first[0][0])
        else:
            shutil.copytree(_first[0][0], self.home)
        return _first[0][1]

    # --- administration, by the real command line

    def command(self, *words: str, check: bool = True) -> str:
        """Run an administrator's command on this home; what it printed."""
        done = warm.run([*words, "--home", str(self.home)], env=clean())
        if check and done.returncode:
            raise AssertionError(f"stagedoor {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def user(self, code: str, role: str = "standard") -> Account:
        return _account(self.command("user", "add", code, "--role", role, "--json"))

    def hook(self, name: str, script: str, *, suffix: str = ".py") -> Path:
        """Write a script and set it as a hook."""
        path = self.folder / f"{name}{suffix}"
        path.write_text(script)
        program = sys.executable if suffix == ".py" else "/bin/bash"
        output = " ${PATH_JSON_OUTPUT}" if name.startswith("pre-") else ""
        self.command("hook", "set", name, f"{program} {path} ${{PATH_JSON_INPUT}}{output}")
        return path

    def accept_everything(self, under: str = "in", **form: object) -> None:
        """A pre-publish hook that accepts every entry and puts it below `under`, with its own name."""
        self.hook(
            "pre-publish-server",
            "import json, sys\n"
            "data = json.load(open(sys.argv[1]))\n"
            "for entry in data['files']:\n"
            "    entry['can_publish'] = True\n"
            f"    entry['path'] = 'volume=projects/{under}/' + entry['filename']\n"
            f"answer = {{'files': data['files'], **json.loads({json.dumps(json.dumps(form))})}}\n"
            "json.dump(answer, open(sys.argv[2], 'w'))\n",
        )

    # --- the server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str, wait: bool = True) -> None:
        words = ["serve", "--home", str(self.home), "--port", str(self.port), *options]
        with (self.folder / "server.out").open("ab") as log:
            self.process = warm.popen(words, env=clean(), stdout=log)
        if wait and not options:
            self.wait_ready()

    def wait_ready(self, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process and self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.output()}")
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server is not ready after {seconds} s: {self.output()}")

    def output(self) -> str:
        return (self.folder / "server.out").read_text()[-4000:]

    def fingerprint(self) -> str:
        """Of its certificate. It may answer a moment before it has told it."""
        until(self._fingerprints)
        return self._fingerprints()[-1]

    def _fingerprints(self) -> list[str]:
        return re.findall(r"Fingerprint .*: ([0-9a-f]{64})\n", self.output())

    def kill(self) -> None:
        """End the server as a crash does."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def end(self) -> None:
        """Whatever it is doing, at once: nobody looks at it any more."""
        if self.process and self.process.poll() is None:
            self.kill()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the server did not end when told to: {self.output()}") from None

    # --- clients

    def session(self, who: Account) -> Session:
        return Session(url=self.url, username=who.code, api_key=who.api_key)

    def client(
        self, who: Account, *words: str, timeout: float = 90, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a vendor's command to its end."""
        return warm.run(words, env=self.env(who), cwd=cwd, timeout=timeout)

    def client_process(self, who: Account, *words: str) -> Any:
        return warm.popen(words, env=self.env(who), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def env(self, who: Account) -> dict[str, str]:
        return clean(STAGEDOOR_URL=self.url, STAGEDOOR_USER=who.code, STAGEDOOR_API_KEY=who.api_key)


def _account(printed: str) -> Account:
    made = json.loads(printed)
    return Account(made["user"], made["id"], made["api_key"])


def clean(**more: str) -> dict[str, str]:
    """The environment without what could steer Stagedoor from outside."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("STAGEDOOR_")}
    return {**kept, **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, furnish: Callable[[Studio], object] = Studio.accept_everything) -> Iterator[Studio]:
    """A studio with a running server, furnished before it starts."""
    made = Studio(folder / "studio")
    try:
        furnish(made)
        made.start()
        yield made
    finally:
        made.end()


def frames(folder: Path, numbers: Sequence[int], size: int = 4096, name: str = "shot") -> Path:
    """A folder of files that look like frames, with different content each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        content = (f"{folder.name}/{name}.{number}".encode() * (size // 8 + 1))[:size]
        (folder / f"{name}.{number:04}.exr").write_bytes(content)
    return folder


def tree(folder: Path) -> dict[str, bytes | None]:
    """What lies below a folder: contents of files by relative path, None for folders; without staging."""
    found: dict[str, bytes | None] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if ".stagedoor" in relative.parts:
            continue
        found[relative.as_posix()] = None if path.is_dir() else path.read_bytes()
    return found


def until(condition: object, seconds: float = 30, every: float = 0.02) -> None:
    """Wait until a callable says something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return
        time.sleep(every)
    raise AssertionError(f"{condition} did not come true within {seconds} s")
