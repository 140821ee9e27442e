"""Files are read back as they arrive: the proof reads nothing of them again, unless somebody has changed them."""

from __future__ import annotations

import os
import random
import tempfile
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from volumes_kit import House, content, cut, flip, hashes, never, of, remove, send, swap, tree
from xxhash import xxh3_128

from stagedoor import bulk
from stagedoor.lifecycle.needs import Proof
from stagedoor.model import tape
from stagedoor.model.tape import Piece, Range, Ranges
from stagedoor.volumes import proof as proof_
from stagedoor.volumes.arrivals import ReadBack, unchanged
from stagedoor.volumes.history import Extent
from stagedoor.volumes.reading import Reader
from stagedoor.volumes.upload import StagedUpload

LARGE = 20_000
"""here, the size from which on a file is hashed for itself"""
FRAMES = {f"shot.{number}.exr": 30_000 for number in range(1001, 1009)}
GRAINS = {f"d{number % 3}/g{number:03}": 200 + number for number in range(150)}
MIXED = {"a": 30_000, "b": 10, "empty": 0, "c": 500, "d": 40_000, "e": 0, "f": 25_000, "last": 0}
PART = 61_000


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bulk.able()
    monkeypatch.setattr(tape, "LARGE", LARGE)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.proof = "cache"
    return house


