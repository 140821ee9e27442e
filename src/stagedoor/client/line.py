"""Several connections that send the parts of a job.

Rules
1. Each connection is a thread with a buffer of its own. It sends the next part before the last one is answered, and
   keeps at a part until the server has it.
2. A lost connection, a busy server, a full disk and damaged bytes are tried again, with growing pauses; a part that did
   not get through goes on in halves. What cannot be mended by trying ends the line at once. An upload that is closed,
   paused or held meanwhile is left: the job says why.
3. A connection that takes no byte for `STALLED_SECONDS` is cut, and a new one made: none holds up the rest.
4. When no byte was acknowledged for `patience` seconds the line gives up and says why. Seconds in which this machine
   slept do not count.
5. `run` stays in the caller's thread: there progress is told, and there Ctrl-C arrives; both end the threads.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from ..model import errors
from ..wire import calls
from ..wire.parts import Digest, PartAnswer, UploadView, format_content_digest, format_content_range
from . import growth
from .connection import Answer, Connection, refusal
from .errors import ServerFault, ServerUnreachable, TransferFailed
from .limit import Limit
from .parts import LARGEST, SHORT_PART, SMALLEST, WORTH_HALVING, Part, Plan, Shown
from .pipe import Pipe
from .source import Reader, Source

TICK_SECONDS = 0.1
ASLEEP_SECONDS = 10.0
FAREWELL_SECONDS = 2.0
STALLED_SECONDS = 12.0
FRESH_SECONDS = 20.0
"""for which an open connection may wait for its first part"""
AT_A_TIME = 2
"""parts that a connection sends before the first of them is answered"""
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


class Line:
    """`connections`: how many at a time; None: as many as help. `pipe`: one that is open already."""

    def __init__(
        self,
        connection: Connection,
        sendings: list[Sending],
        connections: int | None,
        patience: float,
        limit: Limit | None = None,
        pipe: Pipe | None = None,
    ) -> None:
        self.route = connection.route
        self.sendings: Mapping[str, Sending] = {sending.view.id: sending for sending in sendings}
        self.limit = limit or Limit()
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.plan = Plan(connections or growth.first(0))
        for sending in sendings:
            self.plan.add(sending.view.id, sending.view.missing, sending.view.part_bytes)
        self._fixed = connections
        self._patience = patience
        self._ready = pipe
        self._over = threading.Event()
        self._received = {sending.view.id: sending.view.received for sending in sendings}
        self._error: BaseException | None = None
        self._trouble = ""
        self._lost = False
        self._acknowledged = time.monotonic()
        self._couriers: list[_Courier] = []
        self._working = 0

    @property
    def received(self) -> int:
        """Bytes of these uploads that the server has acknowledged."""
        return sum(self._received.values())

    def run(self, tell: Callable[[int, str], None], stop: Callable[[], bool]) -> None:
        """Send until every part is acknowledged or `stop()`. `tell(received, trouble)` is called now and then."""
        try:
            watch = _Watch(self, self._first())
            while not self._over.wait(TICK_SECONDS) and not stop():
                watch.tick()
                self._check_patience()
                tell(self.received, self._told())
        finally:
            self._end()
        if self._error:
            raise self._error

    def employ(self, count: int, pipe: Pipe | None = None) -> None:
        """Have so many connections, the first of them perhaps open already."""
        with self.lock:
            self.plan.connections = max(count, self.plan.connections)
            fresh = [_Courier(self, pipe if not number else None) for number in range(count - len(self._couriers))]
            self._couriers += fresh
            self._working += len(fresh)
        for courier in fresh:
            courier.start()

    @property
    def sent(self) -> int:
        """Bytes that this line has handed to the system, whatever became of them."""
        return sum(courier.sent for courier in self._couriers)

    def full(self) -> bool:
        """Whether packets wait in the line, as far as the system tells."""
        pipes = [courier.pipe for courier in self._couriers]
        told = [pipe.round_trips() for pipe in pipes if pipe and not pipe.ended]
        return growth.full([trips for trips in told if trips])

    def shown(self, courier: _Courier) -> Shown | None:
        """What a connection has carried beside the others."""
        if courier.rate is None:
            return None
        rates = [one.rate for one in self._couriers if one.rate is not None]
        return Shown(courier.rate, sum(rates) / len(rates), courier.last)

    def cut_stalled(self, now: float) -> None:
        for courier in self._couriers:
            courier.cut_if_stalled(now)

    def woke(self) -> None:
        """This machine slept: nothing was acknowledged meanwhile, and no connection may have survived it."""
        self._acknowledged = time.monotonic()
        for courier in self._couriers:
            courier.cut()

    def _first(self) -> float:
        """Open the first connection and employ as many as suit it; its round trip in seconds."""
        try:
            pipe = self._fresh() or Pipe(self.route)
        except ServerUnreachable:
            self.employ(self._fixed or growth.first(0))  # they wait for the server, and say so
            return 0.0
        self.plan.most = SHORT_PART if pipe.round_trip < growth.SHORT else LARGEST
        self.employ(self._fixed or growth.first(pipe.round_trip), pipe)
        return pipe.round_trip

    def _fresh(self) -> Pipe | None:
        """The pipe that was open already, if nothing can have ended it meanwhile."""
        pipe, self._ready = self._ready, None
        if pipe and time.monotonic() - pipe.moved > FRESH_SECONDS:
            pipe.close()
            return None
        return pipe

    @property
    def grows(self) -> bool:
        return self._fixed is None

    def _end(self) -> None:
        self.stopping.set()
        deadline = time.monotonic() + FAREWELL_SECONDS
        if not self._over.is_set() or self._error:
            for courier in self._couriers:
                courier.cut()
        for courier in self._couriers:
            courier.join(max(0.0, deadline - time.monotonic()))

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

    # --- called by the threads -------------------------------------------------------------------------------------

    def acknowledge(self, part: Part, answer: Answer) -> None:
        try:
            said = msgspec.json.decode(answer.body, type=PartAnswer)
        except msgspec.MsgspecError as error:
            raise ServerUnreachable(f"The answer to a part is not that of a Stagedoor server: {error}") from None
        with self.lock:
            self._received[part.upload] = max(self._received[part.upload], said.received)
            self._acknowledged = time.monotonic()
            self._trouble = ""

    def in_the_way(self, message: str, *, lost: bool) -> None:
        self._trouble, self._lost = message, lost

    def ended(self, error: BaseException | None) -> None:
        """A thread has ended."""
        with self.lock:
            self._error = self._error or error
            self._working -= 1
            if self._error or not self._working:
                self._over.set()


class _Watch:
    """What is looked at now and then: how many connections there should be, and whether one is stuck."""

    def __init__(self, line: Line, round_trip: float) -> None:
        self._line = line
        self._growth = growth.Growth(line.plan.connections, growth.most(round_trip))
        self._every = growth.look_again(round_trip)
        self._looked = self._ticked = time.monotonic()
        self._sent = 0

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked > ASLEEP_SECONDS:
            self._line.woke()
        self._ticked = now
        self._line.cut_stalled(now)
        if self._line.grows and now - self._looked >= self._every and not self._line.limit.rate:
            sent = self._line.sent
            count = self._growth.seen((sent - self._sent) / (now - self._looked), full=self._line.full())
            self._looked, self._sent = now, sent
            if self._line.plan.remaining > count * SMALLEST:
                self._line.employ(count)


class _Courier(threading.Thread):
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
        view, digest = self._reader.read(sending.source, flight.part.bytes)
        self._flying.append(flight)
        try:
            flight.began = time.monotonic()
            headers = _headers(flight.part, sending, digest)
            self._open().put(calls.PART.at(id=flight.part.upload), headers, view, self._wait)
        except ServerUnreachable as error:
            self._crashed(error)
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

    def _wait(self, size: int) -> None:
        """Before bytes go: the limit, and whether the line is ending."""
        seconds = self._line.limit.delay(size)
        if self._line.stopping.wait(seconds) if seconds else self._line.stopping.is_set():
            raise _Stopped

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
        "Content-Digest": format_content_digest(Digest("blake3", digest)),
    }


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minute{'s' * (minutes != 1)}" if seconds >= 60 else f"{seconds:.0f} seconds"
