"""A line between client and server that counts: which parts passed, which were acknowledged, which were cut. It can
damage some of them."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from stagedoor.model.tape import Range, Ranges
from studio import Studio


def steady_port() -> int:
    """A free port that no outgoing connection is given while the server is down."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Put:
    """A part on its way. `sent`: bytes of it that went on to the server; `status`: the answer, None while there is
    none; `over`: nothing of it is on its way any more. `began` and `ended` count the events of the line."""

    def __init__(self, upload: str, part: Range, began: int) -> None:
        self.upload, self.part, self.began = upload, part, began
        self.sent = 0
        self.status: int | None = None
        self.said = b""
        """body of the answer"""
        self.flipped = False
        """whether one bit of it was flipped on its way"""
        self.over = False
        self.ended = 0

    @property
    def acknowledged(self) -> bool:
        return self.status == 200


class Line:
    """A proxy in front of a server, that knows all parts that passed. `rate`: bytes per second, of all together.
    `flips`: in how many of the next parts one bit is flipped, in the middle."""

    def __init__(self, port: int, rate: float | None = None) -> None:
        self.puts: list[Put] = []
        self.passed = 0
        """bytes of everything, both ways, heads included"""
        self.rate = rate
        self.flips = 0
        self._server = ("127.0.0.1", port)
        self._lock = threading.Lock()
        self._pace = threading.Lock()
        self._events = 0
        self._listener = socket.create_server(("127.0.0.1", steady_port()), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.rate = None
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def sent(self) -> int:
        """Bytes of parts that went to the server, whatever became of them."""
        return sum(put.sent for put in self.puts)

    @property
    def acknowledged(self) -> int:
        return sum(put.part.size for put in self.puts if put.acknowledged)

    @property
    def idle(self) -> bool:
        """Whether no part is on its way. One may be, for a while, although its client has been killed."""
        return all(put.over for put in self.puts)

    @property
    def cut(self) -> int:
        """Bytes of parts that were on their way when the line broke."""
        return sum(put.sent for put in self.puts if put.status is None)

    def acknowledged_ranges(self, upload: str) -> Ranges:
        return Ranges(put.part for put in self.puts if put.acknowledged and put.upload == upload)

    def unanswered(self, upload: str) -> Ranges:
        """What went to the server in whole parts whose answer did not come: it may have them, and nobody was told."""
        whole = [put for put in self.puts if put.status is None and put.sent == put.part.size]
        return Ranges(put.part for put in whole if put.upload == upload)

    def sent_again(self) -> dict[str, Ranges]:
        """Per upload, what was sent although its acknowledgement had gone out before."""
        again: dict[str, Ranges] = {}
        for put in self.puts:
            sent = Range(put.part.start, put.part.start + put.sent)
            known = Ranges(
                other.part
                for other in self.puts
                if other.acknowledged and other.upload == put.upload and other.ended < put.began
            )
            if twice := known.within(*sent):
                again[put.upload] = again.get(put.upload, Ranges()).union(twice)
        return again

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, EOFError), socket.create_connection(self._server, 60) as server:
            client.settimeout(60)
            with client.makefile("rb") as asking, server.makefile("rb") as answering:
                while self._exchange(client, asking, server, answering):
                    pass

    def _exchange(self, client: socket.socket, asking: IO[bytes], server: socket.socket, answering: IO[bytes]) -> bool:
        head = _head(asking)
        put = self._put(head)
        try:
            return self._pass_on(put, head, client, asking, server, answering)
        finally:
            if put:
                put.over = True

    def _pass_on(
        self,
        put: Put | None,
        head: bytes,
        client: socket.socket,
        asking: IO[bytes],
        server: socket.socket,
        answering: IO[bytes],
    ) -> bool:
        server.sendall(head)
        self._count(len(head))
        refused, passed = False, 0
        for piece in _pieces(asking, _length(head)):
            if refused:
                continue  # answered and closed before the body's end: the client must be able to read that answer
            self._wait(len(piece))
            self._count(len(piece))
            passed += len(piece)
            if put and put.flipped and passed - len(piece) <= put.part.size // 2 < passed:
                piece = _flip(piece, put.part.size // 2 - (passed - len(piece)))
            try:
                server.sendall(piece)
            except OSError:
                refused = True
            if put and not refused:
                put.sent += len(piece)
        answer = _head(answering)
        body = _chunks(answering) if b"chunked" in answer.lower() else b"".join(_pieces(answering, _length(answer)))
        if put:
            with self._lock:
                self._events += 1
                put.status, put.ended, put.said = int(answer.split(b" ", 2)[1]), self._events, body
        self._count(len(answer) + len(body))
        client.sendall(answer + body)
        return b"connection: close" not in answer.lower()

    def _put(self, head: bytes) -> Put | None:
        found = re.search(rb"^PUT \S*/uploads/(\w+)\S* .*^Content-Range: bytes (\d+)-(\d+)/", head, re.S | re.M | re.I)
        if not found:
            return None
        with self._lock:
            self._events += 1
            put = Put(found[1].decode(), Range(int(found[2]), int(found[3]) + 1), self._events)
            put.flipped = self.flips > 0
            self.flips -= put.flipped
            self.puts.append(put)
        return put

    def _count(self, size: int) -> None:
        with self._lock:
            self.passed += size

    def _wait(self, size: int) -> None:
        if self.rate:
            with self._pace:
                time.sleep(size / (self.rate or size * 1e6))


def _flip(piece: bytes, at: int) -> bytes:
    return piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]


def _head(stream: IO[bytes]) -> bytes:
    lines = []
    while not lines or lines[-1] not in (b"\r\n", b"\n"):
        lines.append(stream.readline())
        if not lines[-1]:
            raise EOFError
    return b"".join(lines)


def _length(head: bytes) -> int:
    found = re.search(rb"^content-length: *(\d+)", head, re.M | re.I)
    return int(found[1]) if found else 0


def _pieces(stream: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        piece = stream.read1(min(size, 65536))  # type: ignore[attr-defined]
        if not piece:
            raise EOFError
        size -= len(piece)
        yield piece


def _chunks(stream: IO[bytes]) -> bytes:
    """A chunked body as it is."""
    taken = b""
    while True:
        line = stream.readline()
        rest = b"".join(_pieces(stream, int(line.split(b";")[0], 16) + 2))
        taken += line + rest
        if line.strip() == b"0":
            return taken


@contextmanager
def line_to(studio: Studio, rate: float | None = None) -> Iterator[Line]:
    line = Line(studio.port, rate)
    try:
        yield line
    finally:
        line.close()
