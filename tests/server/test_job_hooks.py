"""The hooks of a job beside the publish hook: asked before it is made, told afterwards."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from breaking import (
    alive,
    execute,
    furnished,
    hook_events,
    let_go,
    set_hook,
    stagings,
    submission,
    submit,
    waiting_hook,
)
from stagedoor import scan
from stagedoor.model.errors import CheckFailed, StagedoorError, SubmitRefused
from stagedoor.wire.hookdata import schema
from studio import Studio, frames, until

Job = dict[str, Any]
POST = ("post-submit-server", "post-failed-server", "post-done-server")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with furnished(tmp_path_factory.mktemp("shared") / "studio") as made:
        made.start()
        yield made


@pytest.fixture
def studio(shared: Any) -> Any:
    """The studio that tests share, with no hook but the pre-publish hook, and `before`: the newest run so far."""
    execute(shared, "DELETE FROM hooks WHERE name != 'pre-publish-server'")
    execute(shared, "DELETE FROM notices")
    execute(shared, "UPDATE workspaces SET settings = '{}'")
    for name in ("told", "hashes", "children", "runs", "go"):
        (shared.folder / name).unlink(missing_ok=True)
    shared.before = execute(shared, "SELECT coalesce(max(id), '') FROM hook_runs")[0][0]
    return shared


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Any]:
    """A studio of the test's own, to be killed."""
    with furnished(tmp_path / "studio") as made:
        made.start()
        made.before = ""
        yield made


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    return frames(tmp_path / f"shot_{secrets.token_hex(4)}", range(1, 4))


def hook(studio: Studio, name: str, text: str, queue: str = "") -> None:
    """A script that knows `data`, `folder` and `answer(...)`."""
    script = studio.folder / f"{name}{queue}.py"
    script.write_text(
        "import json, os, pathlib, signal, sys, time\n"
        f"folder = pathlib.Path({str(studio.folder)!r})\n"
        "data = json.load(open(sys.argv[1]))\n"
        "def answer(**keys): pathlib.Path(sys.argv[2]).write_text(json.dumps(keys))\n" + text
    )
    set_hook(studio, name, f"{sys.executable} {script} ${{PATH_JSON_INPUT}} ${{PATH_JSON_OUTPUT}}", queue)


def keeps(studio: Studio, name: str, *, then: str = "", queue: str = "") -> None:
    """A hook that keeps what it reads, see `kept`."""
    said = f"(folder / 'told').open('a').write(json.dumps({{**data, 'by': {queue!r}}}) + chr(10))\n"
    hook(studio, name, said + then, queue)


def kept(studio: Studio) -> list[dict[str, Any]]:
    path = studio.folder / "told"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def publish(studio: Any, source: Path) -> Job:
    session = studio.session(studio.vendor)
    job = submit(session, [source])
    session.upload(job)
    return session.wait(job, seconds=30)


def runs(studio: Any, name: str) -> list[dict[str, Any]]:
    session = studio.session(studio.admin)
    return [run for run in session.find("run") if run["hook"] == name and run["id"] > studio.before]


# --- pre-submit: asked before there is a job --------------------------------------------------------------------------


def refused(studio: Any, shot: Path, kind: type[StagedoorError]) -> StagedoorError:
    """Submit, see that nothing has come of it, and return what was said."""
    jobs, staged = execute(studio, "SELECT count(*) FROM jobs"), stagings(studio)
    with pytest.raises(kind) as refusal:
        submit(studio.session(studio.vendor), [shot])
    assert execute(studio, "SELECT count(*) FROM jobs") == jobs
    assert set(stagings(studio)) <= set(staged)
    return refusal.value


def test_a_job_is_made_where_the_hook_says_nothing(studio: Any, shot: Path) -> None:
    keeps(studio, "pre-submit-server")
    assert publish(studio, shot)["status"] == "done"
    (data,) = kept(studio)
    del data["by"]
    jsonschema.validate(data, schema("pre-submit-server.input"))
    assert (data["hook"], data["status"], data["queue_hr"], data["code"]) == (
        "pre-submit-server",
        "init",
        "medium",
        "a publish",
    )
    (entry,) = data["files"]
    assert (entry["path"], entry["hashes"]) == (str(studio.volume / "in" / shot.name), "")
    assert [node["filename"] for node in entry["files"]] == ["shot.0001.exr", "shot.0002.exr", "shot.0003.exr"]


