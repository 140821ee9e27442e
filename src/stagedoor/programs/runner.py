"""A hook's run, from start to end.

Rules
1. The line is split as a POSIX shell splits it; then placeholders are replaced inside the words. No shell runs.
2. The environment is PATH, HOME, USER, LANG, TMPDIR and TZ, what the hook's configuration names, and the run's mark.
   Nothing else of the server's environment is passed on. A hook of another system user is run as that (`person`).
3. The process number is in the run's record before anything is waited for.
4. When `run` returns, every process of the run is gone, however it ended.
5. Whatever a hook does (hangs, floods, dies, deletes its files), `run` ends in time, with an outcome and a record.
   Only `shutdown` makes it raise: InterruptedError, and the outcome is left open.
"""

from __future__ import annotations

import logging
import os
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from blake3 import blake3

from ..lifecycle.needs import Clock, Outcome, RunOrder
from ..model.entities import HookRun, RunState
from ..model.hooks import HookName
from . import processes
from .capture import Capture
from .environment import environment
from .person import NotPossible, Person, person, take_back
from .record import OUTPUT_PLACEHOLDER, AnswerUnreadable, RunFolder

_CHUNK = 65536
_LAST_READS = 64
"""reads of what is left in a pipe at the end: more than a pipe holds, and an end to one that somebody still fills"""
log = logging.getLogger(__name__)


class Records(Protocol):
    """What is asked of the run book."""

    def update(self, run_id: str, **changes: Any) -> None: ...


class Nowhere:
    """The run book of what is only tried out: nothing is recorded."""

    def update(self, run_id: str, **changes: Any) -> None: ...


class ProgramRunner:
    """Runs hooks; any number of threads at once.

    `home` holds the folders of the runs; `grace` seconds a program has between being asked to end and being made to.
    """

    def __init__(self, home: Path, runs: Records, clock: Clock, *, grace: float = processes.GRACE_SECONDS) -> None:
        self._grace = grace
        self._folders = home.absolute() / "runs"
        self._runs = runs
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: dict[str, _Running] = {}
        self._closed = False
        self.on_end: Callable[[str, str, float], None] = lambda hook, state, seconds: None
        """told the hook, the outcome and the seconds of every run that ended"""

    def version(self, command: str) -> str:
        """A hash over the line and the content of every file it names by its absolute path."""
        hasher = blake3(command.encode(errors="surrogateescape"))
        for path in _named_files(command):
            with suppress(OSError), path.open("rb") as stream:
                hasher.update(str(path).encode(errors="surrogateescape"))
                while chunk := stream.read(2**20):
                    hasher.update(chunk)
        return hasher.hexdigest()[:32]

    def folder(self, run_id: str) -> Path:
        return self._folders / run_id

    def read_record(self, run_id: str, most: int = -1) -> dict[str, str]:
        """`input`, `output`, `stdout`, `stderr` of a run as text, of each the first `most` bytes; empty where there is
        none."""
        return RunFolder(self.folder(run_id)).read(most)

    def remove(self, run_id: str) -> None:
        """Forget what was kept of a run. Idempotent."""
        shutil.rmtree(self.folder(run_id), ignore_errors=True)

    def run(self, order: RunOrder) -> Outcome:
        """Run to the end. Raises InterruptedError after `shutdown`; no outcome is recorded then."""
        began = time.monotonic()
        outcome = self._run(order, self._runs)
        self.on_end(str(order.run.hook), str(outcome.state), time.monotonic() - began)
        return outcome

    def try_out(self, order: RunOrder) -> Outcome:
        """The same, and nothing is recorded, kept or counted."""
        try:
            return self._run(order, Nowhere())
        finally:
            self.remove(order.run.id)

    def _run(self, order: RunOrder, book: Records) -> Outcome:
        running = _Running(order, RunFolder(self.folder(order.run.id)))
        with self._listed(running):
            error = self._start(running)
            outcome = _failed(error) if error else self._finish(running, book)
            book.update(
                order.run.id,
                state=outcome.state,
                exit_code=outcome.exit_code,
                ended=self._clock(),
                error=outcome.error,
            )
        return outcome

    def end(self, run: HookRun) -> None:
        """End what is left of a run that an earlier server began. Raises TimeoutError where that is not possible."""
        same = run.pid is not None and run.pid_started != "" and processes.started(run.pid) == run.pid_started
        processes.end(run.id, run.pid if same else None, grace=self._grace)

    def end_job(self, job_id: str) -> None:
        """End a job's publish hook that is under way here, and wait until it has ended; it counts as cancelled."""
        with self._lock:
            runs = [(item, item.order.run) for item in self._under_way.values()]
        found = [item for item, run in runs if run.job_id == job_id and run.hook is HookName.PUBLISH]
        _stop(found, RunState.CANCELLED)

    def shutdown(self) -> None:
        """End all runs under way, and wait until they have ended; no outcome is recorded. New ones are refused."""
        with self._lock:
            self._closed = True
            found = list(self._under_way.values())
        _stop(found, RunState.LOST)

    @contextmanager
    def _listed(self, running: _Running) -> Iterator[None]:
        with self._lock:
            if self._closed:
                running.close()
                raise InterruptedError("the server is shutting down")
            self._under_way[running.order.run.id] = running
        try:
            yield
        finally:
            with self._lock:
                del self._under_way[running.order.run.id]
            running.close()

    def _start(self, running: _Running) -> str:
        """Start the program; what went wrong, or nothing."""
        order = running.order
        try:
            words = shlex.split(order.run.command)
        except ValueError as error:
            return f"the command line cannot be read ({error}): check its quotes"
        if not words:
            return "the command line is empty: set one with `stagedoor hook set`"
        try:
            running.folder.make(order.input, order.files)
            running.become(person(order.run_as), self._folders.parent)
        except NotPossible as error:
            return f"the hook cannot run as {order.run_as}: {error}"
        except OSError as error:
            return f"the hook's input cannot be written: {error}"
        try:
            running.start([running.folder.replace_placeholders(word) for word in words])
        except (OSError, ValueError) as error:
            with suppress(OSError):
                running.folder.keep(order.input, None, b"", b"")
            return f"the program {words[0]!r} cannot be started ({error}): check the command line"
        return ""

    def _finish(self, running: _Running, book: Records) -> Outcome:
        order = running.order
        pid = running.process.pid
        left_behind = ""
        try:
            book.update(order.run.id, pid=pid, pid_started=processes.started(pid))
            reason = running.watch(order.seconds)
        finally:
            try:
                processes.end(order.run.id, pid, grace=self._grace, wait=running.drain)
            except TimeoutError as error:
                left_behind = str(error)
            exit_code = running.reap()
        outcome = _outcome(running, reason, exit_code, left_behind)
        with suppress(OSError):  # where the hook has removed it, nothing is to be had back
            running.take_back()
        try:
            running.folder.keep(order.input, outcome.output, running.stdout.value(), running.stderr.value())
        except OSError as error:
            log.warning("the record of hook run %s cannot be kept: %s", order.run.id, error)
        if reason is RunState.LOST:
            raise InterruptedError("the server is shutting down")
        return outcome


