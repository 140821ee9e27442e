"""An upload is read while it arrives: nothing is proved that way which the proof would not prove."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from volumes_kit import House, content, cut, flip, hashes, never, of, remove, send, single, swap, tree

from stagedoor.model import tape
from stagedoor.model.tape import Ranges
from stagedoor.volumes.disk import READERS
from stagedoor.volumes.reading import LARGE
from stagedoor.volumes.upload import StagedUpload

STEP = 16
FILES = {"a": 10, "b": 22, "c": 0, "d": 30, "e": 8}
END = 70
"""of all files"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, step=STEP)


def shot(house: House) -> Path:
    return house.folder / "data" / "shot"


def followed(upload: StagedUpload, at_least: int) -> int:
    """How far it has been read; waits for so much."""
    end = time.monotonic() + 10
    while upload.followed < at_least:
        assert time.monotonic() < end, f"{upload.followed} bytes were read, {at_least} expected"
        time.sleep(0.002)
    return upload.followed


def costs(upload: StagedUpload, start: int, end: int) -> None:
    """The proof misses these bytes and no others; with them sent again it is whole."""
    assert upload.prove(never).lost == Ranges([(start, end)])
    send(upload, start, end)
    assert of(upload.prove(never)) == hashes(content(END), upload)


def test_what_has_arrived_from_the_beginning_on_is_read_before_the_rest_comes(house: House) -> None:
    upload = house.stage(tree(FILES))
    send(upload, 20, 40)
    send(upload, 0, 10)
    assert upload.followed == 0, "there is a gap, and little before it"
    send(upload, 10, 20)
    followed(upload, 32)
    send(upload, 40, END)
    assert of(upload.prove(never)) == hashes(content(END), upload)


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=8),
    st.lists(st.integers(0, 300), max_size=12),
    st.sampled_from(["device", "cache"]),
    st.sampled_from(["blake3", "xxh128-runs"]),
    st.randoms(use_true_random=False),
)
def test_in_whatever_pieces_and_order_it_comes_the_hashes_are_those_of_the_files(
    sizes: list[int], cuts: list[int], proof: str, algorithm: str, order: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape, "LARGE", 20)
        house = House(Path(folder), step=STEP)
        house.proof = proof
        upload = house.stage(tree({f"d{index % 2}/f{index}": size for index, size in enumerate(sizes)}))
        bounds = sorted({0, upload.size, *(cut for cut in cuts if cut < upload.size)})
        parts = list(pairwise(bounds))
        order.shuffle(parts)
        for start, end in parts:
            again = order.randint(0, 9)  # bytes that were there, or came with another part before
            send(upload, max(0, start - again), end, algorithm=algorithm)
        if order.random() < 0.5:
            upload = house.again()
        assert of(upload.prove(never)) == hashes(content(upload.size), upload)
        house.disk.stop()


@pytest.mark.parametrize("harm", [flip, swap, cut, remove])
def test_what_is_damaged_after_it_was_read_is_found(house: House, harm: Callable[[Path], None]) -> None:
    upload = house.stage(tree(FILES))
    send(upload, 0, 10)
    send(upload, 10, 32)
    send(upload, 32, 62)
    followed(upload, 62)
    harm(shot(house) / "b")
    send(upload, 62, END)
    costs(upload, 10, 32)


def test_what_is_damaged_before_it_is_read_is_found_and_nothing_else_is_lost(house: House) -> None:
    upload = house.stage(tree(FILES))
    send(upload, 0, 10)
    flip(shot(house) / "a")
    send(upload, 10, 40)
    send(upload, 40, END)
    costs(upload, 0, 10)


def test_damage_where_the_proof_takes_over_within_a_part_is_found(house: House) -> None:
    """What was followed ends with a file, the part goes on into the next one."""
    upload = house.stage(tree(FILES))
    send(upload, 0, 40)
    followed(upload, 32)
    flip(shot(house) / "d")
    send(upload, 40, END)
    costs(upload, 0, 40)


def test_a_new_process_begins_anew(house: House) -> None:
    upload = house.stage(tree(FILES))
    send(upload, 0, 40)
    followed(upload, 32)
    upload = house.again()
    send(upload, 40, END)
    assert of(upload.prove(never)) == hashes(content(END), upload)


def test_a_proof_that_is_to_read_from_elsewhere_reads_everything(house: House) -> None:
    house.proof = "cache"
    upload = house.stage(tree(FILES))
    send(upload, 0, 60)
    followed(upload, 32)
    house.proof = "device"
    send(upload, 60, END)
    proof = upload.prove(never)
    assert of(proof) == hashes(content(END), upload)
    apart = house.proved(tree(FILES), "a/apart", "f" * 24).prove(never)
    assert proof.read_from == apart.read_from


@pytest.mark.parametrize("proof", ["device", "cache"])
def test_a_large_file_is_read_while_it_grows(tmp_path: Path, proof: str) -> None:
    """Between smaller ones, in steps that fit nothing, with what follows it in the part that ends it."""
    house = House(tmp_path, step=1 << 23)
    house.proof = proof
    upload = house.stage(tree({"small": 70_001, "large": LARGE + 12_345, "last": 99_999}))
    tape, size = content(upload.size), upload.size
    for start in range(0, size, 5_000_011):
        end = min(start + 5_000_011, size)
        send(upload, start, end, data=tape[start:end], chunk=1 << 20)
    assert followed(upload, 1 << 24) > 70_001
    assert of(upload.prove(never)) == hashes(tape, upload)


def test_damage_in_a_large_file_costs_the_part_it_lies_in(tmp_path: Path) -> None:
    house = House(tmp_path, step=1 << 23)
    upload = house.stage(single(LARGE + 5))
    tape, part = content(upload.size), 1 << 22
    for start in range(0, upload.size, part):
        end = min(start + part, upload.size)
        send(upload, start, end, data=tape[start:end], chunk=1 << 20)
        if start == 6 * part:
            with (house.folder / "data/plate.exr").open("r+b") as file:
                file.seek(6 * part + 1)
                file.write(bytes([tape[6 * part + 1] ^ 1]))
    assert upload.prove(never).lost == Ranges([(6 * part, 7 * part)])


def test_nobody_waits_for_what_was_removed_while_it_was_read(house: House) -> None:
    """The job was aborted: what is staged goes, the readers serve the next upload."""
    upload = house.stage(tree(FILES))
    send(upload, 0, 40)
    house.disk.clear(house.folder, upload.staging.folder.name)
    other = house.stage(tree(FILES), "a/other", "e" * 24)
    send(other, 0, 40)
    followed(other, 32)


def test_a_proof_does_not_wait_for_readers_that_others_keep_busy(house: House) -> None:
    """Every reader there is stands still elsewhere."""
    upload = house.stage(tree(FILES))
    disk = house.disk
    held, go_on = threading.Event(), threading.Event()
    for _ in range(READERS):
        disk.readers.submit(lambda: (held.set(), go_on.wait(10)))
    assert held.wait(10)
    try:
        send(upload, 0, 40)
        send(upload, 40, END)
        assert of(upload.prove(never)) == hashes(content(END), upload)
        assert upload.followed == 0
    finally:
        go_on.set()


def test_when_the_server_ends_nothing_more_is_read(house: House) -> None:
    upload = house.stage(tree(FILES))
    send(upload, 0, 20)
    followed(upload, 20)
    house.disk.stop()
    send(upload, 20, END)
    assert upload.followed == 20
    assert of(house.again().prove(never)) == hashes(content(END), upload)
