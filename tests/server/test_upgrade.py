"""A home of an earlier version: refused by `serve`, brought up by `stagedoor upgrade`, its jobs finished afterwards."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import stagedoor
import warm
from breaking import (
    MIB,
    ended_well,
    execute,
    furnished,
    hook_events,
    job_state,
    let_go,
    only_staging,
    proof_held,
    publishing,
    submit,
    waiting_hook,
)
from counting import line_to
from stagedoor.records import Schema, migrate, schema_of
from studio import clean, frames, tree, until

NEXT = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "9999", {head!r}


def upgrade():
    op.create_table("of_the_next_version", sa.Column("id", sa.Text, primary_key=True))
"""


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Any]:
    with furnished(tmp_path / "studio") as made:
        yield made


@pytest.fixture
def next_version(tmp_path: Path, studio: Any) -> dict[str, str]:
    """The environment in which `stagedoor` is a version with one migration more."""
    package = tmp_path / "next" / "stagedoor"
    shutil.copytree(Path(stagedoor.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    ((head,),) = execute(studio, "SELECT version_num FROM alembic_version")
    versions = package / "records" / "migrations" / "versions"
    (versions / "9999_next.py").write_text(NEXT.format(head=head))
    return clean(PYTHONPATH=str(package.parent))


def run(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from stagedoor.cli import main; main()", *words]
    return subprocess.run(program, env=env, capture_output=True, text=True, timeout=60, check=False)


def serve(env: dict[str, str], studio: Any) -> None:
    words = ["serve", "--home", str(studio.home), "--port", str(studio.port)]
    with (studio.folder / "server.out").open("ab") as log:
        program = [sys.executable, "-c", "from stagedoor.cli import main; main()", *words]
        studio.process = subprocess.Popen(program, env=env, stdout=log, stderr=log)
    studio.wait_ready()


def tables(studio: Any) -> set[str]:
    return {row[0] for row in execute(studio, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_jobs_in_mid_upload_and_mid_proof_are_finished_by_the_next_version(
    studio: Any, next_version: dict[str, str], tmp_path: Path
) -> None:
    waiting_hook(studio)
    studio.start()
    session = studio.session(studio.vendor)
    in_proof = submit(session, [frames(tmp_path / "in_proof", range(3))])
    with proof_held(only_staging(studio)):
        session.upload(in_proof)
        until(lambda: job_state(studio) == "proving")
        source = frames(tmp_path / "half", range(16), MIB)
        with line_to(studio, 2 * MIB) as line, publishing(studio, line, source):
            until(lambda: line.acknowledged)
        studio.kill()
    home = ("--home", str(studio.home), "--json")
    assert json.loads(run(next_version, "user", "list", *home).stdout)["error"]["code"] == "schema_older"
    refused = run(next_version, "serve", "--home", str(studio.home))
    assert (refused.returncode, "stagedoor upgrade --home" in refused.stderr) == (2, True)
    assert "of_the_next_version" not in tables(studio)

    made = json.loads(run(next_version, "upgrade", *home).stdout)
    assert (made["upgraded"], "of_the_next_version" in tables(studio)) == (True, True)
    assert json.loads(run(next_version, "upgrade", *home).stdout) == {"upgraded": False, "backup": None}
    before = warm.run(["serve", *home[:2]], env=clean())
    assert (before.returncode, "newer version" in before.stderr) == (2, True)

    let_go(studio)
    serve(next_version, studio)
    assert session.wait(in_proof, seconds=30)["status"] == "done"
    assert hook_events(studio) == ["begin 1", "end 1"]
    ended_well(studio.client_process(studio.vendor, "publish", str(source), "--url", studio.url))
    for name in ("in_proof", "half"):
        assert tree(studio.volume / "in" / name) == tree(tmp_path / name)

    restored = warm.run(["restore", made["backup"], "--home", str(tmp_path / "as_before")], env=clean())
    assert restored.returncode == 0, restored.stderr
    assert schema_of(f"sqlite:///{tmp_path / 'as_before' / 'stagedoor.db'}") is Schema.CURRENT


def test_an_upgrade_is_refused_while_the_server_runs(studio: Any, next_version: dict[str, str]) -> None:
    studio.start()
    refused = run(next_version, "upgrade", "--home", str(studio.home), "--json")
    assert json.loads(refused.stdout)["error"]["code"] == "home_in_use"
    assert "of_the_next_version" not in tables(studio)
    assert not (studio.home / "backups").exists()


def back_to_the_first_tables(studio: Any) -> None:
    """The home's database as the first version would have it: its tables, with what they can hold of the rows."""
    path = studio.home / "stagedoor.db"
    old = path.with_name("first.db")
    migrate(f"sqlite:///{old}", "0001")
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("ATTACH ? AS now", (str(path),))
        names = [row[0] for row in database.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        for name in set(names) - {"alembic_version"}:
            here, there = (
                [row[1] for row in database.execute(f"PRAGMA {where}.table_info({name})")] for where in ("main", "now")
            )
            values = {column: f'"{column}"' for column in here if column in there}
            if "metadata" in here:
                values["metadata"] = "'{}'"  # one part then, two now
            if name == "jobs":
                values["queue"] = "'medium'"  # a word then, a reference now
            columns = ", ".join(f'"{column}"' for column in values)
            database.execute(f"INSERT INTO main.{name} ({columns}) SELECT {', '.join(values.values())} FROM now.{name}")
    for file in studio.home.glob("stagedoor.db*"):
        file.unlink()
    old.rename(path)


def test_a_home_of_the_first_tables_with_a_job_in_mid_upload_is_finished_by_this_version(
    studio: Any, tmp_path: Path
) -> None:
    studio.start()
    source = frames(tmp_path / "half", range(16), MIB)
    with line_to(studio, 2 * MIB) as line, publishing(studio, line, source):
        until(lambda: line.acknowledged)
    studio.stop()
    back_to_the_first_tables(studio)
    assert execute(studio, "SELECT version_num FROM alembic_version") == [("0001",)]
    studio.command("upgrade")
    studio.start()
    with line_to(studio) as line:
        ended_well(studio.client_process(studio.vendor, "publish", str(source), "--url", line.url))
        assert line.sent < 16 * MIB
    assert tree(studio.volume / "in" / "half") == tree(source)


def test_a_home_of_the_first_tables_with_a_job_in_mid_proof_is_finished_by_this_version(
    studio: Any, tmp_path: Path
) -> None:
    studio.start()
    session = studio.session(studio.vendor)
    job = submit(session, [frames(tmp_path / "in_proof", range(3))])
    with proof_held(only_staging(studio)):
        session.upload(job)
        until(lambda: job_state(studio) == "proving")
        studio.kill()
    back_to_the_first_tables(studio)
    studio.command("upgrade")
    studio.start()
    assert session.wait(job, seconds=30)["status"] == "done"
    assert tree(studio.volume / "in" / "in_proof") == tree(tmp_path / "in_proof")
