"""Around every request: its id, who asks, packed bodies unpacked, every refusal in one shape.

Rules
1. A request gets an id, which is in the answer's `X-Request-Id`, in every refusal and in the log.
2. Nothing but `/healthz` and the pages is answered without sign-in, and `/metrics` to this machine itself where that
   is set; also what does not exist is refused first.
3. A body packed with gzip is unpacked here; whoever reads it counts what comes out.
4. `detail` of a refusal goes to the log, never into the answer.
5. A refusal is answered when the rest of the body has come, within bounds: a client that is still sending when the
   connection closes would see a broken line instead of the reason.
6. Every request is counted with its route, status and duration; with an access log it is a line there.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import ipaddress
import logging
import re
import secrets
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from ..lifecycle import about
from ..lifecycle.acting import acting
from ..lifecycle.tally import Tally
from ..model import errors
from ..model.audit import SYSTEM, Actor, Door
from ..model.entities import User
from .counting import Answered, count
from .pages import is_page
from .status import body_of, headers_of, status_of
from .threads import quick

log = logging.getLogger("stagedoor.api")

HEALTH = "/healthz"
METRICS = "/metrics"
SignIn = Callable[[str, str], User | None]
_CHUNK = 1 << 20
DRAIN_BYTES = 128 << 20
DRAIN_SECONDS = 5.0
ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""headers of every answer that does not say otherwise"""
PAGE_HEADER = b"x-stagedoor-page"
"""sent by our own pages with every call"""


