"""Tickets: what the server must know again when a browser comes back, kept by the browser.

Rules
1. A ticket is signed with a key of this process, holds for `SECONDS` and for one purpose, and is taken once.
2. Nothing is remembered of tickets that were given, only of those that were taken, as long as they would hold.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from ..model.errors import BadRequest

SECONDS = 300.0
Kind = TypeVar("Kind", bound=msgspec.Struct)


class _Sealed(msgspec.Struct, frozen=True, array_like=True):
    kind: str
    until: float
    content: msgspec.Raw


class Tickets:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._taken: dict[bytes, float] = {}

    def give(self, content: msgspec.Struct) -> str:
        """Whoever holds it can read it, but change nothing."""
        packed = msgspec.Raw(msgspec.json.encode(content))
        body = msgspec.json.encode(_Sealed(type(content).__name__, self._clock() + SECONDS, packed))
        return base64.urlsafe_b64encode(self._seal(body) + body).decode()

    def read(self, ticket: str, kind: type[Kind]) -> Kind:
        """Raises BadRequest (`ticket_over`)."""
        _, sealed = self._open(ticket, kind)
        return msgspec.json.decode(sealed.content, type=kind)

    def take(self, ticket: str, kind: type[Kind]) -> None:
        """From now on it does not hold. Raises BadRequest (`ticket_over`)."""
        seal, sealed = self._open(ticket, kind)
        with self._lock:
            now = self._clock()
            if seal in self._taken:
                raise _over()
            self._taken = {known: until for known, until in self._taken.items() if until > now}
            self._taken[seal] = sealed.until

    def _open(self, ticket: str, kind: type[Kind]) -> tuple[bytes, _Sealed]:
        try:
            data = base64.urlsafe_b64decode(ticket.encode())
        except (binascii.Error, ValueError):
            raise _over() from None
        seal, body = data[:32], data[32:]
        if not hmac.compare_digest(seal, self._seal(body)):
            raise _over()
        sealed = msgspec.json.decode(body, type=_Sealed)
        if sealed.kind != kind.__name__ or sealed.until <= self._clock() or seal in self._taken:
            raise _over()
        return seal, sealed

    def _seal(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)


def _over() -> BadRequest:
    return BadRequest("This took too long, or was done already; begin again.", code="ticket_over")
