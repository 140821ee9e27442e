"""A manifest is the contract: read once, every fault told, one spelling from then on."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.model import manifest
from stagedoor.model.manifest import FAULTS_TOLD, MAX_DEPTH, MAX_SIZE, File, Folder
from stagedoor.model.tape import Tape
from stagedoor.wire.tree import Entry, Node

NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=6)


def nodes(depth: int = 3) -> st.SearchStrategy[list[Node]]:
    files = st.builds(
        Node, filename=NAMES, size=st.none() | st.integers(0, 10_000), modified=st.none() | st.integers(0, 10**13)
    )
    if not depth:
        return st.lists(files, max_size=4)
    folders = st.builds(
        Node, filename=NAMES, files=st.deferred(lambda: nodes(depth - 1)), is_dir=st.sampled_from([None, True])
    )
    return st.lists(files | folders, max_size=4)


def folder(*files: Any, **more: Any) -> Entry:
    return Entry(id="", filename="shot", is_dir=True, files=list(files), **more)


def reasons(entry: Entry, **options: Any) -> dict[str, str]:
    return {fault.path: fault.reason for fault in manifest.read(entry, **options)[1]}


def test_files_and_folders_come_in_the_order_of_the_offer_depth_first() -> None:
    entry = folder(
        Node("b", size=1, modified=5),
        Node("sub", modified=7, files=[Node("z", size=2), Node("empty", files=[])]),
        Node("a", size=3),
        modified=9,
    )
    found, faults = manifest.read(entry)
    assert not faults
    assert found.files == (File("b", 1, 5), File("sub/z", 2, None), File("a", 3, None))
    assert found.folders == (Folder("", 9), Folder("sub", 7), Folder("sub/empty", None))
    assert (found.name, found.is_dir, found.size) == ("shot", True, 6)


def test_an_entry_that_is_a_file_has_one_file_without_a_path() -> None:
    found, faults = manifest.read(Entry(id="", filename="a.mov", size=7, modified=3))
    assert (found.files, found.folders, found.is_dir, faults) == ((File("", 7, 3),), (), False, [])


def test_what_was_left_out_is_filled_in() -> None:
    """`is_dir` is "has files", a missing size is 0, a folder's size is the sum, whatever was offered."""
    entry = Entry(id="", filename="shot", size=10**6, files=[Node("a"), Node("b", size=2), Node("c", size=9, files=[])])
    manifest.read(entry)
    assert (entry.is_dir, entry.size) == (True, 2)
    assert [(node.is_dir, node.size) for node in entry.files or ()] == [(False, 0), (False, 2), (True, 0)]


@given(nodes())
def test_reading_again_changes_nothing(files: list[Node]) -> None:
    """The one spelling of a tree is that of its first reading: what is kept can be compared byte by byte."""
    entry = folder(*files)
    first, faults = manifest.read(entry)
    kept = msgspec.json.encode(entry)
    again, more = manifest.read(msgspec.json.decode(kept, type=Entry))
    assert (again, more) == (first, faults)
    assert msgspec.json.encode(entry) == kept


@given(nodes())
def test_what_has_no_fault_fits_a_disk(files: list[Node]) -> None:
    """No two paths the same, however compared; every parent of a file is a folder; sizes add up."""
    entry = folder(*files)
    found, faults = manifest.read(entry)
    if faults:
        return
    paths = [file.path for file in found.files] + [one.path for one in found.folders]
    folded = [unicodedata.normalize("NFC", path).casefold() for path in paths]
    assert len(set(folded)) == len(folded)
    assert {file.path.rpartition("/")[0] for file in found.files} <= {one.path for one in found.folders}
    assert found.size == entry.size == Tape([file.size for file in found.files]).size


def test_names_are_composed() -> None:
    entry = Entry(id="", filename="Zoe\u0308", files=[Node("u\u0308", files=[Node("e\u0301")])])
    found, _ = manifest.read(entry)
    assert (found.name, found.files[0].path, entry.filename) == ("Zoë", "ü/é", "Zoë")


def test_every_fault_is_found_with_the_path_as_offered() -> None:
    entry = folder(
        Node("a/b"),
        Node("sub", files=[Node("x"), Node("X"), Node("")]),
        Node("n\u0000", size=1),
        Node("minus", size=-1),
        Node("huge", size=MAX_SIZE + 1),
        Node("both", is_dir=False, files=[Node("x")]),
    )
    found = reasons(entry)
    assert list(found) == ["shot/a/b", "shot/sub/X", "shot/sub/", "shot/n\\x00", "shot/minus", "shot/huge", "shot/both"]
    assert "same name as x" in found["shot/sub/X"]
    assert "-1" in found["shot/minus"]


@pytest.mark.parametrize(
    "twins", [("a", "a"), ("shot", "shot"), ("a", "A"), ("ë", "e\u0308"), ("ß", "SS"), ("a", "a\u00a0")]
)
def test_two_names_in_a_folder_that_some_disk_takes_for_one_are_refused(twins: tuple[str, str]) -> None:
    assert len(reasons(folder(*(Node(name) for name in twins)), windows_names=False)) == 1
    apart = folder(*(Node(f"sub{number}", files=[Node(name)]) for number, name in enumerate(twins)))
    assert reasons(apart, windows_names=False) == {}


def test_names_that_only_windows_refuses_can_be_let_through() -> None:
    assert reasons(folder(Node("a:b"))) == {"shot/a:b": "holds :, which Windows cannot store: rename it"}
    assert reasons(folder(Node("a:b")), windows_names=False) == {}


def nested(depth: int) -> Entry:
    node = Node("d", is_dir=True, files=[])
    for _ in range(depth - 2):
        node = Node("d", files=[node])
    return folder(node)


def test_folders_nest_64_deep_and_no_deeper() -> None:
    assert reasons(nested(MAX_DEPTH)) == {}
    (reason,) = reasons(nested(MAX_DEPTH + 1)).values()
    assert str(MAX_DEPTH) in reason
    assert len(reasons(nested(500))) == 1


def test_a_path_has_at_most_1024_bytes() -> None:
    def long(last: int) -> Entry:
        return folder(Node("x" * 255, files=[Node("y" * 255, files=[Node("z" * 255, files=[Node("é" * last)])])]))

    assert reasons(long(127)) == {}
    assert reasons(folder(Node("s" * 2, files=list(long(127).files or ())))) != {}


def test_faults_are_bounded() -> None:
    assert len(manifest.read(folder(*(Node("?") for _ in range(5000))))[1]) == FAULTS_TOLD


def test_a_hundred_thousand_frames_are_read_at_once() -> None:
    """No fault, no recursion, in order."""
    found, faults = manifest.read(folder(*(Node(f"f.{number:06}.exr", size=1) for number in range(100_000))))
    assert not faults
    assert (len(found.files), found.size, found.files[-1].path) == (100_000, 100_000, "f.099999.exr")
