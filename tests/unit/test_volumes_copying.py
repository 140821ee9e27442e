"""Copies into an upload: only what is read back with the content that was wanted counts as received."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from blake3 import blake3
from volumes_kit import House, content, laid_out, never, send, tree
from xxhash import xxh3_128

from stagedoor.lifecycle.needs import Copied, Placed, Staged, Wanted
from stagedoor.model.tape import Range, Ranges
from stagedoor.volumes import copying
from stagedoor.volumes.upload import StagedUpload

OLD, NEW = "0" * 24, "1" * 24
SIZES = {"a.0001.exr": 700, "sub/a.0002.exr": 900, "empty": 0, "z.exr": 100}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def placed(house: House) -> Placed:
    """An entry that was published before."""
    house.proved(tree(SIZES), "in/shot_v001", OLD)
    house.place("in/shot_v001", OLD)
    return Placed(house.volume, "in/shot_v001")


@pytest.fixture
def upload(house: House, placed: Placed) -> StagedUpload:
    return house.stage(tree(SIZES), "in/shot_v002", NEW)


def wanted(upload: StagedUpload, origin: Placed | Staged, *numbers: int) -> list[Wanted]:
    files = upload.manifest.files
    tape = content(upload.size)
    return [
        Wanted(number, blake3(tape[slice(*upload.tree.tape.range_of(number))]).digest(), [(origin, files[number].path)])
        for number in numbers or range(len(files))
    ]


def test_what_is_at_its_place_is_copied_and_proved(house: House, placed: Placed, upload: StagedUpload) -> None:
    assert house.disk.copy(upload, wanted(upload, placed), never) == Copied([0, 1, 2, 3], [])
    assert upload.complete
    assert not upload.prove(never).lost
    assert laid_out(upload, house.folder / "data/shot") == content(upload.size)
    assert laid_out(upload, house.root / "in/shot_v001") == content(upload.size), "the origin stays"


def test_a_large_copy_is_compared_by_the_proof_with_the_hashes_it_was_found_to_have(
    house: House, placed: Placed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "LARGE", 500)
    upload = house.stage(tree(SIZES), "in/shot_v003", NEW)
    house.disk.copy(upload, wanted(upload, placed), never)

    extents = [(one.start, one.end) for one in upload.history.extents if one.blake3]
    assert extents == [(0, 700), (700, 1600)]
    tape = content(upload.size)
    data = [tape[slice(*upload.tree.tape.range_of(number))] for number in range(4)]
    hashes = [(file.xxh128, file.blake3) for file in upload.prove(never).files]
    assert hashes == [(xxh3_128(one).hexdigest(), blake3(one).hexdigest()) for one in data]


def test_what_lies_in_another_staging_is_copied(house: House) -> None:
    other = house.stage(tree(SIZES), "in/old", OLD)
    send(other, 0, 1600)
    upload = house.stage(tree(SIZES), "in/new", NEW)

    copied = house.disk.copy(upload, wanted(upload, Staged(other.folder, "shot"), 0, 1, 3), never)

    assert copied.received == [0, 1], "the last file had not arrived there"
    assert upload.missing() == Ranges([(1600, 1700)])


def test_copies_are_still_there_when_the_server_was_killed(house: House, placed: Placed, upload: StagedUpload) -> None:
    house.disk.copy(upload, wanted(upload, placed, 0, 3), never)
    assert house.again(NEW).missing() == Ranges([(700, 1600)])


def test_a_copy_that_was_damaged_before_it_reached_the_device_is_missing_again(
    house: House, placed: Placed, upload: StagedUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damage costs the extent it lies in."""
    monkeypatch.setattr(copying, "EXTENT", 256)
    house.disk.copy(upload, wanted(upload, placed), never)
    file = house.folder / "data/shot/a.0001.exr"
    file.write_bytes(file.read_bytes()[:300] + b"?" + file.read_bytes()[301:])
    assert house.again(NEW).missing() == Ranges([(256, 512)])


def flip(path: Path) -> None:
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 1
    path.write_bytes(found)


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [flip, shorten, link, pipe, Path.unlink], ids=lambda change: change.__name__)
def test_what_is_no_longer_what_it_was_is_not_received(
    house: House, placed: Placed, upload: StagedUpload, change: object
) -> None:
    change(house.root / "in/shot_v001/sub/a.0002.exr")
    assert house.disk.copy(upload, wanted(upload, placed), never).received == [0, 2, 3]
    assert upload.missing() == Ranges([(700, 1600)])
    send(upload, 700, 1600)
    assert not upload.prove(never).lost
    assert laid_out(upload, house.folder / "data/shot") == content(upload.size)


