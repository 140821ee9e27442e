"""The studio's commands on a real home, and hooks tried out without one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stagedoor.cli import cli
from stagedoor.cli.volume import can


def stagedoor(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def told(*words: str) -> Any:
    result = stagedoor(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("studio") / "home")
        patch.setenv("STAGEDOOR_HOME", folder)
        made = told("init", "--admin", "boss@studio.com", "--workspace", "acme")
        assert [made["workspace"], made["user"], len(made["id"])] == ["acme", "boss@studio.com", 24]
        yield folder


def test_a_home_is_made_once(home: str) -> None:
    result = stagedoor("init", "--admin", "boss@studio.com")
    assert (result.exit_code, "is a home already" in result.stderr) == (2, True)


def test_a_new_user_gets_a_key_that_is_shown_once(home: str) -> None:
    result = stagedoor("user", "add", "anna@vendor.com")
    assert (result.stdout.split()[1], "The key is shown this once" in result.stdout) == ("anna@vendor.com", True)
    assert result.stdout.split()[4] not in stagedoor("user", "key", "list", "anna@vendor.com", "--json").stdout


def test_a_key_is_revoked_by_its_id(home: str) -> None:
    made = told("user", "key", "add", "boss@studio.com", "--label", "farm", "--days", "3")
    stagedoor("user", "key", "revoke", "boss@studio.com", made["key"])
    keys = {key["id"]: key for key in told("user", "key", "list", "boss@studio.com")["keys"]}
    assert (keys[made["key"]]["label"], keys[made["key"]]["revoked"] is not None) == ("farm", True)


def test_a_key_that_there_is_not_is_answered_with_a_way_out(home: str) -> None:
    result = stagedoor("user", "key", "revoke", "boss@studio.com", "nope")
    assert (result.exit_code, "`stagedoor user key list` shows" in result.stderr) == (2, True)


def test_a_queue_is_shown_and_found_with_what_is_kept_on_it(home: str) -> None:
    stagedoor("queue", "set", "low", "--metadata", "farm=night", "--external", "when=later")
    shown = stagedoor("queue", "show", "low").stdout
    assert "priority 1, open" in shown
    assert "farm = night" in shown
    assert "when = later  (external)" in shown
    assert [queue["code"] for queue in told("queue", "list", "--where", "code = low or code = high")["queues"]] == [
        "high",
        "low",
    ]
    assert stagedoor("queue", "list", "--where", "colour = red").exit_code == 2


def test_what_was_changed_is_told_as_people_write_it(home: str, tmp_path: Path) -> None:
    stagedoor("volume", "add", "modes", str(tmp_path))
    stagedoor("volume", "set", "modes", "--file-mode", "664")
    line = stagedoor("log", "--entity", "volume:modes", "--limit", "1").stdout
    assert "file_mode: 664" in line
    stagedoor("volume", "remove", "modes")


def test_a_number_below_nothing_is_refused_as_a_value(home: str) -> None:
    result = stagedoor("settings", "set", "publish_seconds", "-1")
    assert (result.exit_code, "at least 1" in result.stderr) == (2, True)


def test_the_last_administrator_cannot_be_kept_out(home: str) -> None:
    result = stagedoor("user", "disable", "boss@studio.com")
    assert (result.exit_code, told("user", "list")["users"][0]["status"]) == (2, "enabled")


def test_a_volume_shows_what_its_file_system_can_do(home: str, tmp_path: Path) -> None:
    added = told("volume", "add", "projects", str(tmp_path), "--default", "--alias", "/Volumes/projects")
    listed = told("volume", "list")["volumes"]
    assert (
        [volume["code"] for volume in listed],
        added["capabilities"]["safe"],
        added["aliases"],
    ) == (["projects"], True, ["/Volumes/projects"])
    assert "projects *" in stagedoor("volume", "list").stdout


def test_a_volume_is_corrected_and_forgotten(home: str, tmp_path: Path) -> None:
    told("volume", "add", "spare", str(tmp_path), "--alias", "/Volumes/wrong")
    assert "also known as P:\\spare" in stagedoor("volume", "set", "spare", "--alias", "P:\\spare").stdout
    before, off, on = (
        told("volume", "set", "spare", "--no-alias"),
        told("volume", "disable", "spare"),
        told("volume", "enable", "spare"),
    )
    assert [before["aliases"], off["status"], on["status"]] == [[], "disabled", "enabled"]
    assert told("volume", "remove", "spare") == {"removed": "spare"}
    assert "spare" not in stagedoor("volume", "list").stdout
    assert tmp_path.is_dir()


@pytest.mark.parametrize("words", [["volume", "set", "x"], ["volume", "set", "x", "--alias", "/a", "--no-alias"]])
def test_a_volume_is_not_changed_by_nothing_or_by_a_contradiction(home: str, words: list[str]) -> None:
    assert stagedoor(*words).exit_code == 2


def test_a_user_is_corrected_and_what_is_not_given_stays(home: str) -> None:
    told("user", "add", "ben@vendor.com", "--name", "Bne")
    told("user", "set", "ben@vendor.com", "--metadata", "site=north", "--metadata", "bay=3")
    changed = told("user", "set", "ben@vendor.com", "--name", "Ben", "--role", "employee", "--metadata", "bay=")
    assert [changed["name"], changed["role"], changed["metadata"]] == [
        "Ben",
        "employee",
        {"internal": {"site": "north"}, "external": {}},
    ]


def test_a_user_is_not_changed_by_nothing(home: str) -> None:
    assert stagedoor("user", "set", "boss@studio.com").exit_code == 2


def test_a_volume_is_shown_with_how_things_are_placed_on_it(home: str, tmp_path: Path) -> None:
    told("volume", "add", "modes", str(tmp_path))
    told("volume", "set", "modes", "--file-mode", "664", "--folder-mode", "2775", "--group", "root")
    words = ("file_mode", "folder_mode", "group", "unfinished_jobs", "code")
    assert [told("volume", "show", "modes")[word] for word in words] == ["664", "2775", "root", [], "modes"]
    told("volume", "set", "modes", "--file-mode", "inherit", "--group", "inherit")
    assert (
        "placed with: file_mode inherit, folder_mode 2775, group inherit" in stagedoor("volume", "show", "modes").stdout
    )
    told("volume", "remove", "modes")


@pytest.mark.parametrize(
    "words",
    [
        ("--file-mode", "777"),
        ("--file-mode", "44"),
        ("--file-mode", "0o664"),
        ("--folder-mode", "4775"),
        ("--folder-mode", "rwx"),
        ("--group", "no such group"),
    ],
)
def test_modes_that_would_lock_the_server_out_or_make_files_executable_are_refused(
    home: str, tmp_path: Path, words: tuple[str, str]
) -> None:
    told("volume", "add", "strict", str(tmp_path))
    try:
        assert stagedoor("volume", "set", "strict", *words).exit_code == 2
        assert told("volume", "show", "strict")["file_mode"] == "inherit"
    finally:
        told("volume", "remove", "strict")


def test_a_user_is_shown_with_their_keys_and_what_they_are_good_for(home: str) -> None:
    told("user", "add", "carl@vendor.com", "--name", "Carl")
    spare = told("user", "key", "add", "carl@vendor.com", "--label", "farm", "--days", "3")["key"]
    told("user", "key", "revoke", "carl@vendor.com", told("user", "show", "carl@vendor.com")["keys"][0]["id"])
    shown = told("user", "show", "carl@vendor.com")
    assert [shown["name"], shown["unfinished_jobs"], shown["keys"][1]["id"]] == ["Carl", 0, spare]
    said = stagedoor("user", "show", "carl@vendor.com").stdout
    assert [word in said for word in (" revoked 20", f"key {spare} until 20", "farm", "sd_")] == [True] * 3 + [False]


def test_a_list_of_volumes_says_only_what_they_lack() -> None:
    able = dict.fromkeys(("no_replace", "exchange", "hard_links", "folder_claim", "reflink", "case_sensitive"), True)
    healthy = {**able, "safe": True, "longest_name": 255, "unicode_normalising": False}
    assert [
        can(healthy),
        can({**healthy, "reflink": False, "longest_name": 143}),
        can({"safe": False, "reason": "it is gone"}),
        can({}),
    ] == ["all", "no instant copies, names up to 143 bytes only", "CANNOT BE USED: it is gone", "not known"]


def test_a_hook_is_set_by_any_spelling_and_doubts_are_told(home: str) -> None:
    line = f"{sys.executable} ingest.py ${{PATH_JSON_INPUT}}"
    result = stagedoor("hook", "set", "hook-job-publish-server", line)
    assert (result.exit_code, "ingest.py will be looked for in" in result.stderr) == (0, True)
    assert [{"name": "publish-server", "command": line}] == [
        {key: hook[key] for key in ("name", "command")} for hook in told("hook", "list")["hooks"]
    ]
    assert stagedoor("hook", "unset", "publish-server").exit_code == 0


def test_settings_are_set_and_go_back_to_their_default(home: str) -> None:
    assert [
        told("settings", "set", "open_offers", "123")["value"],
        told("settings", "unset", "open_offers")["value"],
    ] == [123, 20]


def test_no_hook_has_run_yet(home: str) -> None:
    assert stagedoor("hook", "log").stdout == "No hook has run yet.\n"
    assert (
        (result := stagedoor("hook", "log", "nope")).exit_code,
        "There is no hook run nope" in result.stderr,
    ) == (2, True)


def test_the_schema_of_a_hook_is_json() -> None:
    assert list(json.loads(stagedoor("hook", "schema", "pre-publish-server").stdout)) == ["input", "output"]


def test_without_the_server_parts_the_command_says_how_to_get_them(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["sqlalchemy"] = None
from stagedoor.cli import cli
cli(["init", "--home", sys.argv[1], "--admin", "a@b.c"])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "home")], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, "pip install 'stagedoor[server]'" in ran.stderr) == (2, True)


# --- hook test -----------------------------------------------------------------------------------------------------

REFUSES = """
import json, sys
data = json.load(open(sys.argv[1]))
for entry in data["files"]:
    entry.update(rejected=True, warning="Too late \\x1b[2J")
