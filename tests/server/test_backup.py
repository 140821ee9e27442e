"""`stagedoor backup` and `restore`: what is made under load comes back whole, and unfinished jobs are finished."""

from __future__ import annotations

import copy
import io
import json
import sqlite3
import stat
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import warm
from breaking import (
    MIB,
    ended_well,
    execute,
    furnished,
    hook_events,
    let_go,
    publishing,
    submit,
    waiting_hook,
)
from counting import line_to
from page import Browser
from rest import House
from stagedoor.cli import cli
from studio import Studio, clean, frames, tree, until


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Any]:
    with furnished(tmp_path / "studio") as made:
        yield made


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return warm.run(words, env=clean())


def told(*words: str) -> Any:
    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(*words: str) -> str:
    result = CliRunner().invoke(cli, [*words, "--json"])
    assert result.exit_code == 2, result.output
    return str(json.loads(result.stdout)["error"]["code"])


def on_new_home(studio: Any, home: Path) -> Any:
    """The same studio, on another home."""
    made = copy.copy(studio)
    made.home, made.process = home, None
    return made


def test_a_backup_taken_under_load_restores_to_a_server_that_finishes_its_unfinished_jobs(
    studio: Any, tmp_path: Path
) -> None:
    """One job is in the middle of its upload, one in its hook, and others come in meanwhile."""
    waiting_hook(studio)
    studio.start()
    session = studio.session(studio.vendor)
    in_hook = session.upload(submit(session, [frames(tmp_path / "in_hook", range(3))]))
    until(lambda: hook_events(studio) == ["begin 1"])
    source = frames(tmp_path / "half", range(16), MIB)
    stop = threading.Event()
    load = threading.Thread(target=_offers_without_end, args=(studio, tmp_path / "load", stop))
    load.start()
    try:
        with line_to(studio, 2 * MIB) as line, publishing(studio, line, source):
            until(lambda: line.acknowledged)
            line.rate = 1024  # the next parts are on their way for minutes
            made = told("backup", str(tmp_path / "backup"), "--home", str(studio.home))
    finally:
        stop.set()
        load.join()
    studio.kill()

    home = tmp_path / "restored"
    assert told("restore", str(tmp_path / "backup"), "--home", str(home))["files"] == made["files"]
    assert not list(home.glob("engine.db*"))
    new = on_new_home(studio, home)
    try:
        new.start()
        until(lambda: "begin 2" in hook_events(studio), 60)
        let_go(studio)
        assert session.wait(in_hook, seconds=60)["status"] == "done"
        assert hook_events(studio) == ["begin 1", "begin 2", "end 2"]
        ended_well(studio.client_process(studio.vendor, "publish", str(source), "--url", new.url))
        for name in ("in_hook", "half"):
            assert tree(studio.volume / "in" / name) == tree(tmp_path / name)
        assert CliRunner().invoke(cli, ["doctor", "--home", str(home)]).exit_code == 0
    finally:
        new.end()


def _offers_without_end(studio: Any, folder: Path, stop: threading.Event) -> None:
    session = studio.session(studio.rival)
    number = 0
    while not stop.is_set():
        number += 1
        submit(session, [frames(folder / f"load_{number}", range(2), 16)])
        if number == 20:
            return


def test_what_comes_back_is_what_was_there(studio: Any, tmp_path: Path) -> None:
    studio.start("--tls-self-signed", wait=False)
    assert studio.fingerprint()
    studio.stop()
    run_folder = studio.home / "runs" / ("a" * 24)
    run_folder.mkdir(parents=True)
    (run_folder / "input.json.gz").write_bytes(b"kept")
    (run_folder / "input.json").write_bytes(b"under way")
    file = tmp_path / "backup"
    told("backup", str(file), "--home", str(studio.home))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told("restore", str(file), "--home", str(tmp_path / "new"))
    expected = {f"runs/{'a' * 24}/input.json.gz", "stagedoor.toml", "stagedoor.db"}
    expected |= {"tls/self-signed.crt", "tls/self-signed.key", "keys/receipts.key"}
    found = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert found == expected
    for name in expected - {"stagedoor.db"}:
        assert (tmp_path / "new" / name).read_bytes() == (studio.home / name).read_bytes()
        assert stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    users = [execute(one, "SELECT * FROM users ORDER BY id") for one in (studio, on_new_home(studio, tmp_path / "new"))]
    assert users[0] == users[1]
    assert list(tmp_path.glob(".*")) == []


def signed_in(studio: Studio) -> Browser:
    """A page in which somebody has just set a password."""
    house = House(studio)
    browser = Browser(house)
    made = house.admin.post("/invitations", {"email": "ann@example.com"}).json
    assert browser.redeem(made["url"]).status == 200
    return browser


def test_after_a_restore_nobody_is_signed_in_and_everyone_can_be(studio: Any, tmp_path: Path) -> None:
    """A session that was ended after the backup must not come back with it."""
    studio.start()
    browser = signed_in(studio)
    file = tmp_path / "backup"
    told("backup", str(file), "--home", str(studio.home))
    assert browser.get("/me").status == 200
    studio.stop()
    told("restore", str(file), "--home", str(tmp_path / "new"))
    again = on_new_home(studio, tmp_path / "new")
    again.start()
    try:
        assert browser.get("/me").refusal == (401, "sign_in_refused")
        assert browser.sign_in("ann@example.com").status == 200
    finally:
        again.end()


