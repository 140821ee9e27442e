"""Uploads: what was acknowledged stays, what was not does not count."""

from __future__ import annotations

import errno
import resource
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from volumes_kit import ID, House, content, digest, laid_out, never, send, single, tree

from stagedoor.model import tape
from stagedoor.model.errors import BadRange, DigestMismatch, RangeInFlight
from stagedoor.model.tape import Range, Ranges
from stagedoor.volumes import disk as disk_module
from stagedoor.volumes import flushing
from stagedoor.volumes.claims import Claims
from stagedoor.volumes.history import Extent
from stagedoor.volumes.staging import Tree
from stagedoor.volumes.upload import StagedUpload


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


steps = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "send", "damaged", "broken off", "killed", "flush"]),
        st.integers(0, 99),
        st.integers(1, 60),
        st.sampled_from(["blake3", "xxh128-runs", "sha-256"]),
    ),
    max_size=12,
)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=5), steps)
def test_acknowledged_bytes_stay_whatever_happens(sizes: list[int], script: list[tuple[str, int, int, str]]) -> None:
    """Parts in any order, overlapping, damaged, broken off, and the server killed in between."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape, "LARGE", 10)
        house = House(Path(folder))
        upload = house.stage(tree({f"d{index % 2}/f{index}": size for index, size in enumerate(sizes)}))
        acknowledged = Ranges()
        for what, at, length, algorithm in script:
            start, end = min(at, upload.size), min(at + length, upload.size)
            if what == "killed":
                upload = house.again()
            elif what == "flush":
                house.disk.flush()
            elif start < end:
                acknowledged = acknowledged.union(attempt(upload, what, Range(start, end), algorithm))
            assert upload.missing() == acknowledged.missing(0, upload.size)
        for gap in upload.missing():
            send(upload, *gap)
        assert upload.complete
        assert upload.received == upload.size
        assert not upload.prove(never).lost
        assert laid_out(upload, house.folder / "data" / "shot") == content(upload.size)


def attempt(upload: StagedUpload, what: str, part: Range, algorithm: str) -> list[Range]:
    """One part, well or badly sent; what it should have added."""
    if what == "send":
        send(upload, *part, algorithm=algorithm)
        return [part]
    rubbish = b"?" * part.size
    writer = upload.begin(part, algorithm, digest(b"something else", algorithm, [], part.start))
    writer.write(rubbish)
    if what == "damaged":
        with pytest.raises(DigestMismatch):
            writer.commit()
    writer.close()
    return []


def test_acknowledged_bytes_are_immutable(house: House) -> None:
    """Other bytes for the same range are hashed and dropped."""
    upload = house.stage(single(50))
    send(upload, 10, 30)
    send(upload, 0, 50, data=b"x" * 50)
    on_disk = (house.folder / "data/plate.exr").read_bytes()
    assert on_disk == b"x" * 10 + content(50)[10:30] + b"x" * 20
    assert not upload.prove(never).lost


def test_a_part_with_a_wrong_digest_does_not_count(house: House) -> None:
    upload = house.stage(single(50))
    attempt(upload, "damaged", Range(0, 50), "blake3")
    assert upload.received == 0
    assert house.again().received == 0


@pytest.mark.parametrize("part", [(0, 51), (50, 50), (20, 10), (-1, 5), (50, 60)])
def test_a_part_outside_the_upload_is_refused_with_the_size(house: House, part: tuple[int, int]) -> None:
    upload = house.stage(single(50))
    with pytest.raises(BadRange) as refused:
        upload.begin(Range(*part), "blake3", bytes(32))
    assert refused.value.details == {"size": 50}


def test_an_unknown_digest_is_refused(house: House) -> None:
    upload = house.stage(single(50))
    with pytest.raises(BadRange):
        upload.begin(Range(0, 5), "md5", bytes(16))


def test_more_bytes_than_announced_are_refused_and_nothing_counts(house: House) -> None:
    upload = house.stage(single(50))
    writer = upload.begin(Range(0, 10), "blake3", digest(content(50)[:10]))
    with pytest.raises(BadRange):
        writer.write(content(50)[:11])
    with pytest.raises(OSError):
        writer.commit()
    assert upload.received == 0


def test_fewer_bytes_than_announced_are_refused(house: House) -> None:
    upload = house.stage(single(50))
    writer = upload.begin(Range(0, 10), "blake3", digest(content(50)[:9]))
    writer.write(content(50)[:9])
    with pytest.raises(BadRange):
        writer.commit()
    writer.close()
    assert upload.received == 0


def test_a_write_that_the_disk_refuses_is_told_and_nothing_counts(house: House) -> None:
    """A real refusal: the process may write no file beyond 20 bytes."""
    upload = house.stage(single(50))
    writer = upload.begin(Range(0, 50), "blake3", digest(content(50)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        with pytest.raises(OSError) as refused:
            writer.write(content(50))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert refused.value.errno == errno.EFBIG
    with pytest.raises(OSError):
        writer.commit()
    writer.close()
    assert upload.received == 0
    send(upload, 0, 50)
    assert upload.complete


def test_two_connections_cannot_send_the_same_bytes(house: House) -> None:
    upload = house.stage(single(50))
    first = upload.begin(Range(0, 30), "blake3", bytes(32))
    for part in (Range(29, 50), Range(10, 20), Range(0, 1), Range(0, 50)):
        with pytest.raises(RangeInFlight):
            upload.begin(part, "blake3", bytes(32))
    upload.begin(Range(30, 50), "blake3", bytes(32)).close()
    first.close()
    first.close()
    upload.begin(Range(29, 50), "blake3", bytes(32)).close()


def test_a_stalled_connection_is_taken_over_and_cannot_write_any_more(house: House) -> None:
    upload = house.stage(single(50))
    upload.claims = Claims(stalled_seconds=0.02)
    stalled = upload.begin(Range(0, 50), "blake3", digest(content(50)))
    stalled.write(b"?" * 20)
    time.sleep(0.03)
    send(upload, 0, 50)
    for step in (lambda: stalled.write(b"?"), stalled.commit):
        with pytest.raises(RangeInFlight):
            step()
    stalled.close()
    assert not upload.prove(never).lost


def test_a_claim_is_not_taken_over_while_its_bytes_are_written() -> None:
    claims = Claims(stalled_seconds=0)
    first = claims.take(Range(0, 10))
    with claims.at_work(first), pytest.raises(RangeInFlight):
        claims.take(Range(0, 10))
    claims.take(Range(0, 10))


def damage(house: House, name: str, at: int) -> None:
    path = house.folder / "data" / name
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_what_was_not_flushed_is_read_again_after_a_kill(house: House) -> None:
    upload = house.stage(single(50))
    for start in (0, 20, 40):
        send(upload, start, min(start + 20, 50))
    damage(house, "plate.exr", 25)
    upload = house.again()
    assert upload.missing() == Ranges([(20, 40)])
    assert house.again().missing() == Ranges([(20, 40)])
    send(upload, 20, 40)
    assert house.again().complete


def test_a_file_that_is_gone_after_a_kill_is_missing_again(house: House) -> None:
    upload = house.stage(tree({"a": 20, "b": 20}))
    send(upload, 0, 20)
    send(upload, 20, 40)
    (house.folder / "data/shot/b").unlink()
    assert house.again().missing() == Ranges([(20, 40)])


@pytest.mark.parametrize("durability", ["cache", "flush"])
def test_what_was_flushed_is_not_read_again(tmp_path: Path, durability: str) -> None:
    """Told by damage that goes unseen until the proof."""
    house = House(tmp_path, durability)
    upload = house.stage(single(50))
    send(upload, 0, 30)
    if durability == "cache":
        house.disk.flush()
    send(upload, 30, 50)
    damage(house, "plate.exr", 5)
    damage(house, "plate.exr", 35)
    expected = Ranges() if durability == "flush" else Ranges([(30, 50)])
    assert house.again().missing() == expected


def test_a_part_that_arrives_while_flushing_is_not_taken_for_flushed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record names what stood in the journal when the flush began."""
    upload = house.stage(single(50))
    send(upload, 0, 20)
    flush = flushing.flush

    def flush_while_a_part_arrives(tree: Tree, extents: list[Extent]) -> None:
        flush(tree, extents)
        send(upload, 20, 50)

    monkeypatch.setattr(flushing, "flush", flush_while_a_part_arrives)
    upload.flush()
    assert upload.history.claimed == 30
    damage(house, "plate.exr", 5)
    damage(house, "plate.exr", 25)
    assert house.again().missing() == Ranges([(20, 50)])