def arrive(upload: StagedUpload, size: int = PART, *, chunk: int = 25_000) -> list[Range]:
    """All of it, in parts that end with a file as those of the client do."""
    parts, at = [], 0
    while at < upload.size:
        end = min(at + size, upload.size)
        parts.append(Range(at, upload.tree.tape.file_end(at + size // 2, end) if end < upload.size else end))
        at = parts[-1].end
    for part in parts:
        send(upload, *part, algorithm="xxh128-runs", chunk=chunk)
    return parts


def bytes_read(what: Callable[[], object]) -> int:
    """By this process, as the system counts."""

    def count() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    before = count()
    itself = count() - before
    before = count()
    what()
    return count() - before - itself


def prove(upload: StagedUpload) -> tuple[Proof, int]:
    """And how many bytes were read for it."""
    found: list[Proof] = []
    read = bytes_read(lambda: found.append(upload.prove(never)))
    return found[0], read


def holds(upload: StagedUpload, proof: Proof) -> bool:
    """Whether it tells of every file what it holds."""
    sizes = [file.size for file in upload.manifest.files]
    return [one.size for one in proof.files] == sizes and of(proof) == hashes(content(upload.size), upload)


@pytest.mark.parametrize("files", [FRAMES, GRAINS, MIXED])
def test_what_was_read_back_is_not_read_again(house: House, files: dict[str, int]) -> None:
    upload = house.stage(tree(files))
    arrive(upload)
    proof, read = prove(upload)
    assert holds(upload, proof) and proof.read_from == "cache"
    assert read < 3000, "nothing but the system's own small things"


@pytest.mark.parametrize("happens", ["from the device", "a new process", "not compiled", "another digest"])
def test_otherwise_all_of_it_is_read(house: House, happens: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if happens == "not compiled":
        monkeypatch.setattr(bulk, "_compiled", None)
    upload = house.stage(tree(FRAMES))
    if happens == "another digest":
        send(upload, 0, upload.size)
    else:
        arrive(upload)
    if happens == "from the device":
        house.proof = "device"
    if happens == "a new process":
        upload = house.again()
    proof, read = prove(upload)
    assert holds(upload, proof)
    assert read >= upload.size


def test_where_the_proof_reads_from_the_device_nothing_is_read_back(house: House) -> None:
    house.proof = "device"
    upload = house.stage(tree(FRAMES))
    assert bytes_read(lambda: arrive(upload)) < upload.size
    house.proof = "cache"
    proof, read = prove(upload)
    assert holds(upload, proof) and read >= upload.size


def flip_quietly(path: Path) -> None:
    """Its time of modification says nothing about it."""
    times = path.stat()
    flip(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("step", [1, 2**40], ids=["followed", "at the end"])
@pytest.mark.parametrize("harm", [flip, flip_quietly, swap, cut, remove, link])
@pytest.mark.parametrize(("files", "which"), [(FRAMES, 3), (GRAINS, 0), (GRAINS, 149), (GRAINS, 75)])
def test_what_is_damaged_after_it_was_read_back_is_found_and_nothing_else_is_lost(
    tmp_path: Path, files: dict[str, int], which: int, harm: Callable[[Path], None], step: int
) -> None:
    house = House(tmp_path, step=step)
    house.proof = "cache"
    upload = house.stage(tree(files))
    parts = arrive(upload, 9000 if files is GRAINS else PART)
    harm(Path(upload.tree.file(which)))
    hit = upload.tree.tape.range_of(which)
    part = next(part for part in parts if part.start <= hit.start < part.end)
    expected = hit if files is FRAMES else part
    assert upload.prove(never).lost == Ranges([expected])
    assert upload.missing() == Ranges([expected])
    send(upload, *expected, algorithm="xxh128-runs")
    assert holds(upload, upload.prove(never))


def test_damage_costs_the_reading_of_its_extent_and_no_more(house: House) -> None:
    upload = house.stage(tree(FRAMES))
    arrive(upload)
    flip(Path(upload.tree.file(3)))
    proof, read = prove(upload)
    assert proof.lost.size == 30_000
    assert 30_000 <= read < 60_000


def test_bytes_beyond_the_end_are_cut_off(house: House) -> None:
    upload = house.stage(tree(GRAINS))
    arrive(upload)
    path = Path(upload.tree.file(7))
    with path.open("ab") as file:
        file.write(b"more")
    assert holds(upload, upload.prove(never))
    assert path.stat().st_size == 207


@pytest.mark.parametrize(("files", "size"), [(FRAMES, 30_000), (GRAINS, 207)])
def test_what_was_there_already_and_is_longer_is_read_by_the_proof(
    house: House, files: dict[str, int], size: int
) -> None:
    """A part that was never acknowledged may have left anything."""
    upload = house.stage(tree(files))
    path = Path(upload.tree.file(7))
    path.write_bytes(bytes(50_000))
    arrive(upload)
    assert holds(upload, upload.prove(never))
    assert path.stat().st_size == size


@pytest.mark.parametrize("wrong", [None, 0, 1])
@pytest.mark.parametrize("large", [True, False])
def test_a_file_that_does_not_hold_what_was_written_is_not_known(house: House, wrong: int | None, large: bool) -> None:
    size = LARGE if large else 100
    upload = house.stage(tree({"f": size, "other": 5}))
    data = content(size)
    path = Path(upload.tree.file(0))
    path.write_bytes(data)
    back, half = ReadBack(upload.tree), size // 2
    with path.open("rb") as file:
        for number in range(2):
            view = data[half * number : half * (number + 1)]
            written = view if number != wrong else bytes(len(view))
            back.piece(file.fileno(), Piece(0, half * number, half), memoryview(written))
    whole = xxh3_128(data).hexdigest(), blake3(data).hexdigest()
    (arrived,) = back.of([Extent(0, size, *whole), Extent(size, size + 5, "")]) or [None]
    if wrong is not None:
        assert arrived is None
    else:
        assert arrived and [*arrived.hashes()] == [(*whole, path.stat().st_ctime_ns)]


@pytest.mark.parametrize("pieces", [[(0, 40), (50, 100)], [(0, 40), (10, 70)], [(1, 100)], [(0, 99)]])
def test_a_part_of_a_file_is_not_known(house: House, pieces: list[tuple[int, int]]) -> None:
    upload = house.stage(tree({"f": 100}))
    path = Path(upload.tree.file(0))
    path.write_bytes(content(100))
    back = ReadBack(upload.tree)
    with path.open("rb") as file:
        for start, end in pieces:
            back.piece(file.fileno(), Piece(0, start, end - start), memoryview(content(100)[start:end]))
    assert back.of([Extent(0, 100, "")]) == []


def test_a_small_file_that_could_not_be_read_back_is_not_known(house: House) -> None:
    upload = house.stage(tree({"f": 10, "g": 10}))
    back = ReadBack(upload.tree)
    back.whole([Piece(0, 0, 10), Piece(1, 0, 10)], [5, bulk.NO_TIME], memoryview(content(20)))
    assert [one.extent for one in back.of([Extent(0, 10, ""), Extent(10, 20, "")])] == [Extent(0, 10, "")]


def test_of_a_large_file_whose_extent_does_not_tell_its_hashes_nothing_is_known(house: House) -> None:
    upload = house.stage(tree({"f": LARGE, "g": 10}))
    path = Path(upload.tree.file(0))
    path.write_bytes(content(LARGE))
    back = ReadBack(upload.tree)
    with path.open("rb") as file:
        back.piece(file.fileno(), Piece(0, 0, LARGE), memoryview(content(LARGE)))
    back.whole([Piece(1, 0, 10)], [5], memoryview(content(10)))
    assert back.of([Extent(0, LARGE, ""), Extent(0, LARGE + 10, "")]) == []


def test_of_an_extent_that_has_been_replaced_nothing_is_known(house: House) -> None:
    upload = house.stage(tree(FRAMES))
    arrive(upload)
    extent = next(iter(upload.history.extents))
    assert upload.arrived(extent)
    assert upload.arrived(extent._replace(digest="0" * 32)) is None
    assert upload.arrived(extent._replace(end=extent.end - 1)) is None


def test_a_reader_takes_over_what_lies_within_its_files(house: House) -> None:
    upload = house.stage(tree({"a": 10, "empty": 0, "b": 10}))
    send(upload, 0, 20, algorithm="xxh128-runs")
    (both,) = upload.history.extents
    assert upload.arrived(both)
    reader = Reader(upload.tree, Range(0, 1), upload.arrived, never, device=False)
    reader.read([both], upload.size)
    assert [one.path for one in reader.hashes] == ["a"]


def test_empty_files_between_two_readers_are_told_once(house: House) -> None:
    upload = house.stage(tree({"a": 10, "empty": 0, "b": 10}))
    for start in (0, 10):
        send(upload, start, start + 10, algorithm="xxh128-runs")
    extents = list(upload.history.extents)
    found = []
    for files in (Range(0, 1), Range(1, 3)):
        reader = Reader(upload.tree, files, upload.arrived, never, device=False)
        reader.read(extents, upload.size)
        found += [one.path for one in reader.hashes]
    assert found == ["a", "empty", "b"]


@pytest.mark.parametrize(
    ("cuts", "bounds"),
    [([0, 40], [0, 4]), ([0, 20, 40], [0, 2, 4]), ([0, 10, 40], [0, 1, 4]), ([0, 5, 40], [0, 2, 4])],
)
def test_no_extent_of_whole_files_is_shared_by_two_workers(
    house: House, cuts: list[int], bounds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof_, "WORKERS", 2)
    upload = house.stage(tree(dict.fromkeys("abcd", 10)))
    extents = [Extent(start, end, "") for start, end in pairwise(cuts)]
    assert proof_._bounds(upload.tree, extents, 0) == bounds


def test_a_part_that_is_there_in_part_is_read_by_the_proof(house: House) -> None:
    upload = house.stage(tree(FRAMES))
    send(upload, 10_000, 40_000, algorithm="xxh128-runs")
    send(upload, 0, 90_000, algorithm="xxh128-runs")
    send(upload, 90_000, upload.size, algorithm="xxh128-runs")
    proof, read = prove(upload)
    assert holds(upload, proof)
    assert 60_000 <= read < 95_000


@given(
    st.lists(st.sampled_from([0, 1, 7, 300, 900]), min_size=1, max_size=30),
    st.lists(st.integers(0, 10_000), max_size=8),
    st.sampled_from([1, 500, 2**40]),
    st.integers(1, 400),
    st.randoms(use_true_random=False),
)
def test_in_whatever_pieces_and_order_it_comes_the_proof_tells_the_truth(
    sizes: list[int], cuts: list[int], step: int, chunk: int, order: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for module, name, value in ((tape, "LARGE", 800), (bulk, "AT_A_TIME", 5), (bulk, "MOST_BYTES", 2000)):
            patch.setattr(module, name, value)
        house = House(Path(folder), step=step)
        house.proof = "cache"
        upload = house.stage(tree({f"d{index % 2}/f{index:02}": size for index, size in enumerate(sizes)}))
        bounds = sorted({0, upload.size, *(upload.tree.tape.file_end(0, cut % (upload.size + 1)) for cut in cuts)})
        parts = list(pairwise(bounds))
        order.shuffle(parts)
        for start, end in parts:
            kind = order.choice(["xxh128-runs", "xxh128-runs", "blake3"])
            send(upload, max(0, start - order.choice([0, 0, 9])), end, algorithm=kind, chunk=chunk)
        harmed = order.choice([None, *(index for index, size in enumerate(sizes) if size)])
        if harmed is not None:
            flip_last(Path(upload.tree.file(harmed)))
            lost = upload.prove(never).lost
            at = upload.tree.tape.range_of(harmed).end
            assert lost.within(at - 1, at)
            for gap in lost:
                send(upload, *gap, algorithm="xxh128-runs", chunk=chunk)
        assert holds(upload, upload.prove(never))
        house.disk.stop()


def flip_last(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_uploads_that_arrive_at_once_are_each_read_back(house: House) -> None:
    uploads = [house.stage(tree(GRAINS), f"a/{name}", name * 24) for name in "abcd"]
    threads = [threading.Thread(target=arrive, args=(upload,)) for upload in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for upload in uploads:
        proof, read = prove(upload)
        assert holds(upload, proof) and read < 3000


@pytest.fixture
def some(house: House) -> tuple[StagedUpload, list[int]]:
    upload = house.stage(tree(GRAINS))
    arrive(upload)
    return upload, [os.lstat(upload.tree.file(index)).st_ctime_ns for index in range(len(GRAINS))]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("harm", [flip, swap, cut, remove, link])
@pytest.mark.parametrize("which", [0, 63, 64, 149])
def test_whether_anything_has_changed_is_told(
    some: tuple[StagedUpload, list[int]],
    which: int,
    harm: Callable[[Path], None],
    compiled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not compiled:
        monkeypatch.setattr(bulk, "_compiled", None)
    upload, changed = some
    files = range(len(GRAINS))
    assert unchanged(upload.tree, files, changed)
    harm(Path(upload.tree.file(which)))
    assert not unchanged(upload.tree, files, changed)
    others = [index for index in files if index != which]
    assert unchanged(upload.tree, others, [changed[index] for index in others])
