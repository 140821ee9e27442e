"""Hundreds of frames in one line: nothing is lost, gaps are named."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from stagedoor.cli.screen.sequences import contents, empty_folders, files_of, groups, named


def frames(*numbers: int, size: int = 10) -> list[tuple[str, int]]:
    return [(f"shot.{number:04d}.exr", size) for number in numbers]


def test_frames_without_gaps_are_one_line() -> None:
    assert [str(group) for group in groups(frames(*range(1001, 1241), size=13_000_000))] == [
        "shot.[1001-1240].exr, 240 frames, 3.1 GB"
    ]


def test_gaps_are_named() -> None:
    found = groups(frames(*range(1001, 1043), *range(1044, 1101), *range(1104, 1241)))
    assert [group.missing for group in found] == ["1043, 1101-1103"]


def test_files_that_are_named_are_these_and_no_others() -> None:
    found = named(["shot.1043.exr", "shot.1101.exr", "shot.1102.exr", "shot.1103.exr", "b.07.exr", "b.09.exr"])
    assert sorted(found) == ["b.07.exr", "b.09.exr", "shot.1043.exr", "shot.[1101-1103].exr"]


def test_many_gaps_are_counted_beyond_the_first() -> None:
    [group] = groups(frames(1, 2, *range(4, 40, 3)))
    assert group.missing.startswith("0003, 0005-0006, ")
    assert group.missing.endswith(" and 12 more")


def test_frames_on_twos_have_no_gaps() -> None:
    [group] = groups(frames(1001, 1003, 1005))
    assert (group.name, group.missing) == ("shot.[1001-1005x2].exr", "")


def test_two_files_with_distant_numbers_are_no_sequence() -> None:
    assert sorted(group.name for group in groups([("ref_001.jpg", 1), ("ref_900.jpg", 1)])) == [
        "ref_001.jpg",
        "ref_900.jpg",
    ]


def test_versions_are_not_frames() -> None:
    assert len(groups([("scene_v001.ma", 1), ("scene_v002.ma", 1), ("scene_v003.ma", 1)])) == 3


def test_several_sequences_in_one_folder_stand_side_by_side() -> None:
    files = [(f"{layer}.{number}.exr", 1) for layer in ("beauty", "depth") for number in range(10, 20)]
    assert [group.name for group in groups([*files, ("notes.txt", 1)])] == [
        "beauty.[10-19].exr",
        "depth.[10-19].exr",
        "notes.txt",
    ]


def test_equal_names_in_two_folders_stay_apart() -> None:
    assert [
        group.name for group in groups([(f"{side}/a.{n}.exr", 1) for side in ("left", "right") for n in (1, 2)])
    ] == ["left/a.[1-2].exr", "right/a.[1-2].exr"]


def test_negative_frames_keep_their_sign() -> None:
    assert [group.name for group in groups([(f"a.{n:04d}.exr", 1) for n in range(-5, 3)])] == ["a.[-005-0002].exr"]


NAMES = st.one_of(
    st.builds(
        "{}{}{:0{}d}.{}".format,
        st.sampled_from(["a", "b.x", "shot v", ""]),
        st.sampled_from([".", "_", "", "-", "_v"]),
        st.integers(-20, 120),
        st.integers(1, 5),
        st.sampled_from(["exr", "tar.gz", "7z", "1"]),
    ),
    st.text(min_size=1, max_size=12).filter(lambda name: "/" not in name),
)
PATHS = st.builds("{}{}".format, st.sampled_from(["", "left/", "left/deep/"]), NAMES)


@example({"a-0.exr": 1, "a0.exr": 1, "a00.exr": 1, "a-00.exr": 1})
@example({"a.1-2.exr": 1, "a.[1-2].exr": 2, "a.1-2#.exr": 3, "a.%04d.exr": 4})
@given(st.dictionaries(PATHS, st.integers(0, 10**12), max_size=25))
def test_no_file_and_no_byte_is_lost(files: dict[str, int]) -> None:
    found = groups(files.items())
    assert (len(files), sum(files.values())) == (
        sum(group.files for group in found),
        sum(group.size for group in found),
    )


def tree(files: int) -> dict[str, object]:
    children = [{"filename": f"{chr(97 + n)}{n}x", "size": 5} for n in range(files)]
    hollow = {"filename": "hollow", "is_dir": True, "files": [{"filename": "inner", "is_dir": True, "files": []}]}
    return {"filename": "shot", "is_dir": True, "files": [*children, hollow]}


def test_what_does_not_fit_is_counted_in_the_last_line() -> None:
    lines = contents(tree(20), most=12)
    assert lines[-2:] == ["and 8 more files, 40 bytes", "1 empty folder"]


def test_only_folders_that_hold_nothing_are_empty() -> None:
    assert empty_folders(tree(0)) == 1


def test_a_file_is_its_own_contents() -> None:
    assert (
        contents({"filename": "a.mov", "size": 1500}),
        list(files_of({"filename": "a.mov", "size": 1500})),
    ) == (["1.5 kB"], [("", 1500)])
