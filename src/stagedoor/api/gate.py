"""Around every request: its id, who asks, packed bodies unpacked, every refusal in one shape.

Rules
1. A request gets an id, which is in the answer's `X-Request-Id`, in every refusal and in the log.
2. Nothing but `/healthz`, the pages and the calls that sign in is answered without sign-in, and `/metrics` to this
   machine itself where that is set; also what does not exist is refused first.
3. A body packed with gzip is unpacked here; whoever reads it counts what comes out.
4. `detail` of a refusal goes to the log, never into the answer.
5. A refusal is answered when the rest of the body has come, within bounds: a client that is still sending when the
   connection closes would see a broken line instead of the reason.
6. Every request is counted with its route, status and duration; with an access log it is a line there.
"""

from __future__ import annotations

import asyncio
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
from ..model.audit import Actor, Door
from ..model.entities import User
from ..model.signin import Known
from ..wire.calls import OPEN
from . import pages
from .counting import Answered, count
from .status import body_of, headers_of, status_of
from .threads import quick
from .who import Credential, SignIn, is_page

log = logging.getLogger("stagedoor.api")

HEALTH = "/healthz"
METRICS = "/metrics"
_CHUNK = 1 << 20
DRAIN_BYTES = 128 << 20
DRAIN_SECONDS = 5.0
ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""headers of every answer that does not say otherwise"""


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
    ) -> None:
        self._app = app
        self._sign_in = sign_in
        self._peers = peers
        self._tally = tally
        self._is_open = is_open

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
        state, method = scope["state"], str(scope["method"])
        headers = {name.lower(): value for name, value in scope["headers"]}
        state["ip"], state["headers"] = self._ip(scope, headers), headers
        client = headers.get(b"user-agent", b"")
        body = _Body(receive, headers)
        who = actor_of(None, state["ip"], client, request_id)
        receive = cast("Receive", body.receive)
        try:
            if not await self._needs_nobody(method, scope["path"], state["ip"], headers):
                shown = self._sign_in.credential(method, headers)
                state["known"] = known = await self._known(shown)
                state["still"] = partial(self._known, shown)
                about.also(user=known.user.id, **_job_in(scope["path"]))
                who = actor_of(known.user, state["ip"], client, request_id)
            if "\0" in scope["path"]:
                raise errors.NotFound  # databases differ in what they make of it
            receive = _unpacked(receive, headers.get(b"content-encoding", b"").strip().lower())
        except errors.StagedoorError as error:
            state["refusal"] = error.error_code
            await body.drain()
            await refuse(send, error, request_id, page=is_page(headers))
            return
        with acting(who):
            await self._app(scope, receive, _stamped(send, request_id, body))

    async def _known(self, shown: Credential) -> Known:
        return await quick(self._sign_in.known, shown)

    async def _needs_nobody(self, method: str, path: str, ip: str, headers: dict[bytes, bytes]) -> bool:
        """Raises Forbidden where a page of ours would have to ask, and does not."""
        if (method, path) in OPEN:
            if method != "GET":
                self._sign_in.check_page(headers)
            return True
        if path != METRICS:
            return path == HEALTH or pages.serves(method, path)
        passed_on = b"x-forwarded-for" in headers or b"forwarded" in headers
        if b"authorization" in headers or passed_on:
            return False
        return await quick(self._is_open, ip)

    def _ip(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """The proxy in front adds the last address it saw; without one, what the client says counts for nothing."""
        forwarded = headers.get(b"x-forwarded-for", b"") if self._sign_in.reached.behind_proxy else b""
        if forwarded:
            return last_address(forwarded)
        client = scope.get("client")
        return self._peers.get(client[1], client[0]) if client else ""


def last_address(forwarded: bytes) -> str:
    """Of an X-Forwarded-For: the one that the proxy in front saw."""
    return forwarded.decode("latin-1").rsplit(",", 1)[-1].strip()


def actor_of(user: User | None, ip: str, user_agent: bytes, request_id: str) -> Actor:
    """Who acts in a request, for the audit log. None: nobody who is known."""
    client = user_agent[:255].decode("latin-1")
    return Actor(
        user_id=user.id if user else "",
        code=user.code if user else "nobody",
        role=user.role.value if user else "",
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


async def refuse(send: Send, error: errors.StagedoorError, request_id: str, *, page: bool) -> None:
    headers = {**headers_of(error, page=page), "x-request-id": request_id}
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
