"""First page and count of every list where there is a lot: 100,000 jobs of 1,000 users, on SQLite and on PostgreSQL.

Plain and with expressions, as an administrator and as a vendor who made half of the jobs; offer and submit while there
is nothing, and again when it is full. The rows are put into the database in bulk; everything else is real: a server
process, a socket, a hook. Times are of requests on one connection. A first page has a limit, and so has what offers and
submits may take longer; pages of 500, and questions that must read every row (patterns, `contains`), are told without.
"""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import postgres
from studio import Account, Studio

from .figures import Numbers, spread
from .filling import USERS, fill, person_code
from .meter import cpu_of
from .offers import sign_in
from .processes import Unusable
from .report import row, say

JOBS = 100_000
LIMIT_MS = 50.0
LIMIT_MORE_MS = 15.0
"""what an offer or a submit may take longer than while there was nothing"""
LOOK_SECONDS, IDLE, REST_SECONDS = 2.0, 0.15, 120.0
"""a server rests when it uses less than `IDLE` of a processor"""
MONTH = (datetime.now() - timedelta(days=30)).date().isoformat()

LISTS = [
    "/jobs",
    "/jobs?finished=true",
    "/jobs?state=failed",
    "/jobs?finished=true&tasks=true",
    "/jobs?finished=true&skip=90000",
    "/offers",
    "/offers?state=open",
    "/users",
    "/tasks",
    "/runs",
    "/runs?hook=publish-server",
    "/volumes",
    "/queues",
    "/settings",
    "/hooks",
    "/log",
    "/log?refusals=true",
    "/log?entity=job",
    f"/log?user={person_code(0)}",
    "/log/stumbles",
]
QUERIES = [
    ("jobs", "status = failed"),
    ("jobs", "status = done"),
    ("jobs", f"user = {person_code(0)} and created >= {MONTH}"),
    ("jobs", "status in failed, waiting and size > 1000"),
    ("jobs", "name = SQ012_SH0345_COMP_V001"),
    ("jobs", "finished != '' and name = sq012*"),
    ("jobs", "status = done and user = vendor0007@example.com"),
    ("jobs", "user = vendor0007@example.com or user = vendor0008@example.com"),
    ("jobs", f"created >= {MONTH} and status != done"),
    ("jobs", f"status = done and created >= {MONTH}t10:00:00"),
    ("jobs", "finished != '' and filename = sq012_sh0345*"),
    ("jobs", "volume = projects"),
    ("offers", "user = vendor0007@example.com"),
    ("users", "name contains öberg"),
    ("runs", "user = vendor0007@example.com and state = failed"),
    ("tasks", "filename = sq012_sh0345_comp_v001.exr"),
    ("tasks", "user = vendor0007@example.com"),
    ("tasks", f"user = {person_code(0)}"),
    ("log", "user = vendor0007@example.com"),
]
"""what a person asks for"""
LARGE = ["/jobs?finished=true&limit=500"]
SCANS = [
    ("jobs", "status = done and name contains 0345"),
    ("jobs", "status = done and name matches 'sh0(34|35)\\d_'"),
    ("jobs", "status = done and error contains disk"),
    ("jobs", "status = done and name matches '(a+)+$'"),
    ("jobs", "status = done and name matches '(.*)(.*)(.*)x$'"),
    ("jobs", "status = done and filename matches '^sq012'"),
]
"""what reads every row"""
INSIDE = ("/runs", "/volumes", "/queues", "/settings", "/hooks", "/log")
"""not for vendors"""

Call = Callable[..., Any]


def measure_lists(folder: Path, requests: int, scale: float) -> Numbers:
    """`requests`: of each kind, after one that does not count."""
    many = max(1, int(JOBS * scale))
    measured: Numbers = {}
    for name, database in (("SQLite", _file), ("PostgreSQL", _server)):
        say(f"\nLists of {many:,} jobs of {USERS:,} users, {name}")
        with database() as url:
            measured[name] = _measured(folder / f"lists-{name}", url, many, requests)
    return {
        "jobs": many,
        "users": USERS,
        "limit_ms": LIMIT_MS,
        "limit_more_ms": LIMIT_MORE_MS,
        "databases": measured,
        "within_limits": all(one["within_limits"] for one in measured.values()),
    }


@contextmanager
def _file() -> Iterator[str]:
    yield ""


@contextmanager
def _server() -> Iterator[str]:
    """As Debian sets it up, which flushes every transaction."""
    try:
        with postgres.server() as url:
            postgres.execute(url % "postgres", "CREATE DATABASE stagedoor")
            yield url % "stagedoor"
    except postgres.Missing as error:
        raise Unusable(str(error)) from None


