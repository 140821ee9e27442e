"""A PostgreSQL server of one's own, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB")
"""quick and small, for what needs not survive a cut of the power"""


class Missing(Exception):
    """It is not installed."""


@contextmanager
def server(*settings: str) -> Iterator[str]:
    """`%s` in the URL is the database."""
    folder = Path(tempfile.mkdtemp(prefix="sd-pg-", dir="/tmp"))  # a socket's path must be short
    try:
        with _Server(folder, settings) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("; ".join(statements).encode())


class _Server:
    """Runs as an ordinary user: PostgreSQL refuses root."""

    def __init__(self, folder: Path, settings: tuple[str, ...]) -> None:
        self._folder = folder
        self._settings = settings
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": "postgres", "group": "postgres", "extra_groups": []}

    def __enter__(self) -> str:
        data, log = self._folder / "data", self._folder / "log"
        initdb, postgres = _program("initdb"), _program("postgres")
        if self._as:
            shutil.chown(self._folder, "postgres", "postgres")
        options = ["--username=stagedoor", "--auth=trust", "--encoding=UTF8", "--no-sync", "--locale=C.UTF-8"]
        if "--icu-locale" in self._run(initdb, "--help"):  # an order of words, not of bytes: as studios have
            options += ["--locale-provider=icu", "--icu-locale=en-US"]
        self._run(initdb, f"--pgdata={data}", *options)
        settings = [*self._settings, "listen_addresses=", f"unix_socket_directories={self._folder}"]
        command = [postgres, "-D", str(data), *(word for item in settings for word in ("-c", item))]
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, cwd="/", stdout=output, stderr=output, **self._as)
        self._wait(log)
        return f"postgresql://stagedoor@/%s?host={self._folder}"

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(20)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **self._as)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    def _wait(self, log: Path) -> None:
        ready = [_program("pg_isready"), "--quiet", f"--host={self._folder}"]
        for _ in range(400):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.05)
        raise AssertionError(log.read_text())


def _program(name: str) -> str:
    here = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(here[-1]) if here else shutil.which(name)
    if found is None:
        raise Missing("PostgreSQL is not installed: run `sh scripts/system-packages.sh`")
    return found
