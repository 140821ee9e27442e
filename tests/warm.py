"""Processes of the command `stagedoor` that need not load what they run: a process that has loaded all of it forks.

To load takes two seconds of a processor, in each of the thousand processes that the tests start.

Rules
1. What comes out is a process of its own, with its own arguments, environment, folder, stdin, stdout and stderr, and
   nothing else open: it is killed, waited for and read like any other.
2. Only after `use()`, which the tests call and what measures does not: otherwise processes are started as usual.
3. The environment is what the command reads, not what Python reads at its start (`PYTHONPATH` and the like): what is
   about that starts a process of its own.
"""

from __future__ import annotations

import array
import atexit
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

COMMAND = str(Path(sys.executable).with_name("stagedoor"))
LATER = (
    *("stagedoor.client", "stagedoor.client.session", "rich.console", "rich.table", "rich.progress", "encodings.idna"),
    *("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "dbos._sys_db_sqlite", "attrs"),
    *("anyio._backends._asyncio", "litestar._kwargs.kwargs_model", "litestar.exceptions.responses"),
    *("litestar.middleware.allowed_hosts", "litestar.middleware.csrf", "litestar.middleware.exceptions"),
    *("litestar.middleware.response_cache",),
)
"""what commands load only when they come to need it, and most do"""
_used = False


def use() -> None:
    global _used
    _used = True


def popen(
    words: Sequence[str], *, env: dict[str, str], cwd: Path | None = None, stdin: Any = None, stdout: Any = None
) -> Any:
    """`stagedoor` with these words, running; stderr goes where stdout goes."""
    if not _used:
        error = subprocess.STDOUT if stdout is not None else None
        return subprocess.Popen([COMMAND, *words], env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=error)
    if stdout is not subprocess.PIPE:
        return Forked(words, env, cwd, stdout, stdout)
    reading, writing = os.pipe()
    with open(writing, "wb") as pipe:
        forked = Forked(words, env, cwd, pipe, pipe)
    forked.stdout = open(reading, "rb")  # noqa: SIM115  as long as the process is
    return forked


def run(
    words: Sequence[str], *, env: dict[str, str], cwd: Path | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """`stagedoor` with these words, to its end, and what it said."""
    command = [COMMAND, *words]
    if not _used:
        return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        forked = Forked(words, env, cwd, out, err)
        try:
            code = forked.wait(timeout)
        except subprocess.TimeoutExpired:
            forked.kill()
            forked.wait()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())


def command_in(folder: Path) -> int:
    """Put a program `stagedoor` there, for a shell that has the folder in its path: it starts the command as `popen`
    does, hands signals on, and ends as that ends. Programs find the way by the descriptor, which is theirs to inherit.
    """
    folder.mkdir()
    program = folder / "stagedoor"
    program.write_text(STAND_IN.format(python=sys.executable, control=_forker().fileno()))
    program.chmod(0o755)
    return _forker().fileno()


STAND_IN = """#!{python} -IS
import json, os, signal, socket, sys
ended, told = os.pipe()
ask = {{"words": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}}
socket.send_fds(socket.socket(fileno={control}), [json.dumps(ask).encode()], [0, 1, 2, told])
os.close(told)
lines = os.fdopen(ended)
pid = int(lines.readline())
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: os.kill(pid, number))
code = int(lines.readline())
sys.exit(code if code >= 0 else 128 - code)
"""


class Forked:
    """What `subprocess.Popen` is, as far as it is needed. `ended` becomes readable when the process has ended."""

    stdout: IO[bytes] | None = None

    def __init__(self, words: Sequence[str], env: dict[str, str], cwd: Path | None, out: Any, err: Any) -> None:
        self.args = [COMMAND, *words]
        self.returncode: int | None = None
        self._ended, told = os.pipe()
        with open(os.devnull, "rb") as nothing:
            ask = {"words": list(words), "env": env, "cwd": str(cwd or Path.cwd())}
            files = [nothing.fileno(), *(given.fileno() if given else number for number, given in ((1, out), (2, err)))]
            socket.send_fds(_forker(), [json.dumps(ask).encode()], [*files, told])
        os.close(told)
        self.pid = int(self._line())

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[bytes, None]:
        assert self.stdout
        said, end = b"", time.monotonic() + (timeout or 1e6)
        while select.select([self.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
            more = os.read(self.stdout.fileno(), 65536)
            if not more:
                self.wait(max(0.0, end - time.monotonic()))
                return said, None
            said += more
        raise subprocess.TimeoutExpired(self.args, timeout or 0, said)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass  # it ended just now

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], timeout)[0]:
            self.returncode = int(self._line())
            os.close(self._ended)
        return self.returncode

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            more = os.read(self._ended, 1)
            assert more, "the process that forks has ended"
            line += more
        return line.decode()


@functools.cache
def _forker() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen([sys.executable, __file__], stdin=theirs.fileno())
    atexit.register(ours.close)
    return ours


# --- the process that forks ---------------------------------------------------------------------------------------


def _load() -> None:
    from stagedoor import cli

    importlib.import_module("stagedoor.bootstrap.serving")
    for module, _ in cli.COMMANDS.values():
        importlib.import_module(f"stagedoor.cli.{module}")
    for name in LATER:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _fork_when_asked() -> dict[str, Any] | None:
    """Returns in each process that is asked for, with what it shall be. None where nobody can ask any more."""
    control = socket.socket(fileno=os.dup(0))
    running: dict[int, int] = {}
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    while True:
        ready = select.select([control.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
            _tell_ended(running)
        if control.fileno() in ready:
            asked, files, _, _ = socket.recv_fds(control, 2**20, 4)
            if not asked:
                return None
            pid = os.fork()
            if not pid:
                control.detach()
                _take(files)
                return dict(json.loads(asked))
            running[pid] = files.pop()
            os.write(running[pid], b"%d\n" % pid)
            for number in files:
                os.close(number)


def _tell_ended(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        told = running.pop(pid)
        try:
            os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
        except BrokenPipeError:
            pass  # nobody waits for it
        os.close(told)


def _take(files: array.array[int] | list[int]) -> None:
    """Its three files, and nothing that was open before."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, given in enumerate(files[:3]):
        os.dup2(given, number)
    os.closerange(3, 1024)


def _become(asked: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    time.tzset()
    sys.argv = [COMMAND, *asked["words"]]
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in ((0, "r"), (1, "w"), (2, "w")))
    from stagedoor.cli import main

    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, int) and sys.argv[1:2] != ["serve"]:  # a server shows to the last that it ends well
            _end(ended.code)
        raise


def _end(code: int) -> None:
    """As the interpreter ends, but for one thing: it would free all that was loaded, piece by piece, and for that first
    copy it from the process that has loaded it."""
    threading._shutdown()  # type: ignore[attr-defined]  # those that the process waits for
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return  # nobody reads any more: the interpreter says so
    os._exit(code)


if __name__ == "__main__":
    _load()
    asked = _fork_when_asked()
    if asked:
        _become(asked)
