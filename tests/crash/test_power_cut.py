"""What a power cut took is found, and just that is asked for again."""

from __future__ import annotations

from pathlib import Path

import pytest

from breaking import (
    MIB,
    ended_well,
    execute,
    extents,
    job_state,
    kill_when,
    only_staging,
    power_cut,
    proof_held,
    publishing,
    submit,
    watched,
)
from counting import line_to
from stagedoor import Session
from studio import Studio, frames, tree, until

DAMAGE = ("flipped", "zeroed", "truncated", "missing")


def test_what_was_lost_during_the_upload_comes_again_and_nothing_else(studio: Studio, tmp_path: Path) -> None:
    """The client that was sending goes on by itself; it had been told that these bytes were received."""
    source = frames(tmp_path / "shot_v001", range(24), MIB + 5)
    place = studio.volume / "in" / source.name
    with watched({source: place}), line_to(studio, 16 * MIB) as line, publishing(studio, line, source) as client:
        kill_when(studio, lambda: line.acknowledged > 12 * MIB)
        before = sum(one.end - one.start for one in extents(only_staging(studio)))
        lost = power_cut(only_staging(studio), DAMAGE)
        studio.start()
        line.rate = None
        ended_well(client)
    assert tree(place) == tree(source)
    assert 0 < lost.size < before
    assert list(line.sent_again().values()) == [lost]


@pytest.mark.parametrize("durability", ["cache", "flush"])
def test_what_was_lost_before_the_proof_is_asked_for_again_and_nothing_else(
    studio: Studio, tmp_path: Path, durability: str
) -> None:
    """Whether it is found when the upload is opened, since nobody knows that it is on the device, or by the proof."""
    execute(studio, "UPDATE workspaces SET settings = ?", f'{{"durability": "{durability}"}}')
    source = frames(tmp_path / "shot_v001", range(12), MIB + 5)
    place = studio.volume / "in" / source.name
    with watched({source: place}), line_to(studio) as line:
        session = Session(line.url, studio.vendor.code, studio.vendor.api_key)
        job = submit(session, [source])
        staging = only_staging(studio)
        with proof_held(staging):
            session.upload(job)
            assert job_state(studio) == "proving"
            studio.kill()
        lost = power_cut(staging, DAMAGE)
        before = line.sent
        studio.start()
        until(lambda: job_state(studio) == "awaiting_bytes")
        found = session.get_entity("Job", job["id"])
        session.upload(job)
        job = session.wait(job, seconds=30)
    assert job["status"] == "done", job
    assert tree(place) == tree(source)
    assert (found["size"] - found["received"], found["error_code"]) == (lost.size, "damaged")
    assert found["notes"] == [f"The proof found {lost.size} damaged bytes; they are asked for again."]
    assert list(line.sent_again().values()) == [lost]
    assert line.sent - before == lost.size
