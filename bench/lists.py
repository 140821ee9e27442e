"""First page and count of every list, with and without expressions, where there is a lot: 100,000 jobs, 1,000 users.

    .venv/bin/python -m bench.lists [--jobs N] [--runs N] [--database URL] [--work DIR]

The rows are put into the database in bulk; everything else is real: a server process, a socket, the hook of an offer.
Offer and submit are timed while there is nothing, and again when it is full. Times are medians over `--runs` requests
on one connection, in milliseconds, with the least and the most. The limit of a first page decides about the exit code;
pages of 500, and queries that read every row (patterns, `contains`), are told without one.
Results go to `.bench/lists.json`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import shutil
import statistics
import sys
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Table, func, insert, select, text

from stagedoor.model.entities import Role, RunState
from stagedoor.model.form import Answers, Form
from stagedoor.model.hooks import HookName
from stagedoor.model.states import JobState, OfferState, TaskStatus
from stagedoor.model.verdict import Kind, Verdict
from stagedoor.records import open_records
from stagedoor.records.columns import fold, pack
from stagedoor.records.tables import entries, jobs, offers, runs, tasks, users
from studio import Account, Studio

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MS = 50.0
USERS = 1000
BATCH = 5000
HOUR = 3_600_000
NOW = int(time.time() * 1000)
VERDICT = Verdict(kind=Kind.ACCEPTED, ident="shot")
ENDED = (JobState.DONE, JobState.ABORTED)
STATES = [JobState.DONE] * 90 + [JobState.ABORTED] * 4 + [JobState.INGEST_FAILED] * 2 + [JobState.AWAITING_BYTES] * 4
Row = dict[str, Any]

LISTS = [
    "/jobs",
    "/jobs?finished=true",
    "/jobs?finished=true&limit=500",
    "/jobs?state=failed",
    "/jobs?finished=true&skip=90000",
    "/offers",
    "/offers?state=open",
    "/users",
    "/runs",
    "/tasks",
    "/volumes",
    "/settings",
    "/hooks",
]
QUERIES = [
    ("jobs", "status = failed"),
    ("jobs", "status in failed, waiting and size > 1000"),
    ("jobs", "name = SQ012_SH0345_COMP_V001"),
    ("jobs", "finished != '' and name = sq012*"),
    ("jobs", "status = done and user = vendor0007@example.com"),
    ("jobs", "user = vendor0007@example.com or user = vendor0008@example.com"),
    ("jobs", "created >= 2026-09-20 and status != done"),
    ("jobs", "status = done and created >= 2026-09-20t10:00:00"),
    ("jobs", "finished != '' and filename = sq012_sh0345*"),
    ("jobs", "volume = projects"),
    ("offers", "user = vendor0007@example.com"),
    ("users", "name contains öberg"),
    ("runs", "user = vendor0007@example.com and state = failed"),
    ("tasks", "filename = sq012_sh0345_comp_v001.exr"),
    ("tasks", "user = vendor0007@example.com"),
]
"""what a person asks for"""
SCANS = [
    ("jobs", "status = done and name contains 0345"),
    ("jobs", "status = done and name matches 'sh0(34|35)\\d_'"),
    ("jobs", "status = done and error contains disk"),
    ("jobs", "status = done and name matches '(a+)+$'"),
    ("jobs", "status = done and name matches '(.*)(.*)(.*)x$'"),
    ("jobs", "status = done and filename matches '^sq012'"),
]
"""what reads every row"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=7, help="requests of each kind (default 7)")
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database; else SQLite")
    parser.add_argument("--work", type=Path, default=ROOT / ".bench" / "lists", help="folder to work in, made anew")
    asked = parser.parse_args()
    shutil.rmtree(asked.work, ignore_errors=True)
    studio = Studio(asked.work.absolute(), database=asked.database)
    try:
        return measure(studio, asked.jobs, asked.runs)
    finally:
        studio.stop()
        shutil.rmtree(asked.work, ignore_errors=True)


