"""`stagedoor gc` lists what nobody needs, removes it when told to, and nothing else ever."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from breaking import execute, furnished, job_state, only_staging, stagings, submit
from stagedoor.cli import cli
from stagedoor.volumes.leftovers import staged
from studio import frames, until

DAY = 86_400


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Any]:
    with furnished(tmp_path / "studio") as made:
        yield made


def collected(studio: Any, *words: str) -> list[tuple[str, str]]:
    result = CliRunner().invoke(cli, ["gc", "--home", str(studio.home), "--json", *words])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["removed"] == ("--yes" in words)
    return [(one["kind"], one["name"]) for one in answer["litter"]]


def aged(folder: Path, days: float) -> Path:
    """As if nothing had changed below for so long."""
    then = time.time() - days * DAY
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (then, then), follow_symlinks=False)
    return folder


def staging(studio: Any, name: str = "orphan") -> Path:
    folder = studio.volume / ".stagedoor" / name
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "frame.exr").write_bytes(b"x" * 5000)
    return folder


def test_where_there_is_nothing_it_says_so(studio: Any) -> None:
    assert collected(studio) == []
    result = CliRunner().invoke(cli, ["gc", "--home", str(studio.home)])
    assert result.stdout == "There is nothing that nobody needs.\n"


def test_a_staging_without_a_job_is_listed_first_and_removed_when_told(studio: Any) -> None:
    old, young = aged(staging(studio), 15), staging(studio, "young")
    assert collected(studio) == [("staging", str(old))]
    assert old.exists()
    assert collected(studio, "--yes") == [("staging", str(old))]
    assert (old.exists(), young.exists(), collected(studio)) == (False, True, [])


def test_how_old_is_old_may_be_said(studio: Any) -> None:
    old = aged(staging(studio), 3)
    assert (collected(studio), collected(studio, "--idle-days", "2")) == ([], [("staging", str(old))])


def test_the_staging_of_a_job_is_kept_however_old(studio: Any, tmp_path: Path) -> None:
    studio.start()
    submit(studio.session(studio.vendor), [frames(tmp_path / "shot", range(3))])
    aged(only_staging(studio), 400)
    assert collected(studio, "--yes", "--idle-days", "1") == []
    assert len(stagings(studio)) == 1


def test_a_link_in_staging_is_not_followed(studio: Any, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    (studio.volume / ".stagedoor").mkdir(exist_ok=True)
    (studio.volume / ".stagedoor" / "link").symlink_to(precious)
    inside = staging(studio)
    (inside / "link").symlink_to(precious)
    aged(studio.volume / ".stagedoor", 20)
    assert collected(studio, "--yes") == [("staging", str(inside))]
    assert (precious / "file").read_text() == "x"


def test_a_linked_staging_folder_is_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "x").mkdir(parents=True)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / ".stagedoor").symlink_to(tmp_path / "elsewhere")
    assert staged([str(tmp_path / "root")], []) == []


def test_an_upload_past_its_time_is_given_up_while_no_server_runs(studio: Any, tmp_path: Path) -> None:
    studio.start()
    job = submit(studio.session(studio.vendor), [frames(tmp_path / "shot", range(3))])
    studio.kill()
    assert collected(studio) == []
    execute(studio, "UPDATE jobs SET expires = 1")
    assert collected(studio) == [("upload", job["id"])]
    assert job_state(studio) == "awaiting_bytes"
    assert collected(studio, "--yes") == [("upload", job["id"])]
    assert (job_state(studio), stagings(studio), collected(studio)) == ("aborted", [], [])
    assert execute(studio, "SELECT count(*) FROM reservations") == [(0,)]


def test_old_hook_runs_and_folders_without_a_record_go(studio: Any, tmp_path: Path) -> None:
    studio.start()
    submit(studio.session(studio.vendor), [frames(tmp_path / "shot", range(3))])
    studio.kill()
    ((run,),) = execute(studio, "SELECT id FROM hook_runs")
    strange = studio.home / "runs" / ("0" * 24)
    strange.mkdir()
    other = studio.home / "runs" / "somebody's own"
    other.mkdir()
    aged(studio.home / "runs", 1)
    assert collected(studio) == [("run folder", str(strange))]
    execute(studio, "UPDATE hook_runs SET started = 1, ended = 1")
    assert collected(studio, "--yes") == [("run", run), ("run folder", str(strange))]
    assert [path.name for path in (studio.home / "runs").iterdir()] == [other.name]
    assert execute(studio, "SELECT * FROM hook_runs") == []


def test_the_engine_forgets_jobs_that_have_ended_and_keeps_the_others(studio: Any, tmp_path: Path) -> None:
    studio.start()
    session = studio.session(studio.vendor)
    studio.hook("publish-server", "import sys; sys.exit(1)")
    failed = session.upload(submit(session, [frames(tmp_path / "shot", range(3))]))
    until(lambda: job_state(studio) == "ingest_failed")
    until(lambda: execute(studio, "SELECT status FROM workflow_status", file="engine.db") == [("SUCCESS",)])
    assert collected(studio) == []
    studio.kill()
    execute(studio, "UPDATE jobs SET state = 'done', cleared = 1")
    assert collected(studio, "--yes") == [("engine", failed["id"])]
    assert execute(studio, "SELECT * FROM workflow_status", file="engine.db") == []


def test_more_old_logs_than_are_kept_go(studio: Any) -> None:
    logs = studio.home / "logs"
    for number in (1, 5, 6):
        (logs / f"server.log.{number}").write_text("x")
    assert collected(studio) == [("log", str(logs / "server.log.6"))]


# --- what entries replaced -----------------------------------------------------------------------------------------


def replacing_job(studio: Any, tmp_path: Path) -> Path:
    """A job that has replaced a file; the copy of that."""
    execute(studio, "UPDATE workspaces SET settings = ?", '{"on_exists": "replace"}')
    place = studio.volume / "in" / "clip.mov"
    place.parent.mkdir()
    place.write_text("precious")
    source = tmp_path / "clip.mov"
    source.write_text("new")
    studio.start()
    session = studio.session(studio.vendor)
    session.upload(submit(session, [source]))
    until(lambda: job_state(studio) == "done")
    studio.kill()
    assert place.read_text() == "new"
    (copy,) = (studio.volume / ".stagedoor" / "replaced").glob("*/data/*")
    return Path(copy)


def test_a_replaced_copy_is_kept_until_its_time_is_over_however_old(studio: Any, tmp_path: Path) -> None:
    copy = replacing_job(studio, tmp_path)
    aged(studio.volume / ".stagedoor" / "replaced", 400)
    assert [kind for kind, _ in collected(studio, "--yes") if kind in ("staging", "replaced")] == []
    assert copy.read_text() == "precious"
    execute(studio, "UPDATE tasks SET kept_until = 1000")
    assert ("replaced", str(copy)) in collected(studio)
    assert ("replaced", str(copy)) in collected(studio, "--yes")
    assert not copy.parents[1].exists()
    assert execute(studio, "SELECT kept FROM tasks") == [("",)]


def test_a_replaced_copy_that_no_job_speaks_of_is_litter_after_its_days(studio: Any) -> None:
    folder = studio.volume / ".stagedoor" / "replaced" / "f00d"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "shot").write_text("precious")
    assert collected(studio) == []
    aged(folder, 8)
    assert collected(studio) == [("replaced", str(folder))]
    assert collected(studio, "--yes") == [("replaced", str(folder))]
    assert not folder.exists()
