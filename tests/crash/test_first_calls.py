"""Kill -9 of the server while it answers an offer or a submit: nothing is half done, and the same works again."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from breaking import execute, hook_events, kill_when, let_go, stagings, submission, waiting_hook, waiting_hooks
from stagedoor import scan
from stagedoor.model.errors import StagedoorError
from studio import Studio, frames, tree, until

ACCEPT = """
# as many scripts do: the input, mended, is the answer
data = given
for entry in data["files"]:
    entry.update(can_publish=True, path="volume=projects/in/" + entry["filename"])
json.dump(data, open(sys.argv[3], "w"))
"""


def test_a_submit_that_was_cut_left_nothing_and_works_again(studio: Studio, tmp_path: Path) -> None:
    """Killed when some of the entries had their staging."""
    sources = [frames(tmp_path / f"shot_{number:03}", [1, 2], 64) for number in range(40)]
    session = studio.session(studio.vendor)
    wanted = submission(session, [dict(entry) for entry in scan(sources)])

    def try_once() -> None:
        with suppress(StagedoorError):
            session.create("job", wanted)

    trying = threading.Thread(target=try_once)
    trying.start()
    kill_when(studio, lambda: len(stagings(studio)) >= 5)
    assert len(stagings(studio)) < len(sources), "killed too late"
    assert execute(studio, "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM tasks)") == [(0, 0)]
    assert execute(studio, "SELECT DISTINCT state FROM offers") == [("open",)]
    assert execute(studio, "SELECT count(*) FROM reservations WHERE job_id = ''") == [(len(sources),)]
    studio.start()
    trying.join()
    job = session.create("job", wanted)
    session.upload(job)
    job = session.wait(job, seconds=30)
    assert job["status"] == "done", job
    for source in sources:
        assert tree(studio.volume / "in" / source.name) == tree(source)


def test_where_one_entry_cannot_be_staged_none_is(studio: Studio, tmp_path: Path) -> None:
    """The third entry goes to a volume where a file stands in the way of every staging."""
    other = tmp_path / "other"
    other.mkdir()
    studio.session(studio.admin).create("volume", {"code": "other", "path": str(other)})
    script = ACCEPT.replace('"volume=projects/in/"', '("volume=other/" if "2" in entry["filename"] else "in/")')
    waiting_hook(studio, "pre-publish-server", rest=script)
    let_go(studio)
    session = studio.session(studio.vendor)
    sources = [frames(tmp_path / f"shot_{number}", [1], 64) for number in range(4)]
    wanted = submission(session, [dict(entry) for entry in scan(sources)])
    (other / ".stagedoor").rmdir()
    (other / ".stagedoor").touch()
    with pytest.raises(StagedoorError):
        session.create("job", wanted)
    assert stagings(studio) == []
    (other / ".stagedoor").unlink()
    job = session.create("job", wanted)
    session.upload(job)
    assert session.wait(job, seconds=30)["status"] == "done"


def test_a_check_that_outlived_its_server_is_ended_and_the_next_offer_works(studio: Studio, tmp_path: Path) -> None:
    source = frames(tmp_path / "shot_v001", [1, 2])
    waiting_hook(studio, "pre-publish-server", rest=ACCEPT)
    client = studio.client_process(studio.vendor, "publish", str(source))
    until(lambda: hook_events(studio) == ["begin None"])
    studio.kill()
    said = client.communicate(timeout=60)[0]
    assert client.returncode == 5, said
    assert len(waiting_hooks(studio)) == 2, "hook and child live on"
    assert execute(studio, "SELECT count(*) FROM offers") == [(0,)]
    studio.start()
    assert waiting_hooks(studio) == []
    assert execute(studio, "SELECT state FROM hook_runs") == [("lost",)]
    let_go(studio)
    done = studio.client(studio.vendor, "publish", str(source))
    assert done.returncode == 0, done.stderr
    assert hook_events(studio) == ["begin None", "begin None", "end None"]
    assert tree(studio.volume / "in" / source.name) == tree(source)
