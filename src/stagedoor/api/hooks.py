"""Hooks and their runs.

| | admin | employee | standard |
|---|---|---|---|
| hooks | read, write | read | - |
| hook runs | read, replay | read, without stdout and stderr | - |
"""

from __future__ import annotations

from typing import Annotated

from litestar import delete, get, patch, post, put
from litestar.params import Parameter

from ..lifecycle import house as views
from ..lifecycle import shelf
from ..lifecycle.manage import is_enabled
from ..lifecycle.read import run_view
from ..lifecycle.wanted import Wanted
from ..wire import calls
from ..wire.house import HookChange, HookView, NewHook, RunDetail, RunView
from ..wire.jobs import Page
from ..wire.replays import Replay, ReplayRequest, Replays, Trial
from .asking import LARGEST_PAGE, Asked, admin, insider, milliseconds, route, services
from .publishing import Owner, Since
from .threads import quick, submits

Most = Annotated[int | None, Parameter(ge=0, description="bytes of each text")]
Tried = Annotated[int, Parameter(ge=0, description="runs, the newest first")]
REPLAY_SECONDS = 60.0
"""about so long one request replays runs; the answer says where to go on"""
TRIAL_SECONDS = 20.0
"""likewise, while somebody waits in a dialogue"""


@get(route(calls.HOOKS))
async def hooks(request: Asked, whole: Wanted) -> Page:
    """The hooks that are set."""
    reader = insider(request)
    found = [views.hook(one, reader) for one in await quick(services(request).manage.hooks)]
    return await quick(shelf.page, found, shelf.HOOKS, whole)


@put(route(calls.SET_HOOK))
async def set_hook(request: Asked, name: str, data: NewHook) -> HookView:
    """Set a hook: its command line, of the workspace or of one queue."""
    admin(request)
    hook, _ = await quick(
        services(request).manage.set_hook,
        name,
        data.command,
        queue=data.queue,
        environment=data.environment,
        run_as=data.user,
        enabled=is_enabled(data.status),
    )
    return views.hook(hook)


@patch(route(calls.CHANGE_HOOK))
async def change_hook(request: Asked, name: str, data: HookChange) -> HookView:
    """Switch a hook on or off."""
    admin(request)
    changed = await quick(services(request).manage.switch_hook, name, enabled=is_enabled(data.status), queue=data.queue)
    return views.hook(changed)


@delete(route(calls.UNSET_HOOK), status_code=204)
async def unset_hook(request: Asked, name: str, queue: str = "") -> None:
    """Unset a hook, of the workspace or of one queue."""
    admin(request)
    await quick(services(request).manage.unset_hook, name, queue)


@post(route(calls.TRY_HOOK), status_code=200)
async def try_hook(request: Asked, name: str, data: NewHook, limit: Tried = 20) -> Trial:
    """A command line that is not set, on what the newest runs had read; where none is kept, on a small sample."""
    by = admin(request)
    return await submits(
        services(request).trying.line, by, name, data, limit=min(limit, LARGEST_PAGE), seconds=TRIAL_SECONDS
    )


@get(route(calls.RUNS))
async def runs(
    request: Asked,
    wanted: Wanted,
    hook: str | None = None,
    job: str | None = None,
    offer: str | None = None,
    of_user: Owner = None,
    since: Since = None,
) -> Page:
    """Recorded hook runs, newest first."""
    return await quick(
        services(request).reading.runs,
        insider(request),
        hook=hook,
        job=job,
        offer=offer,
        owner=of_user,
        since=milliseconds(since),
        wanted=wanted,
    )


@get(route(calls.RUN))
async def run(request: Asked, id: str, most: Most = None) -> RunDetail:
    """One hook run with what it read and wrote; for administrators also what it said on stdout and stderr."""
    return await quick(services(request).reading.run, insider(request), id, most)


@post(route(calls.REPLAY), status_code=200)
async def replay(request: Asked, id: str) -> Replay:
    """Today's pre-publish hook on what this run had read: what would change. Nothing is recorded or reserved."""
    admin(request)
    return await submits(services(request).replaying.one, id)


@post(route(calls.RUN_AGAIN), status_code=200)
async def run_again(request: Asked, id: str) -> RunView:
    """Run a hook of a job once more, for real, with `replay` true in its input."""
    admin(request)
    return run_view(await submits(services(request).replaying.for_real, id))


@post(route(calls.REPLAYS), status_code=200)
async def replays(request: Asked, data: ReplayRequest) -> Replays:
    """Today's pre-publish hook on what earlier runs had read, the newest first, as far as it comes in a minute."""
    admin(request)
    return await submits(
        services(request).replaying.several,
        since=milliseconds(data.since),
        limit=min(max(data.limit, 0), LARGEST_PAGE),
        skip=max(data.skip, 0),
        seconds=REPLAY_SECONDS,
    )


HANDLERS = [hooks, set_hook, change_hook, unset_hook, try_hook, runs, run, replay, run_again, replays]
