"""The audit log: admins read all of it, employees what is about publishes, standard users nothing."""

from __future__ import annotations

from litestar import get

from ..wire import calls
from ..wire.jobs import Page
from .asking import Asked, insider, milliseconds, route, services, user
from .publishing import Limit, Owner, Since, Skip, Where
from .threads import quick


@get(route(calls.LOG))
async def log(
    request: Asked,
    id: str | None = None,
    of_user: Owner = None,
    entity: str | None = None,
    verb: str | None = None,
    code: str | None = None,
    since: Since = None,
    refusals: bool = False,
    where: Where = None,
    limit: Limit = 50,
    skip: Skip = 0,
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
        where=where,
        limit=limit,
        skip=skip,
    )


@get(route(calls.STUMBLES))
async def stumbles(request: Asked, since: Since = None) -> Page:
    """Why offers and submits were refused, summed up by reason."""
    insider(request)
    return await quick(services(request).auditing.stumbles, user(request), milliseconds(since))


HANDLERS = [log, stumbles]
