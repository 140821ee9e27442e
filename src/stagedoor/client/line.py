"""Several connections that send the parts of a job.

Rules
1. Each connection is a thread with a buffer of its own; it keeps at a part until the server has it.
2. A lost connection, a busy server, a full disk and damaged bytes are tried again, with growing pauses; a part that did
   not get through goes on in halves. What cannot be mended by trying ends the line at once. An upload that is closed
   meanwhile is left: the job says why.
3. When no byte was acknowledged for `patience` seconds the line gives up and says why.
4. `run` stays in the caller's thread: there progress is told, and there Ctrl-C arrives; both end the threads.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import msgspec
from blake3 import blake3

from ..model import errors
from ..wire import calls
from ..wire.parts import Digest, PartAnswer, UploadView, format_content_digest, format_content_range
from .connection import Answer, Connection, refusal
from .errors import ServerFault, ServerUnreachable, TransferFailed
from .parts import SMALLEST, Part, Plan
from .source import Reader, Source

TICK_SECONDS = 0.2
FAREWELL_SECONDS = 2.0
SLICE = 128 * 1024
LONGEST_PAUSE = 30.0
DAMAGED_TRIES = 5
_TRANSIENT = (errors.Busy, errors.RangeInFlight, errors.NoSpace, ServerFault)
_CLOSED = frozenset({"upload_closed", "upload_gone"})


@dataclass(frozen=True, slots=True)
class Sending:
    """One upload with its bytes."""

    view: UploadView
    source: Source


class _Stopped(Exception):
    """The line is ending."""


class _Closed(Exception):
    """The upload takes no more bytes: another process has completed it, or the job was ended."""


class Line:
    def __init__(self, connection: Connection, sendings: list[Sending], connections: int, patience: float) -> None:
        self._connection = connection
        self._sendings: Mapping[str, Sending] = {sending.view.id: sending for sending in sendings}
        self._patience = patience
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._plan = Plan(connections)
        for sending in sendings:
            self._plan.add(sending.view.id, sending.view.missing, sending.view.part_bytes)
        self._received = {sending.view.id: sending.view.received for sending in sendings}
        self._error: BaseException | None = None
        self._trouble = ""
        self._lost = False
        self._acknowledged = time.monotonic()
        self._working = connections
        self._threads = [
            threading.Thread(target=self._work, name=f"stagedoor-send-{number}", daemon=True)
            for number in range(connections)
        ]

    @property
    def received(self) -> int:
        """Bytes of these uploads that the server has acknowledged."""
        return sum(self._received.values())

    def run(self, tell: Callable[[int, str], None], stop: Callable[[], bool]) -> None:
        """Send until every part is acknowledged or `stop()`. `tell(received, trouble)` is called now and then."""
        for thread in self._threads:
            thread.start()
        try:
            while not self._over.wait(TICK_SECONDS) and not stop():
                self._check_patience()
                tell(self.received, self._told())
        finally:
            self._end()
        if self._error:
            raise self._error

    def _end(self) -> None:
        self._stopping.set()
        deadline = time.monotonic() + FAREWELL_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _told(self) -> str:
        """What is in the way. Of a server that answered before it is not the address that is wrong."""
        if not (self._lost and self._trouble):
            return self._trouble
        return f"The server does not answer just now; waiting for it (up to {_spoken(self._patience)})."

    def _check_patience(self) -> None:
        silent = time.monotonic() - self._acknowledged
        if silent >= self._patience:
            raise TransferFailed(
                f"No byte got through for {silent:.0f} seconds. {self._trouble or 'The server does not answer.'} "
                "Nothing that was sent is lost; start it again."
            )

    # --- in the threads --------------------------------------------------------------------------------------------

    def _work(self) -> None:
        reader = Reader()
        rate: float | None = None
        try:
            while not self._stopping.is_set():
                with self._lock:
                    part = self._plan.take(rate)
                if part is None:
                    break
                try:
                    rate = self._deliver(reader, part)
                except _Closed:
                    with self._lock:
                        self._plan.drop(part.upload)
        except _Stopped:
            pass
        except BaseException as error:  # handed to the caller's thread
            self._error = self._error or error
        finally:
            reader.close()
            with self._lock:
                self._working -= 1
                if self._error or not self._working:
                    self._over.set()

    def _deliver(self, reader: Reader, part: Part) -> float:
        """Send a part until it is acknowledged; bytes per second of the try that succeeded."""
        tries = damaged = 0
        while True:
            view = reader.read(self._sendings[part.upload].source, part.bytes)
            began = time.monotonic()
            answer, error = self._try(part, view)
            if error is None:
                return part.bytes.size / max(time.monotonic() - began, 1e-6)
            damaged += isinstance(error, errors.DigestMismatch)
            self._bear(part, error, answer, damaged)
            part = self._shrink(part, error)
            self._pause(answer, tries)
            tries += 1

    def _try(self, part: Part, view: memoryview) -> tuple[Answer | None, errors.StagedoorError | None]:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(len(view)),
            "Content-Range": format_content_range(part.bytes, self._sendings[part.upload].source.tape.size),
            "Content-Digest": format_content_digest(Digest("blake3", blake3(view).digest())),
        }
        path = calls.PART.at(id=part.upload)
        try:
            answer = self._connection.try_once(calls.PART, path, headers, self._slices(view))
        except ServerUnreachable as error:
            return None, error
        if not answer.success:
            return answer, refusal(answer.status, answer.body)
        self._acknowledge(part, answer)
        return answer, None

    def _slices(self, view: memoryview) -> Iterator[memoryview]:
        """In pieces, for each of which the time-out of the connection counts anew."""
        for start in range(0, len(view), SLICE):
            if self._stopping.is_set():
                raise _Stopped
            yield view[start : start + SLICE]

    def _acknowledge(self, part: Part, answer: Answer) -> None:
        try:
            said = msgspec.json.decode(answer.body, type=PartAnswer)
        except msgspec.MsgspecError as error:
            raise ServerUnreachable(f"The answer to a part is not that of a Stagedoor server: {error}") from None
        with self._lock:
            self._received[part.upload] = max(self._received[part.upload], said.received)
            self._acknowledged = time.monotonic()
            self._trouble = ""

    def _bear(self, part: Part, error: errors.StagedoorError, answer: Answer | None, damaged: int) -> None:
        """Raise what trying again cannot mend; remember the rest as the trouble."""
        if self._stopping.is_set():
            raise _Stopped
        if error.error_code in _CLOSED:
            raise _Closed
        if damaged >= DAMAGED_TRIES:
            raise TransferFailed(
                f"{self._sendings[part.upload].source.name}: the same bytes arrived damaged {damaged} times; "
                "something between here and the server changes them."
            ) from error
        if isinstance(error, errors.LimitExceeded) and part.bytes.size >= 2 * SMALLEST:
            return  # a proxy on the way takes less than the server: smaller parts may pass
        lost = isinstance(error, ServerUnreachable) and answer is None and error.error_code != "tls_refused"
        if not (lost or isinstance(error, (*_TRANSIENT, errors.DigestMismatch)) or (answer and answer.temporary)):
            raise error
        self._trouble, self._lost = error.message, lost

    def _shrink(self, part: Part, error: errors.StagedoorError) -> Part:
        if not isinstance(error, (ServerUnreachable, ServerFault, errors.LimitExceeded)):
            return part
        with self._lock:
            half = self._plan.halve(part)
            if isinstance(error, errors.LimitExceeded):
                self._plan.smaller(part.upload, half.bytes.size)
        return half

    def _pause(self, answer: Answer | None, tries: int) -> None:
        told = answer.retry_after if answer else None
        pause = told if told is not None else 0.25 * 2 ** min(tries, 7)
        if self._stopping.wait(min(pause, LONGEST_PAUSE) * random.uniform(0.75, 1.25)):  # noqa: S311
            raise _Stopped


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minute{'s' * (minutes != 1)}" if seconds >= 60 else f"{seconds:.0f} seconds"