json.dump({"files": data["files"]}, open(sys.argv[2], "w"))
print("looked")
"""


def rehearse(tmp_path: Path, script: str, *words: str) -> Result:
    (tmp_path / "check.py").write_text(script)
    (tmp_path / "sh010.mov").write_bytes(b"x" * 1500)
    return stagedoor("hook", "test", str(tmp_path / "check.py"), str(tmp_path / "sh010.mov"), *words)


def test_a_script_that_refuses_properly_is_a_good_script(tmp_path: Path) -> None:
    result = rehearse(tmp_path, REFUSES)
    assert result.exit_code == 0
    for words in ("REFUSED      sh010.mov  (1.5 kB)", "why: Too late \\x1b[2J", "stdout (7 bytes)\n    looked"):
        assert words in result.stdout


def test_a_script_that_crashes_is_shown_with_what_it_said(tmp_path: Path) -> None:
    result = rehearse(tmp_path, "import sys; sys.exit('no database')")
    assert (result.exit_code, "    no database" in result.stdout) == (7, True)


def test_a_rehearsal_is_one_json_object(tmp_path: Path) -> None:
    result = rehearse(tmp_path, REFUSES, "--json")
    assert [(found := json.loads(result.stdout))["ok"], found["publish"]["files"][0]["rejected"]] == [True, True]


def test_a_publish_hook_is_given_the_answers(tmp_path: Path) -> None:
    script = "import json, sys; print(json.load(open(sys.argv[1]))['files'][0]['time_report'])"
    result = rehearse(tmp_path, script, "--hook", "publish-server", "--time-report", "1:30")
    assert (result.exit_code, "    5400" in result.stdout) == (0, True)
