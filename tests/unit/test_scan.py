"""Files and folders of this machine become entries as they are, or are refused all together."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import unicodedata
import uuid
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stagedoor
from stagedoor.client.errors import ScanFault
from stagedoor.client.scan import look, natural, scan, survey
from stagedoor.model import manifest
from stagedoor.wire.tree import Entry


def write(path: Path, content: bytes = b"x", milliseconds: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if milliseconds is not None:
        os.utime(path, ns=(0, milliseconds * 1_000_000))
    return path


def faults(*paths: Path) -> dict[str, str]:
    with pytest.raises(ScanFault) as caught:
        look(paths)
    return {fault["path"]: fault["reason"] for fault in caught.value.details["faults"]}


def names_in(node: dict) -> list[str]:
    return [child["filename"] for child in node["files"]]


def test_a_file_is_an_entry_with_its_size_time_and_source(tmp_path):
    file = write(tmp_path / "plate.exr", b"12345", 1_700_000_000_123)

    (entry,) = stagedoor.scan([file])

    assert uuid.UUID(entry.pop("id")).version == 4
    assert entry == {
        "filename": "plate.exr",
        "is_dir": False,
        "size": 5,
        "modified": 1_700_000_000_123,
        "source": str(file),
    }


def test_times_are_cut_to_whole_milliseconds(tmp_path):
    file = write(tmp_path / "a")
    os.utime(file, ns=(0, 1_999_999))

    assert scan(file)[0]["modified"] == 1


def test_a_folder_holds_everything_below_it_with_empty_files_and_folders(tmp_path):
    write(tmp_path / "shot/a.exr", b"123")
    write(tmp_path / "shot/sub/empty.txt", b"")
    (tmp_path / "shot/hollow").mkdir()

    (entry,) = scan([tmp_path / "shot"])

    assert (entry["filename"], entry["is_dir"], entry["size"]) == ("shot", True, 3)
    assert names_in(entry) == ["a.exr", "hollow", "sub"]
    assert entry["files"][1]["files"] == []
    assert entry["files"][2]["files"][0]["size"] == 0


def test_entries_are_read_by_the_server_without_a_fault(tmp_path):
    write(tmp_path / "shot/sub/a.exr", b"123")

    (entry,) = msgspec.convert(scan([tmp_path / "shot"]), list[Entry])
    found, wrong = manifest.read(entry)

    assert wrong == []
    assert [file.path for file in found.files] == ["sub/a.exr"]


def test_frames_stand_in_the_order_of_their_numbers(tmp_path):
    for frame in (10, 9, 1001, 100, 2):
        write(tmp_path / f"shot/f.{frame}.exr")

    (entry,) = scan(tmp_path / "shot")

    assert names_in(entry) == ["f.2.exr", "f.9.exr", "f.10.exr", "f.100.exr", "f.1001.exr"]


@given(st.lists(st.text(alphabet="ab019²٣._", max_size=6), max_size=8))
def test_any_names_can_be_put_in_order_and_the_order_does_not_depend_on_how_they_came(found):
    backwards = found[::-1]

    assert sorted(found, key=natural) == sorted(backwards, key=natural)


def test_names_travel_in_nfc_while_the_source_keeps_the_local_spelling(tmp_path):
    local = unicodedata.normalize("NFD", "Käfer")
    folder = tmp_path / local
    write(folder / f"{local}.exr")

    (entry,) = scan(folder)

    assert entry["filename"] == "Käfer"
    assert names_in(entry) == ["Käfer.exr"]
    assert entry["source"] == str(folder)
    assert survey(str(folder)).files["Käfer.exr"].path == str(folder / f"{local}.exr")


def test_junk_is_left_out_and_counted(tmp_path):
    for name in (".DS_Store", "Thumbs.db", "sub/desktop.ini", "sub/._plate.exr", "sub/plate.exr"):
        write(tmp_path / "shot" / name)

    found = look([tmp_path / "shot", tmp_path / "shot/Thumbs.db"])

    assert (found.junk, found.files, len(found.entries)) == (5, 1, 1)
    assert names_in(found.entries[0]) == ["sub"]


def test_junk_is_told_aloud(tmp_path, caplog):
    write(tmp_path / "shot/.DS_Store")

    scan(tmp_path / "shot")

    assert "left out 1 junk file" in caplog.text


def test_hidden_files_are_no_junk(tmp_path):
    write(tmp_path / "shot/.nuke")

    assert names_in(scan(tmp_path / "shot")[0]) == [".nuke"]


def test_the_name_of_an_entry_is_that_of_the_folder_however_it_was_spelled(tmp_path, monkeypatch):
    write(tmp_path / "shot/a")
    monkeypatch.chdir(tmp_path / "shot")

    assert scan(".")[0]["filename"] == "shot"
    assert scan("../shot/")[0]["source"] == str(tmp_path / "shot")


def test_a_link_to_a_file_is_followed_wherever_it_leads(tmp_path):
    target = write(tmp_path / "elsewhere/cached.exr", b"1234", 5000)
    (tmp_path / "shot").mkdir()
    (tmp_path / "shot/plate.exr").symlink_to(target)

    (entry,) = scan(tmp_path / "shot")

    assert entry["files"] == [{"filename": "plate.exr", "is_dir": False, "size": 4, "modified": 5000}]


def test_a_link_to_a_folder_within_the_offer_is_followed(tmp_path):
    write(tmp_path / "shot/v1/a.exr")
    (tmp_path / "shot/latest").symlink_to("v1", target_is_directory=True)

    (entry,) = scan(tmp_path / "shot")

    assert names_in(entry) == ["latest", "v1"]
    assert names_in(entry["files"][0]) == ["a.exr"]


def test_a_link_to_a_folder_outside_of_the_offer_is_refused(tmp_path):
    write(tmp_path / "shot-other/secret")
    write(tmp_path / "shot/a")
    (tmp_path / "shot/away").symlink_to(tmp_path / "shot-other")

    assert "outside" in faults(tmp_path / "shot")["shot/away"]


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_a_link_to_a_folder_that_holds_it_is_refused(tmp_path, target):
    write(tmp_path / "shot/sub/a")
    (tmp_path / "shot/sub/loop").symlink_to(target)

    assert "holds it" in faults(tmp_path / "shot")["shot/sub/loop"]


def test_two_folders_that_link_to_each_other_are_refused(tmp_path):
    (tmp_path / "shot/a").mkdir(parents=True)
    (tmp_path / "shot/b").mkdir()
    (tmp_path / "shot/a/b").symlink_to("../b")
    (tmp_path / "shot/b/a").symlink_to("../a")

    assert set(faults(tmp_path / "shot")) == {"shot/a/b/a", "shot/b/a/b"}


def test_all_faults_are_told_at_once(tmp_path):
    shot = tmp_path / "shot"
    write(shot / "good")
    os.mkfifo(shot / "pipe")
    (shot / "dangling").symlink_to("nowhere")
    (shot / "ring").symlink_to("ring")
    write(shot / "sub/bad\nname")
    write(shot / os.fsdecode(b"not-utf-8-\xff"))
    (shot / "device").symlink_to("/dev/null")

    found = faults(shot, tmp_path / "absent", shot)

    assert set(found) == {
        "shot/pipe",
        "shot/dangling",
        "shot/ring",
        "shot/sub/bad\\x0aname",
        "shot/not-utf-8-\\udcff",
        "shot/device",
        "absent",
        str(shot),
    }
    assert "is a pipe" in found["shot/pipe"]
    assert "is a device" in found["shot/device"]
    assert "given twice" in found[str(shot)]


def test_a_socket_is_refused(tmp_path, monkeypatch):
    (tmp_path / "shot").mkdir()
    monkeypatch.chdir(tmp_path / "shot")  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")

        assert "is a socket" in faults(tmp_path / "shot")["shot/s"]


def test_what_cannot_be_read_is_refused():
    folder = Path(tempfile.mkdtemp())  # that of pytest is closed to everybody else
    try:
        folder.chmod(0o755)
        write(folder / "shot/locked.exr").chmod(0)
        write(folder / "shot/closed/a.exr")
        (folder / "shot/closed").chmod(0)
        if os.geteuid() == 0:
            os.seteuid(65534)
        found = faults(folder / "shot")
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        (folder / "shot/closed").chmod(0o700)
        shutil.rmtree(folder)

    assert found == {
        "shot/locked.exr": "cannot be read: you lack the permission",
        "shot/closed": "cannot be read: you lack the permission",
    }


def test_folders_without_end_are_refused(tmp_path):
    write(tmp_path / ("d/" * 65) / "a")

    (reason,) = faults(tmp_path / "d").values()

    assert reason == "lies more than 64 folders deep: flatten it"


def test_a_survey_finds_junk_and_strange_names_too(tmp_path):
    """What was validated by hand-written lists must be found, whatever it is called."""
    write(tmp_path / "shot/.DS_Store")
    write(tmp_path / "shot/sub/a\nb")
    os.mkfifo(tmp_path / "shot/pipe")

    found = survey(str(tmp_path / "shot"))

    assert set(found.files) == {".DS_Store", "sub/a\nb"}
    assert list(found.faults) == ["pipe"]


def test_a_survey_of_a_file_is_that_file(tmp_path):
    file = write(tmp_path / "a", b"123")

    assert survey(str(file)).files[""].size == 3
    assert survey(str(tmp_path / "absent")).faults == {"": "does not exist, or is a link that leads nowhere"}