def test_its_reason_is_what_the_vendor_reads(studio: Any, shot: Path) -> None:
    hook(studio, "pre-submit-server", "answer(rejected=True, warning='The show is closed until Monday.')")
    error = refused(studio, shot, SubmitRefused)
    assert (error.error_code, error.message) == ("submit_refused", "The show is closed until Monday.")
    (run,) = runs(studio, "pre-submit-server")
    assert (run["state"], run["id"]) == ("succeeded", error.details["reference"])
    assert run["error"] == "It refused: The show is closed until Monday."


def test_an_exit_code_refuses_and_shows_nothing_of_the_studio(studio: Any, shot: Path) -> None:
    hook(studio, "pre-submit-server", "sys.exit('/mnt/secret is full')")
    error = refused(studio, shot, SubmitRefused)
    (run,) = runs(studio, "pre-submit-server")
    assert error.message.endswith(f"ask the studio. Reference: {run['id']}")
    assert "secret" not in str(error.message) + str(error.details)
    assert run["error"] == "the hook exited with code 1: /mnt/secret is full"


def test_an_exit_code_may_come_with_a_reason(studio: Any, shot: Path) -> None:
    hook(studio, "pre-submit-server", "answer(warning='Name a comment.'); sys.exit(3)")
    assert refused(studio, shot, SubmitRefused).message == "Name a comment."


@pytest.mark.parametrize(
    "text",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "pathlib.Path(sys.argv[2]).write_text('no JSON')",
        "answer(rejected='yes')",
        "open(sys.argv[2], 'wb').write(b' ' * 2**20 + b'{}')",
    ],
    ids=["signal", "no JSON", "wrong type", "too long"],
)
def test_a_hook_that_could_not_say_is_no_refusal(studio: Any, shot: Path, text: str) -> None:
    hook(studio, "pre-submit-server", text)
    error = refused(studio, shot, CheckFailed)
    (run,) = runs(studio, "pre-submit-server")
    assert (run["state"], run["id"]) == ("failed", error.details["reference"])
    assert run["error"]


def test_a_hook_that_hangs_is_ended_and_no_refusal(studio: Any, shot: Path) -> None:
    execute(studio, "UPDATE workspaces SET settings = ?", '{"pre_submit_seconds": 1}')
    hook(studio, "pre-submit-server", "time.sleep(60)")
    refused(studio, shot, CheckFailed)
    assert [run["state"] for run in runs(studio, "pre-submit-server")] == ["timed_out"]


def test_a_publish_goes_on_beside_a_hook_that_hangs_forks_and_floods(studio: Any, shot: Path) -> None:
    execute(studio, "UPDATE workspaces SET settings = ?", '{"pre_submit_seconds": 8, "pre_submit_at_once": 2}')
    hook(
        studio,
        "pre-submit-server",
        "if (folder / 'hang').exists():\n"
        "    (folder / 'hang').unlink()\n"
        "    for _ in range(20):\n"
        "        os.fork() or (os.setsid(), time.sleep(100))\n"
        "    os.truncate(os.open(sys.argv[2], os.O_CREAT | os.O_RDWR), 2**30)\n"
        "    os.unlink(sys.argv[1])\n"
        "    while True: sys.stdout.write('x' * 65536)\n",
    )
    (studio.folder / "hang").touch()
    with ThreadPoolExecutor(1) as beside:
        stuck = beside.submit(submit, studio.session(studio.rival), [frames(shot.with_name(f"{shot.name}_stuck"), [1])])
        until(lambda: not (studio.folder / "hang").exists())
        assert publish(studio, shot)["status"] == "done"
        with pytest.raises(CheckFailed):
            stuck.result(60)
    assert [run["state"] for run in runs(studio, "pre-submit-server")] == ["succeeded", "timed_out"]


