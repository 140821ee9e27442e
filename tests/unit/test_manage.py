"""What the studio manages, on a real database and real folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.lifecycle.manage import DAY, Management, _alias, address_of
from stagedoor.model.entities import Queue, Role, User
from stagedoor.model.errors import BadRequest, Conflict, NotFound, StagedoorError
from stagedoor.records import Records

NOW = 1_700_000_000_000
PRE = "python3 /p/check.py ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}"


def safe(root: str) -> dict[str, Any]:
    return {"safe": True, "reason": "", "longest_name": 255}


@pytest.fixture
def manage(records: Records) -> Management:
    management = Management(records.house, records.keys, lambda: NOW)
    management.init("acme", "boss@acme.example")
    return management


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "projects").mkdir()
    return tmp_path / "projects"


# --- workspace


def test_init_makes_workspace_admin_and_a_key_that_opens(records: Records) -> None:
    workspace, user, secret = Management(records.house, records.keys, lambda: NOW).init("acme", "boss@acme.example")
    assert workspace.code == "acme"
    assert (user.role, user.code) == (Role.ADMIN, "boss@acme.example")
    assert records.keys.check("boss@acme.example", secret, NOW) == user


def test_a_second_init_is_refused(manage: Management) -> None:
    with pytest.raises(Conflict):
        manage.init("other", "x@acme.example")


@pytest.mark.parametrize(("workspace", "admin"), [("", "a@b.c"), ("a b", "a@b.c"), ("acme", "nobody"), ("..", "a@b.c")])
def test_init_with_bad_input_leaves_nothing_behind(records: Records, workspace: str, admin: str) -> None:
    with pytest.raises(BadRequest):
        Management(records.house, records.keys, lambda: NOW).init(workspace, admin)
    with pytest.raises(NotFound):
        records.house.workspace()
    assert records.house.users() == []


# --- users and keys


@pytest.mark.parametrize(
    "address", ["a@b.c", "JÖNS@x.se", "first.last+tag@sub.xn--dmin-moa0i.example", "anna@studio", "o_o@a-b.example"]
)
def test_addresses_that_are_taken(manage: Management, address: str) -> None:
    user, secret = manage.add_user(f" {address} ")
    assert (user.code, user.role) == (address, Role.STANDARD)
    assert secret.startswith("sd_")


@pytest.mark.parametrize(
    "address",
    ["", "anna", "@x.se", "anna@", "a b@x.se", "a@b@c", "a@.se", "a@x..se", "a@x.se.", "a@x_y", "a/b@x.se", "<a@x.se>"],
)
def test_what_is_no_address_is_refused(manage: Management, address: str) -> None:
    with pytest.raises(BadRequest):
        manage.add_user(address)
    assert len(manage.users()) == 1


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_refused_in_printable_words(text: str) -> None:
    message = ""
    try:
        assert address_of(text).count("@") == 1
    except BadRequest as refusal:
        message = refusal.message
    assert message.isprintable()


def test_a_user_that_exists_is_a_conflict_that_names_them(manage: Management) -> None:
    manage.add_user("Anna@x.se")
    with pytest.raises(Conflict) as refusal:
        manage.add_user("anna@X.SE")
    assert "Anna@x.se" in refusal.value.message


@pytest.mark.parametrize("address", ["a\x1b@x.se", "a:b@x.se", "a=b@x.se", "a\u202eb@x.se", "a@" + "x" * 300])
def test_addresses_that_could_mislead_are_refused(manage: Management, address: str) -> None:
    with pytest.raises(BadRequest):
        manage.add_user(address)


def test_an_unknown_role_is_refused(manage: Management) -> None:
    with pytest.raises(BadRequest, match="admin, employee and standard"):
        manage.add_user("a@x.se", "owner")


def test_a_user_is_named_by_address_or_id(manage: Management) -> None:
    user, _ = manage.add_user("JÖNS@x.se", "employee", "Jöns")
    assert manage.user("jöns@x.se") == manage.user(user.id) == user
    with pytest.raises(NotFound):
        manage.user("nobody@x.se")


def test_a_user_changes_by_what_is_given(manage: Management) -> None:
    manage.add_user("a@x.se", name="A")
    assert manage.update_user("a@x.se", role="employee").role is Role.EMPLOYEE
    changed = manage.update_user("a@x.se", name="B")
    assert (changed.name, changed.role) == ("B", Role.EMPLOYEE)
    for wrong in ({"status": "gone"}, {"role": "x"}, {"name": "a\nb"}):
        with pytest.raises(BadRequest):
            manage.update_user("a@x.se", **wrong)  # type: ignore[arg-type]


def test_a_disabled_user_is_out_until_enabled(manage: Management, records: Records) -> None:
    _, secret = manage.add_user("a@x.se")
    assert manage.update_user("a@x.se", status="disabled").enabled is False
    assert records.keys.check("a@x.se", secret, NOW) is None
    assert manage.update_user("a@x.se", status="enabled").enabled is True
    assert isinstance(records.keys.check("a@x.se", secret, NOW), User)


def test_the_last_administrator_cannot_be_disabled(manage: Management) -> None:
    with pytest.raises(Conflict):
        manage.update_user("boss@acme.example", status="disabled")


def test_keys_are_added_listed_and_revoked(manage: Management, records: Records) -> None:
    manage.add_user("a@x.se")
    key, secret = manage.add_key("a@x.se", label="farm", days=2)
    assert (key.label, key.expires) == ("farm", NOW + 2 * DAY)
    assert [item.label for item in manage.keys("a@x.se")] == ["first", "farm"]
    manage.revoke_key("a@x.se", key.id)
    assert records.keys.check("a@x.se", secret, NOW) is None
    with pytest.raises(NotFound):
        manage.revoke_key("boss@acme.example", key.id)
    for days in (0, -1, 10**9):
        with pytest.raises(BadRequest):
            manage.add_key("a@x.se", days=days)


# --- volumes


def test_a_volume_is_added_as_probed(manage: Management, root: Path) -> None:
    volume = manage.add_volume("projects", f"{root}/../projects/", aliases=["/Volumes/projects/", "P:\\"], probe=safe)
    assert (volume.root, volume.aliases) == (str(root), ("/Volumes/projects", "P:"))
    assert volume.capabilities == safe("")
    assert volume.default
    assert manage.volumes() == [volume]
    assert manage.volume("PROJECTS") == manage.volume(volume.id) == volume


def test_home_and_relative_paths_become_absolute(
    manage: Management, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(root.parent))
    assert manage.add_volume("one", "~/projects", probe=safe).root == str(root)
    (root / "sub").mkdir()
    monkeypatch.chdir(root)
    assert manage.add_volume("two", "sub", probe=safe).root == str(root / "sub")


def test_paths_that_cannot_be_a_volume_are_refused(manage: Management, root: Path) -> None:
    (root / "file").touch()
    (root / "link").symlink_to("/")
    for path in (
        "",
        "/",
        "//",
        "/..",
        f"{root}/missing",
        f"{root}/file",
        f"{root}/link",
        f"{root}\x1b",
        "~nobody-x",
        "x" * 5000,
    ):
        with pytest.raises(BadRequest):
            manage.add_volume("projects", path, probe=safe)
    assert manage.volumes() == []


@pytest.mark.parametrize("code", ["", "a b", "a/b", "ä", "a=b", "a:b", "(default)", "..", "x" * 101])
def test_codes_that_notation_could_not_name_are_refused(manage: Management, root: Path, code: str) -> None:
    with pytest.raises(BadRequest):
        manage.add_volume(code, str(root), probe=safe)


@pytest.mark.parametrize("alias", ["", "/", "rel", "P:", "P:x", "/a/../b", "/a//b", "/a\x1b", "\\\\host\\x", "~/x"])
def test_aliases_that_are_no_absolute_prefix_are_refused(manage: Management, root: Path, alias: str) -> None:
    with pytest.raises(BadRequest):
        manage.add_volume("projects", str(root), aliases=[alias], probe=safe)


@given(st.text(alphabet="/\\.:aP ~", max_size=12))
def test_any_text_is_an_alias_or_refused(text: str) -> None:
    try:
        alias = _alias(text)
    except BadRequest:
        return
    assert alias[0] == "/" or alias[1] == ":"
    assert ".." not in alias.replace("\\", "/").split("/")


def test_a_disk_that_cannot_place_safely_is_refused_with_the_reason(manage: Management, root: Path) -> None:
    with pytest.raises(BadRequest, match="knows no links") as refusal:
        manage.add_volume("projects", str(root), probe=lambda root: {"safe": False, "reason": "knows no links"})
    assert refusal.value.error_code == "volume_unsafe"
    with pytest.raises(BadRequest):
        manage.add_volume("projects", str(root), probe=lambda root: {})


def test_roots_and_aliases_of_another_volume_are_a_conflict(manage: Management, root: Path) -> None:
    other = root.parent / "other"
    other.mkdir()
    (root.parent / "link").symlink_to(root)
    manage.add_volume("projects", str(root), aliases=["/Volumes/p", "P:\\p"], probe=safe)
    for path, alias in (
        (root, "/new"),
        (root.parent / "link", "/new"),
        (other, "/Volumes/p/"),
        (other, "P:/p"),
        (other, str(root)),
    ):
        with pytest.raises(Conflict):
            manage.add_volume("second", str(path), aliases=[alias], probe=safe)
    manage.add_volume("second", str(other), aliases=["/Volumes/pp", "/Volumes/p/deeper"], probe=safe)
    with pytest.raises(Conflict):
        manage.update_volume("second", aliases=["/Volumes/p"])


def test_a_volume_code_that_exists_is_a_conflict(manage: Management, root: Path, tmp_path: Path) -> None:
    manage.add_volume("projects", str(root), probe=safe)
    with pytest.raises(Conflict):
        manage.add_volume("Projects", str(tmp_path), probe=safe)


def test_a_volume_changes_and_goes(manage: Management, root: Path) -> None:
    manage.add_volume("projects", str(root), probe=safe)
    assert manage.update_volume("projects", aliases=["/x"]).aliases == ("/x",)
    assert manage.update_volume("projects", aliases=["/x", "/y"]).aliases == ("/x", "/y")
    assert manage.update_volume("projects", status="disabled").enabled is False
    assert manage.update_volume("projects", capabilities={"safe": True}).capabilities == {"safe": True}
    with pytest.raises(Conflict):
        manage.update_volume("projects", default=False)
    manage.remove_volume("projects")
    assert root.exists()
    with pytest.raises(NotFound):
        manage.remove_volume("projects")


# --- hooks


@pytest.mark.parametrize("spelling", ["publish-server", "hook-job-publish-server", "JOB-publish-server"])
def test_a_hook_is_set_by_any_spelling(manage: Management, spelling: str) -> None:
    hook, _ = manage.set_hook(spelling, "python3 /p.py ${PATH_JSON_INPUT}", environment={"A": "1"})
    assert (str(hook.name), hook.environment, hook.modified) == ("publish-server", {"A": "1"}, NOW)
    assert manage.hooks() == [hook]
    manage.unset_hook(spelling)
    assert manage.hooks() == []
    with pytest.raises(NotFound):
        manage.unset_hook(spelling)


@pytest.mark.parametrize("name", ["post-done-client", "pre-submit-client", "post-failed-client"])
def test_a_hook_that_is_known_but_not_run_is_refused_so(manage: Management, name: str) -> None:
    with pytest.raises(BadRequest, match="not run by this version"):
        manage.set_hook(name, PRE)


def test_an_unknown_hook_is_refused(manage: Management) -> None:
    with pytest.raises(BadRequest, match="There is no hook"):
        manage.set_hook("publish-\x1bserver", PRE)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("python3 'x ${PATH_JSON_INPUT}", "split"),
        ("no-such-program ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}", "not a program"),
        ("/no/such/program ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}", "not a program"),
        ("./check.py ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}", "whole path"),
        ("python3 x.py", "needs \\$\\{PATH_JSON_INPUT\\}"),
        ("python3 x.py ${PATH_JSON_INPUT}", "needs \\$\\{PATH_JSON_OUTPUT\\}"),
        ("python3 x.py ${PATH_JSON_OUTPUT}", "needs \\$\\{PATH_JSON_INPUT\\}"),
    ],
)
def test_a_line_that_cannot_run_is_refused_with_the_reason(manage: Management, command: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        manage.set_hook("pre-publish-server", command)
    assert manage.hooks() == []


def test_a_publish_hook_needs_no_output(manage: Management) -> None:
    manage.set_hook("publish-server", "python3 -c pass ${PATH_JSON_INPUT}")


def test_a_placeholder_within_a_word_counts(manage: Management) -> None:
    line = "bash -c 'source venv/bin/activate && python x.py ${PATH_JSON_INPUT} >${PATH_JSON_OUTPUT}'"
    assert manage.set_hook("pre-publish-server", line)[1] == []


def test_a_script_that_is_not_there_is_a_warning_only(manage: Management, tmp_path: Path) -> None:
    script = tmp_path / "check.py"
    line = f"{sys.executable} -u {script} --log=/x/y ${{PATH_JSON_INPUT}} ${{PATH_JSON_OUTPUT}}"
    _, warnings = manage.set_hook("pre-publish-server", line)
    assert warnings == [f"{script} does not exist on this machine."]
    script.touch()
    assert manage.set_hook("pre-publish-server", line)[1] == []


def test_a_relative_script_is_a_warning(manage: Management, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may exist where the administrator stands, but the server runs it elsewhere."""
    monkeypatch.chdir(root)
    (root / "check.py").touch()
    _, warnings = manage.set_hook("publish-server", "python3 check.py ${PATH_JSON_INPUT}")
    assert len(warnings) == 1
    assert "whole path" in warnings[0]


