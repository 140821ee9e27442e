"""Placing: all at once, never over anything, and known again after a crash."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from volumes_kit import ID, House, content, laid_out, send, single, tree

from stagedoor.model.errors import DestinationTaken
from stagedoor.model.manifest import Manifest
from stagedoor.volumes import modes, placing, rename
from stagedoor.volumes.history import placing_record
from stagedoor.volumes.journal import line, parse
from stagedoor.volumes.staging import Tree

MANIFEST = tree({"d/a": 10, "b": 20, "empty": 0}, ("hollow",))
ENTRIES = [pytest.param(MANIFEST, id="folder"), pytest.param(single(30), id="file")]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture(params=["system", "by hand"])
def renaming(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the system's no-replace rename, and on a system that has none."""
    if request.param == "by hand":
        monkeypatch.setattr(rename, "_RENAME", None)
    return request.param


@pytest.mark.usefixtures("renaming")
@pytest.mark.parametrize("manifest", ENTRIES)
def test_a_proved_entry_is_placed_whole(house: House, manifest: Manifest) -> None:
    upload = house.proved(manifest)
    house.check()
    placed = house.place()
    assert placed == f"{house.root}/a/b/shot"
    assert laid_out(upload, Path(placed)) == content(30)
    if manifest.is_dir:
        assert sorted(os.listdir(placed)) == ["b", "d", "empty", "hollow"]
    assert list((house.folder / "data").iterdir()) == []


@pytest.mark.usefixtures("renaming")
@pytest.mark.parametrize("manifest", ENTRIES)
@pytest.mark.parametrize("there", ["file", "empty folder", "link to nothing", "link to a folder"])
def test_nothing_is_ever_replaced(house: House, manifest: Manifest, there: str) -> None:
    upload = house.proved(manifest)
    place = house.root / "a/b/shot"
    place.parent.mkdir(parents=True)
    if there == "file":
        place.write_text("precious")
    elif there == "empty folder":
        place.mkdir()
    else:
        place.symlink_to(house.root if there == "link to a folder" else "nowhere")
    before = place.lstat()
    for step in (house.check, house.place):
        with pytest.raises(DestinationTaken) as refused:
            step()
        assert str(house.root) not in refused.value.message
        assert str(place) in refused.value.detail
    assert os.path.samestat(place.lstat(), before)
    assert place.is_dir() or place.is_symlink() or place.read_text() == "precious"
    assert laid_out(upload, house.folder / "data" / manifest.name) == content(30)
    place.rmdir() if there == "empty folder" else place.unlink()
    assert house.place() == str(place)


