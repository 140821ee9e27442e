"""Parts that come by way of the HTTP server behind: from browsers, and through proxies that mix requests. What comes
plainly from our client never gets here (`lane`).

Rules
1. Bytes are handed to the disk in runs of a quarter mebibyte, off the event loop; memory holds one run per part.
2. A body that brings less than 1 kB/s over a minute is cut. What it brought does not count.
"""

from __future__ import annotations

import asyncio
import time

from litestar import Response, get, put

from ..lifecycle.receive import Part, Receiving
from ..model import errors
from ..model.entities import User
from ..wire import calls
from ..wire.parts import PartAnswer, UploadView, parse_content_digest, parse_content_range
from .asking import Asked, json, route, services, user
from .threads import parts

RUN_BYTES = 1 << 18
SLOW_SECONDS = 60
SLOW_BYTES = 60_000


@get(route(calls.UPLOAD))
async def upload(request: Asked, id: str) -> UploadView:
    """What an upload has and lacks."""
    return await parts(services(request).receiving.view, user(request), id)


@put(route(calls.PART), request_max_body_size=None, status_code=200)
async def part(request: Asked, id: str) -> Response[bytes]:
    """Send a part: any range of the tape, with `Content-Range` and `Content-Digest` (xxh128-runs, blake3, sha-256)."""
    opened = await parts(_begin, request, id)
    try:
        await _take(request, opened)
        answer: PartAnswer = await parts(opened.commit)
    finally:
        await asyncio.shield(parts(opened.close))
    return await json(request, answer)


def _begin(request: Asked, id: str) -> Part:
    headers = request.headers
    length = None if headers.get("content-encoding") else headers.get("content-length")
    return begin(
        services(request).receiving,
        user(request),
        id,
        headers.get("content-range", ""),
        headers.get("content-digest", ""),
        length,
    )


def begin(
    receiving: Receiving, who: User, upload_id: str, content_range: str, content_digest: str, length: str | None
) -> Part:
    """Open a part by its headers. Raises StagedoorError."""
    job, task = receiving.find(who, upload_id)
    try:
        wanted, total = parse_content_range(content_range)
        digest = parse_content_digest(content_digest)
    except ValueError as error:
        raise errors.BadRange(f"{error}.") from None
    if length is not None and length != str(wanted.size):
        raise errors.BadRange(f"Content-Range names {wanted.size} bytes, Content-Length {length}.")
    return receiving.begin(job, task, wanted, total, digest.algorithm, digest.value)


async def _take(request: Asked, opened: Part) -> None:
    run = bytearray(RUN_BYTES)
    filled = 0
    pace = Trickle()
    while True:
        try:
            message = await asyncio.wait_for(request.receive(), pace.seconds_left())
        except asyncio.TimeoutError:
            raise too_slow() from None
        if message["type"] != "http.request":
            raise errors.BadRequest("The part was cut off.", code="cut_off")
        body = memoryview(message["body"])
        pace.count(len(body))
        last = not message["more_body"]
        while body or (last and filled):
            count = min(len(body), RUN_BYTES - filled)
            run[filled : filled + count] = body[:count]
            body, filled = body[count:], filled + count
            if filled == RUN_BYTES or (last and not body):
                await parts(opened.write, memoryview(run)[:filled])
                if seconds := opened.delay(filled):
                    await asyncio.sleep(seconds)
                filled = 0
        if last:
            return


def too_slow() -> errors.Busy:
    return errors.Busy("The line is too slow: less than 1 kB/s for a minute.", code="too_slow")


class Trickle:
    """How long a slow body may keep us waiting."""

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
