"""What can be asked of each entity: name of an attribute -> how it is compared, and where it lies.

Rules
1. An attribute says about an entity what its view says (`lifecycle.views`), under the same name.
2. What a standard user is not shown is `inside`: for them there is no such attribute. Runs, which they are not shown at
   all, have inside what employees are not.
3. A new entity is a table here and a list in `lists`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table

from ..lifecycle.compare import FLAG, Kind, Number, Text, Time, Words, members
from ..model.audit import Door
from ..model.entities import Role, RunState
from ..model.hooks import HookName
from ..model.states import JobState, OfferState, TaskStatus
from .tables import audit, entries, jobs, offers, queues, runs, tasks, users, volumes

Column = ColumnElement[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A column. `folded` is that which SQL compares; where text has none, it is compared in Python."""

    kind: Kind
    column: Column
    folded: Column | None = None
    inside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Via:
    """An attribute of what refers to this, or is referred to: holds where it does for one of those."""

    here: Column
    there: Column
    attribute: Own | Reference
    shared: bool = False
    """by so many that it is looked up row by row"""

    @property
    def inside(self) -> bool:
        return self.attribute.inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """To an entity, by its id, its code, or `<type>:<id>`."""

    type: str
    here: Column
    there: Column
    code: Own
    inside: bool = False


Attribute = Own | Via | Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    name: str
    table: Table
    key: Column
    """tells its rows apart"""
    order: tuple[Column, ...]
    attributes: Mapping[str, Attribute]


def _text(column: Column, folded: Column | None = None, *, inside: bool = False) -> Own:
    return Own(kind=Text(), column=column, folded=folded, inside=inside)


def _plain(column: Column, *, inside: bool = False) -> Own:
    """Ids and codes of ours, which are small letters as they are."""
    return Own(kind=Text(), column=column, folded=column, inside=inside)


def _number(column: Column) -> Own:
    return Own(kind=Number(), column=column)


def _time(column: Column) -> Own:
    return Own(kind=Time(), column=column)


def _words(column: Column, kind: Words) -> Own:
    return Own(kind=kind, column=column)


def _user(here: Column) -> Reference:
    return Reference(type="user", here=here, there=users.c.id, code=_text(users.c.code, users.c.folded))


def _volume(here: Column) -> Reference:
    code = _text(volumes.c.code, volumes.c.folded)
    return Reference(type="volume", here=here, there=volumes.c.id, code=code, inside=True)


def _queue(here: Column) -> Reference:
    return Reference(type="queue", here=here, there=queues.c.id, code=_text(queues.c.code, queues.c.folded))


def _job(here: Column) -> Reference:
    return Reference(type="job", here=here, there=jobs.c.id, code=_text(jobs.c.code, jobs.c.folded))


def _via(here: Column, there: Column, attribute: Own | Reference) -> Via:
    return Via(here=here, there=there, attribute=attribute)


_ENABLED = Words({"enabled": frozenset({True}), "disabled": frozenset({False})})
_JOB_STATE = members(JobState, lambda state: state.value, lambda state: state.status, lambda state: state.phase)
_CODE = _text(jobs.c.code, jobs.c.folded)

JOB = Entity(
    name="job",
    table=jobs,
    key=jobs.c.id,
    order=(jobs.c.id.desc(),),
    attributes={
        "id": _plain(jobs.c.id),
        "code": _CODE,
        "name": _CODE,
        "status": _words(jobs.c.state, _JOB_STATE),
        "state": _words(jobs.c.state, _JOB_STATE),
        "phase": _words(jobs.c.state, members(JobState, lambda state: state.phase)),
        "user": _user(jobs.c.user_id),
        "created": _time(jobs.c.created),
        "modified": _time(jobs.c.modified),
        "finished": _time(jobs.c.finished),
        "retry_at": _time(jobs.c.due),
        "size": _number(jobs.c.size),
        "attempts": _number(jobs.c.attempts),
        "queue": _queue(jobs.c.queue_id),
        "hostname": _text(jobs.c.hostname, jobs.c.hostname_folded),
        "offer": _plain(jobs.c.offer_id),
        "reference": _plain(jobs.c.reference),
        "error_code": _plain(jobs.c.error_code),
        "error": _text(jobs.c.error),
        "filename": _via(jobs.c.id, tasks.c.job_id, _text(tasks.c.filename, tasks.c.filename_folded)),
        "source": _via(jobs.c.id, tasks.c.job_id, _text(tasks.c.source, tasks.c.source_folded)),
        "detail": _text(jobs.c.error_detail, inside=True),
        "path": _via(jobs.c.id, tasks.c.job_id, _text(tasks.c.path, tasks.c.path_folded, inside=True)),
        "volume": Via(here=jobs.c.id, there=tasks.c.job_id, attribute=_volume(tasks.c.volume_id), shared=True),
    },
)

