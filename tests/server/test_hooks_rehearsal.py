"""Hooks tried out on local files, without a server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stagedoor import scan
from stagedoor.model.entities import Volume
from stagedoor.model.errors import ManifestRefused
from stagedoor.model.hooks import HookName
from stagedoor.programs.rehearsal import NO_VOLUMES, REAL_FILES, Rehearsal, rehearse
from stagedoor.programs.script import command_line, guess, guess_hook
from stagedoor.wire.hookdata import schema

ACCEPT = """
import json, sys
offer = json.load(open(sys.argv[1]))
files = [{"id": entry["id"], "can_publish": True, "path": PATH} for entry in offer["files"]]
json.dump({"files": files, "comment": True}, open(sys.argv[2], "w"))
print("looked at", len(files))
"""


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    folder = tmp_path / "shot_v001"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.exr").write_bytes(b"abc")
    (folder / "sub" / "empty").touch()
    return folder


def script(tmp_path: Path, text: str, name: str = "pre_publish.py") -> str:
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def accepting(tmp_path: Path, path: str) -> str:
    return script(tmp_path, f"PATH = {path!r}" + ACCEPT)


def test_a_pre_publish_script_is_judged_as_the_server_would(tmp_path: Path, shot: Path) -> None:
    found = rehearse(
        script=accepting(tmp_path, "sq/"), entries=scan([shot]), volumes=[("projects", "/mnt/projects"), ("c", "/c")]
    )
    assert (found.ok, found.state, found.exit_code, found.error) == (True, "succeeded", 0, "")
    assert found.publish is not None
    assert found.publish.comment is True
    (entry,) = found.publish.files
    assert (entry.filename, entry.can_publish, entry.path) == ("shot_v001", True, "volume=projects/sq/shot_v001")
    assert (found.stdout, found.stderr, found.notes) == ("looked at 1\n", "", ())
    assert json.loads(found.input)["files"][0]["files"][0]["filename"] == "a.exr"
    assert json.loads(found.output)["comment"] is True
    assert 0 < found.seconds < 30


@pytest.mark.parametrize("path", ["volume=any/x", "/Volumes/x/y", "x", "C:/x/y", "volume=(default)/x"])
def test_without_volumes_places_are_checked_for_their_spelling_only(tmp_path: Path, shot: Path, path: str) -> None:
    found = rehearse(script=accepting(tmp_path, path), entries=scan([shot]))
    assert (found.ok, found.notes) == (True, (NO_VOLUMES,))
    refused = rehearse(script=accepting(tmp_path, f"{path}/../z"), entries=scan([shot]))
    assert not refused.ok
    assert "'..' is not a name" in refused.faults[0]


def test_the_volumes_of_a_server_are_known_by_their_aliases_too(tmp_path: Path, shot: Path) -> None:
    volume = Volume(id="v", code="projects", root="/mnt/projects", aliases=("/Volumes/projects",))
    found = rehearse(script=accepting(tmp_path, "/Volumes/projects/x"), entries=scan([shot]), volumes=[volume])
    assert found.publish is not None
    assert found.publish.files[0].path == "volume=projects/x"


@pytest.mark.parametrize("path", ["volume=any/x/", "/Volumes/x/y", "x", "C:/x/y"])
def test_without_volumes_places_are_shown_as_the_script_wrote_them(tmp_path: Path, shot: Path, path: str) -> None:
    found = rehearse(script=accepting(tmp_path, path), entries=scan([shot]))
    assert found.publish is not None
    assert (found.publish.files[0].path, found.places_checked) == (path, False)
    assert "(any)" not in str(found)


@pytest.mark.parametrize(
    ("path", "way_out"),
    [
        ("volume=projects/x", "there is no volume 'projects': known here: other; give --volume projects=PATH"),
        ("/mnt/x", "'/mnt/x' lies in no volume: known here: other; give --volume CODE=PATH"),
    ],
)
def test_a_volume_that_is_not_known_can_be_given(tmp_path: Path, shot: Path, path: str, way_out: str) -> None:
    found = rehearse(script=accepting(tmp_path, path), entries=scan([shot]), volumes=[("other", "/mnt/other")])
    assert found.faults == (f"shot_v001: {way_out}",)


def test_keys_that_were_meant_otherwise_are_noted(tmp_path: Path, shot: Path) -> None:
    text = accepting(tmp_path, "x")
    Path(text).write_text(
        Path(text).read_text().replace('"comment"', '"comments"').replace("can_publish", "can_pubish")
    )
    found = rehearse(script=text, entries=scan([shot]), volumes=[("other", "/mnt/other")])
    assert found.ok
    assert "unknown key 'comments' beside `files`: ignored; was 'comment' meant?; known are comment," in found.notes[0]
    assert "was 'can_publish' meant?" in found.notes[1]
    assert len(found.notes) == 2


def failed(tmp_path: Path, shot: Path, text: str, **changes: Any) -> Rehearsal:
    found = rehearse(script=script(tmp_path, text), entries=scan([shot]), **changes)
    assert not found.ok
    assert found.publish is None
    return found


def test_a_script_that_crashes_shows_why(tmp_path: Path, shot: Path) -> None:
    found = failed(tmp_path, shot, "raise SystemExit('no database')")
    assert (found.state, found.exit_code) == ("failed", 1)
    assert found.error == "the hook exited with code 1: no database"
    assert found.stderr == "no database\n"


def test_an_answer_that_cannot_be_used_shows_its_faults(tmp_path: Path, shot: Path) -> None:
    found = failed(tmp_path, shot, "import sys; open(sys.argv[2], 'w').write('{\"files\": [{}]}')")
    assert found.error == "the hook's answer cannot be used"
    assert found.faults == ("entry 1 of the answer's `files` has no id: write the id that the input has",)


def test_a_script_that_hangs_is_ended(tmp_path: Path, shot: Path) -> None:
    assert failed(tmp_path, shot, "import time; time.sleep(60)", seconds=0.2).state == "timed_out"


def test_a_publish_script_is_given_the_real_files_and_the_answers(tmp_path: Path, shot: Path) -> None:
    text = "import json, sys; print(open(json.load(open(sys.argv[1]))['files'][0]['hashes']).read())"
    found = rehearse(
        script=script(tmp_path, text, "publish.py"),
        entries=scan([shot]),
        volumes=[("here", str(tmp_path))],
        answers={"comment": "hi", "time_report": "1:30", "status": "rev", "task": "comp", "metadata": "a=b"},
    )
    assert (found.ok, found.hook, found.notes) == (True, "publish-server", (REAL_FILES,))
    (entry,) = json.loads(found.input)["files"]
    assert entry["path"] == str(shot)
    assert entry["v_hr"] == "here"
    answers = {"comment": "hi", "time_report": 5400, "status": "rev", "task": "comp", "metadata": {"a": "b"}}
    assert {key: entry[key] for key in answers} == answers
    lines = [json.loads(line) for line in found.stdout.split()]
    assert [(line["path"], line["size"]) for line in lines] == [("a.exr", 3), ("sub/empty", 0)]
    assert lines[0]["blake3"] == "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"


def test_names_that_no_server_takes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a:b").touch()
    with pytest.raises(ManifestRefused, match="a:b holds :"):
        rehearse(script=accepting(tmp_path, "x"), entries=scan([tmp_path / "a:b"]))


def test_a_script_becomes_the_line_that_a_server_would_run(tmp_path: Path) -> None:
    python = script(tmp_path, "", "with blank.py")
    assert command_line(python) == f"{sys.executable} '{python}' ${{PATH_JSON_INPUT}} ${{PATH_JSON_OUTPUT}}"
    Path(python).chmod(0o755)
    assert command_line(python) == f"'{python}' ${{PATH_JSON_INPUT}} ${{PATH_JSON_OUTPUT}}"
    assert command_line("x ${PATH_JSON_INPUT}") == "x ${PATH_JSON_INPUT}"
    with pytest.raises(ValueError, match=r"neither executable nor a \.py file"):
        command_line(script(tmp_path, "", "x.sh"))
    with pytest.raises(ValueError, match="is no file, and no command line"):
        command_line("nowhere.py")


@pytest.mark.parametrize(
    ("given", "hook"),
    [
        ("/x/publish.py", HookName.PUBLISH),
        ("python3 /publish/ingest_shots.py ${PATH_JSON_INPUT}", HookName.PUBLISH),
        ("pre_publish.py", HookName.PRE_PUBLISH),
        ("/publish/check.py", HookName.PRE_PUBLISH),
        ("prepare_publish.py", HookName.PUBLISH),
        ("pre-publish-v2.py", HookName.PRE_PUBLISH),
        ("prepublish.sh", HookName.PRE_PUBLISH),
        ("/x/pre_submit.py", HookName.PRE_SUBMIT),
        ("post-done.sh", HookName.POST_DONE),
        ("post_failed_slack.py", HookName.POST_FAILED),
    ],
)
def test_which_hook_a_script_is_can_be_guessed(given: str, hook: HookName) -> None:
    assert guess_hook(given) is hook


@pytest.mark.parametrize(
    ("given", "certain"),
    [
        ("publish.py", True),
        ("preview_ingest.py", True),
        ("pre_publish.py", True),
        ("check.py", False),
        ("check_publish.py", False),
        ("prepare_publish.py", False),
        ("pre_publish_and_ingest.py", False),
        ("republished.py", False),
    ],
)
def test_a_guess_says_whether_the_name_leaves_doubts(given: str, certain: bool) -> None:
    assert guess(given)[1] is certain


@pytest.mark.parametrize(
    ("text", "ok", "refused", "error"),
    [
        ("", True, None, ""),
        ("answer(warning='Only a hint.')", True, None, ""),
        ("answer(rejected=True, warning='Closed.')", True, "Closed.", ""),
        ("answer(warning='Closed.'); sys.exit(2)", True, "Closed.", "the hook exited with code 2, and said"),
        ("sys.exit('no tracker')", False, "", "the hook exited with code 1: no tracker"),
        ("answer(rejected=7)", False, None, "the hook's answer cannot be used"),
        ("os.kill(os.getpid(), 9)", False, None, "the hook was ended by signal 9"),
    ],
)
def test_a_pre_submit_script_is_judged_as_the_server_would(
    tmp_path: Path, shot: Path, text: str, ok: bool, refused: str | None, error: str
) -> None:
    start = "import json, os, sys\ndef answer(**keys): json.dump(keys, open(sys.argv[2], 'w'))\n"
    found = rehearse(script=script(tmp_path, start + text, "pre_submit.py"), entries=scan([shot]))
    assert (found.hook, found.ok, found.refused) == ("pre-submit-server", ok, refused)
    assert found.error.startswith(error)
    data = json.loads(found.input)
    jsonschema.validate(data, schema("pre-submit-server.input"))
    assert (data["status"], data["files"][0]["hashes"], data["tasks"][0]["status"]) == ("init", "", "pending")


@pytest.mark.parametrize(
    ("name", "status"), [("post_submit.py", "waiting"), ("post_failed.py", "failed"), ("post_done.py", "done")]
)
def test_a_post_script_reads_what_it_will_read_on_the_server(
    tmp_path: Path, shot: Path, name: str, status: str
) -> None:
    found = rehearse(script=script(tmp_path, "print('told')", name), entries=scan([shot]))
    assert (found.ok, found.stdout, found.notes) == (True, "told\n", (REAL_FILES,))
    data = json.loads(found.input)
    jsonschema.validate(data, schema(f"{found.hook}.input"))
    assert data["status"] == status
    assert bool(data["files"][0]["hashes"]) is (status != "waiting")


def test_only_hooks_that_are_run_can_be_tried(tmp_path: Path, shot: Path) -> None:
    with pytest.raises(ValueError, match="post-done-client cannot be tested"):
        rehearse(script=accepting(tmp_path, "x"), entries=scan([shot]), hook=HookName.POST_DONE_CLIENT)
