"""An offer of 100,000 files in one folder: how long it takes, and the peak memory of all processes of the server.

From the first byte of the request to the last byte of the answer; bodies as they are, then packed as our client does,
all on one server, whose peak counts. Both have limits.
"""

from __future__ import annotations

import gzip
import http.client
import json
import time
import uuid
from base64 import b64encode
from pathlib import Path

from studio import Account

from .figures import MB, Numbers, spread
from .house import House
from .memory import Memory
from .place import LOOPBACK
from .processes import Unusable
from .report import row, say, shown

FILES = 100_000
LIMIT_SECONDS = 3.0
LIMIT_MB = 300.0


def measure_offers(folder: Path, runs: int, scale: float) -> Numbers:
    files = max(1, int(FILES * scale))
    say(f"\nAn offer of {files:,} files in one folder, {runs} runs of each kind on one server")
    house = House(folder, LOOPBACK)
    house.start()
    try:
        vendor = house.vendor()
        with Memory([house.pid]) as memory:
            idle = memory.peak()
            seconds = {
                kind: [offer_once(house, vendor, files, kind) for _ in range(runs)] for kind in ("plain", "gzip")
            }
            peak = memory.peak()
    finally:
        house.stop()
    for kind, values in seconds.items():
        row(f"offer, body {kind}", f"{shown(values, 's')}   limit {LIMIT_SECONDS:g} s")
    row("peak memory, server", f"{peak / MB:.0f} MB (idle {idle / MB:.0f})   limit {LIMIT_MB:.0f} MB")
    slowest = max(max(values) for values in seconds.values())
    return {
        "files": files,
        "seconds": {kind: spread(values) for kind, values in seconds.items()},
        "idle_mb": idle / MB,
        "peak_mb": peak / MB,
        "limit_seconds": LIMIT_SECONDS,
        "limit_mb": LIMIT_MB,
        "within_limits": slowest < LIMIT_SECONDS and peak / MB < LIMIT_MB,
    }


def offer_once(house: House, vendor: Account, files: int, kind: str) -> float:
    """Seconds from the first byte of the request to the last byte of the answer."""
    body = offer_body(files)
    headers = {**sign_in(vendor), "Content-Type": "application/json", "Accept-Encoding": "gzip"}
    if kind == "gzip":
        body, headers["Content-Encoding"] = gzip.compress(body, 3), "gzip"
    line = http.client.HTTPConnection(house.url.removeprefix("http://"), timeout=120)
    line.connect()
    began = time.perf_counter()
    line.request("POST", "/api/v1/offers", body, headers)
    answer = line.getresponse()
    content = answer.read()
    took = time.perf_counter() - began
    line.close()
    if answer.status != 201 or not json.loads(content)["files"][0]["can_publish"]:
        raise Unusable(f"the offer was not accepted ({answer.status}): {content[:2000]!r}")
    return took


def sign_in(who: Account) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{who.code}:{who.api_key}".encode()).decode()}


def offer_body(files: int) -> bytes:
    """A folder of frames, with sizes and times."""
    frames = [
        {"filename": f"sq010_sh0010_comp_v001.{n:07}.exr", "size": 4096, "modified": 1_700_000_000_000 + n}
        for n in range(files)
    ]
    entry = {"id": str(uuid.uuid4()), "filename": "sq010_sh0010_comp_v001", "is_dir": True, "files": frames}
    return json.dumps({"files": [entry], "hostname": "bench", "client": "bench"}).encode()
