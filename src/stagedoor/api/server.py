"""The HTTP server: Granian, in this process (ADR 2).

Rules
1. A port that somebody listens on is an error. Granian alone would share it without a word.
2. SIGTERM and SIGINT end it after the requests under way, but it waits for these `FAREWELL_SECONDS` at most: a part on
   a slow line would keep it for minutes, and can be sent again.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import warnings
from dataclasses import dataclass
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server
from litestar.types import ASGIApp

from ..model.errors import Conflict

log = logging.getLogger("stagedoor")
FAREWELL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Tls:
    cert: Path
    key: Path
    fingerprint: str
    """SHA-256, hexadecimal; empty where an authority vouches for the certificate"""


class HttpServer:
    def __init__(self, app: ASGIApp, host: str, port: int, tls: Tls | None) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._tls = tls

    def run(self) -> None:
        """Until told to stop. Raises Conflict where the port is taken."""
        port = _free_port(self._host, self._port)
        asyncio.run(self._serve(port))

    async def _serve(self, port: int) -> None:
        server = Server(
            self._app,
            address=self._host,
            port=port,
            interface=Interfaces.ASGI,
            websockets=False,
            log_enabled=False,
            backlog=1024,
            backpressure=512,
            ssl_cert=self._tls.cert if self._tls else None,
            ssl_key=self._tls.key if self._tls else None,
        )
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, told.set)
        self._announce(port)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            await _until_told(server, told)

    def _announce(self, port: int) -> None:
        scheme = "https" if self._tls else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        print(f"Stagedoor listens on {scheme}://{host}:{port}", flush=True)
        if self._tls and self._tls.fingerprint:
            print(f"Fingerprint of its certificate (SHA-256): {self._tls.fingerprint}", flush=True)


async def _until_told(server: Server, told: asyncio.Event) -> None:
    serving, telling = asyncio.ensure_future(server.serve()), asyncio.ensure_future(told.wait())
    await asyncio.wait({serving, telling}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait({serving}, timeout=FAREWELL_SECONDS)
    if serving.done():
        serving.result()
    else:
        log.info("requests that are still under way are cut")  # by the end of the event loop


def _free_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises Conflict where it is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"Cannot listen on {host} port {port}: {error.strerror or error}."
            raise Conflict(reason, code="port_taken") from None
        return int(probe.getsockname()[1])
