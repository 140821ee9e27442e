"""The fast lane: parts that come over a connection of their own, each handled in the thread of its connection.

Rules
1. What is checked, and in which order, is what `gate` and `uploads` do; only that who asks may have been checked a
   second ago.
2. A refusal is answered when the rest of the body has come, within bounds, unless the client waits for a word before it
   sends it.
3. Whatever happens to the connection, the range of the part is freed.
"""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from ..lifecycle import about
from ..lifecycle.acting import acting
from ..lifecycle.lately import Lately
from ..lifecycle.receive import Part, Receiving
from ..lifecycle.tally import Tally
from ..model import errors
from ..model.entities import User
from ..model.signin import Known
from ..wire.calls import PART
from ..wire.parts import PartAnswer
from .counting import Answered, count
from .front import Broken, Line
from .gate import (
    ALWAYS,
    DRAIN_BYTES,
    DRAIN_SECONDS,
    actor_of,
    last_address,
    log_refusal,
    new_request_id,
)
from .head import PartHead
from .status import body_of, fault, headers_of, status_of
from .uploads import Trickle, begin, too_slow
from .who import Credential, SignIn, is_page

log = logging.getLogger("stagedoor.api")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_ALWAYS = b"".join(b"%s: %s\r\n" % pair for pair in ALWAYS)


class PartLane:
    def __init__(self, receiving: Receiving, sign_in: SignIn, tally: Tally) -> None:
        self._receiving = receiving
        self._tally = tally
        self._sign_in = sign_in
        self._known: Lately[Credential, Known] = Lately(sign_in.known)

    def take(self, line: Line, head: PartHead) -> bool:
        """Take one part and answer it; whether the connection can go on. Raises Broken."""
        request_id, began = new_request_id(), time.monotonic()
        with about.block(request=request_id):
            status, refusal = 0, ""
            try:
                end = self._tried(line, head, request_id)
                status, refusal = (status_of(end.said), end.said.error_code) if end.said else (200, "")
                return end.goes_on
            finally:
                answered = Answered(
                    method="PUT",
                    route=PART.path,
                    path=PART.at(id=head.upload),
                    status=status,
                    seconds=time.monotonic() - began,
                    refusal=refusal,
                    ip=line.address,
                )
                count(self._tally, answered)

    def _tried(self, line: Line, head: PartHead, request_id: str) -> _End:
        user: User | None = None
        body = _Body(line, head)
        refusal: errors.StagedoorError
        try:
            user = self._known(self._sign_in.credential("PUT", head.fields)).user
            about.also(user=user.id)
            with acting(actor_of(user, self._ip(line, head), head.user_agent, request_id)):
                answer = self._part(user, head, body)
        except errors.StagedoorError as error:
            log_refusal(error, request_id, user.code if user else "nobody")
            refusal = error
        except Broken:
            raise
        except Exception as error:
            log.error("request %s failed", request_id, exc_info=error)
            refusal = fault(request_id)
        else:
            _answer(line, 200, msgspec.json.encode(answer), {"content-type": "application/json"}, request_id, head.last)
            return _End(not head.last)
        return _End(_refuse(line, head, body, refusal, request_id), refusal)

    def _ip(self, line: Line, head: PartHead) -> str:
        if self._sign_in.reached.behind_proxy and head.forwarded:
            return last_address(head.forwarded)
        return line.address

    def _part(self, user: User, head: PartHead, body: _Body) -> PartAnswer:
        opened = begin(self._receiving, user, head.upload, head.content_range, head.content_digest, str(head.length))
        try:
            body.into(opened)
            return opened.commit()
        finally:
            opened.close()


class _End(NamedTuple):
    """How a part ended: whether the connection can go on, and the refusal if it was one."""

    goes_on: bool
    said: errors.StagedoorError | None = None


class _Body:
    def __init__(self, line: Line, head: PartHead) -> None:
        self._line = line
        self._waits = head.expects
        self.left = head.length

    def into(self, opened: Part) -> None:
        """Raises Broken, and Busy where it comes too slowly."""
        if self._waits and self.left:
            self._line.send(_CONTINUE)
            self._waits = False
        pace, view = Trickle(), self._line.begin_body(self.left)
        while self.left:
            count = self._line.receive(view[: self.left])
            self.left -= count
            pace.count(count)
            if count:
                opened.write(view[:count])
                if seconds := opened.delay(count):
                    time.sleep(seconds)
            elif pace.seconds_left() <= 0:
                raise too_slow()

    def drain(self) -> bool:
        """Take what is still coming, and drop it; whether the end of it was reached."""
        if self._waits or self.left > DRAIN_BYTES:
            return not self.left
        view = self._line.begin_body(self.left)
        until = time.monotonic() + DRAIN_SECONDS
        try:
            while self.left and time.monotonic() < until:
                self.left -= self._line.receive(view[: self.left])
        except Broken:
            pass
        return not self.left


def _refuse(line: Line, head: PartHead, body: _Body, error: errors.StagedoorError, request_id: str) -> bool:
    last = not body.drain() or head.last
    _answer(
        line,
        status_of(error),
        body_of(error, request_id),
        headers_of(error, page=is_page(head.fields)),
        request_id,
        last,
    )
    return not last


def _answer(line: Line, status: int, body: bytes, headers: dict[str, str], request_id: str, last: bool) -> None:
    fields = {**headers, "content-length": str(len(body)), "x-request-id": request_id}
    if last:
        fields["connection"] = "close"
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
    line.send(head.encode() + _ALWAYS + b"\r\n" + body)
