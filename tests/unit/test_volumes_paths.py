"""Looking at places: what is there, which file system it is, and never out of the volumes."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from volumes_kit import House, single, volume

from stagedoor.model.entities import Volume
from stagedoor.model.tape import Range
from stagedoor.volumes import free
from stagedoor.volumes.history import Extent, Extents
from stagedoor.volumes.paths import locate, real_path
from stagedoor.volumes.probe import probe


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_free_place_is_described(house: House) -> None:
    (house.root / "a").mkdir()
    spot = house.disk.inspect(house.volume, "a/b/shot")
    assert spot.absolute == f"{house.root}/a/b/shot"
    assert not spot.exists
    assert spot.device == house.root.stat().st_dev
    assert 0 < spot.free <= spot.total


@pytest.mark.parametrize("there", ["file", "folder", "link to nothing"])
def test_what_stands_at_a_place_is_seen(house: House, there: str) -> None:
    place = house.root / "shot"
    place.touch() if there == "file" else place.mkdir() if there == "folder" else place.symlink_to("nowhere")
    assert house.disk.inspect(house.volume, "shot").exists


def test_links_within_the_volumes_are_followed(house: House, tmp_path: Path) -> None:
    """One place has one key, whatever way leads to it."""
    other = volume(tmp_path / "other", "other")
    house.volumes.append(other)
    (tmp_path / "other/show").mkdir()
    (house.root / "link").symlink_to(tmp_path / "other/show")
    spot = house.disk.inspect(house.volume, "link/b/shot")
    assert spot.absolute == f"{tmp_path}/other/show/b/shot"
    direct = house.disk.inspect(other, "show/b/shot")
    assert replace(spot, free=0) == replace(direct, free=0)  # others write to this disk meanwhile
    folder = house.disk.create(house.volume, "link/b/shot", "x", single(3))
    assert folder == tmp_path / "other/.stagedoor/x"


def test_a_root_that_is_a_link_itself_is_fine(house: House, tmp_path: Path) -> None:
    (tmp_path / "mnt").symlink_to(house.root)
    (house.root / "a").mkdir()
    (house.root / "again").symlink_to(tmp_path / "mnt/a")
    known = volume(tmp_path / "mnt")
    house.volumes[:] = [known]
    for path in ("a/shot", "again/shot"):
        assert house.disk.inspect(known, path).absolute == f"{house.root}/a/shot"


@pytest.mark.parametrize("target", ["outside", "../outside", "/", "volume-not"])
def test_links_that_leave_the_volumes_are_refused(house: House, tmp_path: Path, target: str) -> None:
    """Also into a folder whose name merely begins like a volume's."""
    for name in ("outside", "volume-not"):
        (tmp_path / name).mkdir()
    (house.root / "link").symlink_to(target if target.startswith(("/", "..")) else tmp_path / target)
    with pytest.raises(ValueError, match="out of the volumes"):
        house.disk.inspect(house.volume, "link/shot")
    with pytest.raises(ValueError, match="out of the volumes"):
        house.disk.create(house.volume, "link/shot", "x", single(3))


def test_a_link_into_a_disabled_volume_is_refused(house: House, tmp_path: Path) -> None:
    house.volumes.append(volume(tmp_path / "other", "other", enabled=False))
    (house.root / "link").symlink_to(tmp_path / "other")
    with pytest.raises(ValueError, match="out of the volumes"):
        house.disk.inspect(house.volume, "link/shot")


@pytest.mark.parametrize(
    "path", [".stagedoor/x", "a/.stagedoor", ".STAGEDOOR/x", "link/x", "a/../x", "/etc/x", "a//x", ""]
)
def test_staging_and_ways_around_are_no_destination(house: House, path: str) -> None:
    house.stage(single(3))
    (house.root / "link").symlink_to(".stagedoor")
    with pytest.raises(ValueError):
        house.disk.inspect(house.volume, path)


@pytest.mark.parametrize("there", ["file", "link to nothing", "link to a file", "loop"])
def test_what_stands_in_the_way_is_told(house: House, there: str) -> None:
    way = house.root / "a"
    targets = {"link to nothing": "nowhere", "link to a file": __file__, "loop": "a"}
    way.touch() if there == "file" else way.symlink_to(targets[there])
    with pytest.raises(ValueError, match="/a is a"):
        house.disk.inspect(house.volume, "a/b/shot")


