"""Making and upgrading the tables.

Rules
1. The migrations make everything, from an empty database on; nothing is made behind their back.
2. An upgrade is one write transaction: it happens wholly or not, and one process does it.
3. A database that a newer Stagedoor wrote is left alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection

from ..model.errors import Conflict, StagedoorError
from .database import Database, read_url


class Schema(str, Enum):
    """How the tables of a database stand to this version."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"

    def __str__(self) -> str:
        return self.value


def migrate(url: str, to: str = "head") -> None:
    """Bring a database up to this version, or to the migration `to`. Raises Conflict where a newer one wrote it."""
    _make_file(read_url(url))
    database = Database(url)
    try:
        with database.write() as connection:
            if _schema(connection) is Schema.NEWER:
                raise Conflict(
                    "A newer Stagedoor wrote this database; install that version, or a later one.",
                    code="database_newer",
                )
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    finally:
        database.close()


def schema_of(url: str) -> Schema:
    """How the database stands to this version. Raises StagedoorError where it cannot be read."""
    known = read_url(url)
    if known.drivername == "sqlite" and not Path(known.database or "").exists():
        return Schema.MISSING
    database = Database(url)
    try:
        with database.read() as connection:
            return _schema(connection)
    finally:
        database.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _schema(connection: Connection) -> Schema:
    scripts = ScriptDirectory.from_config(_config())
    found = set(MigrationContext.configure(connection).get_current_heads())
    if not found:
        return Schema.MISSING
    if not {script.revision for script in scripts.walk_revisions()}.issuperset(found):
        return Schema.NEWER
    return Schema.CURRENT if found == set(scripts.get_heads()) else Schema.OLDER


def _make_file(url: URL) -> None:
    """SQLite's file, for its owner only; SQLite gives the files beside it the same mode."""
    if url.drivername != "sqlite":
        return
    try:
        with suppress(FileExistsError):
            os.close(os.open(str(url.database), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StagedoorError("The database cannot be made; look into the server's log.", detail=str(error)) from error
