"""Parts: bytes of an upload, taken as they come.

Rules
1. Bytes are handed to the disk in runs of about a mebibyte, off the event loop; memory holds one run per part.
2. A body that brings less than 1 kB/s over a minute is cut. What it brought does not count.
"""

from __future__ import annotations

import asyncio
import time

from litestar import Response, get, put

from ..lifecycle.receive import Part
from ..model import errors
from ..wire import calls
from ..wire.parts import PartAnswer, UploadView, parse_content_digest, parse_content_range
from .asking import Asked, json, route, services, user
from .threads import parts

RUN_BYTES = 1 << 20
SLOW_SECONDS = 60
SLOW_BYTES = 60_000


@get(route(calls.UPLOAD))
async def upload(request: Asked, id: str) -> UploadView:
    """What an upload has and lacks."""
    return await parts(services(request).receiving.view, user(request), id)


@put(route(calls.PART), request_max_body_size=None, status_code=200)
async def part(request: Asked, id: str) -> Response[bytes]:
    """Send a part: any range of the tape, with `Content-Range` and `Content-Digest` (blake3 or sha-256)."""
    opened = await parts(_begin, request, id)
    try:
        await _take(request, opened)
        answer: PartAnswer = await parts(opened.commit)
    finally:
        await asyncio.shield(parts(opened.close))
    return await json(request, answer)


def _begin(request: Asked, id: str) -> Part:
    receiving = services(request).receiving
    job, task = receiving.find(user(request), id)
    try:
        wanted, total = parse_content_range(request.headers.get("content-range", ""))
        digest = parse_content_digest(request.headers.get("content-digest", ""))
    except ValueError as error:
        raise errors.BadRange(f"{error}.") from None
    length = request.headers.get("content-length")
    if length is not None and not request.headers.get("content-encoding") and length != str(wanted.size):
        raise errors.BadRange(f"Content-Range names {wanted.size} bytes, Content-Length {length}.")
    return receiving.begin(job, task, wanted, total, digest.algorithm, digest.value)


async def _take(request: Asked, opened: Part) -> None:
    run = bytearray()
    pace = _Pace()
    while True:
        try:
            message = await asyncio.wait_for(request.receive(), pace.seconds_left())
        except asyncio.TimeoutError:
            raise errors.Busy("The line is too slow: less than 1 kB/s for a minute.", code="too_slow") from None
        if message["type"] != "http.request":
            raise errors.BadRequest("The part was cut off.", code="cut_off")
        run += message["body"]
        pace.count(len(message["body"]))
        last = not message["more_body"]
        if len(run) >= RUN_BYTES or (last and run):
            await parts(opened.write, run)
            run = bytearray()
        if last:
            return


class _Pace:
    """How long a body may keep us waiting."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._bytes = 0

    def count(self, size: int) -> None:
        self._bytes += size
        if self._bytes >= SLOW_BYTES:
            self._since, self._bytes = time.monotonic(), 0

    def seconds_left(self) -> float:
        return max(0.0, self._since + SLOW_SECONDS - time.monotonic())


HANDLERS = [upload, part]
