"""Many small files in one call: what is done, where it stops, and that nothing but time is lost without it."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from volumes_kit import House, content, never, send, tree
from xxhash import xxh3_128_hexdigest

from part_digest import of_runs
from stagedoor import bulk
from stagedoor.client import source
from stagedoor.client.errors import SourceChanged
from stagedoor.client.scan import scan
from stagedoor.model import manifest
from stagedoor.model.manifest import Manifest
from stagedoor.model.tape import Range
from stagedoor.wire.tree import Entry

SIZES = [5, 1, 300, 7, 4096, 2]


@pytest.fixture(autouse=True)
def compiled() -> None:
    assert bulk._compiled, "`make setup` could not compile src/stagedoor/_bulk.c: it takes cc and the headers of Python"


@pytest.fixture(params=["compiled", "by itself"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "by itself":
        monkeypatch.setattr(bulk, "_compiled", None)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of few files and bytes, so that a few make several."""
    for name, value in (("AT_A_TIME", 5), ("SMALL", 40), ("MOST_BYTES", 100)):
        monkeypatch.setattr(bulk, name, value)


def data() -> memoryview:
    return memoryview(content(sum(SIZES)))


def parts(view: memoryview, sizes: list[int]) -> list[bytes]:
    ends = list(accumulate(sizes))
    return [bytes(view[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


@pytest.fixture
def there(tmp_path: Path) -> list[str]:
    """Files of `SIZES`, the last of which has a name that is no text."""
    paths = [str(tmp_path / f"f{index}") for index in range(len(SIZES) - 1)] + [os.fsdecode(bytes(tmp_path) + b"/\xff")]
    for path, piece in zip(paths, parts(data(), SIZES), strict=True):
        Path(path).write_bytes(piece)
        os.utime(path, ns=(3, 1_500_000_000_123_456_789))
    return paths


def test_files_are_written_each_with_its_bytes_its_time_and_the_mode(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"f{index}") for index in range(6)]
    times = [1_500_000_000_123, None, 0, -1, 2**70, 1]
    mask = os.umask(0o022)
    try:
        assert bulk.write("/", paths, SIZES, times, data(), 0o666)[0] == 6
    finally:
        os.umask(mask)
    assert [Path(path).read_bytes() for path in paths] == parts(data(), SIZES)
    assert [Path(path).stat().st_mode & 0o7777 for path in paths] == [0o644] * 6
    told = [Path(path).stat().st_mtime_ns for path in paths]
    assert (told[0], told[2], told[3], told[5]) == (1_500_000_000_123_000_000, 0, -1_000_000, 1_000_000)


def test_what_was_written_before_is_overwritten(there: list[str]) -> None:
    Path(there[1]).write_bytes(b"longer than one byte")
    other = memoryview(bytes(sum(SIZES)))
    assert bulk.write("/", there, SIZES, [None] * 6, other, 0o600)[0] == 6
    assert Path(there[1]).read_bytes() == b"\0onger than one byte"


def test_what_was_written_is_read_back_where_that_is_asked_for(there: list[str]) -> None:
    Path(there[1]).write_bytes(b"longer than one byte")
    count, changed = bulk.write("/", there, SIZES, [1, None, 1, 1, None, 1], data(), 0o600, back=True)
    told = [Path(path).stat().st_ctime_ns for path in there]
    assert (count, list(changed)) == (6, [told[0], bulk.NO_TIME, *told[2:]])
    assert list(bulk.write("/", there, SIZES, [None] * 6, data(), 0o600)[1]) == []


@pytest.mark.parametrize("size", [0, 1, 32_767, 32_768, 32_769, 200_000])
def test_whether_a_file_holds_bytes_is_told(tmp_path: Path, size: int) -> None:
    whole = content(size + 100)
    (tmp_path / "file").write_bytes(whole)
    with (tmp_path / "file").open("rb") as file:
        assert bulk.same(file.fileno(), 50, memoryview(whole[50 : 50 + size]))
        assert bulk.same(file.fileno(), 100, memoryview(whole[100:]))
        assert not bulk.same(file.fileno(), 100, memoryview(whole[100:] + b"x"))
        for place in {0, size // 2, size - 1} if size else ():
            other = bytearray(whole[50 : 50 + size])
            other[place] ^= 1
            assert not bulk.same(file.fileno(), 50, memoryview(other))
        assert file.tell() == 0
    with (tmp_path / "file").open("ab") as file:
        assert not bulk.same(file.fileno(), 0, memoryview(b"x")), "it cannot be read"
    assert not bulk.same(-1, 0, memoryview(b"x"))


def test_files_are_read_each_with_its_times(there: list[str]) -> None:
    into = memoryview(bytearray(sum(SIZES)))
    count, times = bulk.read("/", there, SIZES, into)
    assert (count, into) == (6, data())
    status = [Path(path).stat() for path in there]
    assert list(times) == [time for one in status for time in (one.st_mtime_ns, one.st_ctime_ns)]


def test_files_are_looked_at(there: list[str]) -> None:
    count, times = bulk.look("/", there, SIZES)
    assert (count, list(times[::2])) == (6, [1_500_000_000_123_456_789] * 6)
    assert list(times[1::2]) == [Path(path).stat().st_ctime_ns for path in there]


def test_files_are_dressed_where_they_are_not_yet(there: list[str]) -> None:
    Path(there[2]).chmod(0o640)
    os.utime(there[2], ns=(3, 86_400_000_000_000))
    before = Path(there[2]).stat().st_ctime_ns
    assert bulk.dress("/", there, [86_400_000] * 5 + [None], 0o640, os.getegid()) == 6
    assert [Path(path).stat().st_mode & 0o7777 for path in there] == [0o640] * 6
    assert [Path(path).stat().st_mtime_ns for path in there] == [86_400_000_000_000] * 5 + [1_500_000_000_123_456_789]
    assert Path(there[2]).stat().st_ctime_ns == before


def gone(path: Path) -> None:
    path.unlink()


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"!")


def shorter(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


SPECIAL = [gone, link, folder, pipe]


@pytest.mark.parametrize("happens", [*SPECIAL, longer, shorter])
@pytest.mark.parametrize("at", [0, 3, 5])
def test_reading_stops_before_the_first_that_is_special(
    there: list[str], happens: Callable[[Path], None], at: int
) -> None:
    happens(Path(there[at]))
    into = memoryview(bytearray(sum(SIZES)))
    count, times = bulk.read("/", there, SIZES, into)
    assert count == at
    assert parts(into, SIZES)[:at] == parts(data(), SIZES)[:at]
    assert list(times[2 * at :]) == [0] * 2 * (6 - at)


@pytest.mark.parametrize("happens", [gone, folder, pipe, longer, shorter])
def test_looking_stops_as_well(there: list[str], happens: Callable[[Path], None]) -> None:
    happens(Path(there[3]))
    assert bulk.look("/", there, SIZES)[0] == 3


def test_links_are_followed_where_that_is_asked_for(there: list[str]) -> None:
    link(Path(there[3]))
    assert bulk.read("/", there, SIZES, memoryview(bytearray(sum(SIZES))), follow=True)[0] == 6
    assert bulk.look("/", there, SIZES)[0] == 3
    assert bulk.look("/", there, SIZES, follow=True)[0] == 6


@pytest.mark.parametrize("happens", [link, folder])
def test_writing_stops_and_no_link_is_followed(there: list[str], happens: Callable[[Path], None]) -> None:
    happens(Path(there[3]))
    assert bulk.write("/", there, SIZES, [None] * 6, memoryview(bytes(sum(SIZES))), 0o600)[0] == 3
    written = [not any(Path(path).read_bytes()) for path in (*there[:3], *there[4:])]
    assert written == [True, True, True, False, False]
    if happens is link:
        assert any(Path(there[3]).read_bytes())


@pytest.mark.parametrize("happens", SPECIAL)
def test_dressing_stops_and_no_link_is_followed(there: list[str], happens: Callable[[Path], None]) -> None:
    happens(Path(there[3]))
    assert bulk.dress("/", there, [1] * 6, 0o640, os.getegid()) == 3
    if happens is link:
        assert Path(there[3]).stat().st_mode & 0o7777 != 0o640


def test_another_group_is_for_the_caller(there: list[str]) -> None:
    assert bulk.dress("/", there, [1] * 6, 0o640, os.getegid() + 1) == 0


def test_an_empty_file_is_read_but_not_from_the_device(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    paths = [str(tmp_path / "empty")]
    assert bulk.read("/", paths, [0], memoryview(bytearray()))[0] == 1
    assert bulk.read("/", paths, [0], memoryview(bytearray()), drop=True)[0] == 0


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="the system cannot tell")
def test_what_is_read_from_the_device_is_out_of_memory_first(there: list[str]) -> None:
    for path in there:
        with open(path) as file:
            os.fsync(file.fileno())
    count, _ = bulk.read("/", there, SIZES, into := memoryview(bytearray(sum(SIZES))), drop=True)
    assert count == 6 or Path("/proc/mounts").read_text().find(" tmpfs ") >= 0
    assert parts(into, SIZES)[:count] == parts(data(), SIZES)[:count]


@pytest.mark.parametrize("folder", ["", "gone", "a file"])
def test_paths_begin_in_the_folder_and_nothing_is_there_where_that_is_none(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a file").write_bytes(b"1")
    (tmp_path / "within").write_bytes(b"1")
    base, count = str(tmp_path / folder), not folder
    one = memoryview(bytearray(1))
    assert bulk.read(base, ["within"], [1], one)[0] == bulk.look(base, ["within"], [1])[0] == count
    assert bulk.dress(base, ["within"], [1], 0o640, os.getegid()) == count
    assert bulk.write(base, ["new"], [1], [1], one, 0o640)[0] == count
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a file", *["new"] * count, "within"]


def test_a_pipe_is_no_empty_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    paths = [str(tmp_path / "pipe")]
    counts = bulk.read("/", paths, [0], memoryview(bytearray()))[0], bulk.look("/", paths, [0])[0]
    assert (counts, bulk.dress("/", paths, [1], 0o640, os.getegid())) == ((0, 0), 0)


def test_more_files_than_are_open_at_a_time_are_read(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"f{index}") for index in range(100)]
    view = memoryview(content(100))
    before = len(os.listdir("/proc/self/fd"))
    assert bulk.write("/", paths, [1] * 100, [None] * 100, view, 0o600)[0] == 100
    assert bulk.read("/", paths, [1] * 100, into := memoryview(bytearray(100)))[0] == 100
    os.truncate(paths[70], 0)
    assert bulk.read("/", paths, [1] * 100, memoryview(bytearray(100)))[0] == 70
    assert (into, len(os.listdir("/proc/self/fd"))) == (view, before)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (bulk.write, (".", ["x"], [2], [None], memoryview(b"1"), 0o600)),
        (bulk.write, (".", ["x"], [-1], [None], memoryview(b"1"), 0o600)),
        (bulk.write, (".", ["x"], [2**63 - 1], [None], memoryview(b"1"), 0o600)),
        (bulk.write, (".", ["x", "y"], [1], [None] * 2, memoryview(b"1"), 0o600)),
        (bulk.write, (".", ["x"], [1], [], memoryview(b"1"), 0o600)),
        (bulk.write, (".", ["x\0"], [1], [None], memoryview(b"1"), 0o600)),
        (bulk.read, (".", ["x"], [2], memoryview(bytearray(1)))),
        (bulk.look, (".", ["x"], [])),
        (bulk.dress, (".", ["x"], [], 0o600, 0)),
    ],
)
def test_what_cannot_be_is_an_error_and_nothing_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError):
        call(*arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (bulk.write, (".", [1], [1], [None], memoryview(b"1"), 0o600)),
        (bulk.write, (".", ["x"], ["1"], [None], memoryview(b"1"), 0o600)),
        (bulk.write, (".", ("x",), [1], [None], memoryview(b"1"), 0o600)),
        (bulk.read, (".", ["x"], [1], memoryview(b"1"))),
    ],
)
def test_what_is_of_another_kind_is_an_error(call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, BufferError)):
        call(*arguments)


