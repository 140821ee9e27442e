"""Making and upgrading the tables.

Rules
1. The migrations make everything, from an empty database on; nothing is made behind their back.
2. An upgrade is one write transaction: it happens wholly or not, and one process does it.
3. A database that a newer Stagedoor wrote is left alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection

from ..model.errors import Conflict, StagedoorError
from .database import Database, read_url


def migrate(url: str) -> None:
    """Bring a database up to this version. Raises Conflict where a newer one wrote it."""
    _make_file(read_url(url))
    database = Database(url)
    try:
        with database.write() as connection:
            if _is_newer(connection):
                raise Conflict(
                    "A newer Stagedoor wrote this database; install that version, or a later one.",
                    code="database_newer",
                )
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.close()


def schema_is_newer(url: str) -> bool:
    """Whether a later version of Stagedoor wrote the database."""
    known = read_url(url)
    if known.drivername == "sqlite" and not Path(known.database or "").exists():
        return False
    database = Database(url)
    try:
        with database.read() as connection:
            return _is_newer(connection)
    finally:
        database.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _is_newer(connection: Connection) -> bool:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return not known.issuperset(MigrationContext.configure(connection).get_current_heads())


def _make_file(url: URL) -> None:
    """SQLite's file, for its owner only; SQLite gives the files beside it the same mode."""
    if url.drivername != "sqlite":
        return
    try:
        with suppress(FileExistsError):
            os.close(os.open(str(url.database), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StagedoorError("The database cannot be made; look into the server's log.", detail=str(error)) from error