def measure(studio: Studio, many: int, runs: int) -> int:
    studio.accept_everything()
    first = studio.user("vendor0000@example.com")
    studio.start()
    results: Row = {"jobs": many, "empty": publishing(studio, first, runs)}
    studio.stop()
    began = time.monotonic()
    fill(studio, many)
    print(f"{many:,} jobs, {USERS:,} users made in {time.monotonic() - began:.0f} s")
    studio.start()
    results["full"] = publishing(studio, first, runs)
    for step in ("offer", "submit"):
        row(step, results["full"][step], beside=f"empty: {results['empty'][step][0]:.1f}")
    slow = 0
    for who, account in (("admin", studio.admin), ("vendor", first)):
        for path in paths(who):
            found = timed(caller(studio, account), path, runs)
            limit = None if path in map(where, SCANS) or "limit=500" in path else LIMIT_MS
            slow += bool(limit and found["ms"][0] > limit)
            results[f"{who} {path}"] = found
            row(f"{who} {path}", found["ms"], beside=f"of {found['total']:,}", limit=limit)
    (ROOT / ".bench").mkdir(exist_ok=True)
    (ROOT / ".bench" / "lists.json").write_text(json.dumps(results, indent=2) + "\n")
    return 1 if slow else 0


def paths(who: str) -> list[str]:
    inside = ("/runs", "/volumes", "/settings", "/hooks")
    found = [*LISTS, *map(where, QUERIES), *map(where, SCANS)]
    if who == "admin":
        return found
    return [path for path in found if not path.startswith(inside) and "volume" not in path]


def where(query: tuple[str, str]) -> str:
    return f"/{query[0]}?where={quote(query[1])}"


# --- asking --------------------------------------------------------------------------------------------------------

Call = Callable[..., tuple[int, Any]]


def caller(studio: Studio, who: Account) -> Call:
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=60)
    headers = {"Authorization": "Basic " + b64encode(f"{who.code}:{who.api_key}".encode()).decode()}

    def call(path: str, body: Any = None) -> tuple[int, Any]:
        sent = None if body is None else json.dumps(body)
        more = {} if body is None else {"Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", "/api/v1" + path, sent, {**headers, **more})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    return call


def timed(call: Call, path: str, runs: int) -> Row:
    times = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        status, answer = call(path)
        times.append((time.perf_counter() - began) * 1000)
        if status != 200:
            raise SystemExit(f"{path}: {status} {answer}")
    return {"ms": spread(times[1:]), "total": answer["total"]}


def publishing(studio: Studio, who: Account, runs: int) -> Row:
    call = caller(studio, who)
    times: dict[str, list[float]] = {"offer": [], "submit": []}
    for _ in range(runs + 1):
        id = str(uuid.uuid4())
        entry = {"id": id, "filename": f"clip_{id}.mov", "size": 3, "is_dir": False}
        for step, path, body in (
            ("offer", "/offers", {"files": [entry]}),
            ("submit", "/jobs", {"tasks": [{"id": id, "source": f"/vendor/{id}"}]}),
        ):
            began = time.perf_counter()
            status, answer = call(path, body)
            times[step].append((time.perf_counter() - began) * 1000)
            assert status == 201, answer
        call(f"/jobs/{answer['id']}/abort", {})
    return {step: spread(found[1:]) for step, found in times.items()}


