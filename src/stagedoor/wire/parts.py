"""The headers of a part, and the state of an upload.

A part is `PUT` with `Content-Range: bytes a-b/total` (RFC 9110, both ends inclusive) and `Content-Digest` (RFC 9530):
`sha-256=:<base64>:`, or one that is ours and not in the registry. Other digests beside one of these are ignored.

- `blake3=:<base64>:` of the bytes.
- `xxh128-runs=:<base64>:`: the part is cut where a file of 1 MiB or more that lies whole in it begins and ends
  (`Tape.runs`); XXH3 of 128 bits, canonical, of such digests of the runs, one after another. What our client sends: it
  guards against lines and memory, as any digest that travels beside its bytes does, and costs the least; and the
  digest of a file that arrives whole is that which the server keeps of it.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from msgspec import Struct

from ..model.tape import Range

RUNS = "xxh128-runs"
_BYTES = {RUNS: 16, "blake3": 32, "sha-256": 32}
ALGORITHMS = tuple(_BYTES)
_RANGE = re.compile(r"bytes ([0-9]{1,16})-([0-9]{1,16})/([0-9]{1,16})")
_DIGEST = re.compile(r"\s*([a-z0-9-]+)\s*=\s*:([A-Za-z0-9+/]*={0,2}):\s*")


class Digest(NamedTuple):
    algorithm: str
    value: bytes
    """16 or 32 bytes"""


class UploadView(Struct, frozen=True, kw_only=True):
    id: str
    job: str
    task: str
    size: int
    received: int
    complete: bool
    open: bool
    """takes parts"""
    missing: tuple[tuple[int, int], ...]
    """half-open ranges of the tape; at most the first 10,000"""
    part_bytes: int
    """largest part"""


class PartAnswer(Struct, frozen=True, kw_only=True):
    received: int
    size: int
    complete: bool


def parse_content_range(text: str) -> tuple[Range, int]:
    """`(range, total)` of a Content-Range header. Raises ValueError with the reason."""
    match = _RANGE.fullmatch(text.strip())
    if not match:
        raise ValueError("Content-Range must be `bytes <first>-<last>/<total>`")
    first, last, total = (int(number) for number in match.groups())
    if not first <= last < total:
        raise ValueError(f"Content-Range {text.strip()!r} does not lie within its total")
    return Range(first, last + 1), total


def format_content_range(part: Range, total: int) -> str:
    return f"bytes {part.start}-{part.end - 1}/{total}"


def parse_content_digest(text: str) -> Digest:
    """The digest to check, the first of `ALGORITHMS` that is there. Raises ValueError with the reason."""
    found: dict[str, bytes] = {}
    for member in text.split(","):
        match = _DIGEST.fullmatch(member)
        if not match:
            raise ValueError(f"Content-Digest must be `<algorithm>=:<base64>:` with one of: {', '.join(ALGORITHMS)}")
        try:
            found[match[1]] = base64.b64decode(match[2], validate=True)
        except binascii.Error:
            raise ValueError(f"the {match[1]} digest is not base64") from None
    for algorithm in ALGORITHMS:
        if algorithm in found:
            if len(found[algorithm]) != _BYTES[algorithm]:
                raise ValueError(f"the {algorithm} digest must have {_BYTES[algorithm]} bytes")
            return Digest(algorithm, found[algorithm])
    raise ValueError(f"Content-Digest must name one of: {', '.join(ALGORITHMS)}")


def format_content_digest(digest: Digest) -> str:
    return f"{digest.algorithm}=:{base64.b64encode(digest.value).decode()}:"