def test_a_refused_offer_can_be_submitted_again(studio: Any, shot: Path) -> None:
    hook(studio, "pre-submit-server", "answer(rejected=not (folder / 'open').exists(), warning='Closed.')")
    session = studio.session(studio.vendor)
    asked = submission(session, [dict(entry) for entry in scan([shot])])
    with pytest.raises(SubmitRefused):
        session.create("job", asked)
    (studio.folder / "open").touch()
    job = session.create("job", asked)
    assert session.create("job", asked)["id"] == job["id"]
    assert len(runs(studio, "pre-submit-server")) == 2, "what has been submitted is not asked about again"


def test_the_command_ends_with_refused(studio: Any, shot: Path) -> None:
    hook(studio, "pre-submit-server", "answer(rejected=True, warning='Closed until Monday.')")
    done = studio.client(studio.vendor, "publish", str(shot))
    assert done.returncode == 3
    assert "Closed until Monday." in done.stderr
    assert "nothing was sent" in done.stderr


# --- post hooks: told afterwards --------------------------------------------------------------------------------------


def test_a_publish_is_told_to_those_who_want_to_know_in_order(studio: Any, shot: Path) -> None:
    for name in POST:
        keeps(studio, name)
    job = publish(studio, shot)
    until(lambda: len(kept(studio)) == 2)
    made, done = kept(studio)
    assert [(data.pop("by"), data["hook"], data["status"], data["id"]) for data in (made, done)] == [
        ("", "post-submit-server", "waiting", job["id"]),
        ("", "post-done-server", "done", job["id"]),
    ]
    for data in (made, done):
        jsonschema.validate(data, schema(f"{data['hook']}.input"))
        assert data["files"][0]["path"] == str(studio.volume / "in" / shot.name)
        assert (data["attempt"], data["replay"]) == (1, False)
    assert made["idempotency_key"] != done["idempotency_key"]
    until(lambda: [run["state"] for run in runs(studio, "post-done-server")] == ["succeeded"])


def test_the_hashes_are_there_when_everything_has_arrived(studio: Any, shot: Path) -> None:
    text = "(folder / 'hashes').write_text(open(data['files'][0]['hashes']).read())\n"
    keeps(studio, "post-done-server", then=text)
    publish(studio, shot)
    until(lambda: (studio.folder / "hashes").exists() and (studio.folder / "hashes").read_text())
    lines = [json.loads(line) for line in (studio.folder / "hashes").read_text().splitlines()]
    assert [line["path"] for line in lines] == ["shot.0001.exr", "shot.0002.exr", "shot.0003.exr"]


def test_a_failure_is_told_with_its_reason(studio: Any, shot: Path) -> None:
    keeps(studio, "post-failed-server")
    hook(studio, "publish-server", "sys.exit('the tracker is away')")
    job = publish(studio, shot)
    until(lambda: kept(studio))
    (data,) = kept(studio)
    del data["by"]
    jsonschema.validate(data, schema("post-failed-server.input"))
    assert (data["status"], data["error_code"], data["retry_at"]) == ("failed", "hook_failed", "")
    assert data["error"] == job["error"]
    assert data["error_detail"] == "the hook exited with code 1: the tracker is away"
    assert data["reference"] == runs(studio, "publish-server")[0]["id"]


@pytest.mark.parametrize(
    "text",
    ["sys.exit(1)", "os.kill(os.getpid(), signal.SIGSEGV)", "os.unlink(sys.argv[1])", "print('x' * 5_000_000)"],
    ids=["exit code", "signal", "deletes its input", "floods stdout"],
)
def test_whatever_a_post_hook_does_the_job_stays_as_it_is(studio: Any, shot: Path, text: str) -> None:
    for name in ("post-submit-server", "post-done-server"):
        keeps(studio, name, then=text)
    job = publish(studio, shot)
    until(lambda: len(kept(studio)) == 2 and not execute(studio, "SELECT * FROM notices"))
    found = studio.session(studio.vendor).get_entity("job", job["id"])
    assert (found["status"], found["error"], found["notes"]) == ("done", "", [])
    failed = ("exit" in text) or ("kill" in text)
    assert [run["state"] for run in runs(studio, "post-done-server")] == ["failed" if failed else "succeeded"]


