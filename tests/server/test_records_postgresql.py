"""The database layer over PostgreSQL: the same tests as over SQLite."""

from __future__ import annotations

import threading

import pytest
from some_records import NOW, run_of
from sqlalchemy import text
from test_levels import *  # noqa: F403
from test_records_audit import *  # noqa: F403
from test_records_house import *  # noqa: F403
from test_records_jobs import *  # noqa: F403
from test_records_keys import *  # noqa: F403
from test_records_lists import *  # noqa: F403
from test_records_notices import *  # noqa: F403
from test_records_offers import *  # noqa: F403
from test_records_queues import *  # noqa: F403
from test_records_races import *  # noqa: F403
from test_records_runs import *  # noqa: F403
from test_records_schema import (  # noqa: F401
    test_a_database_from_before_queues_is_brought_up_with_what_it_holds,
    test_a_newer_schema_is_seen_and_left_alone,
    test_a_writer_waits_for_another_thread_no_longer_than_said,
    test_migrating_again_changes_nothing,
    test_migrations_make_exactly_the_tables_of_this_version,
)
from test_records_signin import *  # noqa: F403
from test_records_where import *  # noqa: F403

from stagedoor.model.errors import Busy, StagedoorError
from stagedoor.records import Records, Schema, database, migrate, open_records, schema_of


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
def empty_url(postgresql_empty_url: str) -> str:
    return postgresql_empty_url


def test_an_empty_database_is_migrated(postgresql_empty_url: str) -> None:
    assert schema_of(postgresql_empty_url) is Schema.MISSING
    migrate(postgresql_empty_url)
    assert schema_of(postgresql_empty_url) is Schema.CURRENT
    records = open_records(postgresql_empty_url)
    test_migrations_make_exactly_the_tables_of_this_version(records)
    records.close()


def test_every_key_column_is_compared_by_bytes(records: Records) -> None:
    query = """
        SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND collation_name IS DISTINCT FROM 'C' AND data_type = 'text'
        AND (column_name IN ('id', 'key', 'folded') OR column_name LIKE '%\\_id')
    """
    with records.database.read() as connection:
        assert list(connection.scalars(text(query))) == []


def test_a_read_sees_one_moment(records: Records) -> None:
    count = text("SELECT count(*) FROM hook_runs")
    with records.database.read() as reading:
        before = reading.scalar(count)
        records.runs.begin(run_of())
        assert reading.scalar(count) == before


def test_a_writer_that_another_process_keeps_waiting_is_told_busy(
    database_url: str, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 1)
    other = open_records(database_url)
    with records.database.write(), pytest.raises(Busy):
        other.offers.expire(NOW)
    other.close()


def test_a_transaction_whose_process_stands_still_is_ended(
    database_url: str, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 1)
    frozen = open_records(database_url)
    begun, done = threading.Event(), threading.Event()

    def stand_still() -> None:
        begun.set()
        done.wait(20)

    def transact() -> None:
        with pytest.raises(StagedoorError), frozen.database.write():
            stand_still()

    thread = threading.Thread(target=transact)
    thread.start()
    assert begun.wait(10)
    assert records.offers.expire(NOW) == 0
    done.set()
    thread.join()
    frozen.close()
