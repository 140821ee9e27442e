"""A copy of the database as it is at one moment, while others go on writing; and back.

Rules
1. SQLite: its own online copy, one moment of the file. PostgreSQL: `pg_dump`, one transaction. The engine's tables are
   left out: they are made anew from the jobs. So is who is signed in, and who has been mailed a link to sign in with:
   what was ended after the copy must not come back with it.
2. Nothing is copied over what is there: a file must not exist, a PostgreSQL database must be empty.
3. A password is handed to PostgreSQL's programs in their environment, never on their command lines.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from ..model.errors import BadRequest, Conflict, StagedoorError
from .database import WAIT_SECONDS, read_url
from .schema import Schema, schema_of

SIGNED_IN = ("sessions", "links")
"""tables whose rows are left out"""


def is_file(url: str) -> bool:
    """Whether the database is a file (SQLite)."""
    return read_url(url).drivername == "sqlite"


def copy_database(url: str, target: Path) -> None:
    """Copy to a file that is not there yet. Raises StagedoorError."""
    known = read_url(url)
    if known.drivername == "sqlite":
        _copy_file(Path(str(known.database)), target)
    else:
        left_out = ["--exclude-schema=dbos", *(f"--exclude-table-data=*.{table}" for table in SIGNED_IN)]
        _run("pg_dump", known, "--format=custom", *left_out, "--no-owner", f"--file={target}")


def load_database(source: Path, url: str) -> None:
    """Fill an empty PostgreSQL database from a copy. Raises Conflict where it is not empty, StagedoorError."""
    known = read_url(url)
    if known.drivername == "sqlite":
        raise BadRequest("The copy is of a PostgreSQL database; give --database postgresql://USER@HOST/NAME.")
    if schema_of(url) is not Schema.MISSING:
        raise Conflict("The database has tables already; give an empty one.", code="database_not_empty")
    _run("pg_restore", known, "--no-owner", "--exit-on-error", "--single-transaction", source)


def _copy_file(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True, timeout=WAIT_SECONDS)) as here,
            closing(sqlite3.connect(target)) as there,
        ):
            here.backup(there)  # all pages in one go: one read transaction, which keeps no writer waiting
            there.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
            there.execute("PRAGMA secure_delete = ON")
            _empty(there)
    except sqlite3.Error as error:
        raise StagedoorError("The database could not be copied.", detail=str(error)) from error


def _empty(copy: sqlite3.Connection) -> None:
    there = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in SIGNED_IN:
        if table in there:  # not yet in those of earlier versions, which `upgrade` copies
            copy.execute(f"DELETE FROM {table}")  # noqa: S608 - one of the names above
    copy.commit()


def _run(program: str, url: URL, *words: str | Path) -> None:
    found = shutil.which(program)
    if found is None:
        raise BadRequest(
            f"A PostgreSQL database is copied by {program}, which is not on this machine; install PostgreSQL's client "
            "programs, or leave the database to whoever backs up PostgreSQL and copy the home folder.",
            code="pg_dump_missing",
        )
    name = url.set(drivername="postgresql", password=None).render_as_string()
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    done = subprocess.run(
        [found, f"--dbname={name}", *map(str, words)], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise StagedoorError(f"{program} failed.", detail=done.stderr.strip())
