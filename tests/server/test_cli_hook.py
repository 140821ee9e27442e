"""`stagedoor hook`: what was run for whom, and a script tried out on this machine."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from some_records import run_of, submitted, user_of

from stagedoor.bootstrap import create_home, open_home
from stagedoor.cli import cli
from stagedoor.cli.screen import page, runs
from stagedoor.model.entities import RunState
from stagedoor.model.hooks import HookName

ACCEPTS = """
import json, sys
files = [{"id": entry["id"], "can_publish": True, "path": "%s"} for entry in json.load(open(sys.argv[1]))["files"]]
json.dump({"files": files}, open(sys.argv[2], "w"))
"""


def stagedoor(*words: str, home: Path | None = None) -> Result:
    return CliRunner(env={"STAGEDOOR_HOME": str(home) if home else None}).invoke(cli, ["hook", *words])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_home(tmp_path / "home", "studio", "boss@studio.example")
    return tmp_path / "home"


# --- log -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ran(home: Path) -> dict[str, str]:
    """A job of Anna's with its two runs, and a check for Bert that failed; ids by name."""
    with open_home(home) as server:
        anna, bert = user_of(server.records), user_of(server.records, "bert@vendor.example")
        job = submitted(server.records, anna, "/p/a")
        made = {
            "check": run_of(hook=HookName.PRE_PUBLISH, offer_id=job.offer_id, user_id=anna.id),
            "ingest": run_of(job_id=job.id, user_id=anna.id, state=RunState.SUCCEEDED),
            "refused": run_of(
                hook=HookName.PRE_PUBLISH,
                user_id=bert.id,
                state=RunState.FAILED,
                error="The tracker is away. Ask Eve.\nTraceback",
            ),
        }
        for run in made.values():
            server.records.runs.begin(run)
        return {"job": job.id, **{name: run.id for name, run in made.items()}}


def listed(home: Path, *words: str) -> set[str]:
    return {run["id"] for run in json.loads(stagedoor("log", "--json", *words, home=home).stdout)["runs"]}


def test_the_runs_of_a_job_hold_the_one_that_decided_its_offer(home: Path, ran: dict[str, str]) -> None:
    assert listed(home, "--job", ran["job"]) == {ran["check"], ran["ingest"]}


def test_runs_can_be_those_for_one_user_or_those_that_failed(home: Path, ran: dict[str, str]) -> None:
    assert listed(home, "--user", "Bert@vendor.example") == listed(home, "--failed") == {ran["refused"]}
    assert stagedoor("log", "--failed", "--job", ran["job"], home=home).stdout == "No run is like that.\n"
    assert "There is no user eve@x.example" in stagedoor("log", "--user", "eve@x.example", home=home).stderr


def test_the_list_names_who_it_was_for_and_the_first_sentence_of_why(home: Path, ran: dict[str, str]) -> None:
    title, line = stagedoor("log", "--failed", home=home).stdout.splitlines()
    assert title.split()[-2:] == ["USER", "WHY"]
    assert line.endswith("bert@vendor.example  The tracker is away.")


def test_ids_never_wrap_on_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    run = {
        "id": "6" * 24,
        "job": "7" * 24,
        "hook": "pre-publish-server",
        "state": "timed_out",
        "started": "2026-01-01T00:00:00Z",
        "seconds": 200,
        "exit_code": -15,
        "user_code": "a.long.name@vendor.example",
        "error": "ran longer than 30 s and was ended",
    }
    shown = Terminal()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", shown)
    runs.listing(page.Page(), [run], 1)
    lines = shown.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert [line.split()[0] for line in lines] == ["6" * 24, "job", "ran"]
    assert "7" * 24 in lines[1]
    assert "a.long.name@vendor.example" in lines[1]


# --- set -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "doubt"), [("ingest.py", "looked for in the run's own folder"), ("/no/x.py", "does not exist")]
)
def test_a_script_that_may_not_be_found_is_set_all_the_same_and_it_is_said(home: Path, script: str, doubt: str) -> None:
    result = stagedoor("set", "publish", f"{sys.executable} {script} ${{PATH_JSON_INPUT}}", home=home)
    assert result.exit_code == 0
    assert result.stdout.startswith("publish-server: ")
    assert result.stderr.startswith(f"Set all the same, but {script} ")
    assert doubt in result.stderr


@pytest.mark.parametrize("words", [["set", "ingest", "x", "--home", "x"], ["test", "x", "y", "--hook", "ingest"]])
def test_a_word_that_is_no_hook_is_answered_with_those_there_are(words: list[str]) -> None:
    result = stagedoor(*words)
    told = " ".join(click.unstyle(result.stderr).split())
    assert result.exit_code == 2
    assert "'ingest' is no hook; there are pre-publish-server, pre-submit-server, post-submit-server, " in told
    assert "and the same without -server for short" in told


# --- test ------------------------------------------------------------------------------------------------------------


def tried(tmp_path: Path, path: str, *words: str, name: str = "pre_publish.py", home: Path | None = None) -> Result:
    (tmp_path / name).write_text(ACCEPTS % path)
    (tmp_path / "sh010.mov").write_bytes(b"x")
    return stagedoor("test", str(tmp_path / name), str(tmp_path / "sh010.mov"), *words, home=home)


def test_without_volumes_the_place_is_shown_as_written_and_said_to_be_unchecked(tmp_path: Path) -> None:
    result = tried(tmp_path, "/mnt/x/y")
    assert "goes to: /mnt/x/y (not checked: no volume known)" in result.stdout
    found: Any = json.loads(tried(tmp_path, "/mnt/x/y", "--json").stdout)
    assert found["publish"]["files"][0]["path"] == "/mnt/x/y"


def test_a_script_whose_name_says_nothing_is_run_as_what_is_said_first(tmp_path: Path) -> None:
    first = "Run as pre-publish-server (guessed; --hook says otherwise)"
    assert tried(tmp_path, "x", name="look.py").stderr.splitlines()[0] == first
    assert "guessed" not in tried(tmp_path, "x").stderr
    assert "guessed" not in tried(tmp_path, "x", "--hook", "pre-publish", name="look.py").stderr


def test_volumes_that_are_named_come_before_those_of_the_home(tmp_path: Path, home: Path) -> None:
    root = tmp_path / "projects"
    root.mkdir()
    CliRunner().invoke(cli, ["volume", "add", "projects", str(root), "--default", "--home", str(home)])
    for path in ("volume=projects/x", f"{root}/x"):
        result = tried(tmp_path, path, "--volume", "other=/mnt/other", home=home)
        assert "goes to: volume=projects/x" in result.stdout
    assert "goes to: volume=other/x" in tried(tmp_path, "x", "--volume", "other=/mnt/other", home=home).stdout
    assert "goes to: volume=projects/x" in tried(tmp_path, "/mine/x", "--volume", "projects=/mine", home=home).stdout
    wrong = tried(tmp_path, "volume=third/x", "--volume", "other=/mnt/other", home=home)
    assert "known here: other, projects; give --volume third=PATH" in wrong.stderr
