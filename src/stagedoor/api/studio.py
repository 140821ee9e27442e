"""Queues and settings.

| | admin | employee | standard |
|---|---|---|---|
| queues | read, write | read | - |
| settings of workspace, volumes, queues | read, write | read | - |
| settings of jobs | read, write | read, write | - |
"""

from __future__ import annotations

from typing import Annotated

from litestar import delete, get, patch, post, put
from litestar.params import Parameter

from ..lifecycle import house as views
from ..lifecycle import shelf
from ..lifecycle.levels import On
from ..lifecycle.wanted import Wanted
from ..model import errors
from ..model.entities import Queue
from ..model.settings import Level
from ..wire import calls
from ..wire.house import NewQueue, QueueChange, QueueView, SettingChange, SettingView
from ..wire.jobs import Page
from .asking import Asked, admin, insider, route, services
from .house import note
from .threads import quick

OfQueue = Annotated[str | None, Parameter(query="queue", description="of this queue: code or id")]
OfVolume = Annotated[str | None, Parameter(query="volume", description="of this volume: code or id")]
OfJob = Annotated[str | None, Parameter(query="job", description="of this job: id")]


# --- queues --------------------------------------------------------------------------------------------------------


@get(route(calls.QUEUES))
async def queues(request: Asked, whole: Wanted) -> Page:
    """The queues; the one that goes first comes first."""
    insider(request)
    found = await quick(lambda: _shown(request, services(request).queues.all()))
    return await quick(shelf.page, found, shelf.QUEUES, whole)


@post(route(calls.ADD_QUEUE))
async def add_queue(request: Asked, data: NewQueue) -> QueueView:
    """Add a queue."""
    admin(request)
    made = await quick(
        services(request).queues.add,
        data.code,
        data.priority,
        default=data.default,
        description=data.description,
    )
    return views.queue(made, (0, 0))


@get(route(calls.QUEUE))
async def queue(request: Asked, id: str) -> QueueView:
    """One queue, by id or code."""
    insider(request)
    return await quick(lambda: _shown(request, [services(request).queues.find(id)])[0])


@patch(route(calls.CHANGE_QUEUE))
async def change_queue(request: Asked, id: str, data: QueueChange) -> QueueView:
    """Change a queue; `status: paused` begins none of its jobs until it is `waiting` again."""
    admin(request)
    return await quick(_change_queue, request, id, data)


def _change_queue(request: Asked, id: str, data: QueueChange) -> QueueView:
    note(request, On(Level.QUEUE, id), data.metadata)
    changed = services(request).queues.update(
        id, priority=data.priority, default=data.default, description=data.description, status=data.status
    )
    return _shown(request, [changed])[0]


@delete(route(calls.REMOVE_QUEUE), status_code=204)
async def remove_queue(request: Asked, id: str) -> None:
    """Remove a queue that no unfinished job is in."""
    admin(request)
    await quick(services(request).queues.remove, id)


def _shown(request: Asked, found: list[Queue]) -> list[QueueView]:
    busy = services(request).queues.busy()
    return [views.queue(one, busy.get(one.id, (0, 0))) for one in found]


# --- settings ------------------------------------------------------------------------------------------------------


@get(route(calls.SETTINGS))
async def settings(
    request: Asked, whole: Wanted, queue: OfQueue = None, volume: OfVolume = None, of_job: OfJob = None
) -> Page:
    """Every setting that can be set there: the value that counts, and where it comes from."""
    insider(request)
    values = await quick(services(request).levels.settings, _on(queue, volume, of_job))
    found = [views.setting(name, value) for name, value in values.items()]
    return await quick(shelf.page, found, shelf.SETTINGS, whole)


@put(route(calls.SET_SETTING))
async def set_setting(
    request: Asked,
    name: str,
    data: SettingChange,
    queue: OfQueue = None,
    volume: OfVolume = None,
    of_job: OfJob = None,
) -> SettingView:
    """Set a setting: on the workspace, or on the queue, volume or job that is named."""
    on = _writable(request, queue, volume, of_job)
    return views.setting(name, await quick(services(request).levels.set_setting, name, data.value, on))


@delete(route(calls.UNSET_SETTING), status_code=204)
async def unset_setting(
    request: Asked, name: str, queue: OfQueue = None, volume: OfVolume = None, of_job: OfJob = None
) -> None:
    """Bring a setting back to what is set above, or to its default."""
    on = _writable(request, queue, volume, of_job)
    await quick(services(request).levels.unset_setting, name, on)


def _writable(request: Asked, queue: str | None, volume: str | None, job: str | None) -> On:
    """Whose settings are to be changed, where who asks may do that."""
    insider(request)
    on = _on(queue, volume, job)
    if on.level is not Level.JOB:
        admin(request)
    return on


def _on(queue: str | None, volume: str | None, job: str | None) -> On:
    named = [
        On(level, name)
        for level, name in ((Level.QUEUE, queue), (Level.VOLUME, volume), (Level.JOB, job))
        if name is not None
    ]
    if len(named) > 1:
        raise errors.BadRequest("Name a queue, a volume or a job, not several of them.")
    return named[0] if named else On()


HANDLERS = [
    queues,
    add_queue,
    queue,
    change_queue,
    remove_queue,
    settings,
    set_setting,
    unset_setting,
]