class Gate:
    """The outermost ASGI layer."""

    """`is_open`: whether `/metrics` is answered to an address without a sign-in."""

    def __init__(
        self,
        app: ASGIApp,
        sign_in: SignIn,
        peers: Mapping[int, str],
        tally: Tally,
        is_open: Callable[[str], bool],
        *,
        behind_proxy: bool,
    ) -> None:
        self._app = app
        self._sign_in = sign_in
        self._peers = peers
        self._tally = tally
        self._is_open = is_open
        self._behind_proxy = behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = new_request_id()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        with about.block(request=request_id), self._counted(scope) as counted:
            await self._answer(scope, receive, counted(send), request_id)

    @contextmanager
    def _counted(self, scope: HTTPScope) -> Iterator[Callable[[Send], Send]]:
        """Counts the request when it has been answered; what it yields wraps `send`, to see the status."""
        began, status, state = time.monotonic(), 0, scope["state"]

        def watched(send: Send) -> Send:
            async def sending(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            return sending

        try:
            yield watched
        finally:
            answered = Answered(
                method=scope["method"],
                route=_route(scope),
                path=scope["path"],
                status=status,
                seconds=time.monotonic() - began,
                refusal=state.get("refusal", ""),
                ip=state.get("ip", ""),
            )
            count(self._tally, answered)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send, request_id: str) -> None:
        state = scope["state"]
        headers = {name.lower(): value for name, value in scope["headers"]}
        state["ip"] = self._ip(scope, headers)
        body = _Body(receive, headers)
        who = SYSTEM
        receive = cast("Receive", body.receive)
        try:
            if not await self._needs_nobody(scope, state["ip"], headers):
                state["user"] = user = await self._who(headers)
                state["still"] = partial(self._who, headers)
                about.also(user=user.id, **_job_in(scope["path"]))
                who = actor_of(user, state["ip"], headers.get(b"user-agent", b""), request_id)
            if "\0" in scope["path"]:
                raise errors.NotFound  # databases differ in what they make of it
            receive = _unpacked(receive, headers.get(b"content-encoding", b"").strip().lower())
        except errors.StagedoorError as error:
            state["refusal"] = error.error_code
            await body.drain()
            await refuse(send, error, request_id, from_page=PAGE_HEADER in headers)
            return
        with acting(who):
            await self._app(scope, receive, _stamped(send, request_id, body))

    async def _needs_nobody(self, scope: HTTPScope, ip: str, headers: dict[bytes, bytes]) -> bool:
        if scope["path"] != METRICS:
            return scope["path"] == HEALTH or is_page(scope["method"], scope["path"])
        passed_on = b"x-forwarded-for" in headers or b"forwarded" in headers
        if b"authorization" in headers or passed_on:
            return False
        return await quick(self._is_open, ip)

    async def _who(self, headers: dict[bytes, bytes]) -> User:
        name, key = credentials(headers.get(b"authorization", b""))
        user = await quick(self._sign_in, name, key)
        if user is None:
            raise errors.SignInRefused
        return user

    def _ip(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """The proxy in front adds the last address it saw; without one, what the client says counts for nothing."""
        forwarded = headers.get(b"x-forwarded-for", b"") if self._behind_proxy else b""
        if forwarded:
            return last_address(forwarded)
        client = scope.get("client")
        return self._peers.get(client[1], client[0]) if client else ""


def last_address(forwarded: bytes) -> str:
    """Of an X-Forwarded-For: the one that the proxy in front saw."""
    return forwarded.decode("latin-1").rsplit(",", 1)[-1].strip()


def actor_of(user: User, ip: str, user_agent: bytes, request_id: str) -> Actor:
    """Who acts in a request, for the audit log."""
    client = user_agent[:255].decode("latin-1")
    return Actor(
        user_id=user.id,
        code=user.code,
        role=user.role.value,
        ip=ip,
        client=client,
        request_id=request_id,
        door=Door.REST,
    )


_JOB = re.compile(r"/jobs/([0-9a-f]{24})(?:/|$)")


def _job_in(path: str) -> dict[str, str]:
    """The job that a path names. A stranger's is named as well: this is the studio's log."""
    found = _JOB.search(path)
    return {"job": found[1]} if found else {}


def _route(scope: HTTPScope) -> str:
    """As the table of calls writes it; empty where there is none."""
    return re.sub(r"\{(\w+):str\}", r"{\1}", scope.get("path_template") or "")


def is_loopback(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False


def new_request_id() -> str:
    return secrets.token_hex(8)


def credentials(header: bytes) -> tuple[str, str]:
    """User name and key of an Authorization header. Raises SignInRefused."""
    scheme, _, packed = header.partition(b" ")
    if scheme.lower() != b"basic":
        raise errors.SignInRefused
    try:
        name, _, key = base64.b64decode(packed.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise errors.SignInRefused from None
    return name, key


class _Body:
    """The body of a request as it comes, and whether all of it has come."""

    def __init__(self, receive: Receive, headers: dict[bytes, bytes]) -> None:
        self._receive = receive
        self._ended = b"transfer-encoding" not in headers and headers.get(b"content-length", b"0") == b"0"

    async def receive(self) -> HTTPReceiveMessage:
        message = cast("HTTPReceiveMessage", await self._receive())
        if message["type"] != "http.request" or not message["more_body"]:
            self._ended = True
        return message

    async def drain(self) -> None:
        """Take what is still coming, and drop it."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._drop(), DRAIN_SECONDS)

    async def _drop(self) -> None:
        size = 0
        while not self._ended and size < DRAIN_BYTES:
            message = await self.receive()
            if message["type"] == "http.request":
                size += len(message["body"])


def _stamped(send: Send, request_id: str, body: _Body) -> Send:
    async def stamped(message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] >= 400:
                await body.drain()
            given = list(message.get("headers", []))
            names = {name for name, _ in given}
            always = [header for header in ALWAYS if header[0] not in names]
            message["headers"] = [*given, (b"x-request-id", request_id.encode()), *always]
        await send(message)

    return stamped


def _unpacked(receive: Receive, encoding: bytes) -> Receive:
    if encoding in (b"", b"identity"):
        return receive
    if encoding != b"gzip":
        raise errors.BadRequest("The body may be packed with gzip or not at all.", code="content_encoding")
    unpacker = zlib.decompressobj(wbits=31)
    packed = b""
    more_to_come = True

    async def unpacking() -> HTTPReceiveMessage:
        # At most a chunk comes out per call, so that whoever counts can stop before memory is full.
        nonlocal packed, more_to_come
        while not packed and more_to_come:
            message = await receive()
            if message["type"] != "http.request":
                return cast("HTTPReceiveMessage", message)
            packed, more_to_come = message.get("body", b""), message.get("more_body", False)
        try:
            body = unpacker.decompress(packed, _CHUNK)
        except zlib.error:
            raise errors.BadRequest("The body is not gzip, though its header says so.") from None
        packed = unpacker.unconsumed_tail
        if not packed and not more_to_come and not unpacker.eof:
            body += unpacker.flush()
            if not unpacker.eof:
                raise errors.BadRequest("The packed body ends too early.")
        return {"type": "http.request", "body": body, "more_body": bool(packed) or more_to_come}

    return cast("Receive", unpacking)


async def refuse(send: Send, error: errors.StagedoorError, request_id: str, *, from_page: bool = False) -> None:
    headers = {**headers_of(error), "x-request-id": request_id}
    if from_page:
        headers.pop("www-authenticate", None)  # a browser would put a dialogue of its own over the page
    await send(
        {
            "type": "http.response.start",
            "status": status_of(error),
            "headers": [*((name.encode(), value.encode()) for name, value in headers.items()), *ALWAYS],
        }
    )
    await send({"type": "http.response.body", "body": body_of(error, request_id), "more_body": False})


def log_refusal(error: errors.StagedoorError, request_id: str, who: str) -> None:
    """What the vendor is not told, in one line."""
    if error.detail:
        reference = f" (reference {error.details['reference']})" if "reference" in error.details else ""
        detail = " | ".join(error.detail.splitlines())
        log.warning("request %s of %s refused with %s%s: %s", request_id, who, error.error_code, reference, detail)