def spread(values: list[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


def row(name: str, times: tuple[float, float, float], *, beside: str = "", limit: float | None = None) -> None:
    middle, least, most = times
    too_slow = f"   over {limit:g} ms" if limit and middle > limit else ""
    print(f"{middle:8.1f} ms ({least:.1f} to {most:.1f})  {name}   {beside}{too_slow}", flush=True)


# --- filling -------------------------------------------------------------------------------------------------------


def fill(studio: Studio, many: int) -> None:
    url = studio.database or f"sqlite:///{studio.home / 'stagedoor.db'}"
    records = open_records(url)
    chance = random.Random(7)
    with records.database.write() as connection:
        owners = [connection.scalars(select(users.c.id).where(users.c.code == "vendor0000@example.com")).one()]
        people = [person(number) for number in range(1, USERS)]
        owners += [user["id"] for user in people]
        volume = connection.scalars(text("SELECT id FROM volumes")).one()
        put(connection, users, iter(people))
        for make in (an_offer, an_entry, a_job, a_task, a_run):
            table = {an_offer: offers, an_entry: entries, a_job: jobs, a_task: tasks, a_run: runs}[make]
            put(connection, table, (make(number, chance, owners, volume) for number in range(many)))
        assert connection.scalars(select(func.count()).select_from(jobs)).one() >= many
    with records.database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    records.close()


def put(connection: Connection, table: Table, rows: Iterator[Row]) -> None:
    batch: list[Row] = []
    for made in rows:
        batch.append(made)
        if len(batch) == BATCH:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)


def id_of(kind: str, number: int) -> str:
    """Before all ids that the server makes, and in order."""
    return f"00{'0123456789abcdef'['uoejtr'.index(kind)]}{number:021x}"


def code_of(number: int) -> str:
    return f"sq{number % 100:03}_sh{number % 10_000:04}_comp_v{number // 10_000:03}"


def when(number: int) -> int:
    """A job every two minutes, the last one now."""
    return NOW - (100_000 - number) * 120_000


def person(number: int) -> Row:
    code = f"vendor{number:04}@example.com"
    name = ("Anna Öberg", "Jöns Ek", "Mary Smith", "Li Wei")[number % 4] + f" {number}"
    made = {"id": id_of("u", number), "code": code, "folded": fold(code), "role": Role.STANDARD, "enabled": True}
    return {**made, "name": name, "metadata": {}, "created": NOW, "modified": NOW}


def an_offer(number: int, chance: random.Random, owners: list[str], _volume: str) -> Row:
    return {
        "id": id_of("o", number),
        "user_id": owners[number % USERS],
        "state": OfferState.SUBMITTED,
        "created": when(number),
        "expires": when(number) + 24 * HOUR,
        "hostname": f"ws{number % 50}",
        "ip": "10.0.0.1",
        "client": "stagedoor",
        "size": 1000 + number,
        "run_id": id_of("r", number),
        "form": Form(),
        "closed": when(number),
    }


TREE = pack(b'[{"filename":"a.exr","size":1}]')


def an_entry(number: int, _chance: random.Random, _owners: list[str], volume: str) -> Row:
    filename = f"{code_of(number)}.exr"
    made = {"offer_id": id_of("o", number), "id": str(uuid.UUID(int=number, version=4)), "number": 0}
    made |= {"filename": filename, "is_dir": False, "size": 1000, "file_count": 1, "modified": None}
    return {**made, "verdict": VERDICT, "volume_id": volume, "path": f"in/{filename}", "extras": b"{}", "tree": TREE}


def a_job(number: int, chance: random.Random, owners: list[str], _volume: str) -> Row:
    state = chance.choice(STATES)
    failed = state is JobState.INGEST_FAILED
    return {
        "id": id_of("j", number),
        "code": code_of(number),
        "folded": code_of(number),
        "user_id": owners[number % USERS],
        "offer_id": id_of("o", number),
        "state": state,
        "created": when(number),
        "modified": when(number),
        "finished": when(number) + HOUR if state in ENDED else None,
        "hostname": f"ws{number % 50}",
        "ip": "10.0.0.1",
        "client": "stagedoor",
        "size": 1000 + number,
        "queue": "medium",
        "error_code": "hook_failed" if failed else "",
        "error": "The studio's ingest failed; the studio has been told." if failed else "",
        "error_detail": "exit code 1" if failed else "",
        "reference": id_of("r", number) if failed else "",
        "attempts": 1,
        "failures": 0,
        "due": None,
        "expires": when(number) + 14 * 24 * HOUR,
        "notes": ("made", "everything has arrived", "placed"),
        "cleared": state in ENDED,
    }


def a_task(number: int, _chance: random.Random, _owners: list[str], volume: str) -> Row:
    filename = f"{code_of(number)}.exr"
    return {
        "job_id": id_of("j", number),
        "id": str(uuid.UUID(int=number, version=4)),
        "number": 0,
        "filename": filename,
        "is_dir": False,
        "source": f"/jobs/{filename}",
        "size": 1000 + number,
        "file_count": 1,
        "status": TaskStatus.DONE,
        "upload_id": id_of("t", number),
        "staging": f"/mnt/projects/.stagedoor/data/{number}",
        "volume_id": volume,
        "path": f"in/{filename}",
        "verdict": VERDICT,
        "answers": Answers(comment="Grain fixed", time_report=5400),
        "extras": b"{}",
        "received": 1000 + number,
        "error": "",
    }


def a_run(number: int, chance: random.Random, owners: list[str], _volume: str) -> Row:
    failed = chance.random() < 0.02
    return {
        "id": id_of("r", number),
        "hook": HookName.PUBLISH,
        "command": "python3 /srv/hooks/publish.py ${PATH_JSON_INPUT}",
        "version": "v1",
        "state": RunState.FAILED if failed else RunState.SUCCEEDED,
        "started": when(number),
        "user_id": owners[number % USERS],
        "offer_id": id_of("o", number),
        "job_id": id_of("j", number),
        "attempt": 1,
        "ended": when(number) + 1000,
        "exit_code": int(failed),
        "pid": None,
        "pid_started": "",
        "error": "exit code 1" if failed else "",
    }


if __name__ == "__main__":
    sys.exit(main())
