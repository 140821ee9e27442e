"""What handlers know of a request: who asks, the services, the body; and how answers are made."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from litestar import MediaType, Request, Response
from litestar.di import Provide
from litestar.params import Parameter

from ..lifecycle.wanted import Wanted
from ..model import errors
from ..model.entities import Role, User
from ..model.signin import Known
from ..wire.calls import Call
from .threads import quick

if TYPE_CHECKING:
    from .app import Doors, Services

T = TypeVar("T")
Asked = Request[Any, Any, Any]
_PACK_FROM = 100_000
LARGEST_PAGE = 500

Where = Annotated[str | None, Parameter(description="an expression of the query language")]
Limit = Annotated[int, Parameter(ge=0, le=LARGEST_PAGE, description="items on the page")]
Skip = Annotated[int, Parameter(ge=0, le=10_000_000, description="items before the page")]


def wanted(where: Where = None, limit: Limit = 50, skip: Skip = 0) -> Wanted:
    """Of a long list; for handlers with an argument of this name."""
    return Wanted(where, limit, skip)


def whole(where: Where = None, limit: Limit = LARGEST_PAGE, skip: Skip = 0) -> Wanted:
    """Of a list that is hardly ever longer than a page."""
    return Wanted(where, limit, skip)


LISTS = {"wanted": Provide(wanted, sync_to_thread=False), "whole": Provide(whole, sync_to_thread=False)}


def route(call: Call) -> str:
    """The path of a call as the framework writes it."""
    return re.sub(r"\{(\w+)\}", r"{\1:str}", call.path)


def services(request: Asked) -> Services:
    found: Services = request.app.state.services
    return found


def doors(request: Asked) -> Doors:
    return services(request).doors


def user(request: Asked) -> User:
    return known(request).user


def known(request: Asked) -> Known:
    """Who asks, and the session where it is a page."""
    found: Known = request.scope["state"]["known"]
    return found


def headers(request: Asked) -> dict[bytes, bytes]:
    """By lower-case name."""
    found: dict[bytes, bytes] = request.scope["state"]["headers"]
    return found


def admin(request: Asked) -> User:
    """Who asks, where that is an administrator. Raises Forbidden."""
    who = user(request)
    if who.role is not Role.ADMIN:
        raise errors.Forbidden
    return who


def insider(request: Asked) -> User:
    """Who asks, where they work at the studio. Raises Forbidden."""
    who = user(request)
    if not who.works_here:
        raise errors.Forbidden
    return who


def ip(request: Asked) -> str:
    return str(request.scope["state"]["ip"])


@asynccontextmanager
async def refusals_kept(request: Asked, entity: str) -> AsyncIterator[None]:
    """Keep for the audit log what is refused within; `entity`: what would have been made."""
    try:
        yield
    except errors.StagedoorError as error:
        await quick(services(request).refusals.keep, entity, error)
        raise


async def read(request: Asked, kind: type[T], most: int) -> T:
    """The body as a `kind`, `most` bytes of JSON at the most, counted while they come. Raises BadRequest."""
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise errors.BadRequest("The request was cut off.")
        body += message["body"]
        if len(body) > most:
            raise errors.LimitExceeded(
                f"The request is larger than {most} bytes; make several.", details={"limit": most}
            )
        if not message["more_body"]:
            break
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise errors.BadRequest(f"The request cannot be read: {error}") from None


async def json(request: Asked, answer: Any, status: int = 200) -> Response[bytes]:
    """An answer as JSON, packed where it is large and the client can unpack."""
    body = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
    headers = {}
    if len(body) > _PACK_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = await quick(gzip.compress, body, 1)
        headers["content-encoding"] = "gzip"
    return Response(body, status_code=status, headers=headers, media_type=MediaType.JSON)


def milliseconds(when: datetime | None) -> int | None:
    return None if when is None else int(when.timestamp() * 1000)
