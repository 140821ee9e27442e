"""The bytes of a part on their way out: in memory, or in files that the system sends by itself."""

from __future__ import annotations

import errno
import io
import socket
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from xxhash import xxh3_128

from ..model.tape import Range, Tape


class InMemory(NamedTuple):
    view: memoryview

    @property
    def size(self) -> int:
        return len(self.view)

    def send(self, sock: socket.socket, start: int, count: int) -> None:
        sock.sendall(self.view[start : start + count])

    def close(self) -> None: ...


class InFile(NamedTuple):
    """A run of bytes of an open file, of its own."""

    file: io.FileIO
    offset: int
    size: int

    def send(self, sock: socket.socket, start: int, count: int) -> None:
        """Raises OSError, also where the file has become shorter."""
        if sock.sendfile(self.file, self.offset + start, count) != count:
            raise OSError(errno.ESTALE, "a file became shorter while it was sent")

    def close(self) -> None:
        self.file.close()


class Body:
    def __init__(self, digest: bytes, pieces: Sequence[InMemory | InFile]) -> None:
        self.digest = digest
        """`xxh128-runs`"""
        self.pieces = pieces
        self.size = sum(piece.size for piece in pieces)

    def close(self) -> None:
        for piece in self.pieces:
            piece.close()


class PartDigest:
    """`xxh128-runs` of a part (`wire.parts`)."""

    def __init__(self, tape: Tape, part: Range) -> None:
        self._ends = deque(run.end for run in tape.runs(*part))
        self._at = part.start
        self._run = xxh3_128()
        self._runs = xxh3_128()

    def update(self, view: memoryview) -> None:
        while view:
            piece, view = view[: self._ends[0] - self._at], view[self._ends[0] - self._at :]
            self._run.update(piece)
            self._at += len(piece)
            if self._at == self._ends[0]:
                self._ends.popleft()
                self._runs.update(self._run.digest())
                self._run = xxh3_128()

    def digest(self) -> bytes:
        """When all of it was told."""
        return self._runs.digest()