def test_only_small_files_go_together() -> None:
    sizes = [3, bulk.SMALL, bulk.SMALL + 1, 0, 1]
    files = [File(size) for size in sizes]
    taken = [[one.size for one in bulk.small(files, first, len(files))] for first in range(len(files))]
    assert taken == [[3, bulk.SMALL], [bulk.SMALL], [], [], [1]]
    assert len(bulk.small([File(bulk.SMALL)] * 9, 0, 9)) == bulk.MOST_BYTES // bulk.SMALL
    assert len(bulk.small([File(1)] * 999, 900, 990)) == bulk.AT_A_TIME
    assert len(bulk.small([File(1)] * 999, 980, 990)) == 10


class File:
    def __init__(self, size: int) -> None:
        self.size = size


@pytest.mark.usefixtures("either_way", "little")
@given(
    sizes=st.lists(st.sampled_from([0, 1, 2, 40, 41, 300]), min_size=1, max_size=25),
    cuts=st.lists(st.integers(0, 10_000), max_size=4),
    step=st.sampled_from([1, 100]),
)
def test_whatever_comes_in_whatever_pieces_is_proved_and_placed(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], cuts: list[int], step: int
) -> None:
    house = House(tmp_path_factory.mktemp("h"), step=step)
    house.proof = "cache"
    named = tree({f"f{index}": size for index, size in enumerate(sizes)})
    upload = house.stage(named)
    bounds = sorted({0, upload.size, *(cut % (upload.size + 1) for cut in cuts)})
    for start, end in pairwise(bounds):
        send(upload, start, end, algorithm="xxh128-runs")
    proof = upload.prove(never)
    placed = Path(house.place())
    whole = content(upload.size)
    starts = [end - size for size, end in zip(sizes, accumulate(sizes), strict=True)]
    told = {one.path: (one.xxh128, one.blake3) for one in proof.files}
    for file, start in zip(named.files, starts, strict=True):
        expected = whole[start : start + file.size]
        assert (placed / file.path).read_bytes() == expected
        assert (placed / file.path).stat().st_mtime_ns == (file.modified or 0) * 1_000_000
        assert told[file.path] == hashes(expected)