def test_many_bytes_are_flushed_by_the_way(house: House) -> None:
    upload = house.stage(single(50))
    upload._flush_every = 30
    send(upload, 0, 10)
    assert upload.history.claims
    send(upload, 10, 50)
    wait_for = time.monotonic() + 5
    while (upload.history.claims or upload._flushing) and time.monotonic() < wait_for:
        time.sleep(0.005)
    assert not upload.history.claims


def test_many_small_files_are_flushed_together(house: House) -> None:
    upload = house.stage(tree({f"f{number:03}": 3 for number in range(100)}))
    send(upload, 0, 300)
    upload.flush()
    assert not house.again().history.claims


def test_parts_arrive_on_many_connections_at_once(house: House) -> None:
    upload = house.stage(tree({f"f{number}": 1000 for number in range(16)}))
    faults: list[BaseException] = []

    def connection(start: int) -> None:
        try:
            for at in range(start, upload.size, 4000):
                send(upload, at, at + 1000, chunk=300)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=connection, args=(start,)) for start in range(0, 4000, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert not upload.prove(never).lost
    assert house.again().complete


def test_an_upload_is_one_object_per_process(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when more uploads were opened since than are kept."""
    monkeypatch.setattr(disk_module, "KEPT_OPEN", 1)
    first, folder = house.stage(single(50)), house.folder
    send(first, 0, 10)
    house.stage(single(50), "a/b/other", "f" * 24)
    assert house.disk.open(folder, ID) is first
    assert not first.history.claims  # flushed when it had to make room


def test_a_staging_is_made_once(house: House) -> None:
    upload = house.stage(single(50))
    send(upload, 0, 10)
    assert house.disk.create(house.volume, "a/b/shot", ID, single(50)) == house.folder
    assert house.again().received == 10
    with pytest.raises(FileExistsError):
        house.disk.create(house.volume, "a/b/shot", ID, single(51))


def test_a_staging_that_was_half_made_is_completed(house: House) -> None:
    house.stage(tree({"d/a": 5}))
    (house.folder / "state/manifest").unlink()
    with pytest.raises(FileNotFoundError):
        house.again()
    assert house.stage(tree({"d/a": 5})).size == 5


def test_staging_is_closed_to_others(house: House) -> None:
    house.root.chmod(0o2777)
    upload = house.stage(single(5))
    assert (house.root / ".stagedoor").stat().st_mode & 0o7777 == 0o700
    assert upload.folder == house.root / ".stagedoor" / ID


def test_nothing_shows_at_the_destination_before_it_is_placed(house: House) -> None:
    house.proved(tree({"d/a": 5}))
    assert [item.name for item in house.root.iterdir()] == [".stagedoor"]


def test_clearing_removes_the_staging_and_nothing_behind_links(house: House, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    house.stage(single(5))
    (house.folder / "data" / "link").symlink_to(outside)
    for _ in range(2):
        house.disk.clear(house.folder, ID)
    assert not house.folder.exists()
    assert (outside / "precious").exists()
    with pytest.raises(FileNotFoundError):
        house.disk.open(house.folder, ID)


@pytest.mark.parametrize("upload_id", ["..", "", "other", "a/b"])
def test_clearing_refuses_what_is_no_staging(house: House, upload_id: str) -> None:
    house.stage(single(5))
    for folder in (house.folder, house.root, house.root / upload_id):
        with pytest.raises(ValueError):
            house.disk.clear(folder, upload_id)
    assert house.folder.exists()


def test_a_part_in_flight_does_not_bring_a_cleared_staging_back(house: House) -> None:
    upload = house.stage(tree({"a": 5, "b": 5}))
    writer = upload.begin(Range(0, 10), "blake3", digest(content(10)))
    writer.write(content(10)[:5])
    house.disk.clear(house.folder, ID)
    with pytest.raises(OSError):
        writer.write(content(10)[5:])
    writer.close()
    assert not house.folder.exists()


def test_an_upload_without_bytes_is_complete_at_once(house: House) -> None:
    upload = house.stage(tree({"empty": 0}, ("hollow",)))
    assert upload.complete
    assert not upload.prove(never).lost
    assert (house.folder / "data/shot/empty").read_bytes() == b""
    assert (house.folder / "data/shot/hollow").is_dir()
