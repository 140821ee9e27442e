"""`stagedoor doctor`: what is wrong with a server is named, with what to do; what is well is said to be."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner

from post_office import Mailbox
from rest import basic
from stagedoor.cli import cli
from studio import Studio, running, until


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """With a hook, a volume and a running server."""
    with running(tmp_path_factory.mktemp("doctor")) as made:
        yield made


def examined(studio: Studio, *words: str) -> tuple[int, list[dict[str, str]]]:
    result = CliRunner().invoke(cli, ["doctor", "--home", str(studio.home), "--json", *words])
    answer = json.loads(result.stdout)
    grades = [one["grade"] for one in answer["diagnoses"]]
    assert answer["grade"] == next(grade for grade in ("fault", "warning", "ok") if grade in grades)
    return result.exit_code, answer["diagnoses"]


def bad(studio: Studio, *words: str) -> list[tuple[str, str, str]]:
    """What is not well; each says what to do."""
    code, found = examined(studio, *words)
    assert code == (8 if any(one["grade"] == "fault" for one in found) else 0)
    assert all(one["sentence"] and (one["grade"] == "ok" or one["advice"]) for one in found)
    return [(one["grade"], one["area"], one["about"]) for one in found if one["grade"] != "ok"]


def execute(studio: Studio, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(studio.home / "stagedoor.db", timeout=20)) as database, database:
        database.execute(statement, values)


@contextmanager
def changed(studio: Studio, statement: str, value: object, back: object) -> Iterator[None]:
    execute(studio, statement, value)
    try:
        yield
    finally:
        execute(studio, statement, back)


def test_a_healthy_server_that_runs_is_called_healthy(studio: Studio) -> None:
    code, found = examined(studio)
    assert (code, bad(studio)) == (0, [])
    areas = {one["area"] for one in found}
    assert areas == {"home", "limits", "database", "engine", "jobs", "volumes", "hooks", "mail", "door", "clock", "tls"}
    door = next(one for one in found if one["area"] == "door")
    assert f"process {studio.process.pid}" in door["sentence"]  # type: ignore[union-attr]
    assert studio.url in door["sentence"]


def test_looking_leaves_nothing_behind(studio: Studio) -> None:
    examined(studio)
    assert not list((studio.volume / ".stagedoor").glob("probe-*"))


def test_on_a_screen_a_fault_has_its_advice_below_it(studio: Studio) -> None:
    script = studio.folder / "pre-publish-server.py"
    script.rename(script.with_suffix(".away"))
    try:
        result = CliRunner().invoke(cli, ["doctor", "--home", str(studio.home)])
    finally:
        script.with_suffix(".away").rename(script)
    lines = result.stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("FAULT"))
    assert (result.exit_code, f"{script} is not there" in lines[at], lines[at + 1].split()[0]) == (8, True, "->")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("/nowhere/python check.py", "the program /nowhere/python is not there"),
        ("'unclosed", "cannot be split"),
        ("/bin/sh -c 'python3 /nowhere/check.py'", "/nowhere/check.py is not there"),
        ("{odd}", "the interpreter /nowhere/interpreter"),
        ("{text}", "is not executable"),
    ],
)
def test_a_hook_that_could_not_run_is_a_fault(studio: Studio, line: str, reason: str) -> None:
    odd, text = studio.folder / "odd", studio.folder / "text"
    odd.write_text("#!/nowhere/interpreter\n")
    odd.chmod(0o755)
    text.write_text("x")
    with closing(sqlite3.connect(studio.home / "stagedoor.db")) as database:
        before = database.execute("SELECT command FROM hooks").fetchone()[0]
    with changed(studio, "UPDATE hooks SET command = ?", line.format(odd=odd, text=text), before):
        assert bad(studio) == [("fault", "hooks", "pre-publish-server")]
        sentence = next(one["sentence"] for one in examined(studio)[1] if one["grade"] == "fault")
    assert reason in sentence


def test_a_volume_that_is_not_there_or_no_folder_is_a_fault(studio: Studio) -> None:
    with changed(studio, "UPDATE volumes SET root = ?", "/nowhere", str(studio.volume)):
        assert bad(studio) == [("fault", "volumes", "projects")]
    with changed(studio, "UPDATE volumes SET root = ?", "/proc/self", str(studio.volume)):
        assert bad(studio)[0] == ("fault", "volumes", "projects")


def test_a_full_volume_is_a_fault_and_a_disabled_one_is_not_looked_at(studio: Studio) -> None:
    with changed(studio, "UPDATE workspaces SET settings = ?", '{"reserved_space": 100}', "{}"):
        assert bad(studio) == [("fault", "volumes", "projects")]
    with changed(studio, "UPDATE volumes SET enabled = ?", False, True):
        assert bad(studio) == [("fault", "volumes", "")]


@pytest.mark.parametrize(
    ("spoil", "mend", "expected"),
    [
        (
            lambda home: home.chmod(0o755),
            lambda home: home.chmod(0o700),
            ("warning", "home", "rights"),
        ),
        (
            lambda home: (home / "stagedoor.toml").chmod(0o644),
            lambda home: (home / "stagedoor.toml").chmod(0o600),
            ("warning", "home", "rights"),
        ),
        (
            lambda home: (home / "stagedoor.toml").write_text("database = "),
            lambda home: (home / "stagedoor.toml").write_text(""),
            ("fault", "home", "configuration"),
        ),
        (
            lambda home: (home / "stagedoor.toml").write_text("[log]\nformat = 3"),
            lambda home: (home / "stagedoor.toml").write_text(""),
            ("fault", "home", "configuration"),
        ),
        (
            lambda home: (home / "stagedoor.toml").write_text("database = 'sqlite:////nowhere/x.db'"),
            lambda home: (home / "stagedoor.toml").write_text(""),
            ("fault", "database", "tables"),
        ),
        (
            lambda home: (home / "stagedoor.toml").write_text("database = 'postgresql://x@localhost:1/x'"),
            lambda home: (home / "stagedoor.toml").write_text(""),
            ("fault", "database", ""),
        ),
    ],
)
def test_a_home_that_is_not_well_is_named(
    studio: Studio, spoil: Callable[[Path], None], mend: Callable[[Path], None], expected: tuple[str, str, str]
) -> None:
    spoil(studio.home)
    try:
        assert expected in bad(studio)
    finally:
        mend(studio.home)
        (studio.home / "stagedoor.toml").chmod(0o600)


def test_a_home_that_hooks_of_other_users_pass_through_is_well_where_nothing_in_it_can_be_read(studio: Studio) -> None:
    studio.home.chmod(0o711)
    (studio.home / "note").write_text("x")
    (studio.home / "note").chmod(0o644)
    try:
        assert bad(studio) == [("warning", "home", "rights")]
        for beside in studio.home.iterdir():
            beside.chmod(beside.stat().st_mode & ~0o066)
        assert bad(studio) == []
    finally:
        studio.home.chmod(0o700)
        (studio.home / "note").unlink()


def test_the_hook_of_a_queue_is_named_with_its_queue(studio: Studio) -> None:
    studio.command(
        "hook", "set", "post-done-server", "/bin/sh -c 'python3 /nowhere/told.py' ${PATH_JSON_INPUT}", "--queue", "low"
    )
    try:
        assert ("fault", "hooks", "post-done-server of queue low") in bad(studio)
    finally:
        studio.command("hook", "unset", "post-done-server", "--queue", "low")


def test_tables_of_a_newer_version_are_a_fault(studio: Studio) -> None:
    with closing(sqlite3.connect(studio.home / "stagedoor.db")) as database:
        (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    with changed(studio, "UPDATE alembic_version SET version_num = ?", "9999", version):
        assert bad(studio) == [("fault", "database", "tables")]


def test_a_mail_server_is_tried_and_gets_no_mail(studio: Studio) -> None:
    config = studio.home / "stagedoor.toml"
    before = config.read_text()
    try:
        with Mailbox() as box:
            words = f'host = "127.0.0.1"\nport = {box.port}\nsecurity = "none"\nsender = "door@studio.example"\n'
            config.write_text(f'{before}\npublic_url = "https://publish.studio.example"\n\n[mail]\n{words}')
            assert bad(studio) == []
            assert box.mails == []
        assert bad(studio) == [("fault", "mail", "127.0.0.1")]
        config.write_text(config.read_text().replace('security = "none"', 'security = "some"'))
        assert ("fault", "mail", "") in bad(studio)
    finally:
        config.write_text(before)


def test_a_server_that_does_not_run_is_looked_at_as_well(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    studio.accept_everything()
    assert bad(studio, "--port", str(studio.port)) == []
    with socket.socket() as other:
        other.bind(("127.0.0.1", studio.port))
        other.listen()
        assert bad(studio, "--port", str(studio.port)) == [("fault", "door", "server")]
    (studio.home / "engine.db").write_bytes(b"not a database" * 100)
    (studio.home / "engine.db").chmod(0o600)
    assert bad(studio, "--port", str(studio.port)) == [("fault", "engine", "")]


def test_certificates_are_read(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    studio.accept_everything()
    studio.start("--tls-self-signed", wait=False)
    until(lambda: (studio.home / "serve.lock").exists() and "certificate" in (studio.home / "serve.lock").read_text())
    try:
        assert bad(studio) == []
        assert "known" not in str(bad(studio, "--host", "publish.studio.example"))
        (studio.home / "tls" / "self-signed.key").write_text("nonsense")
        assert [one[:2] for one in bad(studio)] == [("fault", "tls")]
    finally:
        studio.end()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_volume_that_may_not_be_written_is_a_fault(studio: Studio) -> None:
    studio.volume.chmod(0o500)
    try:
        assert bad(studio) == [("fault", "volumes", "projects")]
    finally:
        studio.volume.chmod(0o700)


def test_administrators_see_the_same_over_rest(studio: Studio) -> None:
    """Of a server that looks at itself; nobody else learns anything."""
    asked = f"{studio.url}/api/v1/doctor"
    vendor, employee = studio.user("vendor@example.com"), studio.user("employee@example.com", "employee")
    for who in (vendor, employee):
        assert urllib3.request("GET", asked, headers=basic(who.code, who.api_key)).status == 403
    with changed(studio, "UPDATE volumes SET root = ?", "/missing", str(studio.volume)):
        answer = urllib3.request("GET", asked, headers=basic(studio.admin.code, studio.admin.api_key)).json()
        _, said = examined(studio)
    assert answer["grade"] == "fault"
    kept = [[(one["area"], one["about"], one["grade"]) for one in found] for found in (answer["diagnoses"], said)]
    assert kept[0] == kept[1]
