"""Kill -9 of the server while it copies what it has already: the publish completes, and what was copied is not sent."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from breaking import ended_well, extents, job_state, kill_when, publishing, stagings, submit, watched
from counting import line_to
from studio import Studio, frames, tree, until

FILES, SIZE = 4000, 8192


def published(studio: Any, source: Path) -> None:
    session = studio.session(studio.vendor)
    job = session.wait(session.upload(submit(session, [source])), seconds=60)
    assert job["status"] == "done", job
    until(lambda: not stagings(studio))


def copied(studio: Studio) -> int:
    """Bytes that the only upload in progress has."""
    with suppress(FileNotFoundError, ValueError):
        (staging,) = [folder for folder in stagings(studio) if (folder / "state" / "manifest").exists()]
        return sum(extent.end - extent.start for extent in extents(staging))
    return 0


def test_a_server_killed_while_it_copies_goes_on_where_it_was(studio: Any, tmp_path: Path) -> None:
    first = frames(tmp_path / "shot_v001", range(FILES), SIZE)
    published(studio, first)
    second = Path(shutil.copytree(first, tmp_path / "shot_v002"))
    (second / "shot.0007.exr").write_bytes(b"?" * SIZE)
    place = studio.volume / "in" / second.name
    with watched({second: place}), line_to(studio) as line, publishing(studio, line, second) as client:
        kill_when(studio, lambda: copied(studio) > 0)
        before = copied(studio)
        assert 0 < before < (FILES - 1) * SIZE, "it was too quick to be cut"
        assert job_state(studio) in ("awaiting_bytes", "receiving")
        assert line.sent == 0
        studio.start()
        assert "were at the studio already" in ended_well(client)
    assert tree(place) == tree(second)
    assert line.sent == SIZE, "but for one frame everything was there"
