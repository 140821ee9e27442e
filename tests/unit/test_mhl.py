"""A receipt as ASC MHL says of files and folders what the reference implementation says."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime, timezone
from typing import Any
from xml.etree import ElementTree

import pytest
from ascmhl.hasher import C4, DirectoryHashContext
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_128_hexdigest

from stagedoor.lifecycle import mhl
from stagedoor.model.errors import Conflict
from stagedoor.wire.jobs import Answers, Receipt, ReceiptEntry, ReceiptFile

XML = "{urn:ASC:MHL:v2.0}"
WHEN = datetime(2026, 3, 1, 14, 5, 6, 700_000, timezone.utc)


def entry(name: str, contents: dict[str, bytes], folders: list[str] | None = None, **more: Any) -> ReceiptEntry:
    files = [
        ReceiptFile(path=path, size=len(body), modified=1_700_000_000_123, xxh128=xxh3_128_hexdigest(body), blake3="")
        for path, body in contents.items()
    ]
    given = {"id": name, "is_dir": True, "can_publish": True, "can_upload": False, "ident": "", "proof": "device"}
    return ReceiptEntry(
        filename=name,
        size=sum(map(len, contents.values())),
        answers=Answers(),
        folders=folders or [],
        files=files,
        **{**given, **more},
    )


def file(name: str, body: bytes = b"moving") -> ReceiptEntry:
    return entry(name, {"": body}, is_dir=False)


def receipt(*entries: ReceiptEntry) -> Receipt:
    return Receipt(
        job="a" * 24,
        code="a publish",
        workspace="acme & sons",
        user="anna@vendor.example",
        submitted=WHEN,
        proved=WHEN,
        size=0,
        entries=list(entries),
    )


def made(*entries: ReceiptEntry) -> list[mhl.History]:
    return list(mhl.histories(receipt(*entries)))


def listed(history: mhl.History, tag: str = "hash") -> dict[str, ElementTree.Element]:
    found = ElementTree.fromstring(history.hashes).iter(XML + tag)
    return {str(item.findtext(XML + "path")): item for item in found}


def test_every_file_is_listed_with_size_time_and_hash() -> None:
    (history,) = made(entry("shot_v001", {"a.exr": b"abc", "sub/empty": b"", "sub/Zoë & <co>.txt": b"x"}))
    files = listed(history)
    assert set(files) == {"a.exr", "sub/empty", "sub/Zoë & <co>.txt"}
    path = files["a.exr"].find(XML + "path")
    assert path is not None
    assert path.attrib == {"size": "3", "lastmodificationdate": "2023-11-14T22:13:20+00:00"}
    digest = files["a.exr"].find(XML + "xxh128")
    assert digest is not None
    assert (digest.text, digest.get("action")) == (xxh3_128_hexdigest(b"abc"), "original")


def test_the_chain_knows_the_hash_list_by_its_c4() -> None:
    (history,) = made(entry("shot_v001", {"a": b"a"}))
    (one,) = ElementTree.fromstring(history.chain)
    assert one.get("sequencenr") == "1"
    assert [item.text for item in one] == ["0001_shot_v001_2026-03-01_140506Z.mhl", C4.hash_data(history.hashes)]
    assert history.hash_list == one[0].text


@given(st.binary(max_size=100))
def test_c4_is_that_of_the_reference(data: bytes) -> None:
    assert mhl.c4(data) == C4.hash_data(data)


def test_hashes_of_folders_are_those_of_the_reference() -> None:
    """Of nested and empty folders, and of one that no list of folders names."""
    contents = {"b": b"b", "sub/a": b"a", "sub/deep/er/z": b"z"}
    (history,) = made(entry("shot", contents, ["sub", "sub/empty", "sub/deep"]))

    def reference(folder: str, inside: dict[str, Any]) -> tuple[str, str]:
        context = DirectoryHashContext("xxh128")
        for name, below in inside.items():
            path = f"{folder}/{name}".lstrip("/")
            if isinstance(below, bytes):
                context.append_file_hash(path, xxh3_128_hexdigest(below))
            else:
                context.append_directory_hashes(path, *reference(path, below))
        expected[folder] = context.final_content_hash_str(), context.final_structure_hash_str()
        return expected[folder]

    expected: dict[str, tuple[str, str]] = {}
    reference("", {"b": b"b", "sub": {"a": b"a", "deep": {"er": {"z": b"z"}}, "empty": {}}})
    found = {path: tuple(digest.text for digest in item.iter(XML + "xxh128")) for path, item in folders(history)}
    assert found == expected


def folders(history: mhl.History) -> list[tuple[str, ElementTree.Element]]:
    (root,) = ElementTree.fromstring(history.hashes).iter(XML + "roothash")
    return [("", root), *listed(history, "directoryhash").items()]


def test_a_file_is_listed_by_its_name_below_the_folder_that_holds_it() -> None:
    (history,) = made(file("plate.mov"))
    assert list(listed(history)) == ["plate.mov"]
    assert history.root == "plate.mov.receipt"


def test_what_the_format_passes_over_is_not_listed() -> None:
    (history,) = made(entry("card", {"a": b"", "x/ascmhl/0001.mhl": b"", "x/.DS_Store": b""}, ["x", "x/ascmhl"]))
    assert (list(listed(history)), list(listed(history, "directoryhash"))) == (["a"], ["x"])


def test_entries_of_one_name_get_folders_of_their_own() -> None:
    roots = [history.root for history in made(entry("shot", {}), entry("Shot", {}), file("a.mov"), file("a.mov"))]
    assert roots == ["shot", "Shot (2)", "a.mov.receipt", "a.mov (2)"]


def test_long_names_stay_within_what_a_disk_takes() -> None:
    (history,) = made(file("ü" * 127))
    assert max(len(history.root.encode()), len(history.hash_list.encode())) <= 255


def test_nothing_of_the_studio_is_in_it_but_its_code() -> None:
    (history,) = made(entry("shot", {"a": b""}))
    info = ElementTree.fromstring(history.hashes).find(XML + "creatorinfo")
    assert info is not None
    assert [item.text for item in info] == [
        "2026-03-01T14:05:06+00:00",
        "acme & sons",
        "Stagedoor",
        f"Receipt of job {'a' * 24}",
    ]


def test_a_name_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(Conflict) as refused:
        made(entry("shot", {"a\uffff": b""}))
    assert refused.value.error_code == "receipt_not_in_mhl"


def test_the_same_receipt_gives_the_same_bytes() -> None:
    given = receipt(entry("shot", {"a": b"a"}), file("b.mov"))
    assert mhl.packed(given) == mhl.packed(given)
    with zipfile.ZipFile(io.BytesIO(mhl.packed(given))) as pack:
        assert pack.namelist() == [
            "shot/ascmhl/0001_shot_2026-03-01_140506Z.mhl",
            "shot/ascmhl/ascmhl_chain.xml",
            "b.mov.receipt/ascmhl/0001_b.mov_2026-03-01_140506Z.mhl",
            "b.mov.receipt/ascmhl/ascmhl_chain.xml",
        ]
