"""Files that the studio has already: which to look at, and which were taken."""

from __future__ import annotations

from litestar import Response, get, post

from ..wire import calls
from ..wire.reuse import ReuseRequest
from .asking import Asked, json, read, route, services, user
from .threads import copies, looks

REQUEST_BYTES = 4 << 20
"""more than twenty thousand identities take"""


@get(route(calls.REUSABLE))
async def reusable(request: Asked, id: str) -> Response[bytes]:
    """Which files of a job resemble ones that the same user sent before: worth hashing."""
    return await json(request, await looks(services(request).reusing.candidates, user(request), id))


@post(route(calls.REUSE), request_max_body_size=None, status_code=200)
async def reuse(request: Asked, id: str) -> Response[bytes]:
    """Name files by their blake3: those that the same user sent before are copied, and have arrived."""
    asked = await read(request, ReuseRequest, REQUEST_BYTES)
    return await json(request, await copies(services(request).reusing.copy, user(request), id, asked))


HANDLERS = [reusable, reuse]
