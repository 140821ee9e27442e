"""Several connections that send the parts of a job.

Rules
1. What cannot be mended by trying again ends the line at once; `courier` tells which that is. An upload that is closed,
   paused or held meanwhile is left: the job says why.
2. A connection that is stuck is cut, and a new one made: none holds up the rest.
3. When no byte was acknowledged for `patience` seconds the line gives up and says why. Seconds in which this machine
   slept do not count.
4. `run` stays in the caller's thread: there progress is told, and there Ctrl-C arrives; both end the threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from ..wire.parts import PartAnswer
from . import growth
from .connection import Answer, Connection
from .courier import Courier, Sending
from .errors import ServerUnreachable, TransferFailed
from .limit import Limit
from .parts import SHORT_PART, SMALLEST, Part, Plan, Shown
from .pipe import Pipe, sends_files

TICK_SECONDS = 0.1
ASLEEP_SECONDS = 10.0
FAREWELL_SECONDS = 2.0
FRESH_SECONDS = 20.0
"""for which an open connection may wait for its first part"""


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
            self.plan.add(sending.view.id, sending.view.missing, sending.view.part_bytes, sending.source.tape)
        self._fixed = connections
        self._patience = patience
        self._ready = pipe
        self._over = threading.Event()
        self._received = {sending.view.id: sending.view.received for sending in sendings}
        self._error: BaseException | None = None
        self._trouble = ""
        self._lost = False
        self._acknowledged = time.monotonic()
        self._couriers: list[Courier] = []
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
            fresh = [Courier(self, pipe if not number else None) for number in range(count - len(self._couriers))]
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

    def shown(self, courier: Courier) -> Shown | None:
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
        if pipe.round_trip < growth.SHORT:
            for upload, sending in self.sendings.items():
                if not (sending.source.large and sends_files(self.route)):
                    self.plan.smaller(upload, SHORT_PART)
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


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minute{'s' * (minutes != 1)}" if seconds >= 60 else f"{seconds:.0f} seconds"
