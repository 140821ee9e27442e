"""Kill -9 of server and client wherever a publish stands: it completes, and acknowledged bytes are not sent again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from breaking import (
    MIB,
    ended_well,
    hook_events,
    hook_runs,
    job_state,
    kill_when,
    let_go,
    publishing,
    submit,
    waiting_hook,
    waiting_hooks,
    watched,
)
from counting import line_to
from stagedoor.model.tape import Ranges
from studio import Studio, frames, tree, until

RATE = 16 * MIB


def shot(folder: Path, *, files: int, size: int) -> Path:
    """A folder with some files below, and what is easily lost: an empty file and an empty folder."""
    source = frames(folder / "shot_v001", range(files), size)
    frames(source / "plates", range(files // 4), size, name="plate")
    (source / "empty").mkdir()
    (source / "empty.txt").touch()
    return source


def placed(studio: Studio, source: Path) -> Path:
    return studio.volume / "in" / source.name


def test_a_client_whose_server_is_killed_in_the_upload_goes_on_by_itself(studio: Studio, tmp_path: Path) -> None:
    source = shot(tmp_path, files=16, size=2 * MIB)
    place = placed(studio, source)
    with watched({source: place}), line_to(studio, RATE) as line, publishing(studio, line, source) as client:
        kill_when(studio, lambda: line.acknowledged > 10 * MIB)
        assert job_state(studio) == "receiving"
        studio.start()
        line.rate = None
        ended_well(client)
    assert tree(place) == tree(source)
    assert line.sent_again() == {}


def test_the_same_command_goes_on_where_a_killed_client_stopped(studio: Studio, tmp_path: Path) -> None:
    source = shot(tmp_path, files=16, size=2 * MIB)
    place = placed(studio, source)
    with watched({source: place}), line_to(studio, RATE) as line:
        with publishing(studio, line, source) as client:
            until(lambda: line.acknowledged > 10 * MIB, every=0.001)
            client.kill()
        until(lambda: line.idle)  # its parts have left it
        before = line.acknowledged
        assert job_state(studio) == "receiving"
        line.rate = None
        with publishing(studio, line, source) as client:
            assert "unfinished job" in ended_well(client)
    assert tree(place) == tree(source)
    assert before > 0
    assert line.sent_again() == {}


@pytest.mark.parametrize("state", ["proving", "placing"])
def test_a_server_killed_while_it_proves_or_places_goes_on_there(studio: Studio, tmp_path: Path, state: str) -> None:
    """Four entries of many files: proof and placing take long enough to be hit."""
    sources = [shot(tmp_path / name, files=400, size=8192) for name in "abcd"]
    for number, source in enumerate(sources):
        sources[number] = source.rename(source.with_name(f"shot_{number}"))
    places = {source: placed(studio, source) for source in sources}
    with watched(places), line_to(studio) as line, publishing(studio, line, *sources) as client:
        kill_when(studio, lambda: job_state(studio) == state)
        assert job_state(studio) == state
        assert not all(place.exists() for place in places.values())
        sent = line.sent
        studio.start()
        ended_well(client)
    assert all(tree(place) == tree(source) for source, place in places.items())
    assert line.sent_again() == {}
    assert line.sent <= sent + line.cut, "only a last part whose answer was lost may come again"


def test_entries_appear_whole_and_only_once_however_often_placing_is_cut(studio: Any, tmp_path: Path) -> None:
    """Killed each time that some more entries have appeared."""
    sources = [frames(tmp_path / f"shot_{number}", range(300), 512) for number in range(8)]
    places = {source: placed(studio, source) for source in sources}
    seen = []
    session = studio.session(studio.vendor)
    job = submit(session, sources)
    sending = threading.Thread(target=session.upload, args=(job,))
    with watched(places):
        sending.start()
        for count in (1, 4, 7):
            kill_when(studio, lambda count=count: sum(place.exists() for place in places.values()) >= count)
            seen.append(sum(place.exists() for place in places.values()))
            studio.start()
        sending.join()
        job = session.wait(job, seconds=60)
    assert job["status"] == "done", job
    assert seen[0] < len(places), "placing was too quick to be cut"
    assert all(tree(place) == tree(source) for source, place in places.items())


def test_a_hook_that_outlived_its_server_is_ended_before_it_runs_again(studio: Studio, tmp_path: Path) -> None:
    source = shot(tmp_path, files=8, size=4096)
    place = placed(studio, source)
    waiting_hook(studio)
    with watched({source: place}), line_to(studio) as line, publishing(studio, line, source) as client:
        for attempt in (1, 2):
            until(lambda attempt=attempt: f"begin {attempt}" in hook_events(studio))
            studio.kill()
            assert len(waiting_hooks(studio)) == 2, "hook and child live on"
            assert job_state(studio) == "ingesting"
            studio.start()
        until(lambda: "begin 3" in hook_events(studio))
        assert sorted(waiting_hooks(studio)) == sorted(map(int, hook_runs(studio)[-1][2:]))
        let_go(studio)
        ended_well(client)
    assert hook_events(studio) == ["begin 1", "begin 2", "begin 3", "end 3"]
    assert tree(place) == tree(source)


def test_kills_of_both_cost_no_more_than_what_was_on_its_way(studio: Studio, tmp_path: Path) -> None:
    """Bytes sent, over six kills: the size, what was in flight at each kill, and at most 2 % more.

    A byte may never be acknowledged: a server that is killed between the line in its journal and the answer has the
    part; a client that is killed then as well does not send it again, since the next one asks what is missing.
    """
    source = shot(tmp_path, files=48, size=2 * MIB)
    size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    place = placed(studio, source)
    with watched({source: place}), line_to(studio, 64 * MIB) as line:
        client = publishing(studio, line, source)
        process = client.__enter__()
        for number in range(1, 7):
            line.rate = 64 * MIB
            until(lambda number=number: line.acknowledged >= number * size / 8, every=0.001)
            if number % 2:
                studio.kill()
            if number % 3 != 1:
                client.__exit__(None, None, None)
                until(lambda: line.idle)  # its parts have left it
            if number % 2:
                studio.start()
            if number % 3 != 1:  # a new client waits only a few seconds for a server that it has never reached
                client = publishing(studio, line, source)
                process = client.__enter__()
        line.rate = None
        ended_well(process)
        client.__exit__(None, None, None)
    assert tree(place) == tree(source)
    assert line.cut > 0
    (upload,) = {put.upload for put in line.puts}
    untold = Ranges([(0, size)]).without(line.acknowledged_ranges(upload))
    assert not untold.without(line.unanswered(upload)), "was neither acknowledged nor whole at the server"
    assert line.sent <= 1.02 * size + line.cut
    assert line.sent_again() == {}