def hashes(data: bytes) -> tuple[str, str]:
    return xxh3_128_hexdigest(data), blake3(data).hexdigest()


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("proof", ["cache", "device"])
@pytest.mark.parametrize("happens", [gone, link, pipe, longer, shorter])
def test_what_happens_to_a_file_among_many_costs_that_file_alone(
    tmp_path: Path, proof: str, happens: Callable[[Path], None]
) -> None:
    house = House(tmp_path)
    house.proof = proof
    upload = house.stage(tree({f"f{index:03}": 100 for index in range(200)}))
    for start in range(0, upload.size, 100):
        send(upload, start, start + 100)
    happens(Path(upload.tree.file(77)))
    lost = upload.prove(never).lost
    assert [*lost] == ([] if happens is longer else [(7700, 7800)])
    if lost:
        send(upload, 7700, 7800)
        assert not upload.prove(never).lost
    assert (Path(house.place()) / "f077").read_bytes() == content(upload.size)[7700:7800]


def offered(folder: Path) -> tuple[Entry, Manifest]:
    node = scan(folder)[0]
    entry = msgspec.convert(node, Entry)
    return entry, manifest.read(entry, windows_names=False)[0]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    for index in range(150):
        (folder / f"d{index % 3}").mkdir(parents=True, exist_ok=True)
        (folder / f"d{index % 3}" / f"f{index:03}").write_bytes(content(index))
    return folder


