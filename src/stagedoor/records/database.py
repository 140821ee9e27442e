"""Connections, transactions, and what their errors mean.

Rules
1. Write transactions follow one another, on both databases and over all processes: what one has read is still so
   when it writes. SQLite: BEGIN IMMEDIATE. PostgreSQL: an advisory lock.
2. A read transaction sees one moment.
3. Nobody waits longer than 10 s for another's transaction, and a transaction whose process stands still is ended.
4. Errors of the database become `Busy` where a repeat can help, else StagedoorError; its words go to `detail`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, create_engine, delete, event, literal, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..model.errors import BadRequest, Busy, StagedoorError

WAIT_SECONDS = 10
_LOCK = 0x57A6ED00  # the advisory lock of Stagedoor's write transactions
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


class Database:
    """One database, SQLite or PostgreSQL, for all threads of a process."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(read_url(url))
        self._writing = threading.Lock()  # within a process writers queue here, rather than poll for the file's lock
        self._reader = self.engine
        if self.engine.dialect.name == "postgresql":
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with _translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: committed at the end of the block, rolled back where it raises. Not to be nested."""
        with _translated(), self._turn(), self.engine.connect() as connection:  # noqa: SIM117
            with connection.execution_options(immediate=True).begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                yield connection

    def forget(self, table: Table, these: ColumnElement[bool]) -> int:
        """Delete rows, and wait for nobody where there are none; how many there were."""
        with self.read() as connection:
            if connection.execute(select(literal(1)).select_from(table).where(these).limit(1)).first() is None:
                return 0
        with self.write() as connection:
            return connection.execute(delete(table).where(these)).rowcount

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._writing.acquire(timeout=WAIT_SECONDS):
            raise _busy("another thread is writing")
        try:
            yield
        finally:
            self._writing.release()

    def close(self) -> None:
        self.engine.dispose()


def read_url(text: str) -> URL:
    """Raises BadRequest for what is neither SQLite in a file nor PostgreSQL."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise BadRequest(_WHICH) from None
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return url
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise BadRequest(_WHICH)


_WHICH = "The database must be sqlite:///<absolute path of a file> or postgresql://<user>@<host>/<database>."


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        engine = create_engine(url, pool_size=4, max_overflow=60, connect_args={"timeout": WAIT_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # To compile a question takes longer than any of ours: 60 ms of the 80 of one that PostgreSQL took for large.
    limits = f"-c lock_timeout={WAIT_SECONDS}s -c idle_in_transaction_session_timeout={WAIT_SECONDS}s -c jit=off"
    try:
        return create_engine(
            url,
            pool_size=4,
            max_overflow=28,
            pool_pre_ping=True,
            connect_args={"options": limits, "connect_timeout": WAIT_SECONDS},
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise BadRequest("PostgreSQL needs a driver: pip install 'stagedoor[postgresql]'.") from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    for pragma in (
        f"busy_timeout = {WAIT_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise _busy(str(error)) from error
    except DataError as error:
        raise BadRequest("A text in the request cannot be stored.", detail=str(error.orig)) from error
    except DBAPIError as error:
        if _passes(error):
            raise _busy(str(error.orig)) from error
        raise _broken(error) from error
    except SQLAlchemyError as error:
        raise _broken(error) from error


def _passes(error: DBAPIError) -> bool:
    """Whether a repeat can help: locks, connections, full disks."""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _PASSING
    return error.connection_invalidated or isinstance(error, OperationalError)


def _busy(detail: str) -> Busy:
    return Busy("The server's database is busy; try again in a moment.", detail=detail)


def _broken(error: SQLAlchemyError) -> StagedoorError:
    return StagedoorError("The server could not use its database; tell the studio.", detail=str(error))
