"""Which names are frames, whatever else is in them."""

from __future__ import annotations

import pytest

from stagedoor.frames import PIECES, sequences_among


def among(*names: str) -> list[list[str]]:
    return [list(sequence) for sequence in sequences_among(names)]


@pytest.mark.parametrize(
    "name",
    [
        "x" + ".aa" * 82 + ".1.b",
        "x" + ".aa" * 83 + "..",
        "\\".join(["aa.aa"] * 40) + ".1.b",
        "-1" * 120 + ".a..",
        f"{'a' * 40}." * 6,
    ],
)
def test_a_name_made_to_take_forever_does_not(name: str) -> None:
    """fileseq alone would try two ways for each of its pieces, and all their combinations."""
    assert among(name, "shot.1.exr", "shot.2.exr") == [["shot.1.exr", "shot.2.exr"]]


@pytest.mark.parametrize("pieces", range(1, PIECES + 6))
def test_frames_are_found_behind_any_number_of_dots(pieces: int) -> None:
    head = "a." * pieces
    names = [f"{head}{number}.exr" for number in (1001, 1002, 1004)]
    assert among(*names) == [names]
    (sequence,) = sequences_among(names)
    assert (sequence.basename(), sequence.extension(), sequence.frame(1003)) == (head, ".exr", f"{head}1003.exr")


def test_what_differs_before_the_last_dots_stays_apart() -> None:
    tail = ".b.c.d.e.f.g"
    names = [f"{head}{tail}.{number}.exr" for head in ("one", "two") for number in (1, 2)]
    assert among(*names) == [names[:2], names[2:]]


def test_versions_are_no_frames() -> None:
    assert among("a_v001.ma", "a_v002.ma", "V1", "V2") == []
