"""The audit log, for who may read it.

Rules
1. An administrator reads everything.
2. An employee reads what is about publishes: offers, their entries, jobs, what was replaced. Not what others do to
   users, keys and the house.
3. A standard user reads nothing, whatever they ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..model import errors
from ..model.audit import PUBLISHING, REFUSE, LogLine, Stumble
from ..model.entities import Role, User
from ..wire.jobs import Page
from ..wire.log import LogView, StumbleView
from .needs import AuditBook, Lists
from .views import moment
from .wanted import Wanted

PAGE = 500
SIGNING_IN = ("session", "password", "passkey", "invitation")
ENTITIES = ("workspace", "user", "key", "volume", "queue", "hook", "run", "setting", *SIGNING_IN, *PUBLISHING)


class Auditing:
    def __init__(self, audit: AuditBook, lists: Lists) -> None:
        self._audit = audit
        self._lists = lists

    def log(
        self,
        reader: User | None,
        *,
        id: str | None = None,
        user: str | None = None,
        entity: str | None = None,
        verb: str | None = None,
        code: str | None = None,
        since: int | None = None,
        refusals: bool = False,
        wanted: Wanted,
    ) -> Page:
        """Lines, the newest first. `entity`: a type, an id, what people call it, or `<type>:<id or name>`.

        `reader`: None for who has the home itself. Raises Forbidden, BadRequest for a `where` that cannot be asked.
        """
        kind, named = _thing(entity)
        if refusals and verb not in (None, REFUSE):
            return Page(total=0, items=[])
        total, found = self._lists.log(
            id=id,
            user=user,
            entity=kind,
            thing=named,
            verb=REFUSE if refusals else verb,
            code=code,
            since=since,
            among=_readable(reader),
            wanted=wanted.slice(),
        )
        return Page(total=total, items=[view(line) for line in found])

    def every(
        self, reader: User | None, *, limit: int | None = None, where: str | None = None, **filters: Any
    ) -> Iterator[LogView]:
        """All lines that there are now, page after page; none is told twice because others were added meanwhile."""
        skip, last = 0, "~"
        while limit is None or skip < limit:
            most = PAGE if limit is None else min(PAGE, limit - skip)
            page = self.log(reader, wanted=Wanted(where, most, skip), **filters)
            if not page.items:
                return
            skip += len(page.items)
            yield from (line for line in page.items if line.id < last)
            last = min(last, page.items[-1].id)

    def stumbles(self, reader: User | None, since: int | None = None) -> Page:
        """Why offers and submits were refused, the most frequent reason first. Raises Forbidden."""
        _readable(reader)
        found = [_stumble(one) for one in self._audit.stumbles(since)]
        return Page(total=len(found), items=found)


def _readable(reader: User | None) -> tuple[str, ...] | None:
    """Types of things whose lines somebody may read; None: all."""
    if reader is None or reader.role is Role.ADMIN:
        return None
    if not reader.works_here:
        raise errors.Forbidden
    return PUBLISHING


def _thing(text: str | None) -> tuple[str | None, str | None]:
    """Type and name of what is meant."""
    if not text:
        return None, None
    kind, colon, named = text.partition(":")
    if kind in ENTITIES:
        return kind, named if colon and named else None
    return None, text


def view(line: LogLine) -> LogView:
    return LogView(
        id=line.id,
        created=moment(line.created),
        user=line.user_id,
        user_hr=line.user,
        role=line.role,
        ip=line.ip,
        client=line.client,
        request=line.request_id,
        door=line.door.value,
        verb=line.verb,
        entity=line.entity,
        entity_id=line.entity_id,
        entity_hr=line.entity_code,
        code=line.code,
        message=line.message,
        changes=dict(line.changes),
        details=dict(line.details),
        reasons=line.reasons,
    )


def _stumble(one: Stumble) -> StumbleView:
    return StumbleView(
        reason=one.reason,
        count=one.count,
        times=one.times,
        users=len(one.users),
        last=moment(one.last),
        example=one.example,
        user_hrs=one.users,
    )