def test_a_name_too_long_for_the_disk_is_told(house: House) -> None:
    """The names that exist already were asked of the disk; those to be made are compared with what it takes."""
    house.disk.inspect(house.volume, "a")
    for able in house.disk._capabilities.values():
        able["longest_name"] = 20
    house.disk.inspect(house.volume, "n" * 20 + "/shot")
    with pytest.raises(ValueError, match="20 bytes"):
        house.disk.inspect(house.volume, "é" * 11 + "/shot")


def test_a_volume_that_is_not_there_is_told(house: House) -> None:
    shutil.rmtree(house.root)
    with pytest.raises(ValueError, match="No such file"):
        house.disk.inspect(house.volume, "shot")


def test_keys_are_folded_as_the_disk_compares_names(tmp_path: Path) -> None:
    plain, folding = House(tmp_path / "1"), House(tmp_path / "2", capabilities={"case_sensitive": False})
    one, other = (plain.disk.inspect(plain.volume, path) for path in ("A/Straße", "a/STRASSE"))
    assert one.key != other.key
    one, other = (folding.disk.inspect(folding.volume, path) for path in ("A/Straße", "a/STRASSE"))
    assert one.key == other.key
    assert one.absolute != other.absolute


def test_staging_lies_on_the_file_system_of_the_destination(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system here")
    root = shared / f"stagedoor-paths-{os.getpid()}"
    house = House(tmp_path)
    try:
        house.volumes.append(volume(root / "show", "other"))
        (house.root / "show").symlink_to(root / "show")
        house.proved(single(3), "show/a/plate")
        assert house.folder.parent == root / "show/.stagedoor"
        assert house.place("show/a/plate") == str(root / "show/a/plate")
    finally:
        shutil.rmtree(root)


def test_staging_never_lies_above_a_mount() -> None:
    """A volume may hold several file systems; /dev is one that does everywhere."""
    if not os.path.ismount("/dev/shm"):
        pytest.skip("nothing is mounted there")
    house = Volume(id="v", code="v", root="/dev")
    with locate(house, "shm/no-such-folder/shot", lambda: [house]) as place:
        assert real_path(place.top) == "/dev/shm"
        assert place.rest == ("no-such-folder", "shot")


def test_probing_says_what_the_disk_can_do_and_leaves_nothing(tmp_path: Path) -> None:
    found = probe(str(tmp_path))
    assert found["safe"] is True
    assert found["reason"] == ""
    assert found["longest_name"] >= 100
    names = {"no_replace", "exchange", "hard_links", "folder_claim", "reflink", "case_sensitive", "unicode_normalising"}
    assert {name: type(found[name]) for name in names} == dict.fromkeys(names, bool)
    (tmp_path / "case").touch()
    assert found["case_sensitive"] is not (tmp_path / "CASE").exists()
    assert list((tmp_path / ".stagedoor").iterdir()) == []


@pytest.mark.parametrize("there", ["nothing", "file", "staging is a link"])
def test_a_root_that_cannot_be_worked_in_is_not_safe(tmp_path: Path, there: str) -> None:
    root = tmp_path / "root"
    if there == "file":
        root.touch()
    elif there != "nothing":
        root.mkdir()
        (tmp_path / "elsewhere").mkdir()
        (root / ".stagedoor").symlink_to(tmp_path / "elsewhere")
    found = probe(str(root))
    assert found["safe"] is False
    assert found["reason"]


def test_an_unsafe_disk_is_told(house: House) -> None:
    (house.root / ".stagedoor").touch()
    with pytest.raises(ValueError, match="placed safely"):
        house.disk.inspect(house.volume, "shot")
    (house.root / ".stagedoor").unlink()
    house.disk.inspect(house.volume, "shot")


def test_free_space_is_that_of_what_exists(tmp_path: Path) -> None:
    room, total, device = free(str(tmp_path / "not/there/yet"))
    assert 0 < room <= total
    assert device == tmp_path.stat().st_dev


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(1, 10)), max_size=20))
def test_every_received_byte_lies_in_one_extent(script: list[tuple[bool, int, int]]) -> None:
    extents = Extents()
    for number, (add, start, size) in enumerate(script):
        if add:
            extents.add([Extent(start, start + size, str(number))])
        else:
            extents.drop([Range(start, start + size)])
            assert not extents.ranges.within(start, start + size)
        covered = [byte for extent in extents for byte in range(extent.start, extent.end)]
        assert len(covered) == len(set(covered)) == extents.ranges.size
