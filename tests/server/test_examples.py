"""The example hooks do what their first lines say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from stagedoor import scan
from stagedoor.lifecycle.judge import read_answer
from stagedoor.programs.rehearsal import Rehearsal, rehearse
from stagedoor.wire.hookdata import NAMES, schema
from stagedoor.wire.offers import VerdictEntry

HOOKS = Path(__file__).parents[2] / "examples" / "hooks"
NAME = "demo_sq010_sh0010_comp_v001"


def check(path: Path, **changes: Any) -> tuple[VerdictEntry, Rehearsal]:
    found = rehearse(script=str(HOOKS / "naming_convention.py"), entries=scan([path]), **changes)
    assert found.ok, (found.error, found.faults, found.stderr)
    assert found.publish is not None
    return found.publish.files[0], found


def frames(folder: Path, numbers: Any) -> Path:
    folder.mkdir(parents=True)
    for number in numbers:
        (folder / f"{folder.name}.{number:04}.exr").write_text("x")
    return folder


def test_a_complete_sequence_is_accepted_and_has_its_place(tmp_path: Path) -> None:
    entry, found = check(frames(tmp_path / NAME, range(1001, 1025)), environment={"PUBLISH_ROOT": "volume=vol/in/"})
    assert entry.can_publish
    assert entry.ident == "demo sq010 sh0010 comp v001"
    assert entry.path == f"volume=vol/in/demo/sq010/sh0010/comp/{NAME}"
    assert found.publish is not None
    assert found.publish.comment
    assert found.publish.time_report
    assert [status.value for status in found.publish.statuses] == ["review", "final", "wip"]
    assert "&lt;project&gt;_&lt;sequence&gt;" in found.publish.guidelines


def test_a_movie_is_accepted(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.mov").write_text("x")
    assert check(tmp_path / f"{NAME}.mov")[0].can_publish


def test_missing_frames_are_named(tmp_path: Path) -> None:
    folder = frames(tmp_path / NAME, [1001, 1002, 1005, 1008])
    frames(folder / "left", [1, 2, 3])
    entry, _ = check(folder)
    assert entry.rejected
    (finding,) = entry.findings
    assert finding["code"] == "missing_frames"
    assert finding["title"].endswith(" lacks frames 1003-1004,1006-1007.")
    assert finding["fix"] == "Add what is missing and publish again."


def test_one_missing_frame_is_named(tmp_path: Path) -> None:
    entry, _ = check(frames(tmp_path / NAME, [1001, 1003, 1004]))
    (finding,) = entry.findings
    assert (entry.warning, finding["fix"]) == ("Not complete.", "Add what is missing and publish again.")
    assert finding["title"].endswith(" lacks frame 1002.")
    assert finding["files"] == [f"{NAME}.1002.exr"]


def test_empty_files_and_empty_folders_are_refused(tmp_path: Path) -> None:
    folder = frames(tmp_path / NAME, [1, 2])
    (folder / f"{NAME}.0002.exr").write_text("")
    (finding,) = check(folder)[0].findings
    assert (finding["code"], finding["title"]) == ("empty_files", "One file is empty.")
    assert finding["files"] == [f"{NAME}.0002.exr"]
    nothing = frames(tmp_path / "other" / NAME, [])
    assert [finding["code"] for finding in check(nothing)[0].findings] == ["empty"]


@pytest.mark.parametrize("name", ["demo_sq010_sh0010_comp_v1", "Demo_sq010_sh0010_comp_V001", "shot_v002"])
def test_what_was_meant_as_a_publish_is_refused_with_the_way_out(tmp_path: Path, name: str) -> None:
    entry, _ = check(frames(tmp_path / name, [1]))
    assert entry.rejected
    assert entry.findings[0]["code"] == "naming"


def test_anything_else_may_be_uploaded_each_time_to_a_new_place(tmp_path: Path) -> None:
    folder = frames(tmp_path / "reference photos", [1])
    entry, _ = check(folder)
    other, _ = check(folder)
    assert entry.can_upload
    assert entry.path.startswith("volume=projects/incoming/vendor_example.com/")
    assert entry.path.endswith("/reference photos")
    assert entry.path != other.path


def ingest(path: Path) -> Rehearsal:
    answers = {"comment": "hi", "status": "final", "time_report": 60}
    found = rehearse(script=str(HOOKS / "ingest_sidecar.py"), entries=scan([path]), answers=answers)
    assert found.ok, (found.error, found.stderr)
    return found


def test_the_sidecar_says_who_and_what(tmp_path: Path) -> None:
    folder = frames(tmp_path / NAME, [1, 2])
    ingest(folder)
    sidecar = json.loads((tmp_path / f"{NAME}.publish.json").read_text())
    assert sidecar["user"] == "vendor@example.com"
    assert sidecar["path"] == str(folder)
    assert sidecar["is_publish"] is True
    assert sidecar["answers"]["comment"] == "hi"
    assert [file["path"] for file in sidecar["files"]] == [f"{NAME}.0001.exr", f"{NAME}.0002.exr"]
    assert all(len(file["blake3"]) == 64 for file in sidecar["files"])


def test_the_sidecar_is_written_once_for_a_job(tmp_path: Path) -> None:
    folder = frames(tmp_path / NAME, [1])
    sidecar = tmp_path / f"{NAME}.publish.json"
    assert ingest(folder).stdout == f"{sidecar}: written\n"
    before = sidecar.stat().st_ino
    assert ingest(folder).stdout == f"{sidecar}: written by an earlier attempt\n"
    assert sidecar.stat().st_ino == before


# --- docs/writing-hooks.md ---------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "writing-hooks.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The page's Python blocks, under the names in their first lines."""
    for block in blocks("python"):
        (tmp_path / block.split()[1]).write_text(block)
    return tmp_path


