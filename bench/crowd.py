"""Many at once: how quick status and validation are while uploads fill the line, and what 200 uploads cost in memory.

1. Over loopback, with the clients on the same cores: worse than what a server of its own would show.
2. The 99th percentile of status has a limit. An offer is mostly its hook, so that of an idle server stands beside it.
3. Memory is VmHWM of all processes of the server, hooks left out; each upload has one connection.
"""

from __future__ import annotations

import http.client
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from studio import STAGEDOOR, Account

from .contestant import ROOT
from .figures import MB, Numbers
from .house import House
from .loads import LOADS, Load, made
from .memory import Memory, forget_peaks
from .offers import offer_body, sign_in
from .place import LOOPBACK
from .processes import Unusable, end_group
from .report import row, say

APART_HOOK = """
import json, sys
with open(sys.argv[1]) as stream:
    data = json.load(stream)
for entry in data["files"]:
    entry["can_publish"] = True
    entry["path"] = "volume=projects/in/" + entry["id"] + "/" + entry["filename"]
with open(sys.argv[2], "w") as stream:
    json.dump({"files": data["files"]}, stream)
"""
FILLING = 4
"""uploads that fill the line"""
UPLOADS = 200
CLIENTS = 8
"""processes that the 200 are spread over"""
MANY = Load("CROWD", UPLOADS // CLIENTS, 8 << 20)
OFFERED = 100
OFFER_EVERY = 20
"""looks at a job between two offers"""
LIMIT_MS = 250.0
IDLE_SECONDS = 3.0


def measure_crowd(folder: Path, scale: float) -> Numbers:
    house = House(folder / "run" / "crowd", LOOPBACK, publish_hook=False)
    house.studio.hook("pre-publish-server", APART_HOOK)
    for limit in ("open_offers", "running_jobs"):  # the first are never submitted, the second are all of one user
        house.studio.command("settings", "set", limit, "1000000")
    house.start()
    try:
        latency = measure_latency(house, made(LOADS["SEQ"].scaled(scale), folder / "loads"))
        memory = measure_memory(house, made(MANY.scaled(scale), folder / "loads"))
    finally:
        house.stop()
    return {"latency": latency, "memory": memory, "within_limits": latency["full"]["status_ms"]["p99"] < LIMIT_MS}


def measure_latency(house: House, source: Path) -> Numbers:
    say(f"\nStatus of a job, and an offer of {OFFERED} files, while {FILLING} uploads fill the line")
    who = house.vendor()
    jobs = [house.job(who, source) for _ in range(FILLING)]
    end = time.monotonic() + IDLE_SECONDS
    idle = ask_while(house, who, jobs[0], lambda: time.monotonic() < end)
    with clients(house, who, [[STAGEDOOR, "job", "resume", job, "--json"] for job in jobs]) as uploads:
        full = ask_while(house, who, jobs[0], lambda: any(upload.poll() is None for upload in uploads))
    check(house, uploads)
    for key, name, limit in (("status_ms", "status", f"   limit {LIMIT_MS:g} ms"), ("offer_ms", "offer", "")):
        told = (
            f"{words} {one[key]['p50']:.0f} / {one[key]['p99']:.0f} ms"
            for words, one in (("full", full), ("idle", idle))
        )
        row(f"{name}, 50 / 99 of 100", ", ".join(told) + limit)
    return {"full": full, "idle": idle, "limit_ms": LIMIT_MS}


def ask_while(house: House, who: Account, job: str, going_on: Callable[[], bool]) -> Numbers:
    """Look at a job again and again, and offer something now and then."""
    line = http.client.HTTPConnection(house.url.removeprefix("http://"), timeout=60)
    headers = {**sign_in(who), "Content-Type": "application/json"}
    status: list[float] = []
    offers: list[float] = []
    while going_on() or not offers:
        status.append(timed(line, headers, "GET", f"/api/v1/jobs/{job}"))
        if len(status) % OFFER_EVERY == 0:
            offers.append(timed(line, headers, "POST", "/api/v1/offers", offer_body(OFFERED)))
        time.sleep(0.01)
    line.close()
    return {"status_ms": percentiles(status), "offer_ms": percentiles(offers)}


def timed(
    line: http.client.HTTPConnection, headers: dict[str, str], method: str, path: str, body: bytes | None = None
) -> float:
    """Milliseconds of one request."""
    began = time.perf_counter()
    line.request(method, path, body, headers)
    answer = line.getresponse()
    content = answer.read()
    took = time.perf_counter() - began
    if answer.status not in (200, 201):
        raise Unusable(f"{method} {path} was answered by {answer.status}: {content[:500]!r}")
    return took * 1000


def percentiles(values: Sequence[float]) -> Numbers:
    ordered = sorted(values)
    p99 = ordered[math.ceil(len(ordered) * 0.99) - 1]
    return {"count": len(ordered), "p50": statistics.median(ordered), "p99": p99, "most": ordered[-1]}


def measure_memory(house: House, source: Path) -> Numbers:
    paths = sorted(source.iterdir())
    say(f"\nMemory of the server with {CLIENTS * len(paths)} uploads at once")
    who = house.vendor()
    shares = [[house.job(who, path) for path in paths] for _ in range(CLIENTS)]
    forget_peaks([house.pid])
    with Memory([house.pid]) as memory:
        idle = memory.peak()
        commands = [[sys.executable, "-m", "bench.crowd_client", *jobs] for jobs in shares]
        with clients(house, who, commands) as uploads:
            for upload in uploads:
                upload.wait()
        peak = memory.peak()
    check(house, uploads)
    row("peak memory, server", f"{peak / MB:.0f} MB (idle {idle / MB:.0f})")
    return {"uploads": CLIENTS * len(paths), "peak_mb": peak / MB, "idle_mb": idle / MB}


@contextmanager
def clients(house: House, who: Account, commands: Sequence[list[str]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Started together; ended at the end, if they have not."""
    with ExitStack() as stack:
        log = stack.enter_context(log_of(house).open("ab"))
        running = []
        for command in commands:
            env, quiet = house.env(who), subprocess.DEVNULL
            one = subprocess.Popen(
                command, env=env, cwd=ROOT, stdin=quiet, stdout=log, stderr=log, start_new_session=True
            )
            running.append(one)
            stack.callback(end_group, one)
        yield running


def check(house: House, uploads: Sequence[subprocess.Popen[bytes]]) -> None:
    if any(upload.returncode for upload in uploads):
        raise Unusable(f"uploads failed:\n{log_of(house).read_text()[-2000:]}")


def log_of(house: House) -> Path:
    return house.studio.folder / "clients.log"
