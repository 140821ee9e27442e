"""The steps after the upload, as the engine runs them: retry, abort, shutdown, and what time brings about."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
    set_hook,
    stagings,
    submission,
    submit,
    waiting_hook,
    waiting_hooks,
)
from counting import line_to
from stagedoor import scan
from stagedoor.model.errors import StagedoorError
from studio import Studio, frames, tree, until

Job = dict[str, Any]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with furnished(tmp_path / "studio") as made:
        made.start()
        yield made


def send(studio: Any, *sources: Path) -> Job:
    """Publish, and do not wait for the studio."""
    session = studio.session(studio.vendor)
    job = submit(session, list(sources))
    return session.upload(job)


def wait(studio: Any, job: Job) -> Job:
    return studio.session(studio.vendor).wait(job, seconds=30)


def shot(folder: Path, name: str = "shot_v001") -> Path:
    return frames(folder / name, range(1, 5))


def kept_no_longer(studio: Studio) -> None:
    """What had arrived of an aborted job is not kept for the next publish of it."""
    execute(studio, "UPDATE workspaces SET settings = ?", '{"keep_aborted_hours": 0}')


def is_cleared(studio: Studio) -> bool:
    return not stagings(studio) and execute(studio, "SELECT DISTINCT cleared FROM jobs") == [(1,)]


def stays_aborted(studio: Studio, job: Job) -> None:
    """Staging is cleared, places are free again, and nothing that was under way makes it done."""
    kept_no_longer(studio)
    until(lambda: is_cleared(studio))
    assert execute(studio, "SELECT count(*) FROM reservations") == [(0,)]
    found = studio.session(studio.admin).get_entity("Job", job["id"])
    assert found
    assert (found["status"], found["error_code"]) == ("aborted", "aborted")


# --- retry ----------------------------------------------------------------------------------------------------------


def test_a_retry_runs_nothing_but_the_hook(studio: Studio, tmp_path: Path) -> None:
    """What the hook has moved away is neither proved nor placed again."""
    script = studio.folder / "moves.py"
    script.write_text(
        "import json, os, sys\n"
        "data = json.load(open(sys.argv[1]))\n"
        "if data['attempt'] == 1:\n"
        "    os.rename(data['files'][0]['path'], sys.argv[2])\n"
        "    sys.exit(3)\n"
    )
    set_hook(studio, "publish-server", f"/usr/bin/env python3 {script} ${{PATH_JSON_INPUT}} {studio.folder / 'moved'}")
    source = shot(tmp_path)
    job = wait(studio, send(studio, source))
    assert (job["status"], job["phase"], job["retry_at"]) == ("failed", "ingest", None)
    studio.session(studio.vendor).retry(job)
    job = wait(studio, job)
    assert (job["status"], job["attempts"]) == ("done", 2)
    assert tree(studio.folder / "moved") == tree(source)
    assert not (studio.volume / "in" / source.name).exists()


def test_a_hook_is_tried_again_by_itself_as_often_as_is_set(studio: Studio, tmp_path: Path) -> None:
    execute(studio, "UPDATE workspaces SET settings = ?", '{"publish_hook_retries": 1}')
    set_hook(studio, "publish-server", "/bin/false")
    job = send(studio, shot(tmp_path))
    until(lambda: job_state(studio) == "ingest_failed")
    session = studio.session(studio.vendor)
    assert session.get_entity("Job", job["id"])["retry_at"]
    execute(studio, "UPDATE jobs SET due = 1")  # the back-off is over
    job = session.wait(job, seconds=30)
    assert (job["status"], job["retry_at"], job["attempts"]) == ("failed", None, 2)


def test_a_proof_that_could_not_be_kept_is_made_again_by_itself(studio: Studio, tmp_path: Path) -> None:
    source = shot(tmp_path)
    session = studio.session(studio.vendor)
    job = submit(session, [source])
    obstacle = only_staging(studio) / "state" / "proof.new"
    obstacle.mkdir()
    session.upload(job)
    until(lambda: job_state(studio) == "prove_failed")
    obstacle.rmdir()
    execute(studio, "UPDATE jobs SET due = 1")
    assert wait(studio, job)["status"] == "done"
    assert tree(studio.volume / "in" / source.name) == tree(source)


def test_one_place_that_was_taken_meanwhile_stops_all_and_a_retry_goes_on(studio: Studio, tmp_path: Path) -> None:
    sources = [shot(tmp_path, f"shot_{number}") for number in range(3)]
    session = studio.session(studio.vendor)
    job = submit(session, sources)
    taken = studio.volume / "in" / "shot_2"
    taken.mkdir(parents=True)
    session.upload(job)
    job = wait(studio, job)
    assert (job["status"], job["phase"], job["retry_at"]) == ("failed", "place", None)
    assert job["error"].startswith("shot_2: ")
    assert list(tree(studio.volume / "in")) == ["shot_2"]
    taken.rmdir()
    session.retry(job)
    assert wait(studio, job)["status"] == "done"
    assert all(tree(studio.volume / "in" / source.name) == tree(source) for source in sources)


# --- abort ----------------------------------------------------------------------------------------------------------


def test_an_abort_in_the_upload_ends_the_client_and_frees_the_place(studio: Any, tmp_path: Path) -> None:
    source = frames(tmp_path / "shot_v001", range(8), MIB)
    with line_to(studio, 2 * MIB) as line, publishing(studio, line, source) as client:
        until(lambda: line.acknowledged)
        session = studio.session(studio.vendor)
        job = session.find_one("Job")
        session.abort(job)
        said = client.communicate(timeout=30)[0]
        assert client.returncode == 6, said
    stays_aborted(studio, job)
    assert tree(studio.volume) == {}
    rival = studio.session(studio.rival)
    assert submission(rival, [dict(entry) for entry in scan([source])])


def test_an_abort_while_it_is_proved_places_nothing(studio: Studio, tmp_path: Path) -> None:
    session = studio.session(studio.vendor)
    job = submit(session, [shot(tmp_path)])
    with proof_held(only_staging(studio)):
        session.upload(job)
        until(lambda: job_state(studio) == "proving")
        session.abort(job)
    stays_aborted(studio, job)
    assert tree(studio.volume) == {}
    until(lambda: not execute(studio, "SELECT * FROM workflow_status", file="engine.db"))


def test_an_abort_between_two_entries_leaves_those_that_were_placed(studio: Studio, tmp_path: Path) -> None:
    sources = [frames(tmp_path / f"shot_{number:02}", range(80), 64) for number in range(30)]
    session = studio.session(studio.vendor)
    job = submit(session, sources)
    sending = threading.Thread(target=session.upload, args=(job,))
    sending.start()
    until((studio.volume / "in" / "shot_00").exists, every=0.001)
    studio.session(studio.admin).abort(job)
    sending.join()
    kept_no_longer(studio)
    until(lambda: is_cleared(studio))
    there = tree(studio.volume / "in")
    whole = [source for source in sources if (studio.volume / "in" / source.name).exists()]
    assert 0 < len(whole) < len(sources)
    assert there == {
        path: content
        for source in whole
        for path, content in {source.name: None, **{f"{source.name}/{k}": v for k, v in tree(source).items()}}.items()
    }
    assert session.get_entity("Job", job["id"])["status"] == "aborted"


def test_an_abort_ends_the_hook_and_what_was_placed_stays(studio: Studio, tmp_path: Path) -> None:
    waiting_hook(studio)
    source = shot(tmp_path)
    job = send(studio, source)
    until(lambda: hook_events(studio) == ["begin 1"])
    assert len(waiting_hooks(studio)) == 2
    studio.session(studio.vendor).abort(job)
    assert waiting_hooks(studio) == []
    stays_aborted(studio, job)
    assert execute(studio, "SELECT state FROM hook_runs WHERE job_id != ''") == [("cancelled",)]
    assert tree(studio.volume / "in" / source.name) == tree(source)


# --- shutdown -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stubborn", [False, True], ids=["obedient", "stubborn"])
def test_a_shutdown_ends_the_hook_without_an_outcome_and_it_runs_again(
    studio: Studio, tmp_path: Path, stubborn: bool
) -> None:
    waiting_hook(studio, stubborn=stubborn)
    job = send(studio, shot(tmp_path))
    until(lambda: hook_events(studio) == ["begin 1"])
    began = time.monotonic()
    studio.stop()
    assert time.monotonic() - began < (9 if stubborn else 6)
    assert waiting_hooks(studio) == []
    assert job_state(studio) == "ingesting"
    assert execute(studio, "SELECT state, exit_code FROM hook_runs WHERE job_id != ''") == [("running", None)]
    studio.start()
    until(lambda: "begin 2" in hook_events(studio))
    let_go(studio)
    assert wait(studio, job)["status"] == "done"
    assert hook_events(studio) == ["begin 1", "begin 2", "end 2"]
    states = execute(studio, "SELECT state, attempt FROM hook_runs WHERE job_id != '' ORDER BY attempt")
    assert states == [("lost", 1), ("succeeded", 2)]


def test_a_shutdown_waits_for_no_slow_upload_and_it_goes_on_afterwards(studio: Studio, tmp_path: Path) -> None:
    """Four parts of 1 MiB are on a line that takes 40 seconds for them."""
    source = frames(tmp_path / "shot_v001", range(16), MIB)
    with line_to(studio, MIB / 10) as line, publishing(studio, line, source) as client:
        until(lambda: line.sent > MIB / 4)
        began = time.monotonic()
        studio.stop()
        assert time.monotonic() - began < 12
        studio.start()
        line.rate = None
        ended_well(client)
    assert line.sent_again() == {}
    assert tree(studio.volume / "in" / source.name) == tree(source)


def test_a_job_whose_turn_it_is_waits_in_no_queue(studio: Studio, tmp_path: Path) -> None:
    waiting_hook(studio)
    job = send(studio, shot(tmp_path))
    until(lambda: hook_events(studio) == ["begin 1"])
    assert execute(studio, "SELECT status, queue_name FROM workflow_status", file="engine.db") == [("PENDING", None)]
    let_go(studio)
    assert wait(studio, job)["status"] == "done"


def test_without_the_memory_of_the_engine_all_jobs_go_on(studio: Studio, tmp_path: Path) -> None:
    """The row is the truth: one job was waiting for its hook, one is behind it, one was still being sent."""
    execute(studio, "UPDATE workspaces SET settings = ?", '{"jobs_at_once": 1}')
    studio.stop()
    studio.start()
    waiting_hook(studio)
    session = studio.session(studio.vendor)
    sources = [shot(tmp_path, f"shot_{number}") for number in range(3)]
    jobs = [submit(session, [source]) for source in sources]
    session.upload(jobs[0])
    until(lambda: hook_events(studio) == ["begin 1"])
    session.upload(jobs[1])
    studio.kill()
    for file in studio.home.glob("engine.db*"):
        file.unlink()
    let_go(studio)
    studio.start()
    session.upload(jobs[2])
    assert [wait(studio, job)["status"] for job in jobs] == ["done"] * 3
    assert [wait(studio, job)["attempts"] for job in jobs] == [2, 1, 1]
    assert all(tree(studio.volume / "in" / source.name) == tree(source) for source in sources)


# --- what time brings about -----------------------------------------------------------------------------------------


def test_an_upload_that_nobody_goes_on_with_is_given_up(studio: Any, tmp_path: Path) -> None:
    source = frames(tmp_path / "shot_v001", range(8), MIB)
    with line_to(studio, 2 * MIB) as line, publishing(studio, line, source) as client:
        until(lambda: line.acknowledged)
        client.kill()
        until(lambda: line.idle)
    session = studio.session(studio.vendor)
    job = session.find_one("Job")
    assert job["staging_expires"]
    execute(studio, "UPDATE jobs SET expires = 1")
    until(lambda: is_cleared(studio))
    found = session.get_entity("Job", job["id"])
    assert (found["status"], found["error_code"]) == ("aborted", "staging_expired")
    assert execute(studio, "SELECT count(*) FROM reservations") == [(0,)]


def test_an_offer_whose_time_is_over_keeps_nobody_out(studio: Any, tmp_path: Path) -> None:
    files = [dict(entry) for entry in scan([shot(tmp_path)])]
    late = submission(studio.session(studio.vendor), files)
    rival = studio.session(studio.rival)
    plain = [{key: entry[key] for key in entry if key != "source"} for entry in files]
    assert rival.publish(plain)["files"][0]["code"] == "destination_taken"
    execute(studio, "UPDATE offers SET expires = 1 WHERE state = 'open'")
    until(lambda: not execute(studio, "SELECT * FROM offers WHERE state = 'open'"))
    assert execute(studio, "SELECT count(*) FROM reservations") == [(0,)]
    assert submission(rival, files)
    with pytest.raises(StagedoorError) as refused:
        studio.session(studio.vendor).create("job", late)
    assert refused.value.error_code == "offer_expired"


def test_nothing_is_left_of_a_job_that_is_done_but_its_records(studio: Studio, tmp_path: Path) -> None:
    job = wait(studio, send(studio, shot(tmp_path)))
    assert job["status"] == "done"
    until(lambda: is_cleared(studio))
    until(lambda: not execute(studio, "SELECT * FROM workflow_status", file="engine.db"))
    assert execute(studio, "SELECT count(*) FROM operation_outputs", file="engine.db") == [(0,)]
    assert execute(studio, "SELECT count(*) FROM reservations") == [(0,)]
    assert studio.session(studio.vendor).receipt(job)["job"] == job["id"]