def test_the_first_pre_publish_hook_of_the_page_works(scripts: Path) -> None:
    shot, notes = frames(scripts / "shot_v001", [1]), frames(scripts / "notes", [1])
    found = rehearse(script=str(scripts / "pre_publish.py"), entries=scan([shot, notes]))
    assert found.ok, found.stderr
    assert found.publish is not None
    assert [entry.can_publish for entry in found.publish.files] == [True, False]
    assert found.publish.files[0].path == "volume=projects/from_vendors/shot_v001"


def test_the_first_publish_hook_of_the_page_works(scripts: Path) -> None:
    shot = frames(scripts / "shot_v001", [1])
    found = rehearse(script=str(scripts / "publish.py"), entries=scan([shot]), answers={"comment": "First"})
    assert found.stdout == f"{shot} publish by vendor@example.com - First\n"


def test_the_publish_hook_of_the_page_that_may_run_again_does_so_once(scripts: Path) -> None:
    shot = frames(scripts / "shot_v001", [1])
    once = [rehearse(script=str(scripts / "publish_once.py"), entries=scan([shot])).stdout for _ in range(2)]
    assert once == [f"ingesting {shot}\n", f"attempt 1 finds this done: {shot}\n"]


def test_the_pre_submit_hook_of_the_page_works(scripts: Path) -> None:
    script = str(scripts / "pre_submit.py")
    few = [frames(scripts / "few", [1])]
    many = [frames(scripts / f"many{number}", [1]) for number in range(21)]
    assert [rehearse(script=script, entries=scan(offered)).refused for offered in (few, many)] == [
        None,
        "Send at most 20 publishes at once.",
    ]


def test_the_hook_of_the_page_that_is_written_with_our_module_works(scripts: Path) -> None:
    offered = [frames(scripts / "whole", [1, 2, 3]), frames(scripts / "gap", [1, 2, 4])]
    found = rehearse(script=str(scripts / "check_frames.py"), entries=scan(offered))
    assert found.publish is not None, found.stderr
    assert [entry.can_publish for entry in found.publish.files] == [True, False]
    assert found.publish.files[1].findings[0]["files"] == ["gap.0003.exr"]


def test_the_json_of_the_page_is_as_the_schemas_say() -> None:
    given, answer = (json.loads(block) for block in blocks("json"))
    jsonschema.validate(given, schema("pre-publish-server.input"))
    jsonschema.validate(answer, schema("pre-publish-server.output"))
    judged = read_answer(json.dumps(answer).encode(), [SimpleNamespace(**given["files"][0])], [])
    assert judged.entries[given["files"][0]["id"]].verdict.findings[0]["code"] == "missing_frames"


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_input_and_output_is_on_the_page(name: str) -> None:
    words = set(re.findall(r"`([a-z0-9_]+)`", PAGE)) | set(
        re.findall(r"[a-z_]+", "".join(re.findall(r"`{.*?}`", PAGE)))
    )
    definitions = schema(name)["$defs"]
    told = [kind for kind in definitions if kind not in ("Party", "PublishedTask", "TaskSource", "TaskDestination")]
    assert {key for kind in told for key in definitions[kind]["properties"]} <= words | {"role", "on_exists"}


def test_the_example_of_testing_a_hook_passes() -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HOOKS)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=HOOKS.parents[1])
    assert done.returncode == 0, done.stdout
