"""A database with a lot in it: jobs with offers, tasks, hook runs and lines in the audit log, put there in bulk."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from stagedoor.model.audit import REFUSE, Door
from stagedoor.model.entities import Role, RunState
from stagedoor.model.form import Answers, Form
from stagedoor.model.hooks import HookName
from stagedoor.model.metadata import Metadata
from stagedoor.model.states import JobState, OfferState, TaskStatus
from stagedoor.model.verdict import Kind, Verdict
from stagedoor.records import open_records
from stagedoor.records.columns import fold, pack
from stagedoor.records.tables import audit, entries, jobs, offers, queues, runs, tasks, users

USERS = 1000
BATCH = 5000
HOUR = 3_600_000
NOW = int(time.time() * 1000)
VERDICT = Verdict(kind=Kind.ACCEPTED, ident="shot")
ENDED = (JobState.DONE, JobState.ABORTED)
STATES = [JobState.DONE] * 94 + [JobState.ABORTED] * 4 + [JobState.INGEST_FAILED] * 2
NEW = [JobState.DONE] * 4 + [JobState.AWAITING_BYTES]
"""of the last 2,000: older ones would have expired"""
Row = dict[str, Any]


@dataclass(frozen=True)
class House:
    """What rows refer to."""

    owners: list[str]
    volume: str
    queue: str
    chance: random.Random
    many: int


def person_code(number: int) -> str:
    return f"vendor{number:04}@example.com"


def person_of(number: int) -> int:
    """Whose job it is: every other one is the first user's, so that one of them has as many as half of all."""
    return number // 2 % USERS if number % 2 else 0


def fill(url: str, many: int) -> None:
    """Make `many` jobs of `USERS` users, of whom the first is there; the database has a volume."""
    records = open_records(url)
    people = [person(number) for number in range(1, USERS)]
    with records.database.write() as connection:
        put(connection, users, iter(people))
        house = House(
            owners=[connection.scalars(select(users.c.id).where(users.c.code == person_code(0))).one()]
            + [user["id"] for user in people],
            volume=connection.scalars(text("SELECT id FROM volumes")).one(),
            queue=connection.scalars(select(queues.c.id).where(queues.c.default)).one(),
            chance=random.Random(7),
            many=many,
        )
        for table, make in ROWS:
            put(connection, table, (make(number, house) for number in range(many)))
        assert connection.scalars(select(func.count()).select_from(jobs)).one() >= many
    if records.database.engine.dialect.name == "postgresql":  # what its autovacuum does within a minute
        with records.database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
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
    """Before all ids that the server makes, and in order. `kind` is of user, offer, job, task, run, audit."""
    return f"00{'uojtra'.index(kind)}{number:021x}"


def code_of(number: int) -> str:
    return f"sq{number % 100:03}_sh{number % 10_000:04}_comp_v{number // 10_000:03}"


def when(number: int) -> int:
    """A job every minute, the last one of 100,000 now: hook runs are kept for longer than that."""
    return NOW - (100_000 - number) * 60_000


def person(number: int) -> Row:
    code = person_code(number)
    name = ("Anna Öberg", "Jöns Ek", "Mary Smith", "Li Wei")[number % 4] + f" {number}"
    made = {"id": id_of("u", number), "code": code, "folded": fold(code), "role": Role.STANDARD, "enabled": True}
    return {**made, "name": name, "metadata": Metadata(), "created": NOW, "modified": NOW}


