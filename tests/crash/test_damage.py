"""A bit that flips on the wire is found, named and mended: the part that it lies in comes again, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from breaking import MIB, submit
from counting import line_to
from stagedoor import Session
from stagedoor.client.progress import Progress
from studio import Studio, frames, tree


@pytest.mark.parametrize("flips", [1, 3])
def test_only_the_part_with_a_flipped_bit_comes_again(studio: Studio, tmp_path: Path, flips: int) -> None:
    source = frames(tmp_path / "shot_v001", range(8), MIB + 5)
    size = 8 * (MIB + 5)
    told: list[Progress] = []
    with line_to(studio) as line:
        session = Session(line.url, studio.vendor.code, studio.vendor.api_key)
        job = submit(session, [source])
        line.flips = flips
        session.upload(job, told.append, connections=1)
        job = session.wait(job, seconds=60)
    assert job["status"] == "done", job
    assert tree(studio.volume / "in" / source.name) == tree(source)
    damaged = [put for put in line.puts if put.flipped]
    assert len(damaged) == flips
    for put in damaged:
        answer = json.loads(put.said)
        assert answer["code"] == "digest_mismatch"
        assert answer["details"] == {"start": put.part.start, "end": put.part.end}
    assert sum(put.acknowledged for put in line.puts) == len(line.puts) - flips
    assert line.sent == size + sum(put.part.size for put in damaged)
    assert line.sent_again() == {}
    assert any("damaged" in progress.message for progress in told)
