"""The proof: everything is read once, and what is damaged is named exactly."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3
from volumes_kit import House, content, laid_out, never, send, tree
from xxhash import xxh3_128

from stagedoor.model import tape
from stagedoor.model.manifest import Manifest
from stagedoor.model.tape import Ranges
from stagedoor.volumes.upload import StagedUpload

MANIFEST = tree({"a": 10, "d/b": 25, "d/empty": 0, "d/c": 5}, ("hollow",))
EXTENTS = [(0, 7), (7, 20), (20, 38), (38, 40)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def received(house: House, manifest: Manifest = MANIFEST) -> StagedUpload:
    upload = house.stage(manifest)
    for start, end in EXTENTS:
        send(upload, start, end)
    return upload


def shot(house: House) -> Path:
    return house.folder / "data" / "shot"


def test_a_sound_upload_is_proved_with_the_hashes_of_every_file(house: House) -> None:
    proof = received(house).prove(never)
    assert proof.lost == Ranges()
    tape, expected = content(40), []
    for path, start, end in (("a", 0, 10), ("d/b", 10, 35), ("d/empty", 35, 35), ("d/c", 35, 40)):
        data = tape[start:end]
        expected.append((path, len(data), xxh3_128(data).hexdigest(), blake3(data).hexdigest()))
    assert [(file.path, file.size, file.xxh128, file.blake3) for file in proof.files] == expected
    assert proof.files[1].modified == 1_500_000_000_124
    assert proof.read_from in ("device", "cache")


def test_memory_is_not_taken_for_the_device() -> None:
    """A file system that lives in memory cannot be read from a device."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == Path("/").stat().st_dev:
        pytest.skip("no file system in memory here")
    root = shared / f"stagedoor-test-{os.getpid()}"
    try:
        assert received(House(root)).prove(never).read_from == "cache"
    finally:
        shutil.rmtree(root)


@pytest.mark.parametrize("at", [0, 6, 7, 9, 10, 19, 20, 34, 35, 37, 38, 39])
def test_a_flipped_byte_costs_exactly_the_extent_it_lies_in(house: House, at: int) -> None:
    upload = received(house)
    file, offset = next((f, at - s) for f, s, e in (("a", 0, 10), ("d/b", 10, 35), ("d/c", 35, 40)) if s <= at < e)
    data = bytearray((shot(house) / file).read_bytes())
    data[offset] ^= 0x20
    (shot(house) / file).write_bytes(data)
    extent = next(extent for extent in EXTENTS if extent[0] <= at < extent[1])
    assert upload.prove(never).lost == Ranges([extent])
    assert upload.missing() == Ranges([extent])
    send(upload, *extent)
    assert not upload.prove(never).lost


@pytest.mark.parametrize(("at", "file"), [(0, "a"), (9, "a"), (10, "d/b"), (34, "d/b"), (35, "d/c"), (39, "d/c")])
def test_a_flipped_byte_costs_the_file_where_files_were_hashed_for_themselves(
    house: House, monkeypatch: pytest.MonkeyPatch, at: int, file: str
) -> None:
    monkeypatch.setattr(tape, "LARGE", 5)
    upload = house.stage(MANIFEST)
    send(upload, 0, 40, algorithm="xxh128-runs")
    extent = upload.tree.tape.range_of([one.path for one in MANIFEST.files].index(file))
    data = bytearray((shot(house) / file).read_bytes())
    data[at - extent.start] ^= 0x20
    (shot(house) / file).write_bytes(data)
    assert upload.prove(never).lost == Ranges([extent])
    send(upload, *extent)
    assert not upload.prove(never).lost


@pytest.mark.parametrize("before", [(8, 12), (30, 38), (15, 20)])
def test_a_file_of_which_a_part_was_there_before_is_hashed_by_the_proof(
    house: House, monkeypatch: pytest.MonkeyPatch, before: tuple[int, int]
) -> None:
    monkeypatch.setattr(tape, "LARGE", 20)
    upload = house.stage(MANIFEST)
    send(upload, *before)
    send(upload, 0, 40, algorithm="xxh128-runs")
    data = content(40)[10:35]
    found = next(file for file in upload.prove(never).files if file.path == "d/b")
    assert (found.xxh128, found.blake3) == (xxh3_128(data).hexdigest(), blake3(data).hexdigest())


def cut(path: Path) -> None:
    os.truncate(path, 12)


def remove(path: Path) -> None:
    path.unlink()


def link(path: Path) -> None:
    other = path.parents[4] / "other"
    path.rename(other)
    path.symlink_to(other)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


@pytest.mark.parametrize("harm", [cut, remove, link, pipe, folder])
def test_a_file_that_is_short_or_gone_or_something_else_costs_its_extents(
    house: House, harm: Callable[[Path], None]
) -> None:
    upload = received(house)
    harm(shot(house) / "d/b")
    # d/b is [10, 35); cut to 12 bytes it ends at 22
    lost = Ranges([(20, 38)] if harm is cut else [(7, 38)])
    assert upload.prove(never).lost == lost
    assert house.again().missing() == lost
    upload = house.again()
    for gap in upload.missing():
        send(upload, *gap)
    assert not upload.prove(never).lost
    assert laid_out(upload, shot(house)) == content(40)


def test_bytes_beyond_a_files_size_are_cut_off(house: House) -> None:
    upload = received(house)
    for name in ("d/b", "d/empty"):
        with (shot(house) / name).open("ab") as file:
            file.write(b"more")
    assert not upload.prove(never).lost
    assert laid_out(upload, shot(house)) == content(40)


def test_what_was_not_declared_is_removed(house: House, tmp_path: Path) -> None:
    upload = received(house)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    (house.folder / "data/stranger").touch()
    (shot(house) / "d/more/deep").mkdir(parents=True)
    (shot(house) / "d/more/deep/file").touch()
    (shot(house) / "d/way-out").symlink_to(tmp_path / "precious")
    (shot(house) / "hollow").rmdir()
    (shot(house) / "hollow").symlink_to(tmp_path / "precious")
    assert not upload.prove(never).lost
    found = sorted(str(path.relative_to(house.folder / "data")) for path in (house.folder / "data").rglob("*"))
    assert found == ["shot", "shot/a", "shot/d", "shot/d/b", "shot/d/c", "shot/d/empty", "shot/hollow"]
    assert not (shot(house) / "hollow").is_symlink()
    assert (tmp_path / "precious/file").exists()


def test_a_proof_stands(house: House) -> None:
    """It is kept beside the bytes; asking again, also in another process, reads nothing."""
    upload = received(house)
    proof = upload.prove(never)
    (shot(house) / "a").unlink()
    assert upload.prove(never) == proof
    upload = house.again()
    assert upload.complete
    assert upload.prove(never) == proof


def test_an_upload_that_is_not_complete_is_not_proved(house: House) -> None:
    upload = house.stage(MANIFEST)
    send(upload, 0, 7)
    assert upload.prove(never).lost == Ranges([(7, 40)])
    assert not upload.proved


def test_a_proof_can_be_stopped_and_made_later(house: House) -> None:
    upload = received(house)
    with pytest.raises(InterruptedError):
        upload.prove(lambda: True)
    assert not upload.prove(never).lost
