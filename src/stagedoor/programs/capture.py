"""What a program says, kept within bounds: the beginning and the end, and how much was left out between them."""

from __future__ import annotations

LIMIT = 2**20


class Capture:
    """Takes any amount of output and keeps at most `limit` bytes of it, and one line."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0

    def add(self, data: bytes) -> None:
        self._size += len(data)
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > 2 * self._half:  # trimmed now and then only, not at each call
            del self._tail[: -self._half]

    def value(self) -> bytes:
        tail = bytes(self._tail[-self._half :])
        cut = self._size - len(self._head) - len(tail)
        if not cut:
            return bytes(self._head) + tail
        return bytes(self._head) + f"\n[... {cut} bytes left out ...]\n".encode() + tail

    def last_line(self) -> str:
        """The last line that is not blank, or nothing."""
        text = bytes((self._tail or self._head)[-4096:]).decode(errors="replace")
        return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")[:300]