class _Running:
    """A run under way. `stop` may be called by any thread, all else by the one that runs it."""

    process: subprocess.Popen[bytes]

    def __init__(self, order: RunOrder, folder: RunFolder) -> None:
        self.order = order
        self.folder = folder
        self.stdout = Capture()
        self.stderr = Capture()
        self.over = threading.Event()
        self._reason: RunState | None = None
        self._wake, self._sleeper = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._sleeper, selectors.EVENT_READ)
        self._pidfd: int | None = None
        self._person: Person | None = None

    def become(self, person: Person | None, top: Path) -> None:
        """Raises NotPossible, OSError."""
        self._person = person
        if person is not None:
            person.is_given(self.folder.path, top)

    def take_back(self) -> None:
        if self._person is not None:
            take_back(self.folder.path)

    def start(self, words: list[str]) -> None:
        """Raises OSError, ValueError."""
        self.process = subprocess.Popen(
            words,
            cwd=self.folder.path,
            env=environment(self.order, self._person),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **(self._person.becomes if self._person else {}),
        )
        for stream, capture in self._streams():
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, capture)
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):
                self._pidfd = os.pidfd_open(self.process.pid)
                self._selector.register(self._pidfd, selectors.EVENT_READ)

    def stop(self, reason: RunState) -> None:
        self._reason = self._reason or reason
        with suppress(OSError):
            self._wake.send(b".")

    def watch(self, seconds: float) -> RunState | None:
        """Listen until the program has ended (None), or must be ended for the reason returned."""
        deadline = time.monotonic() + seconds
        while self._reason is None and not self._has_ended():
            left = deadline - time.monotonic()
            if left <= 0:
                return RunState.TIMED_OUT
            self.listen(min(left, 1.0 if self._pidfd is not None else 0.02))
        return self._reason

    def listen(self, seconds: float) -> None:
        """Wait for the program to say something, to end, or to be stopped; take what it says."""
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Capture) and not _take(key.fd, key.data):
                self._selector.unregister(key.fileobj)

    def drain(self, seconds: float) -> None:
        """Sleep, but let nobody wait for room in a pipe."""
        for stream, capture in self._streams():
            _take_rest(stream, capture)
        time.sleep(seconds)

    def _streams(self) -> Iterator[tuple[IO[bytes], Capture]]:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        yield self.process.stdout, self.stdout
        yield self.process.stderr, self.stderr

    def reap(self) -> int:
        """Read the rest of what was said, without waiting for its end; the exit code."""
        for stream, capture in self._streams():
            _take_rest(stream, capture)
        try:
            return self.process.wait(processes.GRACE_SECONDS)
        except subprocess.TimeoutExpired:  # cannot be killed: it waits for a dead disk
            return -signal.SIGKILL

    def close(self) -> None:
        self._selector.close()
        self._wake.close()
        self._sleeper.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        for stream, _ in self._streams() if hasattr(self, "process") else ():
            stream.close()
        self.over.set()

    def _has_ended(self) -> bool:
        if not hasattr(os, "waitid"):
            return self.process.poll() is not None
        # Left unreaped: as long as it is, nobody else can get its number, and its group can be ended safely.
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _take(handle: int, capture: Capture) -> bool:
    """Read once; whether more can come."""
    try:
        data = os.read(handle, _CHUNK)
    except BlockingIOError:
        return True
    capture.add(data)
    return bool(data)