@pytest.mark.usefixtures("either_way")
def test_a_part_of_many_files_holds_their_bytes(many: Path) -> None:
    entry, named = offered(many)
    (many / "d1/f001").rename(many / "aside")
    (many / "d1/f001").symlink_to(many / "aside")
    found = source.find(entry, str(many))
    assert {one.path for one in found.locals} == {str(many / file.path) for file in named.files}
    whole = b"".join(Path(one.path).read_bytes() for one in found.locals)
    reader = source.Reader()
    for start, end in ((0, len(whole)), (1, len(whole) - 1), (500, 7000)):
        body = reader.read(found, Range(start, end), by_system=False)
        assert b"".join(bytes(piece.view) for piece in body.pieces) == whole[start:end]  # type: ignore[union-attr]
        assert body.digest == of_runs([file.size for file in named.files], start, whole[start:end])
    reader.close()


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("happens", [gone, folder, longer, shorter, lambda path: os.utime(path, ns=(1, 1))])
def test_a_file_among_many_that_changes_is_named(many: Path, happens: Callable[[Path], None], when: str) -> None:
    entry, _ = offered(many)
    if when == "before":
        happens(many / "d2/f077")
        with pytest.raises(SourceChanged, match="many/d2/f077"):
            source.find(entry, str(many))
        return
    found = source.find(entry, str(many))
    happens(many / "d2/f077")
    with pytest.raises(SourceChanged, match="many/d2/f077"):
        source.Reader().read(found, Range(0, found.tape.size), by_system=False)