def _measured(folder: Path, database: str, many: int, requests: int) -> Numbers:
    studio = Studio(folder, database=database)
    studio.accept_everything()
    studio.command(
        "settings", "set", "running_jobs", str(many)
    )  # the vendor has more that are unfinished than is usual
    vendor = studio.user(person_code(0))
    studio.start()
    try:
        empty = _publishing(studio, vendor, requests)
        studio.stop()
        began = time.monotonic()
        fill(database or f"sqlite:///{studio.home / 'stagedoor.db'}", many)
        row("filled", f"{time.monotonic() - began:.0f} s")
        studio.start()
        row("at rest", f"{_rested(studio):.0f} s after its start: it looks at every job that is not finished")
        lists = _asked(studio, {"admin": studio.admin, "vendor": vendor}, requests)
        full = _publishing(studio, vendor, requests)
    finally:
        studio.stop()
    for step in ("offer", "submit"):
        row(step, f"{_shown(full[step])}   while there was nothing: {_shown(empty[step])}")
    slower = max(full[step]["median"] - empty[step]["median"] for step in ("offer", "submit"))
    slow = [one for one in lists if one["limited"] and one["ms"]["median"] > LIMIT_MS]
    return {
        "empty": empty,
        "full": full,
        "lists": lists,
        "within_limits": slower <= LIMIT_MORE_MS and not slow,
    }


def _rested(studio: Studio) -> float:
    """Wait until the server has nothing to do any more; seconds."""
    assert studio.process
    began = time.monotonic()
    before = cpu_of([studio.process.pid])
    while time.monotonic() < began + REST_SECONDS:
        time.sleep(LOOK_SECONDS)
        now = cpu_of([studio.process.pid])
        if now - before < IDLE * LOOK_SECONDS:
            return time.monotonic() - began
        before = now
    raise Unusable(f"the server is still busy {REST_SECONDS:.0f} s after its start")


def _asked(studio: Studio, people: dict[str, Account], requests: int) -> list[Numbers]:
    found = []
    for who, account in people.items():
        call = _caller(studio, account)
        for kind, paths in _paths(who).items():
            for path, shown in paths:
                took, total = _timed(call, path, requests)
                limited = kind in ("list", "question")
                over = f"   over {LIMIT_MS:g} ms" if limited and took["median"] > LIMIT_MS else ""
                row(who, f"{_shown(took):<34}{shown}   of {total:,}{over}")
                found.append({"who": who, "kind": kind, "asked": shown, "total": total, "limited": limited, "ms": took})
    return found


def _paths(who: str) -> dict[str, list[tuple[str, str]]]:
    """By kind: a path, and how it is shown."""
    found = {
        "list": [(path, path) for path in LISTS],
        "question": [_where(*query) for query in QUERIES],
        "large": [(path, path) for path in LARGE],
        "scan": [_where(*query) for query in SCANS],
    }
    if who == "admin":
        return found
    return {
        kind: [(path, shown) for path, shown in paths if not path.startswith(INSIDE) and "volume" not in path]
        for kind, paths in found.items()
    }


def _where(entity: str, expression: str) -> tuple[str, str]:
    return f"/{entity}?where={quote(expression)}", f"/{entity}?where={expression}"


# --- asking --------------------------------------------------------------------------------------------------------


def _caller(studio: Studio, who: Account) -> Call:
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=60)

    def call(path: str, body: Any = None, *, expected: int = 200) -> Any:
        sent = None if body is None else json.dumps(body)
        more = {} if body is None else {"Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", "/api/v1" + path, sent, {**sign_in(who), **more})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != expected:
            raise Unusable(f"{path}: {answer.status} {content[:500]!r}")
        return json.loads(content)

    return call


def _timed(call: Call, path: str, requests: int) -> tuple[Numbers, int]:
    times = []
    for _ in range(requests + 1):
        began = time.perf_counter()
        answer = call(path)
        times.append((time.perf_counter() - began) * 1000)
    return spread(times[1:]), answer["total"]


def _publishing(studio: Studio, who: Account, requests: int) -> Numbers:
    call = _caller(studio, who)
    times: dict[str, list[float]] = {"offer": [], "submit": []}
    for _ in range(requests + 1):
        id = str(uuid.uuid4())
        entry = {"id": id, "filename": f"clip_{id}.mov", "size": 3, "is_dir": False}
        for step, path, body in (
            ("offer", "/offers", {"files": [entry]}),
            ("submit", "/jobs", {"tasks": [{"id": id, "source": f"/vendor/{id}"}]}),
        ):
            began = time.perf_counter()
            answer = call(path, body, expected=201)
            times[step].append((time.perf_counter() - began) * 1000)
        call(f"/jobs/{answer['id']}/abort", {})
    return {step: spread(found[1:]) for step, found in times.items()}


def _shown(times: Numbers) -> str:
    return f"{times['median']:.1f} ms ({times['least']:.1f} to {times['most']:.1f})"