def test_nothing_is_overwritten(studio: Any, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("precious")
    assert refused("backup", str(file), "--home", str(studio.home)) == "file_exists"
    assert file.read_text() == "precious"
    told("backup", str(tmp_path / "other"), "--home", str(studio.home))
    (tmp_path / "new").mkdir()
    assert refused("restore", str(tmp_path / "other"), "--home", str(tmp_path / "new")) == "home_exists"
    assert list((tmp_path / "new").iterdir()) == []


def repacked(file: Path, change: dict[str, bytes | None], into: Path) -> Path:
    """The same archive with files changed, left out (None) or added."""
    with tarfile.open(file) as old, tarfile.open(into, "w:gz") as new:
        for item in old:
            stream = old.extractfile(item)
            assert stream
            content = change.pop(item.name, stream.read())
            if content is not None:
                item.size = len(content)
                new.addfile(item, io.BytesIO(content))
        for name, content in change.items():
            item = tarfile.TarInfo(name)
            item.size = len(content or b"")
            new.addfile(item, io.BytesIO(content or b""))
    return into


def test_a_damaged_backup_is_refused_and_leaves_nothing(studio: Any, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    told("backup", str(file), "--home", str(studio.home))
    (tmp_path / "half").write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    (tmp_path / "text").write_text("no archive")
    top = "stagedoor-backup"
    damaged = [
        tmp_path / "half",
        tmp_path / "text",
        repacked(file, {f"{top}/stagedoor.toml": b"other"}, tmp_path / "changed"),
        repacked(file, {f"{top}/database": None}, tmp_path / "without"),
        repacked(file, {f"{top}/manifest.json": None}, tmp_path / "no-manifest"),
        repacked(file, {f"{top}/tls/extra.key": b"x"}, tmp_path / "extra"),
        repacked(file, {f"{top}/../../escaped": b"x"}, tmp_path / "escape"),
        repacked(file, {"/tmp/escaped": b"x"}, tmp_path / "absolute"),
    ]
    before = sorted(tmp_path.iterdir())
    for one in damaged:
        assert refused("restore", str(one), "--home", str(tmp_path / "new")) == "backup_damaged", one.name
    assert sorted(tmp_path.iterdir()) == before


def test_a_database_of_postgresql_is_backed_up_and_restored_into_an_empty_one(
    tmp_path: Path, postgresql: str, postgresql_empty_url: str
) -> None:
    studio = Studio(tmp_path / "studio", database=postgresql_empty_url)
    studio.accept_everything()
    studio.start()
    signed_in(studio)
    studio.stop()
    file = tmp_path / "backup"
    told("backup", str(file), "--home", str(studio.home))
    assert refused("restore", str(file), "--home", str(tmp_path / "new")) == "backup_database"
    taken = ("--database", postgresql_empty_url)
    assert refused("restore", str(file), "--home", str(tmp_path / "new"), *taken) == "database_not_empty"
    subprocess.run(
        ["psql", "--quiet", postgresql % "postgres", "-c", "CREATE DATABASE restored_here"], check=True, timeout=30
    )
    told("restore", str(file), "--home", str(tmp_path / "new"), "--database", postgresql % "restored_here")
    before, after = (told("user", "list", "--home", str(home)) for home in (studio.home, tmp_path / "new"))
    assert before == after
    count = "SELECT (SELECT count(*) FROM passwords), (SELECT count(*) FROM sessions)"
    for url, kept in ((postgresql_empty_url, "1|1"), (postgresql % "restored_here", "1|0")):
        said = subprocess.run(["psql", "--quiet", "-tA", url, "-c", count], capture_output=True, text=True, check=True)
        assert said.stdout.strip() == kept
    assert "restored_here" in (tmp_path / "new" / "stagedoor.toml").read_text()


def test_without_pg_dump_it_is_said_what_to_do(
    tmp_path: Path, postgresql_empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = Studio(tmp_path / "studio", database=postgresql_empty_url)
    monkeypatch.setenv("PATH", "/nowhere")
    assert refused("backup", str(tmp_path / "backup"), "--home", str(studio.home)) == "pg_dump_missing"
    assert not (tmp_path / "backup").exists()


def test_the_copy_of_the_database_is_whole_while_others_write(studio: Any, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(studio.home / "stagedoor.db", timeout=20)) as database:
            number = 0
            while not stop.is_set():
                number += 1
                with database:  # both in one transaction: a copy has both or none
                    database.execute("UPDATE users SET name = ?", (str(number),))
                    database.execute("UPDATE workspaces SET code = ?", (str(number),))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            told("backup", str(tmp_path / str(number)), "--home", str(studio.home))
    finally:
        stop.set()
        writer.join()
    for number in range(3):
        told("restore", str(tmp_path / str(number)), "--home", str(tmp_path / f"home{number}"))
        one = on_new_home(studio, tmp_path / f"home{number}")
        rows = execute(one, "SELECT DISTINCT name FROM users UNION SELECT code FROM workspaces")
        assert len(rows) == 1
