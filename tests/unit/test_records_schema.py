"""Migrations, the file, and what the file holds."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from some_records import NOW, user_of
from sqlalchemy import Connection, inspect, text

from stagedoor.model.errors import BadRequest, Busy, Conflict, StagedoorError
from stagedoor.model.metadata import Metadata
from stagedoor.records import Records, Schema, database, migrate, open_records, schema_of
from stagedoor.records.schema import _config
from stagedoor.records.tables import metadata


@pytest.fixture
def database_url(own_url: str) -> str:
    return own_url


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    opened = open_records(database_url)
    yield opened
    opened.close()


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def test_migrations_make_exactly_the_tables_of_this_version(records: Records) -> None:
    with records.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_an_empty_folder_becomes_a_database_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new %41 ü.db"
    migrate(url_of(path).replace("%", "%25"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_migrating_again_changes_nothing(records: Records, database_url: str) -> None:
    user = user_of(records)
    migrate(database_url)
    assert records.house.users() == [user]


def test_a_missing_or_empty_database_is_told_from_one_of_this_version(tmp_path: Path, database_url: str) -> None:
    assert schema_of(url_of(tmp_path / "missing.db")) is Schema.MISSING
    assert not (tmp_path / "missing.db").exists()
    (tmp_path / "empty.db").touch()
    assert schema_of(url_of(tmp_path / "empty.db")) is Schema.MISSING
    assert schema_of(database_url) is Schema.CURRENT


def test_a_newer_schema_is_seen_and_left_alone(records: Records, database_url: str) -> None:
    with records.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert schema_of(database_url) is Schema.NEWER
    with pytest.raises(Conflict) as refusal:
        migrate(database_url)
    assert refusal.value.error_code == "database_newer"


def test_sqlite_is_set_up_for_many_threads_and_sudden_ends(records: Records, tmp_path: Path) -> None:
    with records.database.read() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert values == ["wal", 1, 1, 10_000]


def test_the_database_holds_no_secret(records: Records, tmp_path: Path) -> None:
    user = user_of(records)
    _, secret = records.keys.make(user.id, "laptop", NOW, None)
    records.close()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("stagedoor.db*"))
    assert user.code.encode() in content
    chance = secret.split("_", 2)[2]
    for part in (secret, chance, chance[:12], chance[-12:]):
        assert part.encode() not in content


def test_a_database_that_others_keep_locked_is_busy(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = user_of(records)
    with records.database.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(tmp_path / "stagedoor.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy) as refusal:
        records.keys.make(user.id, "", NOW, None)
    assert "locked" in refusal.value.detail
    other.execute("ROLLBACK")
    records.keys.make(user.id, "", NOW, None)
    other.close()


def test_a_writer_waits_for_another_thread_no_longer_than_said(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.02)
    with records.database.write(), pytest.raises(Busy), records.database.write():
        pass


def test_a_broken_database_is_told_to_the_log_not_to_the_vendor(records: Records, tmp_path: Path) -> None:
    with records.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE api_keys")
    with pytest.raises(StagedoorError) as refusal:
        records.keys.list("x")
    assert not isinstance(refusal.value, Busy)
    assert "api_keys" not in refusal.value.message
    assert "api_keys" in refusal.value.detail


def test_a_place_where_no_file_can_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(StagedoorError) as refusal:
        migrate(url_of(tmp_path / "missing" / "a.db"))
    assert os.fspath(tmp_path) not in refusal.value.message


@pytest.mark.parametrize("url", ["", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "/srv/a.db", "http://x"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(BadRequest):
        open_records(url)


@pytest.fixture
def empty_url(tmp_path: Path) -> str:
    return url_of(tmp_path / "old.db")


def test_a_database_from_before_queues_is_brought_up_with_what_it_holds(empty_url: str) -> None:
    """Its jobs are in the default queue and their tasks their user's, what was kept on users is for the studio only."""
    url = empty_url
    old = database.Database(url)
    with old.write() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for table, values in {
            "workspaces": {"id": "w", "code": "acme", "metadata": "{}", "settings": '{"open_offers": 3}'},
            "users": {"id": "u", "code": "a@x.se", "folded": "a@x.se", "role": "admin", "metadata": '{"site": "n"}'},
            "offers": {"id": "o", "user_id": "u", "state": "submitted", "form": "{}"},
            "jobs": {
                "id": "j",
                "user_id": "u",
                "offer_id": "o",
                "state": "ingesting",
                "queue": "medium",
                "notes": "[]",
            },
            "tasks": {"job_id": "j", "id": "t", "status": "done", "verdict": '{"kind": "accepted"}', "answers": "{}"},
        }.items():
            _fill(connection, table, values)
    old.close()
    migrate(url)
    records = open_records(url)
    queues = {queue.code: queue for queue in records.house.queues()}
    assert {code: (queue.priority, queue.default) for code, queue in queues.items()} == {
        "high": (999, False),
        "medium": (500, True),
        "low": (1, False),
    }
    job, user = records.jobs.job("j"), records.house.user("u")
    assert job
    assert user
    assert (job.queue_id, job.settings, job.metadata) == (queues["medium"].id, {}, Metadata())
    assert user.metadata == Metadata(internal={"site": "n"})
    assert [task.id for task in records.lists.tasks(user_id="u")[1]] == ["t"]
    assert records.house.settings().number("open_offers") == 3
    records.close()


def _fill(connection: Connection, table: str, values: dict[str, str]) -> None:
    """A row with these values, and empty ones in the other columns that must have one."""
    columns = inspect(connection).get_columns(table)
    empty = {"BIGINT": 0, "INTEGER": 0, "BOOLEAN": False}
    needed = {item["name"]: empty.get(str(item["type"]), "") for item in columns if not item["nullable"]}
    row = {**needed, **values}
    names = ", ".join(f'"{name}"' for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)