def an_offer(number: int, house: House) -> Row:
    return {
        "id": id_of("o", number),
        "user_id": house.owners[person_of(number)],
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


def an_entry(number: int, house: House) -> Row:
    filename = f"{code_of(number)}.exr"
    made = {"offer_id": id_of("o", number), "id": str(uuid.UUID(int=number, version=4)), "number": 0}
    made |= {"filename": filename, "is_dir": False, "size": 1000, "file_count": 1, "modified": None}
    return {
        **made,
        "verdict": VERDICT,
        "volume_id": house.volume,
        "path": f"in/{filename}",
        "extras": b"{}",
        "tree": TREE,
    }


def a_job(number: int, house: House) -> Row:
    state = house.chance.choice(NEW if number >= house.many - 2000 else STATES)
    failed = state is JobState.INGEST_FAILED
    return {
        "id": id_of("j", number),
        "code": code_of(number),
        "folded": code_of(number),
        "user_id": house.owners[person_of(number)],
        "offer_id": id_of("o", number),
        "state": state,
        "created": when(number),
        "modified": when(number),
        "finished": when(number) + HOUR if state in ENDED else None,
        "hostname": f"ws{number % 50}",
        "ip": "10.0.0.1",
        "client": "stagedoor",
        "size": 1000 + number,
        "queue_id": house.queue,
        "error_code": "hook_failed" if failed else "",
        "error": "The studio's ingest failed; the studio has been told." if failed else "",
        "error_detail": "exit code 1" if failed else "",
        "reference": id_of("r", number) if failed else "",
        "attempts": 1,
        "failures": 0,
        "due": None,
        "expires": NOW + 14 * 24 * HOUR,  # so that the server has nothing to clear meanwhile
        "notes": ("made", "everything has arrived", "placed"),
        "cleared": state in ENDED,
        "settings": {},
        "metadata": Metadata(),
    }


def a_task(number: int, house: House) -> Row:
    filename = f"{code_of(number)}.exr"
    return {
        "job_id": id_of("j", number),
        "id": str(uuid.UUID(int=number, version=4)),
        "user_id": house.owners[person_of(number)],
        "number": 0,
        "filename": filename,
        "is_dir": False,
        "source": f"/jobs/{filename}",
        "size": 1000 + number,
        "file_count": 1,
        "status": TaskStatus.DONE,
        "upload_id": id_of("t", number),
        "staging": f"/mnt/projects/.stagedoor/data/{number}",
        "volume_id": house.volume,
        "path": f"in/{filename}",
        "verdict": VERDICT,
        "answers": Answers(comment="Grain fixed", time_report=5400),
        "extras": b"{}",
        "received": 1000 + number,
        "error": "",
        "kept": "",
        "kept_until": None,
    }


def a_run(number: int, house: House) -> Row:
    failed = house.chance.random() < 0.02
    return {
        "id": id_of("r", number),
        "hook": HookName.PUBLISH,
        "command": "python3 /srv/hooks/publish.py ${PATH_JSON_INPUT}",
        "version": "v1",
        "state": RunState.FAILED if failed else RunState.SUCCEEDED,
        "started": when(number),
        "user_id": house.owners[person_of(number)],
        "offer_id": id_of("o", number),
        "job_id": id_of("j", number),
        "attempt": 1,
        "ended": when(number) + 1000,
        "exit_code": int(failed),
        "pid": None,
        "pid_started": "",
        "error": "exit code 1" if failed else "",
        "replay": False,
    }


def a_line(number: int, house: House) -> Row:
    """Of the audit log: nine jobs, and then an entry that was refused."""
    refused = number % 10 == 9
    code = person_code(person_of(number))
    return {
        "id": id_of("a", number),
        "created": when(number),
        "user_id": house.owners[person_of(number)],
        "user": code,
        "user_folded": fold(code),
        "role": Role.STANDARD,
        "ip": "10.0.0.1",
        "client": "stagedoor",
        "request_id": f"{number:016x}",
        "door": Door.REST,
        "verb": REFUSE if refused else "create",
        "entity": "entry" if refused else "job",
        "entity_id": id_of("j", number),
        "entity_code": code_of(number),
        "entity_folded": code_of(number),
        "code": "refused_by_hook" if refused else "",
        "message": "The sequence has gaps." if refused else "",
        "changes": {},
        "details": {},
        "reasons": ("missing_frames",) if refused else (),
    }


ROWS = (
    (offers, an_offer),
    (entries, an_entry),
    (jobs, a_job),
    (tasks, a_task),
    (runs, a_run),
    (audit, a_line),
)
