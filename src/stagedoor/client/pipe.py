"""One connection that carries nothing but parts.

Rules
1. Requests may follow each other before the first is answered; answers come in the same order.
2. A connection that is dead is noticed: by the system, when sent bytes are not acknowledged for `DEAD_SECONDS` or an
   idle line does not answer probes; here, when the answer takes longer than the session allows.
3. On a line that is long, BBR is asked for where the system allows it: with loss it is worth many connections.
4. TLS is verified as everywhere else (`route`); a proxy is used as everywhere else.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import cast
from urllib.parse import urlsplit

from . import unreachable
from .body import Body
from .connection import Answer
from .route import Route

DEAD_SECONDS = 20
LONG_SECONDS = 0.01
"""a round trip from which on a line counts as long"""
UNSENT = 1 << 20
"""bytes that all connections of a long line together have waiting in the system: enough that none runs dry, and what
waits there no other can take over"""
_UNSENT_BOUNDS = (32 * 1024, 256 * 1024)
_TCP_INFO_BYTES = 152


def sends_files(route: Route) -> bool:
    """Whether the system can send files by itself: nothing that has to be done to their bytes."""
    return sys.platform == "linux" and not route.secure


class Pipe:
    """Not safe for threads, but `cut` may be called from another."""

    def __init__(self, route: Route, beside: int = 1) -> None:
        """Connect; `beside`: how many there are, this one included. Raises ServerUnreachable."""
        self._beside = beside
        self._route = route
        self.sent = 0
        """bytes of parts that the system has taken"""
        self.moved = time.monotonic()
        """when it last took some"""
        self.sending = False
        """whether a body is on its way into the system"""
        self.ended = False
        """whether the server wants no more requests on it"""
        began = time.monotonic()
        try:
            self._socket = _dial(route)
            self.round_trip = self._measured(time.monotonic() - began)
            """seconds, as the connection began"""
            self._tune()
            self._secure()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise unreachable.of_socket(route.url, error) from error

    def put(self, path: str, headers: Mapping[str, str], body: Body, allowed: Callable[[int], int]) -> None:
        """Send a request; before its bytes are sent, `allowed(n)` tells how many of the next n may go at a time. Raises
        ServerUnreachable."""
        head = self._head(path, {**self._route.headers, **headers, "Content-Length": str(body.size)})
        self.sending, self.moved = True, time.monotonic()
        try:
            self._socket.settimeout(self._route.connect_seconds)
            self._socket.sendall(head)
            for piece in body.pieces:
                start = 0
                while start < piece.size:
                    count = allowed(piece.size - start)
                    self.moved = time.monotonic()
                    piece.send(self._socket, start, count)
                    start += count
                    self.sent += count
                    self.moved = time.monotonic()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server, or a proxy, may have said why before it hung up
        except OSError as error:
            raise unreachable.of_socket(self._route.url, error) from error
        finally:
            self.sending = False

    def receive(self) -> Answer:
        """The answer to the oldest request that has none. Raises ServerUnreachable."""
        try:
            self._socket.settimeout(self._route.answer_seconds)
            answer = http.client.HTTPResponse(self._stream, method="PUT")  # type: ignore[arg-type]
            answer.begin()
            body = answer.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise unreachable.of_socket(self._route.url, error) from error
        self.moved = time.monotonic()
        self.ended = answer.will_close
        return Answer(answer.status, cast("Mapping[str, str]", answer.headers), body)

    def round_trips(self) -> tuple[float, float] | None:
        """As it is now, and the shortest so far, in seconds; None where the system does not tell."""
        if sys.platform != "linux":
            return None
        try:
            told = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
            now, shortest = struct.unpack_from("I", told, 68)[0], struct.unpack_from("I", told, 148)[0]
        except (OSError, struct.error):
            return None
        return now / 1e6, shortest / 1e6

    def _measured(self, took: float) -> float:
        """What the system measured, where it tells: other threads of this process do not make that longer. `took`: the
        connection, seconds. Behind a proxy the system knows only the way to it."""
        told = None if self._route.proxy else self.round_trips()
        return min(took, *told) if told else took

    def cut(self) -> None:
        """End the connection at once; whoever uses it gets ServerUnreachable."""
        self.ended = True
        sock = getattr(self, "_socket", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        sock = getattr(self, "_socket", None)
        if sock is not None:
            sock.close()

    def _head(self, path: str, headers: Mapping[str, str]) -> bytes:
        route = self._route
        parts = urlsplit(route.url)
        through = bool(route.proxy) and not route.secure  # such a proxy reads the request, and wants all of it
        where, more = (route.url, route.proxy_headers()) if through else (parts.path, {})
        lines = [f"PUT {where}{path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **more}.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _tune(self) -> None:
        """What a system does not know is passed over."""
        self._set(socket.IPPROTO_TCP, "TCP_NODELAY", 1)
        self._set(socket.SOL_SOCKET, "SO_KEEPALIVE", 1)
        self._set(socket.IPPROTO_TCP, "TCP_KEEPIDLE", 10)
        self._set(socket.IPPROTO_TCP, "TCP_KEEPINTVL", 5)
        self._set(socket.IPPROTO_TCP, "TCP_KEEPCNT", 3)
        self._set(socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", DEAD_SECONDS * 1000)
        wanted = os.environ.get("STAGEDOOR_CONGESTION") or ("bbr" if self.round_trip >= LONG_SECONDS else "system")
        if self.round_trip >= LONG_SECONDS:
            least, most = _UNSENT_BOUNDS
            self._set(socket.IPPROTO_TCP, "TCP_NOTSENT_LOWAT", min(max(least, UNSENT // self._beside), most))
        if wanted != "system":
            self._set(socket.IPPROTO_TCP, "TCP_CONGESTION", wanted.encode())

    def _set(self, level: int, name: str, value: int | bytes) -> None:
        option = getattr(socket, name, _LINUX.get(name))
        if option is not None:
            with suppress(OSError):
                self._socket.setsockopt(level, option, value)

    def _secure(self) -> None:
        route = self._route
        if route.secure:
            self._socket = route.context.wrap_socket(self._socket, server_hostname=route.host)
            found = hashlib.sha256(self._socket.getpeercert(binary_form=True) or b"").hexdigest()
            if route.fingerprint and found != route.fingerprint:
                raise ssl.SSLError("the certificate has another fingerprint")
        self._stream = _Lasting(socket.SocketIO(self._socket, "r"))


_LINUX = {"TCP_NOTSENT_LOWAT": 25} if sys.platform == "linux" else {}
"""options that Python does not name"""


class _Lasting(io.BufferedReader):
    """What is read of a connection, over many answers: each of them closes the stream that it was given."""

    def makefile(self, _mode: str) -> _Lasting:
        return self

    def close(self) -> None: ...


def _dial(route: Route) -> socket.socket:
    """A connected socket, through the proxy where there is one; for TLS to the server itself."""
    if not route.proxy:
        return socket.create_connection((route.host, route.port), route.connect_seconds)
    proxy = urlsplit(route.proxy)
    line = http.client.HTTPConnection(proxy.hostname or "", proxy.port or 80, timeout=route.connect_seconds)
    if route.secure:
        line.set_tunnel(route.host, route.port, headers=route.proxy_headers())
    line.connect()
    assert isinstance(line.sock, socket.socket)
    return line.sock