TASK = Entity(
    name="task",
    table=tasks,
    key=tasks.c.upload_id,
    order=(tasks.c.job_id.desc(), tasks.c.number),
    attributes={
        "id": _plain(tasks.c.id),
        "uri": _number(tasks.c.number),
        "job": _job(tasks.c.job_id),
        "parent": _job(tasks.c.job_id),
        "user": _user(tasks.c.user_id),
        "created": _via(tasks.c.job_id, jobs.c.id, _time(jobs.c.created)),
        "filename": _text(tasks.c.filename, tasks.c.filename_folded),
        "is_dir": _words(tasks.c.is_dir, FLAG),
        "status": _words(tasks.c.status, members(TaskStatus)),
        "size": _number(tasks.c.size),
        "source": _text(tasks.c.source, tasks.c.source_folded),
        "upload": _plain(tasks.c.upload_id),
        "error": _text(tasks.c.error),
        "path": _text(tasks.c.path, tasks.c.path_folded, inside=True),
        "volume": _volume(tasks.c.volume_id),
    },
)

OFFER = Entity(
    name="offer",
    table=offers,
    key=offers.c.id,
    order=(offers.c.id.desc(),),
    attributes={
        "id": _plain(offers.c.id),
        "state": _words(offers.c.state, members(OfferState)),
        "status": _words(offers.c.state, members(OfferState)),
        "user": _user(offers.c.user_id),
        "created": _time(offers.c.created),
        "expires": _time(offers.c.expires),
        "size": _number(offers.c.size),
        "hostname": _text(offers.c.hostname, offers.c.hostname_folded),
        "filename": _via(offers.c.id, entries.c.offer_id, _text(entries.c.filename, entries.c.filename_folded)),
        "run": _plain(offers.c.run_id, inside=True),
        "volume": Via(here=offers.c.id, there=entries.c.offer_id, attribute=_volume(entries.c.volume_id), shared=True),
    },
)

USER = Entity(
    name="user",
    table=users,
    key=users.c.id,
    order=(users.c.id.desc(),),
    attributes={
        "id": _plain(users.c.id),
        "code": _text(users.c.code, users.c.folded),
        "name": _text(users.c.name, users.c.name_folded),
        "role": _words(users.c.role, members(Role)),
        "status": _words(users.c.enabled, _ENABLED),
        "created": _time(users.c.created),
        "modified": _time(users.c.modified),
    },
)

RUN = Entity(
    name="run",
    table=runs,
    key=runs.c.id,
    order=(runs.c.id.desc(),),
    attributes={
        "id": _plain(runs.c.id),
        "hook": _words(runs.c.hook, members(HookName)),
        "state": _words(runs.c.state, members(RunState)),
        "status": _words(runs.c.state, members(RunState)),
        "user": _user(runs.c.user_id),
        "job": _job(runs.c.job_id),
        "offer": _plain(runs.c.offer_id),
        "attempt": _number(runs.c.attempt),
        "exit_code": _number(runs.c.exit_code),
        "started": _time(runs.c.started),
        "created": _time(runs.c.started),
        "ended": _time(runs.c.ended),
        "version": _plain(runs.c.version),
        "command": _text(runs.c.command, inside=True),
        "error": _text(runs.c.error),
    },
)

VOLUME = Entity(
    name="volume",
    table=volumes,
    key=volumes.c.id,
    order=(volumes.c.id.desc(),),
    attributes={
        "id": _plain(volumes.c.id),
        "code": _text(volumes.c.code, volumes.c.folded),
        "path": _text(volumes.c.root),
        "default": _words(volumes.c.default, FLAG),
        "status": _words(volumes.c.enabled, _ENABLED),
        "created": _time(volumes.c.created),
        "modified": _time(volumes.c.modified),
    },
)

LOG = Entity(
    name="log",
    table=audit,
    key=audit.c.id,
    order=(audit.c.id.desc(),),
    attributes={
        "id": _plain(audit.c.id),
        "created": _time(audit.c.created),
        "user": _user(audit.c.user_id),
        "user_hr": _text(audit.c.user, audit.c.user_folded),
        "role": _plain(audit.c.role),
        "ip": _text(audit.c.ip),
        "client": _text(audit.c.client),
        "request": _plain(audit.c.request_id),
        "door": _words(audit.c.door, members(Door)),
        "verb": _plain(audit.c.verb),
        "entity": _plain(audit.c.entity),
        "entity_id": _plain(audit.c.entity_id),
        "entity_hr": _text(audit.c.entity_code, audit.c.entity_folded),
        "code": _plain(audit.c.code),
        "message": _text(audit.c.message),
    },
)
