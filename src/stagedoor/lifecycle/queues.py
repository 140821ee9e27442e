"""The queues that a studio keeps: added, changed, paused, removed. `turns` begins their jobs.

Rules
1. Input is judged here, once, for all doors; the callers decide who may call.
2. Pausing a queue pauses the steps, not the uploads: what arrives waits in it; what is under way goes on to its end.
3. There is always a default queue. One with unfinished jobs cannot be removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..model.entities import Queue, QueueStatus, Volume
from ..model.errors import BadRequest, NotFound
from ..model.names import printable
from .needs import Clock

CODE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
HIGHEST = 1000


class QueueBook(Protocol):
    """What is asked of the records."""

    def queues(self) -> list[Queue]: ...
    def add_queue(self, queue: Queue) -> Queue: ...
    def update_queue(self, queue_id: str, now: int, **changes: Any) -> Queue: ...
    def remove_queue(self, queue_id: str) -> None: ...
    def running(self) -> tuple[dict[str, int], dict[str, int]]: ...
    def waiting(self) -> dict[str, int]: ...


class Queues:
    def __init__(self, book: QueueBook, clock: Clock, changed: Callable[[], object] = lambda: None) -> None:
        """`changed` is called when a queue has changed: it may be somebody's turn now."""
        self._book = book
        self._clock = clock
        self._changed = changed

    def all(self) -> list[Queue]:
        """The one that goes first comes first."""
        return self._book.queues()

    def find(self, named: str) -> Queue:
        return find_queue(named, self._book.queues())

    def busy(self) -> dict[str, tuple[int, int]]:
        """By queue id: how many of its jobs are under way, and how many wait for their turn."""
        running, waiting = self._book.running()[0], self._book.waiting()
        return {id_: (running.get(id_, 0), waiting.get(id_, 0)) for id_ in {*running, *waiting}}

    def add(self, code: str, priority: int, *, default: bool = False, description: str = "") -> Queue:
        """Raises BadRequest, Conflict (`queue_exists`)."""
        if not CODE.fullmatch(code) or code in (".", ".."):
            raise BadRequest(
                f"The code of a queue is made of letters A-Z, digits, `_`, `.` and `-`: {printable(code)!r}."
            )
        now = self._clock()
        return self._book.add_queue(
            Queue(
                id="",
                code=code,
                priority=_priority(priority),
                default=default,
                description=_description(description),
                created=now,
                modified=now,
            )
        )

    def update(
        self,
        named: str,
        *,
        priority: int | None = None,
        default: bool | None = None,
        description: str | None = None,
        status: str | None = None,
    ) -> Queue:
        """Change what is given. `status`: waiting or paused. Raises Conflict where no default would remain."""
        changes: dict[str, Any] = {}
        if priority is not None:
            changes["priority"] = _priority(priority)
        if default is not None:
            changes["default"] = default
        if description is not None:
            changes["description"] = _description(description)
        if status is not None:
            changes["status"] = _status(status)
        changed = self._book.update_queue(self.find(named).id, self._clock(), **changes)
        self._changed()
        return changed

    def remove(self, named: str) -> None:
        """Raises Conflict where it is the default or unfinished jobs are in it."""
        self._book.remove_queue(self.find(named).id)


def find_queue(named: str, queues: Sequence[Queue]) -> Queue:
    """By code or id. Raises NotFound."""
    for queue in queues:
        if named == queue.id or named.casefold() == queue.code.casefold():
            return queue
    raise NotFound(f"There is no queue {printable(named)!r}; see `stagedoor queue list`.", code="queue_unknown")


def find_volume(named: str, volumes: Sequence[Volume]) -> Volume:
    """By code or id. Raises NotFound."""
    for volume in volumes:
        if named == volume.id or named.casefold() == volume.code.casefold():
            return volume
    raise NotFound(f"There is no volume {printable(named)!r}; see `stagedoor volume list`.", code="volume_unknown")


def _priority(number: int) -> int:
    if not 0 <= number <= HIGHEST:
        raise BadRequest(f"A priority is a number from 0 to {HIGHEST}; the higher one goes first.")
    return number


def _description(text: str) -> str:
    text = text.strip()
    if len(text) > 1000 or printable(text) != text:
        raise BadRequest("A description has at most 1000 characters, and none that cannot be printed.")
    return text


def _status(text: str) -> QueueStatus:
    try:
        return QueueStatus(text)
    except ValueError:
        raise BadRequest(f"The status of a queue is waiting or paused, not {printable(text)!r}.") from None
