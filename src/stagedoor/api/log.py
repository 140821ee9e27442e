"""The audit log: admins read all of it, employees what is about publishes, standard users nothing."""

from __future__ import annotations

from litestar import get

from ..lifecycle.wanted import Wanted
from ..wire import calls
from ..wire.jobs import Page
from .asking import Asked, insider, milliseconds, route, services, user
from .publishing import Owner, Since
from .threads import quick


@get(route(calls.LOG))
async def log(
    request: Asked,
    wanted: Wanted,
    id: str | None = None,
    of_user: Owner = None,
    entity: str | None = None,
    verb: str | None = None,
    code: str | None = None,
    since: Since = None,
    refusals: bool = False,
) -> Page:
    """Who did what, newest first. `entity`: a type, an id, a name, or `<type>:<id or name>`."""
    insider(request)
    return await quick(
        services(request).auditing.log,
        user(request),
        id=id,
        user=of_user,
        entity=entity,
        verb=verb,
        code=code,
        since=milliseconds(since),
        refusals=refusals,
        wanted=wanted,
    )


@get(route(calls.STUMBLES))
async def stumbles(request: Asked, since: Since = None) -> Page:
    """Why offers and submits were refused, summed up by reason."""
    insider(request)
    return await quick(services(request).auditing.stumbles, user(request), milliseconds(since))


HANDLERS = [log, stumbles]
