"""The head of a request, as far as the fast lane needs to know it.

Rules
1. Only a plain part is recognised: `PUT /api/v1/uploads/<id>` with HTTP/1.1, a Content-Length, and every header once.
2. Whatever is unusual in the slightest is not recognised, and so goes to the HTTP server behind, which judges it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..wire import calls

MOST_BYTES = 1 << 16
"""longest head that is looked at"""
END = b"\r\n\r\n"
_LINE = re.compile(re.escape(calls.PART.path).replace(r"\{id\}", "([0-9A-Za-z_-]{1,100})").encode())
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_ELSEWHERE = frozenset({b"transfer-encoding", b"content-encoding", b"upgrade", b"trailer", b"te"})
_LENGTH = re.compile(rb"[0-9]{1,15}")


class PartHead(NamedTuple):
    upload: str
    length: int
    """bytes of the body"""
    content_range: str
    content_digest: str
    expects: bool
    """whether the client waits for a word before it sends the body"""
    last: bool
    """whether the client wants the connection closed after the answer"""
    user_agent: bytes
    forwarded: bytes
    """X-Forwarded-For, as a proxy in front may have written it"""
    fields: Mapping[bytes, bytes]
    """all of them, by lower-case name: they tell who asks"""


def part_head(data: bytes) -> PartHead | None:
    """What the head (without the empty line) says, where it is that of a plain part."""
    line, _, rest = data.partition(b"\r\n")
    words = line.split(b" ")
    if len(words) != 3 or words[0] != b"PUT" or words[2] != b"HTTP/1.1":
        return None
    path = _LINE.fullmatch(words[1])
    fields = _fields(rest)
    if path is None or fields is None or _ELSEWHERE & fields.keys():
        return None
    length, host = fields.get(b"content-length", b""), fields.get(b"host")
    connection, expect = fields.get(b"connection", b"").lower(), fields.get(b"expect", b"").lower()
    if not _LENGTH.fullmatch(length) or host is None or connection not in (b"", b"keep-alive", b"close"):
        return None
    if expect not in (b"", b"100-continue"):
        return None
    return PartHead(
        path[1].decode(),
        int(length),
        fields.get(b"content-range", b"").decode("latin-1"),
        fields.get(b"content-digest", b"").decode("latin-1"),
        bool(expect),
        connection == b"close",
        fields.get(b"user-agent", b""),
        fields.get(b"x-forwarded-for", b""),
        fields,
    )


def _fields(rest: bytes) -> dict[bytes, bytes] | None:
    """Header fields by lower-case name; None where a line is none, or a name comes twice."""
    fields: dict[bytes, bytes] = {}
    for line in rest.split(b"\r\n"):
        match = _FIELD.fullmatch(line)
        if match is None or (name := match[1].lower()) in fields:
            return None
        fields[name] = match[2].rstrip(b" \t")
    return fields
