"""The journal of an upload: what was received, lost, flushed and placed, one line of text per record.

    <crc32 of the JSON, 8 hex digits> <length of the JSON> <JSON>\n

Rules
1. A record is one `write` to the end of the file. What was only half written is not a record.
2. A torn tail is cut off when the journal is read, so that the next record does not merge with it.
3. A damaged line in the middle costs that record only.
"""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import zlib
from pathlib import Path
from typing import Any, NamedTuple

_HEAD = re.compile(rb"([0-9a-f]{8}) ([0-9]{1,9}) ")


class Record(NamedTuple):
    at: int
    """where in the file it begins"""
    value: dict[str, Any]


def line(value: dict[str, Any]) -> bytes:
    body = json.dumps(value, separators=(",", ":")).encode()
    return b"%08x %d %s\n" % (zlib.crc32(body), len(body), body)


def parse(data: bytes) -> tuple[list[Record], int]:
    """The intact records, and how long the file is without its torn tail."""
    records: list[Record] = []
    at = 0
    while at < len(data):
        body = _body(data, at)
        if body is not None:
            records.append(Record(at, json.loads(body[0])))
            at = body[1]
            continue
        end = data.find(b"\n", at)
        if end < 0:
            return records, at
        at = end + 1
    return records, len(data)


def _body(data: bytes, at: int) -> tuple[bytes, int] | None:
    head = _HEAD.match(data, at)
    if not head:
        return None
    end = head.end() + int(head[2])
    if end >= len(data):  # the line's end is part of the record
        return None
    body = data[head.end() : end]
    return (body, end + 1) if b"%08x" % zlib.crc32(body) == head[1] else None


class Journal:
    """Appends from many threads; the file is open only while it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def read(self) -> list[Record]:
        """All intact records; cuts off a torn tail. Raises FileNotFoundError."""
        with self._lock:
            data = self._path.read_bytes()
            records, length = parse(data)
            if length < len(data):
                os.truncate(self._path, length)
        return records

    def append(self, value: dict[str, Any]) -> int:
        """Add a record; where it begins. Raises OSError; the journal is as it was then."""
        data = line(value)
        with self._lock:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                before = os.fstat(file).st_size
                if os.write(file, data) != len(data):
                    os.ftruncate(file, before)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            finally:
                os.close(file)
        return before

    def sync(self) -> None:
        """Bring everything appended so far to the device."""
        file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)