def test_a_publish_goes_on_beside_hooks_that_hang(studio: Any, shot: Path) -> None:
    """More of them than run side by side; and what they started is ended with them."""
    execute(studio, "UPDATE workspaces SET settings = ?", '{"post_hook_seconds": 2}')
    hook(
        studio,
        "post-submit-server",
        "import subprocess\n"
        "child = subprocess.Popen(['/bin/sleep', '100'], start_new_session=True)\n"
        "(folder / 'children').open('a').write(f'{child.pid}' + chr(10))\n"
        "time.sleep(100)\n",
    )
    jobs = [publish(studio, frames(shot.with_name(f"{shot.name}_{number}"), [1])) for number in range(6)]
    assert [job["status"] for job in jobs] == ["done"] * 6
    until(lambda: len(runs(studio, "post-submit-server")) == 6 and not execute(studio, "SELECT * FROM notices"))
    assert {run["state"] for run in runs(studio, "post-submit-server")} == {"timed_out"}
    assert not any(alive(int(pid)) for pid in (studio.folder / "children").read_text().split())


def test_an_abort_does_not_cut_who_is_told_of_the_submit(studio: Any, shot: Path) -> None:
    waiting_hook(studio, "post-submit-server")
    session = studio.session(studio.vendor)
    job = submit(session, [shot])
    until(lambda: hook_events(studio))
    session.abort(job)
    let_go(studio)
    until(lambda: hook_events(studio) == ["begin 1", "end 1"])


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_what_a_dying_server_cut_is_told_again(mortal: Any, shot: Path, how: str) -> None:
    waiting_hook(mortal, "post-submit-server", rest="note('key', given['idempotency_key'], given['status'])")
    job = submit(mortal.session(mortal.vendor), [shot])
    until(lambda: hook_events(mortal))
    getattr(mortal, how)()
    mortal.start()
    until(lambda: len(hook_events(mortal)) == 2)
    let_go(mortal)
    until(lambda: hook_events(mortal)[1:3] == ["begin 2", "end 2"])
    until(lambda: not execute(mortal, "SELECT * FROM notices"))
    found = runs(mortal, "post-submit-server")
    assert [(run["state"], run["attempt"], run["job"]) for run in found] == [
        ("succeeded", 2, job["id"]),
        ("lost", 1, job["id"]),
    ]


def test_what_happened_while_no_server_ran_is_told_when_it_is_back(mortal: Any, shot: Path) -> None:
    """The notice comes with the job, in one transaction."""
    keeps(mortal, "post-submit-server")
    session = mortal.session(mortal.vendor)
    execute(mortal, "UPDATE workspaces SET settings = ?", '{"post_hooks_at_once": 1}')
    submit(session, [shot])
    mortal.kill()
    mortal.start()
    until(lambda: kept(mortal))


# --- queues -----------------------------------------------------------------------------------------------------------


def test_the_hook_of_a_queue_runs_instead_of_the_workspaces(studio: Any, shot: Path) -> None:
    for name in ("pre-submit-server", "post-submit-server", "publish-server"):
        keeps(studio, name)
        keeps(studio, name, queue="medium")
        keeps(studio, name, queue="other")
    keeps(studio, "post-done-server")
    publish(studio, shot)
    until(lambda: len(kept(studio)) == 4)
    assert {(data["hook"], data["by"]) for data in kept(studio)} == {
        ("pre-submit-server", "medium"),
        ("post-submit-server", "medium"),
        ("publish-server", "medium"),
        ("post-done-server", ""),
    }
    found = studio.session(studio.admin).find("Hook")
    listed = [(hook["name"], hook["queue"]) for hook in found if hook["name"] == "publish-server"]
    assert sorted(listed) == [("publish-server", queue) for queue in ("", "medium", "other")]
