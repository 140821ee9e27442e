"""Versions and frames of one thing are alike."""

import pytest

from stagedoor.model.likeness import stem, unversioned


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sh010_comp_v001", "sh010_comp_v002"),
        ("sh010_comp_v002.1001.exr", "SH010_comp_v017.1240.exr"),
        ("v9/plate.0001.dpx", "v10/plate.0001.dpx"),
        ("", ""),
    ],
)
def test_versions_and_frames_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_other_things_have_another_stem() -> None:
    assert len({stem(name) for name in ("sh010_comp_v001", "sh010_roto_v001", "sh010_comp_v001.mov")}) == 3


def test_only_versions_are_left_out_where_frames_must_stay_apart() -> None:
    assert unversioned("Comp_v001/comp_v001.1001.exr") == unversioned("comp_v12/comp_V12.1001.exr")
    assert unversioned("comp_v001.1001.exr") != unversioned("comp_v001.1002.exr")
    assert unversioned("dev1") != unversioned("dev2")
