"""One connection that sends parts, and its thread.

Rules
1. It has a buffer of its own, sends the next part before the last one is answered, and keeps at a part until the server
   has it.
2. A lost connection, a busy server, a full disk and damaged bytes are tried again, with growing pauses; a part that did
   not get through goes on in halves.
3. It is stuck when it takes no byte for `STALLED_SECONDS`.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..model import errors
from ..wire import calls
from ..wire.parts import RUNS, Digest, UploadView, format_content_digest, format_content_range
from .connection import Answer, refusal
from .errors import ServerFault, ServerUnreachable, TransferFailed
from .parts import WORTH_HALVING, Part
from .pipe import Pipe, sends_files
from .source import Reader, Source

if TYPE_CHECKING:
    from .line import Line

AT_A_TIME = 2
"""parts that a connection sends before the first of them is answered"""
SLICE = 128 * 1024
"""bytes handed to the system at a time; between two of them a line can be stopped and slowed"""
FAST_SLICE = 1024 * 1024
FAST = 10 * FAST_SLICE
"""bytes per second of a connection from which on that many are handed over at a time"""
STALLED_SECONDS = 12.0
LONGEST_PAUSE = 30.0
DAMAGED_TRIES = 5
_TRANSIENT = (errors.Busy, errors.RangeInFlight, errors.NoSpace, ServerFault)
_CLOSED = frozenset({"upload_closed", "upload_gone", "job_paused", "entry_on_hold"})


@dataclass(frozen=True, slots=True)
class Sending:
    """One upload with its bytes."""

    view: UploadView
    source: Source


@dataclass(slots=True)
class _Flight:
    """A part on its way."""

    part: Part
    began: float = 0.0
    tries: int = 0
    damaged: int = 0


class _Stopped(Exception):
    """The line is ending."""


class Courier(threading.Thread):
    """One connection and its thread."""

    def __init__(self, line: Line, pipe: Pipe | None) -> None:
        super().__init__(name="stagedoor-send", daemon=True)
        self._line = line
        self._pipe = pipe
        self._flying: deque[_Flight] = deque()
        self._again: list[_Flight] = []
        self._reader = Reader()
        self.rate: float | None = None
        """bytes per second that it carries"""
        self.last = 0
        """bytes of the last part that it carried"""
        self._landed = 0.0
        self._sent_before = 0

    @property
    def pipe(self) -> Pipe | None:
        return self._pipe

    @property
    def sent(self) -> int:
        pipe = self._pipe
        return self._sent_before + (pipe.sent if pipe else 0)

    def cut(self) -> None:
        pipe = self._pipe
        if pipe:
            pipe.cut()

    def cut_if_stalled(self, now: float) -> None:
        pipe = self._pipe
        if pipe and pipe.sending and now - pipe.moved > STALLED_SECONDS:
            pipe.cut()

    def run(self) -> None:
        error: BaseException | None = None
        try:
            while not self._line.stopping.is_set() and (self._send_next() or self._land()):
                pass
        except _Stopped:
            pass
        except BaseException as raised:  # handed to the caller's thread
            error = raised
        finally:
            self._reader.close()
            if self._pipe:
                self._pipe.close()
            self._line.ended(error)

    def _send_next(self) -> bool:
        """Send one more part, where the connection may have one and there is one; whether there was."""
        if len(self._flying) >= AT_A_TIME or (self._flying and self._pipe and self._pipe.ended):
            return False
        flight = self._again.pop() if self._again else self._take()
        if flight is None:
            return False
        sending = self._line.sendings[flight.part.upload]
        body = self._reader.read(sending.source, flight.part.bytes, by_system=sends_files(self._line.route))
        self._flying.append(flight)
        try:
            flight.began = time.monotonic()
            headers = _headers(flight.part, sending, body.digest)
            self._open().put(calls.PART.at(id=flight.part.upload), headers, body, self._allowed)
        except ServerUnreachable as error:
            self._crashed(error)
        finally:
            body.close()
        return True

    def _take(self) -> _Flight | None:
        with self._line.lock:
            part = self._line.plan.take(self._line.shown(self))
        return _Flight(part) if part else None

    def _open(self) -> Pipe:
        if self._pipe is None or self._pipe.ended:
            if self._pipe:
                self._sent_before += self._pipe.sent
                self._pipe.close()
                self._pipe = None
            self._pipe = Pipe(self._line.route, self._line.plan.connections)
        return self._pipe

    def _allowed(self, size: int) -> int:
        """Before bytes go: how many of them may; the limit is waited for. Raises _Stopped where the line is ending."""
        limit, rate = self._line.limit, self.rate or 0
        size = min(size, SLICE if limit.rate or rate < FAST else FAST_SLICE)
        seconds = limit.delay(size)
        if self._line.stopping.wait(seconds) if seconds else self._line.stopping.is_set():
            raise _Stopped
        return size

    def _land(self) -> bool:
        """Take the answer to the oldest part on its way; whether there was one."""
        if not self._flying:
            return False
        assert self._pipe
        try:
            answer = self._pipe.receive()
        except ServerUnreachable as error:
            self._crashed(error)
            return True
        flight = self._flying.popleft()
        if answer.success:
            self._line.acknowledge(flight.part, answer)
            now = time.monotonic()
            self.last = flight.part.bytes.size
            rate = self.last / max(now - max(flight.began, self._landed), 1e-6)
            self.rate = rate if self.rate is None else (self.rate + rate) / 2
            self._landed = now
            return True
        if self._pipe.ended and self._flying:  # what was sent behind it will not be answered
            self._again += self._flying
            self._flying.clear()
        self._refused(flight, refusal(answer.status, answer.body), answer)
        return True

    def _crashed(self, error: ServerUnreachable) -> None:
        """The connection broke with parts on their way: none of them is known to have arrived."""
        if self._pipe:
            self._pipe.cut()
        flights, self._flying = list(self._flying), deque()
        for flight in flights:
            self._bear(flight, error, None)
            self._retry(flight, error)
        self._pause(None, max((flight.tries for flight in flights), default=1) - 1)

    def _refused(self, flight: _Flight, error: errors.StagedoorError, answer: Answer) -> None:
        if error.error_code in _CLOSED:
            with self._line.lock:
                self._line.plan.drop(flight.part.upload)
            self._again = [one for one in self._again if one.part.upload != flight.part.upload]
            return
        self._bear(flight, error, answer)
        self._retry(flight, error)
        self._pause(answer, flight.tries - 1)

    def _bear(self, flight: _Flight, error: errors.StagedoorError, answer: Answer | None) -> None:
        """Raise what trying again cannot mend; remember the rest as the trouble."""
        if self._line.stopping.is_set():
            raise _Stopped
        flight.damaged += isinstance(error, errors.DigestMismatch)
        if flight.damaged >= DAMAGED_TRIES:
            raise TransferFailed(
                f"{self._line.sendings[flight.part.upload].source.name}: the same bytes arrived damaged "
                f"{flight.damaged} times; something between here and the server changes them."
            ) from error
        if isinstance(error, errors.LimitExceeded) and flight.part.bytes.size >= WORTH_HALVING:
            return  # a proxy on the way takes less than the server: smaller parts may pass
        lost = isinstance(error, ServerUnreachable) and answer is None and error.error_code != "tls_refused"
        if not (lost or isinstance(error, (*_TRANSIENT, errors.DigestMismatch)) or (answer and answer.temporary)):
            raise error
        self._line.in_the_way(error.message, lost=lost)

    def _retry(self, flight: _Flight, error: errors.StagedoorError) -> None:
        flight.tries += 1
        if isinstance(error, (ServerUnreachable, ServerFault, errors.LimitExceeded)):
            with self._line.lock:
                flight.part = self._line.plan.halve(flight.part)
                if isinstance(error, errors.LimitExceeded):
                    self._line.plan.smaller(flight.part.upload, flight.part.bytes.size)
        self._again.append(flight)

    def _pause(self, answer: Answer | None, tries: int) -> None:
        told = answer.retry_after if answer else None
        pause = told if told is not None else 0.25 * 2 ** min(tries, 7)
        if self._line.stopping.wait(min(pause, LONGEST_PAUSE) * random.uniform(0.75, 1.25)):  # noqa: S311
            raise _Stopped


def _headers(part: Part, sending: Sending, digest: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Content-Range": format_content_range(part.bytes, sending.source.tape.size),
        "Content-Digest": format_content_digest(Digest(RUNS, digest)),
    }
