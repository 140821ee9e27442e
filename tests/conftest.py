"""Fixtures for all tests.

`records` is an open, empty database of this version: SQLite in a file. Modules in `tests/server` that override the
fixture `database_url` with `postgresql_url` get the same over PostgreSQL. Tests of one process share the database, and
each finds it empty; one that breaks it takes a file of its own (`own_url`).

Properties are tried with 20 examples each, with 100 under `--hypothesis-profile=thorough` (`make test`).
"""

from __future__ import annotations

import importlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import create_engine, text

from stagedoor.records import Records, migrate, open_records
from stagedoor.records.tables import metadata

# Time is no matter of tests: a busy machine must not make one fail.
for name, examples in (("quick", 20), ("thorough", 100)):
    hypothesis.settings.register_profile(
        name, deadline=None, max_examples=examples, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
hypothesis.settings.load_profile("quick")

# Some containers set this; every process that a test starts would then compile again all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

sys.path.append(str(Path(__file__).parent))
importlib.import_module("warm").use()

# Modules that `tests/server` runs again over PostgreSQL: importable from there, with assertions that explain.
sys.path.append(str(Path(__file__).parent / "unit"))
pytest.register_assert_rewrite(
    "test_levels",
    "test_records_audit",
    "test_records_house",
    "test_records_jobs",
    "test_records_keys",
    "test_records_lists",
    "test_records_notices",
    "test_records_offers",
    "test_records_queues",
    "test_records_races",
    "test_records_runs",
    "test_records_signin",
    "test_records_where",
)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, to be copied: faster than migrating for each test."""
    path = tmp_path_factory.mktemp("records") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def shared_file(migrated_file: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_file, migrated_file.with_name('shared.db'))}"


@pytest.fixture
def own_url(tmp_path: Path, migrated_file: Path) -> str:
    """A database in a file that no other test has."""
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'stagedoor.db')}"


@pytest.fixture
def database_url(shared_file: str) -> str:
    return shared_file


@pytest.fixture(scope="session")
def opened() -> Iterator[dict[str, Records]]:
    """Databases stay open from test to test: what SQLAlchemy has compiled for one serves the next."""
    kept: dict[str, Records] = {}
    yield kept
    for records in kept.values():
        records.close()


@pytest.fixture
def records(database_url: str, opened: dict[str, Records]) -> Records:
    if database_url not in opened:
        opened[database_url] = open_records(database_url)
    with opened[database_url].database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    return opened[database_url]


# --- PostgreSQL --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server of our own, on a socket in a temporary folder; `%s` in the URL is the database."""
    folder = Path(tempfile.mkdtemp(prefix="sd-pg-", dir="/tmp"))  # a socket's path must be short
    try:
        with _server(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_empty_url(postgresql: str) -> str:
    name = f"empty_{secrets.token_hex(6)}"
    _execute(postgresql % "postgres", f"CREATE DATABASE {name}")
    return postgresql % name


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> str:
    _execute(postgresql % "postgres", "CREATE DATABASE stagedoor")
    migrate(postgresql % "stagedoor")
    _execute(postgresql % "stagedoor", "CREATE SCHEMA kept", "CREATE TABLE kept.version AS TABLE alembic_version")
    return postgresql % "stagedoor"


@pytest.fixture
def postgresql_url(migrated_postgresql: str) -> str:
    """One migrated database, of this version again for each test: ten times faster than making one."""
    _execute(migrated_postgresql, "UPDATE alembic_version SET version_num = (SELECT version_num FROM kept.version)")
    return migrated_postgresql


def _execute(url: str, *statements: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("; ".join(statements)))
    engine.dispose()


class _server:
    """Runs as an ordinary user: PostgreSQL refuses root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._as = {}
        if os.geteuid() == 0:
            self._as = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")

    def __enter__(self) -> str:
        data, log = self._folder / "data", self._folder / "log"
        options = ["--username=stagedoor", "--auth=trust", "--encoding=UTF8", "--no-sync", "--locale=C.UTF-8"]
        if "--icu-locale" in self._run(
            _program("initdb"), "--help"
        ):  # an order of words, not of bytes: as studios have
            options += ["--locale-provider=icu", "--icu-locale=en-US"]
        self._run(_program("initdb"), f"--pgdata={data}", *options)
        settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses="]
        settings += [f"unix_socket_directories={self._folder}", "shared_buffers=16MB", "max_connections=100"]
        command = [_program("postgres"), "-D", str(data), *(word for item in settings for word in ("-c", item))]
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, cwd="/", stdout=output, stderr=output, **self._as)
        url = f"postgresql://stagedoor@/%s?host={self._folder}"
        self._wait(log)
        return url

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(20)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **self._as)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _wait(self, log: Path) -> None:
        ready = [_program("pg_isready"), "--quiet", f"--host={self._folder}"]
        for _ in range(400):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.05)
        raise AssertionError(log.read_text())


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [shutil.which(name)]
    if found[-1] is None:
        pytest.fail("PostgreSQL is not installed: run `sh scripts/system-packages.sh`", pytrace=False)
    return str(found[-1])