def _take_rest(stream: IO[bytes], capture: Capture) -> None:
    for _ in range(_LAST_READS):
        try:
            data = os.read(stream.fileno(), _CHUNK)
        except BlockingIOError:
            return
        if not data:
            return
        capture.add(data)


def _stop(found: list[_Running], reason: RunState) -> None:
    for running in found:
        running.stop(reason)
    for running in found:
        running.over.wait(processes.GRACE_SECONDS + processes.PATIENCE_SECONDS + 5)


def _failed(error: str) -> Outcome:
    return Outcome(state=RunState.FAILED, exit_code=None, error=error, output=None)


def _outcome(running: _Running, reason: RunState | None, exit_code: int, left_behind: str) -> Outcome:
    output, fault = _read_answer(running)
    state = reason or RunState.FAILED
    if reason is RunState.TIMED_OUT:
        error = f"the hook ran longer than {running.order.seconds:g} s and was ended"
    elif reason is not None:
        error = "the hook was ended before it had finished"
    else:
        error = _exit_error(exit_code, running.stderr) or left_behind or fault
        state = state if error else RunState.SUCCEEDED
    return Outcome(state=state, exit_code=exit_code, error=error, output=output)


def _exit_error(exit_code: int, stderr: Capture) -> str:
    if exit_code == 0:
        return ""
    said = stderr.last_line()
    ending = f": {said}" if said else ", and said nothing on stderr"
    if exit_code > 0:
        return f"the hook exited with code {exit_code}{ending}"
    with suppress(ValueError):
        return f"the hook was ended by signal {-exit_code} ({signal.Signals(-exit_code).name}){ending}"
    return f"the hook was ended by signal {-exit_code}{ending}"


def _read_answer(running: _Running) -> tuple[bytes | None, str]:
    """The answer, and what is wrong with it where one is wanted."""
    order = running.order
    try:
        output = running.folder.answer(order.answer_bytes)
    except AnswerUnreadable as error:
        return None, f"the hook's answer {error}" if order.wants_output or order.may_answer else ""
    if output or not order.wants_output:
        return output, ""
    if OUTPUT_PLACEHOLDER not in order.run.command:
        return None, f"the hook cannot answer: its command line does not name {OUTPUT_PLACEHOLDER}"
    what = "an empty answer" if output is not None else "no answer"
    return None, f"the hook exited 0 but wrote {what} to {OUTPUT_PLACEHOLDER}"


def _named_files(command: str) -> Iterator[Path]:
    """Files that the line names by their absolute path, also inside of `bash -c '...'`."""
    try:
        words = shlex.split(command)
    except ValueError:
        return
    for word in words:
        for part in dict.fromkeys((word, *word.split())):
            path = Path(part.strip("'\";"))
            with suppress(OSError, ValueError):
                if path.is_absolute() and path.is_file():
                    yield path
