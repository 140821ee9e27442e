"""`stagedoor.hooks`: what authors of hooks are given."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stagedoor.hooks import (
    InnerFile,
    OfferedEntry,
    PostFailedInput,
    PrePublishInput,
    accept,
    answer,
    files_of,
    finding,
    further,
    main,
    missing_frames,
    read,
    refuse,
    refuse_job,
    sequences,
    status,
    upload_only,
)
from stagedoor.lifecycle.judge import oddities, read_answer
from stagedoor.model.entities import Volume
from stagedoor.wire.hookdata import schemas_of

OFFER = {
    "hook": "hook-job-pre-publish-server",
    **dict.fromkeys(("hostname", "ip", "client", "user", "user_hr"), ""),
    "metadata": {"internal": {}, "external": {}},
    "size": 0,
    "files": [{"id": name, "filename": name, "size": 0, "is_dir": True, "files": []} for name in "abc"],
}


def folder(*names: str) -> OfferedEntry:
    files = [InnerFile(filename=name, size=1, is_dir=False) for name in names]
    inside = InnerFile(filename="left", size=1, is_dir=True, files=files)
    return OfferedEntry(id="a", filename="shot", size=1, is_dir=True, files=[*files, inside])


def written(tmp_path: Path, data: dict[str, Any]) -> Path:
    path = tmp_path / "input.json"
    path.write_text(json.dumps(data))
    return path


def check(offer: PrePublishInput) -> Any:
    one, two, three = offer.files
    gap = finding("gap", "A frame is missing.", files=["x.1.exr"], fix="Render it.")
    return answer(
        [
            accept(one, "in/a", ident="A", version=7),
            upload_only(two, "in/b", "Why."),
            refuse(three, "No.", findings=[gap]),
        ],
        comment=True,
        statuses=[status("Final", "fin", default=True)],
        tasks=["comp"],
    )


def test_what_the_verdicts_come_to_is_what_the_server_reads(tmp_path: Path) -> None:
    main(check, [str(written(tmp_path, OFFER)), str(tmp_path / "out")])
    output = (tmp_path / "out").read_bytes()
    judged = read_answer(
        output, read(tmp_path / "input.json").files, [Volume(id="v", code="v", root="/v", default=True)]
    )
    assert [judged.entries[name].verdict.kind.value for name in "abc"] == ["accepted", "upload_only", "refused"]
    assert judged.entries["a"].extras == b'{"version":7}'
    assert judged.entries["c"].verdict.findings[0]["fix"] == "Render it."
    assert (judged.form.comment, judged.form.time_report, judged.form.tasks) == (True, False, ("comp",))
    assert oddities(output) == []
    assert judged.remarks == ()


def test_verdicts_alone_are_an_answer_and_nothing_is_none(tmp_path: Path) -> None:
    given = [str(written(tmp_path, OFFER)), str(tmp_path / "out")]
    main(lambda offer: [refuse(entry, "No.") for entry in offer.files], given)
    assert len(json.loads((tmp_path / "out").read_text())["files"]) == 3
    with pytest.raises(SystemExit, match="returned nothing"):
        main(lambda offer: None, given)
    with pytest.raises(SystemExit, match="PATH_JSON_OUTPUT"):
        main(check, given[:1])
    with pytest.raises(SystemExit, match="PATH_JSON_INPUT"):
        main(check, [])


def test_sequences_and_their_gaps_are_found_folder_by_folder() -> None:
    entry = folder("s.1001.exr", "s.1002.exr", "s.1005.exr", "notes.txt", "edit_v001.mov", "edit_v003.mov")
    one, other = sequences(entry)
    assert (one.frames, one.missing, one.missing_files) == (
        (1001, 1002, 1005),
        (1003, 1004),
        ("s.1003.exr", "s.1004.exr"),
    )
    assert other.missing_files == ("left/s.1003.exr", "left/s.1004.exr")
    assert [found["title"] for found in missing_frames(entry)] == [
        "s.#.exr lacks frames 1003-1004.",
        "left/s.#.exr lacks frames 1003-1004.",
    ]
    assert missing_frames(folder("s.1.exr", "s.3.exr", "s.5.exr")) == [], "on twos"
    assert [path for path, _ in files_of(folder("a"))] == ["a", "left/a"]


def test_every_hook_has_a_typed_input(tmp_path: Path) -> None:
    kinds = schemas_of("post-failed")["input"]["$defs"]
    entry = dict.fromkeys(kinds["PublishedEntry"]["properties"], "")
    entry |= {"id": "e", "is_dir": False, "files": [], "findings": [], "metadata": {}, "size": 0, "time_report": 0}
    entry |= {"can_publish": True, "can_upload": False, "rejected": False, "modified": None, "version": 7}
    data: dict[str, Any] = dict.fromkeys(
        schemas_of("post-failed")["input"]["$defs"]["PostFailedInput"]["properties"], ""
    )
    data |= {"hook": "post-failed-server", "size": 0, "metadata": OFFER["metadata"], "clients": [], "tasks": []}
    data |= {"files": [entry], "attempt": 1, "excluded": [], "replay": False, "error_code": "hook_failed"}
    path = written(tmp_path, data)
    found = read(path)
    assert isinstance(found, PostFailedInput)
    assert found.error_code == "hook_failed"
    assert further(path) == {"e": {"version": 7}}
    main(lambda job: "ignored", [str(path)])
    assert refuse_job("Closed.") == {"rejected": True, "warning": "Closed."}


def test_what_is_no_input_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the input of a hook"):
        read(written(tmp_path, {"hook": "lunch"}))


def test_an_author_needs_nothing_of_the_server() -> None:
    """And no engine, database or web server is loaded when a hook starts."""
    code = "import sys, stagedoor.hooks; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"sqlalchemy", "litestar", "dbos", "nh3", "blake3", "xxhash", "urllib3", "click", "rich", "fileseq"}
    assert heavy.isdisjoint(loaded)
    assert not [name for name in loaded if name.startswith(("stagedoor.lifecycle", "stagedoor.client"))]