def test_a_link_to_a_folder_inside_an_entry_is_not_followed(
    house: House, placed: Placed, upload: StagedUpload, tmp_path: Path
) -> None:
    (house.root / "in/shot_v001/sub").rename(tmp_path / "outside")
    (house.root / "in/shot_v001/sub").symlink_to(tmp_path / "outside")
    assert house.disk.copy(upload, wanted(upload, placed, 1), never).received == []


def test_an_entry_that_is_reached_by_a_link_out_of_the_volumes_is_not_read(
    house: House, placed: Placed, upload: StagedUpload, tmp_path: Path
) -> None:
    (house.root / "in").rename(tmp_path / "outside")
    (house.root / "in").symlink_to(tmp_path / "outside")
    assert house.disk.copy(upload, wanted(upload, placed), never).received == [2], "an empty file lacks nothing"


def test_the_next_origin_is_tried_where_one_has_changed(house: House, placed: Placed, upload: StagedUpload) -> None:
    house.proved(tree(SIZES), "in/shot_v000", "2" * 24)
    house.place("in/shot_v000", "2" * 24)
    flip(house.root / "in/shot_v000/a.0001.exr")
    (want,) = wanted(upload, placed, 0)
    origins = [(Placed(house.volume, "in/shot_v000"), "a.0001.exr"), *want.origins]
    assert house.disk.copy(upload, [Wanted(0, want.blake3, origins)], never).received == [0]


def test_bytes_that_a_connection_is_sending_are_not_copied(house: House, placed: Placed, upload: StagedUpload) -> None:
    writer = upload.begin(Range(0, 10), "blake3", bytes(32))
    assert house.disk.copy(upload, wanted(upload, placed), never).received == []
    writer.close()
    assert house.disk.copy(upload, wanted(upload, placed), never).received == [0, 1, 2, 3]


def test_a_file_that_has_arrived_in_part_is_left_to_be_sent(house: House, placed: Placed, upload: StagedUpload) -> None:
    send(upload, 0, 10)
    assert house.disk.copy(upload, wanted(upload, placed), never).received == [1, 2, 3]
    assert upload.missing() == Ranges([(10, 700)])


def test_what_has_arrived_already_counts_and_is_not_touched(house: House, placed: Placed, upload: StagedUpload) -> None:
    send(upload, 0, 700)
    before = (house.folder / "data/shot/a.0001.exr").stat()
    assert house.disk.copy(upload, wanted(upload, placed, 0), never).received == [0]
    assert (house.folder / "data/shot/a.0001.exr").stat().st_mtime_ns == before.st_mtime_ns


def test_what_is_left_when_time_is_over_is_told(
    house: House, placed: Placed, upload: StagedUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "GROUP_FILES", 2)
    asked = iter([False, True])
    assert house.disk.copy(upload, wanted(upload, placed), lambda: next(asked)) == Copied([0, 1], [2, 3])


@pytest.mark.parametrize("reason", ["shared", "by the system", "by hand"])
def test_a_copy_is_the_same_however_it_is_made(
    house: House, placed: Placed, upload: StagedUpload, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """Where blocks cannot be shared here, sharing is stood in for by a whole copy at once, as it looks from outside."""
    if reason == "shared":
        monkeypatch.setattr(copying, "_cloned", lambda source, target: bool(os.sendfile(target, source, 0, 9999)))
        monkeypatch.setattr(copying, "_transfer", None)
    else:
        monkeypatch.setattr(copying, "_cloned", lambda source, target: False)
    if reason == "by hand":
        monkeypatch.setattr(os, "copy_file_range", refusing(errno.EXDEV))
    assert house.disk.copy(upload, wanted(upload, placed), never).received == [0, 1, 2, 3]
    assert not upload.prove(never).lost


def test_a_full_disk_ends_the_copying_and_what_was_received_stays(
    house: House, placed: Placed, upload: StagedUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.disk.copy(upload, wanted(upload, placed, 0), never)
    monkeypatch.setattr(copying, "_cloned", lambda source, target: False)
    monkeypatch.setattr(os, "copy_file_range", refusing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        house.disk.copy(upload, wanted(upload, placed), never)
    assert upload.missing() == Ranges([(700, 1700)])
    send(upload, 700, 1700)


def refusing(number: int):
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return refuse
