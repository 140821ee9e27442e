"""The server as others see it: the front on its port, and behind it Granian on one of this machine alone (ADRs 2, 8).

Rules
1. A port that somebody listens on is an error.
2. SIGTERM and SIGINT end it after the requests under way, but it waits for these `FAREWELL_SECONDS` at most: a part on
   a slow line would keep it for minutes, and can be sent again.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server
from litestar.types import ASGIApp

from ..model.errors import BadRequest, Conflict
from .front import Front, Lane, Peers

log = logging.getLogger("stagedoor")
FAREWELL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Tls:
    cert: Path
    key: Path
    fingerprint: str
    """SHA-256, hexadecimal; empty where an authority vouches for the certificate"""


class HttpServer:
    """`app` answers everything but plain parts, which `lane` takes; `peers` tells the app who speaks.

    `listening` is told the port when it is certain; `farewell` ends in the loop what would go on for ever.
    """

    def __init__(
        self,
        app: ASGIApp,
        lane: Lane,
        peers: Peers,
        host: str,
        port: int,
        tls: Tls | None,
        listening: Callable[[int], None],
        farewell: Callable[[], None],
    ) -> None:
        self._app = app
        self._lane = lane
        self._peers = peers
        self._host = host
        self._port = port
        self._tls = tls
        self._listening = listening
        self._farewell = farewell

    def run(self) -> None:
        """Until told to stop. Raises Conflict where the port is taken, BadRequest for a certificate that is none."""
        tls = _context(self._tls) if self._tls else None
        with _listener(self._host, self._port) as listener:
            asyncio.run(self._serve(listener, tls))

    async def _serve(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        behind = ("127.0.0.1", _free_port())
        server = Server(
            self._app,
            address=behind[0],
            port=behind[1],
            interface=Interfaces.ASGI,
            websockets=False,
            log_enabled=False,
            backlog=1024,
            backpressure=512,
        )
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, told.set)
        front = Front(listener, tls, behind, self._lane, self._peers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            serving: asyncio.Task[None] = asyncio.create_task(server.serve())
            await _listens(behind, serving)
            front.start()
            self._listening(listener.getsockname()[1])
            self._announce(listener.getsockname()[1])
            await _until_told(server, serving, front, told, self._farewell)

    def _announce(self, port: int) -> None:
        scheme = "https" if self._tls else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        print(f"Stagedoor listens on {scheme}://{host}:{port}", flush=True)
        if self._tls and self._tls.fingerprint:
            print(f"Fingerprint of its certificate (SHA-256): {self._tls.fingerprint}", flush=True)


async def _listens(address: tuple[str, int], serving: asyncio.Task[None]) -> None:
    """Wait until the server behind takes connections. Raises what ended it, if it did."""
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(*address)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    serving.result()


async def _until_told(
    server: Server, serving: asyncio.Task[None], front: Front, told: asyncio.Event, farewell: Callable[[], None]
) -> None:
    telling = asyncio.ensure_future(told.wait())
    await asyncio.wait({serving, telling}, return_when=asyncio.FIRST_COMPLETED)
    farewell()
    front.stop_listening()
    server.stop()  # type: ignore[no-untyped-call]
    cutting = asyncio.ensure_future(asyncio.to_thread(front.stop, FAREWELL_SECONDS))
    await asyncio.wait([serving], timeout=FAREWELL_SECONDS)
    await cutting
    if serving.done():
        serving.result()


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(tls.cert, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise BadRequest(
            f"The certificate {tls.cert} with the key {tls.key} cannot be used: {error}.", code="tls_unusable"
        ) from None
    return context


def _listener(host: str, port: int) -> socket.socket:
    """Raises Conflict where the port is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = f"Cannot listen on {host} port {port}: {error.strerror or error}."
        raise Conflict(reason, code="port_taken") from None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
