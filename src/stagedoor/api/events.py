"""What changes, as it happens: server-sent events.

Rules
1. Whoever listens is told of the jobs that they may see, and of no others: a standard user of their own.
2. While anybody listens the database is looked at once a second, for all of them; else not at all.
3. A stream begins with `start`: whoever asks for a list after that misses nothing. The same is said again where more
   has changed than is told, or a listener is too slow: ask anew. A listener keeps the newest word of each job, no more.
4. A stream ends when who listens is no longer signed in, or has another role, and when the server ends. Silence is
   broken every `HEARTBEAT` seconds, so that either side notices where the other is gone.
5. At most `MOST` listen, and `MOST_OF_ONE` of them as one user.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import msgspec
from litestar import get
from litestar.response import Stream

from ..lifecycle.watching import News, Watching
from ..model import errors
from ..model.entities import User
from ..model.signin import Known
from ..wire import calls
from .asking import Asked, route, services, user
from .threads import quick

log = logging.getLogger("stagedoor.api")

EVERY = 1.0
HEARTBEAT = 10.0
MOST = 400
MOST_OF_ONE = 20
_PENDING = 500
_START = b"event: start\ndata: {}\n\n"
_HEARTBEAT = b": still there\n\n"
_RETRY = b"retry: 3000\n\n"
Still = Callable[[], Awaitable[Known]]
"""who is signed in by what the request came with; raises where nobody is any more"""


class Listener:
    """One stream. Used within the loop alone."""

    def __init__(self, who: User) -> None:
        self.who = who
        self._pending: dict[str, bytes] = {}
        self._start = True
        self._told = asyncio.Event()
        self._told.set()

    def tell(self, news: list[tuple[News, bytes]]) -> None:
        for one, event in news:
            if self.who.works_here or one.owner == self.who.id:
                self._pending[one.job.id] = event
                self._told.set()
        if len(self._pending) > _PENDING:
            self.start_anew()

    def start_anew(self) -> None:
        self._pending.clear()
        self._start = True
        self._told.set()

    def wake(self) -> None:
        self._told.set()

    async def next(self) -> bytes:
        """What has been told since, or a sign of life."""
        try:
            await asyncio.wait_for(self._told.wait(), HEARTBEAT)
        except asyncio.TimeoutError:
            return _HEARTBEAT
        self._told.clear()
        events = (_START if self._start else b"") + b"".join(self._pending.values())
        self._start = False
        self._pending.clear()
        return events


class Broadcast:
    """Tells listeners what `Watching` sees."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._listeners: set[Listener] = set()
        self._looking: asyncio.Task[None] | None = None
        self.stopped = False

    def check_room(self, who: User) -> None:
        """Raises Busy."""
        count = Counter(listener.who.id for listener in self._listeners)
        if self.stopped or len(self._listeners) >= MOST or count[who.id] >= MOST_OF_ONE:
            raise errors.Busy("Too many listen to what changes; ask again every few seconds instead.")

    @contextmanager
    def listening(self, who: User) -> Iterator[Listener]:
        listener = Listener(who)
        self._listeners.add(listener)
        if self._looking is None or self._looking.done():
            self._watching.begin()
            self._looking = asyncio.create_task(self._look())
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def stop(self) -> None:
        """The server ends: so do the streams."""
        self.stopped = True
        for listener in self._listeners:
            listener.wake()

    async def _look(self) -> None:
        while self._listeners and not self.stopped:
            await asyncio.sleep(EVERY)
            try:
                news = await quick(self._watching.look)
            except Exception:
                log.exception("what has changed could not be looked at")
                continue
            self._tell(news)

    def _tell(self, news: list[News] | None) -> None:
        told = [(one, _event(one)) for one in news or ()]
        for listener in self._listeners:
            if news is None:
                listener.start_anew()
            else:
                listener.tell(told)


def _event(news: News) -> bytes:
    return b"event: job\ndata: %s\n\n" % msgspec.json.encode(news.job)


@get(route(calls.EVENTS), media_type="text/event-stream")
async def events(request: Asked) -> Stream:
    """What changes on jobs, as server-sent events: `start`, then a `job` for each that has changed."""
    broadcast, who = services(request).events, user(request)
    broadcast.check_room(who)
    still: Still = request.scope["state"]["still"]
    headers = {"x-accel-buffering": "no"}  # nginx would keep them back
    return Stream(_told(broadcast, who, still), media_type="text/event-stream", headers=headers)


async def _told(broadcast: Broadcast, who: User, still: Still) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    with broadcast.listening(who) as listener:
        yield _RETRY
        checked = clock()
        while not broadcast.stopped:
            events = await listener.next()
            if clock() - checked >= HEARTBEAT:
                if not await _is_still(who, still):
                    return
                checked = clock()
            if events:
                yield events


async def _is_still(who: User, still: Still) -> bool:
    try:
        now = (await still()).user
    except errors.StagedoorError:
        return False
    return (now.id, now.role) == (who.id, who.role)


HANDLERS = [events]
