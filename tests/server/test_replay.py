"""Today's script on what earlier runs had read."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from some_records import run_of, submitted, user_of

from stagedoor.bootstrap import create_home, open_home
from stagedoor.cli import cli
from stagedoor.lifecycle.needs import RunOrder
from stagedoor.lifecycle.trial import Trying
from stagedoor.model.entities import Hook
from stagedoor.model.errors import Conflict
from stagedoor.model.hooks import HookName
from stagedoor.model.states import JobFact
from stagedoor.wire.house import NewHook
from stagedoor.wire.replays import Trial

LINE = f"{sys.executable} %s ${{PATH_JSON_INPUT}} ${{PATH_JSON_OUTPUT}}"


class Home:
    def __init__(self, folder: Path) -> None:
        create_home(folder / "home", "studio", "boss@studio.example")
        (folder / "projects").mkdir()
        self.folder = folder
        self.path = folder / "home"
        self.script = folder / "check.py"
        self.command("volume", "add", "projects", str(folder / "projects"))

    def command(self, *words: str, code: int = 0) -> Result:
        result = CliRunner(env={"STAGEDOOR_HOME": str(self.path)}).invoke(cli, list(words))
        assert result.exit_code == code, result.output
        return result

    def told(self, *words: str, code: int = 0) -> dict[str, Any]:
        return dict(json.loads(self.command("hook", "replay", *words, "--json", code=code).stdout))

    def check(self, verdict: str) -> None:
        """The script that is set from now on: `verdict` makes an entry's keys from its `name`."""
        self.script.write_text(
            "import json, os, sys\n"
            "def look(name):\n"
            f"    return {verdict}\n"
            "files = json.load(open(sys.argv[1]))['files']\n"
            "files = [{'id': entry['id'], **look(entry['filename'])} for entry in files]\n"
            "json.dump({'files': files}, open(sys.argv[2], 'w'))\n"
        )
        with open_home(self.path) as home:
            home.records.house.set_hook(Hook(name=HookName.PRE_PUBLISH, command=LINE % self.script))

    def offered(self, *names: str) -> str:
        """A recorded run for these names."""
        files = [{"id": name, "filename": name, "size": 1, "is_dir": False} for name in names]
        with open_home(self.path) as home:
            run = run_of(hook=HookName.PRE_PUBLISH, command=LINE % self.script)
            home.records.runs.begin(run)
            data = json.dumps({"files": files, "user_hr": "anna@vendor.example"}).encode()
            home.programs.run(RunOrder(run=run, input=data, wants_output=True, seconds=20, answer_bytes=10_000))
        return str(run.id)

    def state(self) -> list[Any]:
        """Everything that a replay must leave alone."""
        with closing(sqlite3.connect(self.path / "stagedoor.db")) as database:
            rows = [
                database.execute(f"SELECT * FROM {table}").fetchall()
                for table in ("hook_runs", "offers", "reservations", "jobs", "notices")
            ]
        return [*rows, sorted(str(path) for path in self.path.glob("runs/**/*"))]


ACCEPT = "{'can_publish': True, 'path': name}"
STRICT = "{'rejected': True, 'warning': 'No.'} if 'x' in name else {'can_publish': True, 'path': 'new/' + name}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.check(ACCEPT)
    return made


def test_a_run_is_compared_verdict_by_verdict_and_nothing_is_left_behind(home: Home) -> None:
    run = home.offered("a", "x")
    home.check(STRICT)
    before = home.state()
    found = home.told(run)
    assert home.state() == before
    assert (found["state"], found["verdicts"], found["changed"], found["reworded"]) == ("changed", 2, 1, 1)
    assert [(entry["filename"], entry["before"], entry["now"]) for entry in found["entries"]] == [
        ("a", "accepted", "accepted"),
        ("x", "accepted", "refused"),
    ]
    assert found["entries"][0]["changes"] == {"path": ["volume=projects/a", "volume=projects/new/a"]}
    assert found["entries"][1]["changes"]["warning"] == ["", "No."]
    text = home.command("hook", "replay", run).stdout
    assert "x: accepted -> refused" in text
    assert text.endswith("1 of 2 verdicts changes; 1 more have another path or other words.\n")


def test_the_same_script_changes_nothing(home: Home) -> None:
    run = home.offered("a")
    assert home.told(run)["state"] == "same"
    assert home.command("hook", "replay", run).stdout.endswith("0 of 1 verdict changes.\n")


def test_many_runs_come_to_one_sentence_and_the_list_on_request(home: Home) -> None:
    for names in (("a", "b"), ("x1", "x2", "c"), ("x3",)):
        home.offered(*names)
    home.check("{'rejected': True} if 'x' in name else {'can_publish': True, 'path': name}")
    found = home.told("--since", "2000d")
    assert (found["total"], found["runs"], found["verdicts"], found["changed"]) == (3, 3, 6, 3)
    assert found["states"] == {"changed": 2, "same": 1}
    assert sorted(entry["filename"] for item in found["items"] for entry in item["entries"]) == ["x1", "x2", "x3"]
    short = home.command("hook", "replay", "--since", "2020-01-01").stdout
    assert short.startswith("3 of 6 verdicts change.\n")
    assert "x1" not in short
    assert "x1: accepted -> refused" in home.command("hook", "replay", "--since", "2020-01-01", "--list").stdout
    assert home.told("--since", "1h")["total"] == 0


