"""The front of the server: takes connections, keeps those that bring parts, passes all others on (ADR 8).

Rules
1. A connection is a thread. Parts never leave it: bytes go from the socket through one buffer of `BUFFER_BYTES` into
   the files, and every step of that (receiving, TLS, hashing, writing) is done outside the interpreter lock.
2. A connection whose next request is not a plain part is joined with a new one to the HTTP server behind, from that
   request on and for good; nothing of what it carries is read or changed here.
3. TLS ends here. The HTTP server behind listens on this machine alone, and learns from `peers` who speaks.
4. At most `MOST_CONNECTIONS` at a time: more wait in the queue of the system. With the buffers this bounds memory.
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from .head import END, MOST_BYTES, PartHead, part_head

log = logging.getLogger("stagedoor.api")

BUFFER_BYTES = 1 << 20
SECURE_BYTES = 1 << 18
"""the same over TLS, whose records of 16 KiB come one by one: what came first is still close by when it is hashed"""
MOST_CONNECTIONS = 1024
HANDSHAKE_SECONDS = 15.0
IDLE_SECONDS = 120.0
BODY_SECONDS = 5
_BODY_TIME = struct.pack("ll", BODY_SECONDS, 0)
_TUNNEL_BYTES = 1 << 16
_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
Peers = dict[int, str]


class Broken(Exception):
    """The other side is gone, or silent for too long."""


class Line:
    """One connection, read through one buffer."""

    def __init__(self, sock: socket.socket, address: str) -> None:
        self.socket = sock
        self.address = address
        """of the other side"""
        self._plain = not isinstance(sock, ssl.SSLSocket)
        self._buffer = memoryview(b"")
        self._ahead = b""
        """what was read beyond the last head"""

    def head(self) -> bytes | None:
        """The next head, without the empty line. None where there is none: `left_over` has what came instead."""
        data = bytearray(self._ahead)
        until = time.monotonic() + IDLE_SECONDS
        while (end := data.find(END)) < 0 and len(data) <= MOST_BYTES:
            try:
                self.socket.settimeout(max(0.001, until - time.monotonic()))
                more = self.socket.recv(_TUNNEL_BYTES)
            except OSError:
                more = b""
            if not more:
                break
            data += more
        self._ahead = bytes(data[end + len(END) :] if end >= 0 else data)
        return bytes(data[:end]) if end >= 0 else None

    def begin_body(self, size: int) -> memoryview:
        """From here on, `receive` waits for at most `BODY_SECONDS`; the buffer, which connections that bring no part
        do without, is no larger than a body was."""
        size = min(size, BUFFER_BYTES if self._plain else SECURE_BYTES)
        if len(self._buffer) < size:
            self._buffer = memoryview(bytearray(size))
        if self._plain:  # the system does the waiting: not a call more than the bytes need
            self.socket.setblocking(True)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _BODY_TIME)
        else:
            self.socket.settimeout(BODY_SECONDS)
        return self._buffer[:size]

    def receive(self, view: memoryview) -> int:
        """Fill `view`, as far as bytes come; how many. Fewer after a while without any, or at the end. Raises Broken
        at once at the end."""
        count = min(len(view), len(self._ahead))
        if count:
            view[:count] = self._ahead[:count]
            self._ahead = self._ahead[count:]
            return count
        try:
            if self._plain:
                count = self.socket.recv_into(view, len(view), socket.MSG_WAITALL)
            else:
                return self._receive_secure(view)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Broken from error
        if not count:
            raise Broken
        return count

    def _receive_secure(self, view: memoryview) -> int:
        """TLS comes in records of 16 KiB."""
        filled, until = 0, time.monotonic() + BODY_SECONDS
        while filled < len(view) and time.monotonic() < until:
            try:
                count = self.socket.recv_into(view[filled:])
            except TimeoutError:
                break
            if not count:
                if filled:
                    break
                raise Broken
            filled += count
        return filled

    def send(self, data: bytes) -> None:
        """Raises Broken."""
        self.socket.settimeout(IDLE_SECONDS)
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Broken from error

    def left_over(self) -> bytes:
        data, self._ahead = self._ahead, b""
        return data


class Lane(Protocol):
    def take(self, line: Line, head: PartHead) -> bool:
        """Take one part and answer it; whether the connection can go on. Raises Broken."""
        ...


class Front:
    """Between `start` and `stop`."""

    def __init__(
        self, listener: socket.socket, tls: ssl.SSLContext | None, behind: tuple[str, int], lane: Lane, peers: Peers
    ) -> None:
        self._listener = listener
        self._tls = tls
        self._behind = behind
        self._lane = lane
        self._peers = peers
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stopping = False

    def start(self) -> None:
        threading.Thread(target=self._accept, name="front", daemon=True).start()

    def stop_listening(self) -> None:
        self._stopping = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def stop(self, seconds: float) -> None:
        """Wait for connections to end, so long; cut the others."""
        end = time.monotonic() + seconds
        while self._open and time.monotonic() < end:
            time.sleep(0.02)
        with self._lock:
            for sock in self._open:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stopping:
            self._room.acquire()
            try:
                sock, address = self._listener.accept()
            except OSError as error:
                self._room.release()
                if not self._stopping:
                    log.warning("a connection could not be taken: %s", error)
                    time.sleep(0.05)  # out of descriptors: others may end
                continue
            threading.Thread(target=self._serve, args=(sock, address[0]), name="connection", daemon=True).start()

    def _serve(self, sock: socket.socket, address: str) -> None:
        try:
            with self._known(sock):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is None:
                    self._talk(Line(sock, address))
                    return
                sock.settimeout(HANDSHAKE_SECONDS)
                with self._known(self._tls.wrap_socket(sock, server_side=True)) as secure:
                    self._talk(Line(secure, address))
        except (OSError, Broken) as error:
            log.debug("a connection from %s ended: %s", address, error)
        except Exception:
            log.exception("a connection from %s failed", address)
        finally:
            self._room.release()

    @contextmanager
    def _known(self, sock: socket.socket) -> Iterator[socket.socket]:
        """While inside, `stop` finds the socket; it is closed at the end."""
        with self._lock:
            self._open.add(sock)
        try:
            yield sock
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _talk(self, line: Line) -> None:
        going = True
        while going and not self._stopping:
            data = line.head()
            head = part_head(data) if data is not None else None
            if head is None:
                first = (data + END if data is not None else b"") + line.left_over()
                if first:
                    self._pass_on(line, first)
                return
            going = self._lane.take(line, head)

    def _pass_on(self, line: Line, first: bytes) -> None:
        with socket.create_connection(self._behind, HANDSHAKE_SECONDS) as behind:
            behind.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            port = behind.getsockname()[1]
            self._peers[port] = line.address
            try:
                _Tunnel(line.socket, behind, first).run()
            finally:
                self._peers.pop(port, None)


class _Tunnel:
    """Passes bytes both ways until one side ends."""

    def __init__(self, client: socket.socket, behind: socket.socket, first: bytes) -> None:
        self._ends = (client, behind)
        self._waiting = {client: bytearray(), behind: bytearray(first)}
        """what is still to be sent to each"""
        self._ended: set[socket.socket] = set()

    def run(self) -> None:
        for end in self._ends:
            end.setblocking(False)
        with selectors.DefaultSelector() as selector:
            for end in self._ends:
                selector.register(end, selectors.EVENT_READ)
            while not self._over():
                moved = self._flush() | self._fill()
                if not moved and not self._over():
                    self._wait(selector)

    def _over(self) -> bool:
        client, behind = self._ends
        return client in self._ended or (behind in self._ended and not self._waiting[client])

    def _wait(self, selector: selectors.BaseSelector) -> None:
        for end in self._ends:
            other = self._other(end)
            events = selectors.EVENT_WRITE if self._waiting[end] else 0
            if end not in self._ended and not self._waiting[other]:
                events |= selectors.EVENT_READ
            self._watch(selector, end, events)
        selector.select()

    @staticmethod
    def _watch(selector: selectors.BaseSelector, end: socket.socket, events: int) -> None:
        known = end in selector.get_map()
        if not events and known:
            selector.unregister(end)
        elif events and known:
            selector.modify(end, events)
        elif events:
            selector.register(end, events)

    def _fill(self) -> bool:
        """Read from either where nothing waits to be sent to the other."""
        moved = False
        for end in self._ends:
            waiting = self._waiting[self._other(end)]
            if waiting or end in self._ended:
                continue
            with suppress(*_WAIT):
                data = end.recv(_TUNNEL_BYTES)
                moved = True
                if data:
                    waiting += data
                else:
                    self._ended.add(end)
        return moved

    def _flush(self) -> bool:
        moved = False
        for end in self._ends:
            waiting = self._waiting[end]
            with suppress(*_WAIT):
                while waiting:
                    count = end.send(waiting)
                    moved = True
                    del waiting[:count]
        return moved

    def _other(self, end: socket.socket) -> socket.socket:
        client, behind = self._ends
        return behind if end is client else client
