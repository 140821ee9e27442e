"""Where servers and clients run: on this machine, or in network namespaces joined by an emulated line."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Place:
    """`server` and `client` are processes that hold the namespaces of the two sides; 0: this machine's own."""

    host: str = "127.0.0.1"
    server: int = 0
    client: int = 0
    congestion: str = ""
    """the one that clients which choose for themselves are kept to; empty: as they like"""

    def at_server(self, command: list[str]) -> list[str]:
        return _inside(self.server, command)

    def at_client(self, command: list[str]) -> list[str]:
        return _inside(self.client, command)

    def beside_server(self, work: Callable[[], T]) -> T:
        """Do something with sockets as a neighbour of the server, not over the line. All of it in one new thread."""
        if not self.server:
            return work()
        done: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                _enter(self.server)
                done.append(work())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return done[0]

    def wait_for(self, port: int, ended: Callable[[], bool], seconds: float = 60) -> None:
        """Until somebody listens on a port. Raises TimeoutError, and at once when the server has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if ended():
                raise TimeoutError("the server has ended")
            if self.beside_server(lambda: _listens(self.host, port)):
                return
            time.sleep(0.05)
        raise TimeoutError(f"nobody listens on port {port} after {seconds:.0f} s")

    def free_port(self) -> int:
        return self.beside_server(lambda: _free_port(self.host))


def _inside(holder: int, command: list[str]) -> list[str]:
    return ["nsenter", f"--net=/proc/{holder}/ns/net", "--", *command] if holder else command


def _enter(holder: int) -> None:
    """Move this thread, and no other, into a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/proc/{holder}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(namespace, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(namespace)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), 2):
            return True
    except OSError:
        return False


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


LOOPBACK = Place()
