"""The audit log: who did what to which thing from where, and what was refused and why.

Rules
1. Lines are only ever added, in the transaction of the change they tell of, and forgotten after their time.
2. Their ids are in the order in which the changes were made: write transactions follow one another.
3. Who acts is known from `lifecycle.acting`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, case, cast, delete, distinct, func, insert, select, true
from sqlalchemy.dialects.postgresql import JSONB

from ..lifecycle.acting import actor
from ..model import audit as model
from ..model.audit import Stumble, changes
from ..model.entities import Hook, Offer, OfferEntry
from ..model.errors import StagedoorError
from ..model.verdict import Kind
from .columns import batches, fold, storable
from .database import Database
from .ids import new_id
from .tables import audit

_FORGOTTEN_AT_ONCE = 5000
_UNTOLD = {"id", "created", "modified"}


def note(
    connection: Connection,
    verb: str,
    entity: str,
    entity_id: str,
    code: str = "",
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    """Add a line about a change. `code`: what people call the thing; `before` and `after`: its fields. Where both are
    given and tell no difference there was no change, and there is no line.

    `more`: `code_of_error`, `message`, `details`, `reasons`.
    """
    told = changes(_told(before), _told(after))
    if before is not None and after is not None and not told:
        return
    add(connection, [line(verb, entity, entity_id, code, changes=told, **more)])


def _told(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (fields or {}).items() if name not in _UNTOLD}


def line(verb: str, entity: str, entity_id: str, code: str = "", **more: Any) -> dict[str, Any]:
    """A row, by who acts now."""
    who = actor()
    return {
        "id": new_id(),
        "created": time.time_ns() // 1_000_000,
        "user_id": who.user_id,
        "user": who.code,
        "user_folded": fold(who.code),
        "role": who.role,
        "ip": who.ip,
        "client": model.brief(who.client),
        "request_id": who.request_id,
        "door": who.door,
        "verb": verb,
        "entity": entity,
        "entity_id": entity_id,
        "entity_code": model.brief(code),
        "entity_folded": fold(model.brief(code)),
        "code": more.get("code_of_error", ""),
        "message": model.brief(more.get("message", "")),
        "changes": _storable(more.get("changes", {})),
        "details": _storable(model.plain(more.get("details", {}))),
        "reasons": tuple(storable(reason) for reason in more.get("reasons", ())),
    }


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _storable(inner) for key, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(audit), rows)


def offered(offer: Offer) -> list[dict[str, Any]]:
    """Lines about an offer that was kept: itself, and every entry that was refused."""
    counts = {kind.value: sum(entry.verdict.kind is kind for entry in offer.entries) for kind in Kind}
    details = {"state": offer.state, "verdicts": counts, "size": offer.size, "hostname": offer.hostname}
    first = line("create", "offer", offer.id, details={**details, "run": offer.run_id})
    return [first, *(_refused(offer, entry) for entry in offer.entries if entry.verdict.kind is Kind.REFUSED)]


def _refused(offer: Offer, entry: OfferEntry) -> dict[str, Any]:
    verdict = entry.verdict
    details = {"offer": offer.id, "run": offer.run_id, "findings": verdict.findings, "detail": verdict.detail}
    return line(
        model.REFUSE,
        "entry",
        entry.id,
        entry.filename,
        code_of_error=verdict.code,
        message=verdict.warning or verdict.info,
        details={name: value for name, value in details.items() if value},
        reasons=model.reasons_of_verdict(verdict, entry.filename),
    )


class Audit:
    """Implements `lifecycle.needs.AuditBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def refused(self, entity: str, error: StagedoorError) -> None:
        details = {**error.details, **({"detail": error.detail} if error.detail else {})}
        row = line(
            model.REFUSE,
            entity,
            "",
            code_of_error=error.error_code,
            message=error.message,
            details=details,
            reasons=model.reasons_of_error(error),
        )
        with self._database.write() as connection:
            add(connection, [{**row, "id": new_id()}])

    def tried(self, hook: Hook) -> None:
        with self._database.write() as connection:
            note(connection, "try", "hook", hook.name.value, hook.name.value, after=asdict(hook))

    def forget(self, before: int) -> int:
        """Remove lines that are older, some at a time; how many."""
        old = select(audit.c.id).where(audit.c.created < before).limit(_FORGOTTEN_AT_ONCE)
        with self._database.read() as connection:
            ids = list(connection.scalars(old))
        if ids:
            with self._database.write() as connection:
                connection.execute(delete(audit).where(audit.c.id.in_(ids)))
        return len(ids)

    def stumbles(self, since: int | None = None) -> list[Stumble]:
        """Refusals summed up by reason, the most frequent first."""
        with self._database.read() as connection:
            rows = _refusals(connection, since or 0)
            newest = {reason: max(row.newest for row in its_rows) for reason, its_rows in rows.items()}
            told = _told_then(connection, sorted(set(newest.values())))
        summed = [
            Stumble(
                reason=reason,
                count=sum(row.things for row in its_rows),
                times=sum(row.times for row in its_rows),
                users=tuple(dict.fromkeys(row.user for row in its_rows)),
                last=max(row.last for row in its_rows),
                example=_example(reason, told[newest[reason]]),
            )
            for reason, its_rows in rows.items()
        ]
        return sorted(summed, key=lambda one: (-one.count, -one.last, one.reason))


def _refusals(connection: Connection, since: int) -> dict[str, list[Any]]:
    """By reason, rows for everybody who met it: whoever met it first comes first.

    What is checked again and still wrong is one thing, by its name; what has none counts each time. The database takes
    lists apart, and counts.
    """
    id, created = audit.c.id, audit.c.created
    listed = func.json_each(audit.c.reasons)
    if connection.dialect.name == "postgresql":
        listed = func.jsonb_array_elements_text(cast(audit.c.reasons, JSONB))
    reason = listed.table_valued("value", name="reason")
    sums = (
        func.count(distinct(case((audit.c.entity_folded == "", id), else_=audit.c.entity_folded))).label("things"),
        func.count().label("times"),
        func.max(created).label("last"),
        func.max(id).label("newest"),
    )
    query = (
        select(reason.c.value.label("reason"), audit.c.user, *sums)
        .select_from(audit.join(reason, true()))
        .where(audit.c.verb == model.REFUSE, created >= since)
        .group_by(reason.c.value, audit.c.user, audit.c.entity)
        .order_by(func.min(id))
    )
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        found.setdefault(row.reason, []).append(row)
    return found


def _told_then(connection: Connection, ids: Sequence[str]) -> dict[str, Any]:
    """Sentence and details of some lines."""
    query = select(audit.c.id, audit.c.message, audit.c.details)
    return {row.id: row for batch in batches(ids) for row in connection.execute(query.where(audit.c.id.in_(batch)))}


def _example(reason: str, line: Any) -> str:
    """What was said about this reason: of several findings that are refused with one sentence, the title of its own."""
    titles = {str(one.get("code"))[:100]: one.get("title") for one in line.details.get("findings", ())}
    return str(titles.get(reason) or line.message)