@pytest.mark.parametrize("manifest", ENTRIES)
@pytest.mark.parametrize("there", ["file", "folder", "link"])
@pytest.mark.parametrize("how", [rename.no_replace, rename.by_hand])
def test_a_name_taken_at_the_last_moment_is_not_replaced(
    tmp_path: Path, manifest: Manifest, there: str, how: Callable[[int, str, int, str], None]
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir() if manifest.is_dir else source.touch()
    target.touch() if there == "file" else target.mkdir() if there == "folder" else target.symlink_to("nowhere")
    before = target.lstat()
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(FileExistsError):
            how(folder, "source", folder, "target")
    finally:
        os.close(folder)
    assert os.path.samestat(target.lstat(), before)
    assert source.exists()


@pytest.mark.usefixtures("renaming")
@pytest.mark.parametrize("manifest", ENTRIES)
@pytest.mark.parametrize("there", ["file", "empty folder"])
def test_what_appears_after_the_last_look_is_not_replaced(
    house: House, monkeypatch: pytest.MonkeyPatch, manifest: Manifest, there: str
) -> None:
    house.proved(manifest)
    place = house.root / "shot"

    def meanwhile(dress: modes.Dress, staged: Tree) -> None:
        modes.put_on(dress, staged)
        place.touch() if there == "file" else place.mkdir()

    monkeypatch.setattr(placing, "put_on", meanwhile)
    with pytest.raises(DestinationTaken):
        house.place("shot")
    assert place.is_dir() if there == "empty folder" else place.stat().st_size == 0
    assert not place.is_dir() or list(place.iterdir()) == []


def test_a_parent_that_is_moved_away_meanwhile_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.proved(MANIFEST)

    def meanwhile(dress: modes.Dress, staged: Tree) -> None:
        (house.root / "a").rename(house.root / "elsewhere")

    monkeypatch.setattr(placing, "put_on", meanwhile)
    with pytest.raises(OSError, match="moved just now"):
        house.place()
    assert list((house.root / "elsewhere/b").iterdir()) == []


def test_a_link_that_was_made_although_the_answer_was_lost_is_ours(tmp_path: Path) -> None:
    """A network file system asks again and is told that the name is taken: by itself."""
    (tmp_path / "source").touch()
    (tmp_path / "target").hardlink_to(tmp_path / "source")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        rename.by_hand(folder, "source", folder, "target")
    finally:
        os.close(folder)
    assert os.listdir(tmp_path) == ["target"]


def forget(house: House, kind: str) -> None:
    """The server dies before it writes this record, the last one."""
    path = house.folder / "state/journal"
    records = parse(path.read_bytes())[0]
    assert records[-1].value["record"] == kind
    path.write_bytes(b"".join(line(record.value) for record in records[:-1]))
    house.again()


@pytest.mark.usefixtures("renaming")
@pytest.mark.parametrize("manifest", ENTRIES)
def test_a_crash_between_the_rename_and_its_record_is_recognised(house: House, manifest: Manifest) -> None:
    upload = house.proved(manifest)
    placed = house.place()
    before = os.lstat(placed)
    forget(house, "placed")
    house.check()
    assert house.place() == placed
    assert os.path.samestat(os.lstat(placed), before)
    assert laid_out(upload, Path(placed)) == content(30)
    assert house.again().history.placed == placed


def test_somebody_elses_thing_is_not_taken_for_ours_after_a_crash(house: House) -> None:
    house.proved(single(30))
    placed = Path(house.place())
    forget(house, "placed")
    placed.rename(placed.with_name("kept"))
    placed.write_bytes(content(30))
    with pytest.raises(DestinationTaken):
        house.check()
    with pytest.raises(DestinationTaken):
        house.place()


def test_placing_again_what_the_hook_has_moved_away_does_nothing(house: House) -> None:
    house.proved(single(30))
    placed = Path(house.place())
    placed.unlink()
    house.again()
    house.check()
    assert house.place() == str(placed)
    assert not placed.exists()


def claim(house: House) -> Path:
    """Where folders go by a claimed name: what a server leaves that dies right after it made the claim."""
    upload = house.proved(MANIFEST)
    place = house.root / "a/b/shot"
    place.parent.mkdir(parents=True)
    upload.note(placing_record((house.folder / "data/shot").stat()))
    place.mkdir(rename.CLAIM_MODE)
    house.again()
    return place


@pytest.mark.usefixtures("renaming")
def test_a_crash_between_claim_and_rename_is_recognised(house: House) -> None:
    place = claim(house)
    house.check()
    assert house.place() == str(place)
    assert (place / "b").stat().st_size == 20
    assert mode(place) & 0o1000 == 0


def test_a_claim_into_which_somebody_put_something_is_left_to_them(house: House) -> None:
    place = claim(house)
    (place / "theirs").touch()
    with pytest.raises(DestinationTaken):
        house.place()
    assert (place / "theirs").exists()


def test_an_empty_folder_that_somebody_else_made_is_not_taken_for_a_claim(house: House) -> None:
    place = claim(house)
    place.chmod(0o700)
    for step in (house.check, house.place):
        with pytest.raises(DestinationTaken):
            step()


def test_a_crash_between_link_and_unlink_is_recognised(house: House) -> None:
    upload = house.proved(single(30))
    staged, place = house.folder / "data/plate.exr", house.root / "a/b/shot"
    place.parent.mkdir(parents=True)
    upload.note(placing_record(staged.stat()))
    place.hardlink_to(staged)
    house.again()
    house.check()
    assert house.place() == str(place)
    assert place.stat().st_nlink == 1


def test_what_is_not_proved_is_not_placed(house: House) -> None:
    upload = house.stage(single(30))
    send(upload, 0, 30)
    for step in (house.check, house.place):
        with pytest.raises(ValueError, match="not been proved"):
            step()


def test_a_staging_that_is_gone_cannot_be_placed(house: House) -> None:
    house.proved(single(30))
    house.disk.clear(house.folder, ID)
    with pytest.raises(ValueError):
        house.check()
    with pytest.raises(OSError):
        house.place()


@pytest.mark.parametrize("where", ["parent", "grandparent"])
def test_a_parent_that_became_a_link_out_of_the_volumes_is_refused(house: House, tmp_path: Path, where: str) -> None:
    house.proved(single(30))
    outside = tmp_path / "outside"
    (outside / "b").mkdir(parents=True)
    if where == "grandparent":
        (house.root / "a").symlink_to(outside)
    else:
        (house.root / "a").mkdir()
        (house.root / "a/b").symlink_to(outside / "b")
    for step in (house.check, house.place):
        with pytest.raises(ValueError, match="out of the volumes"):
            step()
    assert list((outside / "b").iterdir()) == []


def test_a_file_in_the_way_is_told(house: House) -> None:
    house.proved(single(30))
    (house.root / "a").touch()
    for step in (house.check, house.place):
        with pytest.raises(ValueError, match="where a folder must be"):
            step()


def test_two_entries_share_their_parents(house: House) -> None:
    house.proved(single(3), "a/b/one")
    house.place("a/b/one")
    house.proved(single(3), "a/b/two", "f" * 24)
    house.place("a/b/two", "f" * 24)
    assert sorted(os.listdir(house.root / "a/b")) == ["one", "two"]


def mode(path: Path | str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_modes_are_those_of_new_files_there(house: House) -> None:
    house.proved(MANIFEST)
    placed = house.place()
    assert mode(f"{placed}/d/a") == 0o640
    assert [mode(f"{placed}/{name}") for name in (".", "d", "hollow")] == [0o750] * 3
    assert mode(house.root / "a") == 0o750


def test_a_volumes_modes_and_group_win(tmp_path: Path) -> None:
    house = House(tmp_path, file_mode=0o664, folder_mode=0o2775, group=str(os.getegid()))
    house.proved(MANIFEST)
    placed = house.place()
    assert mode(f"{placed}/d/a") == 0o664
    assert [mode(path) for path in (placed, f"{placed}/d", house.root / "a")] == [0o2775] * 3


def test_an_unknown_group_is_told_before_placing(tmp_path: Path) -> None:
    house = House(tmp_path, group="no-such-group")
    house.proved(MANIFEST)
    with pytest.raises(ValueError, match="no-such-group"):
        house.check()


@pytest.mark.usefixtures("umask")
def test_a_parents_setgid_bit_is_inherited(house: House) -> None:
    group = next((number for number in [*os.getgroups(), 4242] if number != os.getegid()), 4242)
    (house.root / "a").mkdir()
    try:
        os.chown(house.root / "a", -1, group)
    except PermissionError:
        pytest.skip("only a member of a second group can try this")
    (house.root / "a").chmod(0o2770)
    house.proved(MANIFEST)
    placed = house.place()
    assert {Path(path).stat().st_gid for path in (placed, f"{placed}/d/a", house.root / "a/b")} == {group}
    assert [mode(path) for path in (placed, f"{placed}/d", house.root / "a/b")] == [0o2750] * 3
    assert mode(f"{placed}/d/a") == 0o640


def test_a_parents_default_acl_is_inherited(house: House) -> None:
    """The same as the system gives to a file and a folder made there by hand."""
    entries = [(0x01, 7, 2**32 - 1), (0x02, 7, 12345), (0x04, 5, 2**32 - 1), (0x10, 7, 2**32 - 1), (0x20, 0, 2**32 - 1)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    place = house.root / "a/b"
    place.mkdir(parents=True)
    try:
        os.setxattr(place, "system.posix_acl_default", acl)
    except OSError:
        pytest.skip("no ACLs on this file system")
    house.proved(MANIFEST)
    placed = house.place()
    (place / "file").touch()
    (place / "folder").mkdir()
    access, default = "system.posix_acl_access", "system.posix_acl_default"
    assert os.getxattr(f"{placed}/d/a", access) == os.getxattr(place / "file", access)
    for attribute in (access, default):
        assert os.getxattr(f"{placed}/d", attribute) == os.getxattr(place / "folder", attribute)
    assert mode(f"{placed}/d/a") == mode(place / "file")


def test_modification_times_travel(house: House) -> None:
    house.proved(MANIFEST)
    placed = house.place()
    expected = {"d/a": 1_500_000_000_123, "b": 1_500_000_000_124, ".": 1_400_000_000_000, "d": 1_450_000_000_000}
    assert {name: Path(f"{placed}/{name}").stat().st_mtime_ns // 10**6 for name in expected} == expected


def test_a_time_that_no_disk_can_hold_does_no_harm(house: House) -> None:
    manifest = single(3)
    manifest = Manifest(name="x", is_dir=False, files=(manifest.files[0]._replace(modified=2**60),), folders=())
    house.proved(manifest)
    assert Path(house.place()).exists()


# --- replacing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", ["volume", "above a volume", "staging"])
def test_what_others_need_is_never_replaced(house: House, there: str) -> None:
    place = house.root / "a/b/shot"
    inner = {"volume": place, "above a volume": place / "x/y", "staging": place}[there]
    inner.mkdir(parents=True)
    if there == "staging":
        (place / ".stagedoor").mkdir()
    else:
        house.volumes.append(replace(house.volume, id="w", code="inner", root=str(inner)))
    house.proved(MANIFEST)
    reason = "it holds .stagedoor" if there == "staging" else "it holds the volume inner"
    assert house.disk.inspect(house.volume, "a/b/shot").must_stay == reason
    for step in (lambda: house.check(replace=True), house.replace):
        with pytest.raises(DestinationTaken) as refused:
            step()
        assert reason in refused.value.detail
    assert inner.is_dir()


def test_without_an_exchange_nothing_is_replaced(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    place = house.root / "a/b/shot"
    place.mkdir(parents=True)
    house.proved(MANIFEST)
    monkeypatch.setattr(rename, "_RENAME", None)
    house.disk = house.start()
    assert house.disk.inspect(house.volume, "a/b/shot").can_replace is False
    for step in (lambda: house.check(replace=True), house.replace):
        with pytest.raises(DestinationTaken):
            step()
    assert list(place.iterdir()) == []
    place.rmdir()
    assert house.replace() == (str(place), "")


def test_what_goes_while_it_is_to_be_replaced_leaves_a_free_place(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = house.root / "shot"
    place.write_text("old")
    upload = house.proved(MANIFEST, "shot")
    exchange = rename.exchange

    def gone(*where: Any) -> None:
        place.unlink(missing_ok=True)
        exchange(*where)

    monkeypatch.setattr(rename, "exchange", gone)
    assert house.replace("shot") == (str(place), "")
    assert laid_out(upload, place) == content(30)
    assert not (house.root / f".stagedoor/replaced/{ID}").exists()


def test_a_link_is_replaced_itself_and_not_what_it_leads_to(house: House, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    place = house.root / "shot"
    place.symlink_to(tmp_path / "elsewhere")
    house.proved(MANIFEST, "shot")
    kept = Path(house.replace("shot").kept)
    assert kept.is_symlink()
    assert sorted(os.listdir(place)) == ["b", "d", "empty", "hollow"]
    house.disk.remove_kept(str(kept))
    assert (tmp_path / "elsewhere").is_dir()


@pytest.mark.parametrize("path", ["/", "/etc/passwd", "/srv/.stagedoor/x/data/y", "/srv/replaced/x/data/y"])
def test_only_what_was_kept_aside_is_removed(house: House, path: str) -> None:
    with pytest.raises(ValueError, match="kept aside"):
        house.disk.remove_kept(path)
