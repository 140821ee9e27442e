"""Whether all is well with the server: admins."""

from __future__ import annotations

from litestar import get

from ..wire import calls
from ..wire.house import Checkup
from .asking import Asked, admin, route, services
from .threads import looks


@get(route(calls.DOCTOR))
async def doctor(request: Asked, host: str = "") -> Checkup:
    """What `stagedoor doctor` finds. `host`: the name by which vendors reach the server, for the certificate."""
    admin(request)
    return await looks(services(request).examine, host)


HANDLERS = [doctor]
