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
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

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
postgres = importlib.import_module("postgres")

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
    """A PostgreSQL server of our own; `%s` in the URL is the database."""
    try:
        with postgres.server(*postgres.UNSAFE) as url:
            yield url
    except postgres.Missing as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def postgresql_empty_url(postgresql: str) -> str:
    name = f"empty_{secrets.token_hex(6)}"
    postgres.execute(postgresql % "postgres", f"CREATE DATABASE {name}")
    return postgresql % name


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> str:
    postgres.execute(postgresql % "postgres", "CREATE DATABASE stagedoor")
    migrate(postgresql % "stagedoor")
    postgres.execute(
        postgresql % "stagedoor", "CREATE SCHEMA kept", "CREATE TABLE kept.version AS TABLE alembic_version"
    )
    return postgresql % "stagedoor"


@pytest.fixture
def postgresql_url(migrated_postgresql: str) -> str:
    """One migrated database, of this version again for each test: ten times faster than making one."""
    postgres.execute(
        migrated_postgresql, "UPDATE alembic_version SET version_num = (SELECT version_num FROM kept.version)"
    )
    return migrated_postgresql