def test_a_bad_variable_name_is_refused(manage: Management) -> None:
    with pytest.raises(BadRequest):
        manage.set_hook("publish-server", "python3 ${PATH_JSON_INPUT}", environment={"A B": "1"})


def test_a_hook_of_a_queue_stands_beside_that_of_the_workspace(manage: Management, records: Records) -> None:
    line = "python3 -c pass ${PATH_JSON_INPUT}"
    records.queues.add_queue(Queue(id="", code="quick", priority=7))
    everywhere, _ = manage.set_hook("publish", line)
    quick, _ = manage.set_hook("publish", line, queue="QUICK")
    assert manage.hooks() == [everywhere, quick]
    assert manage.switch_hook("publish-server", enabled=False, queue="quick").enabled is False
    assert [hook.enabled for hook in manage.hooks()] == [True, False]
    manage.unset_hook("publish", "quick")
    with pytest.raises(NotFound, match="not set for the queue quick"):
        manage.switch_hook("publish", enabled=True, queue="quick")
    assert manage.hooks() == [everywhere]


def test_what_is_offered_is_in_no_queue_yet(manage: Management) -> None:
    with pytest.raises(BadRequest, match="what is offered is in none yet"):
        manage.set_hook("pre-publish", PRE, queue="quick")
    with pytest.raises(NotFound, match="no queue"):
        manage.set_hook("publish", "python3 ${PATH_JSON_INPUT}", queue="a b")