def test_another_script_can_be_tried_before_it_is_set(home: Home) -> None:
    run = home.offered("x")
    other = home.folder / "other.py"
    other.write_text(home.script.read_text().replace("'can_publish'", "'can_upload'"))
    assert home.told(run, "--script", str(other))["entries"][0]["now"] == "upload_only"
    assert home.told(run)["state"] == "same"


def test_a_script_that_cannot_say_is_told_apart_from_a_refusal(home: Home) -> None:
    run = home.offered("a")
    home.check("sys.exit('no tracker')")
    found = home.told(run, code=7)
    assert (found["state"], found["error"]) == ("fails_now", "the hook exited with code 1: no tracker")
    broken = home.offered("b")
    assert home.told(broken, code=7)["state"] == "fails_still"
    home.check(ACCEPT)
    assert home.told(broken)["state"] == "failed_before"
    assert home.told("--since", "2000d")["states"] == {"same": 1, "failed_before": 1}


def test_a_run_without_a_record_cannot_be_replayed(home: Home) -> None:
    run = home.offered("a")
    with open_home(home.path) as opened:
        opened.programs.remove(run)
    assert home.told(run)["state"] == "gone"


def test_where_nothing_is_kept_a_line_is_tried_on_a_made_up_offer(home: Home) -> None:
    """Also where there are runs, of which nothing is kept that could be read again."""
    other = home.folder / "other.py"
    other.write_text(home.script.read_text().replace(ACCEPT, STRICT.replace("'x' in name", "name.endswith('.mov')")))
    wanted = NewHook(command=LINE % other)
    with open_home(home.path) as opened:
        records = opened.records
        trying = Trying(opened.replaying, records.house, records.audit, lambda: 1)
        by = user_of(records)

        def tried(line: NewHook = wanted) -> Trial:
            return trying.line(by, "pre-publish", line, limit=20, seconds=60)

        found = tried()
        assert found.replays.total == 0
        assert found.sample is not None
        assert [(one.verdict, one.path, one.warning) for one in found.sample.entries] == [
            ("accepted", "volume=projects/new/demo_sq010_sh0010_comp_v001", ""),
            ("refused", "", "No."),
        ]
        failing = tried(NewHook(command="/bin/false ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}")).sample
        assert failing is not None
        assert (failing.error.split(",")[0], failing.entries) == ("the hook exited with code 1", ())
    run = home.offered("a")
    with open_home(home.path) as opened:
        trying = Trying(opened.replaying, opened.records.house, opened.records.audit, lambda: 1)
        assert tried().sample is None
        opened.programs.remove(run)
        gone = tried()
        assert (gone.replays.states, gone.sample is None) == ({"gone": 1}, False)


# --- for real ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ingested(home: Home) -> dict[str, str]:
    """A job that is done, its publish run, and a hook that notes what it reads."""
    script = home.folder / "publish.py"
    script.write_text(f"import sys; open({str(home.folder / 'read')!r}, 'w').write(open(sys.argv[1]).read())")
    with open_home(home.path) as opened:
        records = opened.records
        records.house.set_hook(Hook(name=HookName.PUBLISH, command=LINE % script))
        job = submitted(records, user_of(records), "/p/a")
        run = run_of(job_id=job.id, command=LINE % script)
        records.runs.begin(run)
        data = {"id": job.id, "files": [{"id": job.tasks[0].id, "hashes": "/gone"}], "replay": False, "attempt": 1}
        opened.programs.run(RunOrder(run=run, input=json.dumps(data).encode(), seconds=20, answer_bytes=0))
        for fact in (JobFact.RECEIVED, JobFact.STARTED, JobFact.PROVED, JobFact.PLACED, JobFact.INGESTED):
            records.jobs.move(job.id, fact, 1)
    (home.folder / "read").unlink()
    return {"job": job.id, "run": run.id}


def test_what_does_something_runs_again_only_for_real(home: Home, ingested: dict[str, str]) -> None:
    before = home.state()
    assert "--for-real" in home.command("hook", "replay", ingested["run"], code=2).output
    assert home.state() == before
    again = home.told(ingested["run"], "--for-real")
    assert (again["state"], again["replay"], again["job"]) == ("succeeded", True, ingested["job"])
    read = json.loads((home.folder / "read").read_text())
    assert (read["replay"], read["files"][0]["hashes"], read["id"]) == (True, "", ingested["job"])


def test_a_hook_does_not_run_again_beside_itself_nor_for_a_job_that_is_not_done(
    home: Home, ingested: dict[str, str]
) -> None:
    with open_home(home.path) as opened:
        records = opened.records
        running = run_of(job_id=ingested["job"])
        records.runs.begin(running)
        with pytest.raises(Conflict) as refusal:
            opened.replaying.for_real(ingested["run"])
        assert refusal.value.error_code == "replay_running"
        job = submitted(records, user_of(records), "/p/b")
        run = run_of(job_id=job.id)
        records.runs.begin(run)
        with pytest.raises(Conflict) as refusal:
            opened.replaying.for_real(run.id)
        assert refusal.value.error_code == "replay_not_done"
    assert not (home.folder / "read").exists()