def test_a_hook_runs_as_a_user_that_there_is(manage: Management, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "python3 -c pass ${PATH_JSON_INPUT}"
    with pytest.raises(BadRequest, match="no system user 'nobody-there'"):
        manage.set_hook("publish", line, run_as="nobody-there")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(BadRequest, match="Only a server that runs as root"):
        manage.set_hook("publish", line, run_as="daemon")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert manage.set_hook("publish", line, run_as="daemon")[0].run_as == "daemon"


def test_no_message_holds_a_control_character(manage: Management, root: Path) -> None:
    hostile = "\x1b[2Jx"
    calls = [
        lambda: manage.add_user(hostile),
        lambda: manage.user(hostile),
        lambda: manage.volume(hostile),
        lambda: manage.add_user("a@x.se", hostile),
        lambda: manage.add_volume(hostile, str(root), probe=safe),
        lambda: manage.add_volume("x", str(root), aliases=[hostile], probe=safe),
        lambda: manage.add_volume("x", os.fspath(root / hostile), probe=safe),
        lambda: manage.set_hook(hostile, PRE),
        lambda: manage.set_hook("publish-server", hostile),
    ]
    for call in calls:
        with pytest.raises(StagedoorError) as refusal:
            call()
        assert refusal.value.message.isprintable()
