"""Pages of `docs/` whose commands run: every `sh` block, in the order of the page. What cannot run is `text`."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import tomllib

import warm
from breaking import furnished, submit
from stagedoor.config import Home
from studio import BIN, Studio, clean, frames, free_port

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["for-coordinators.md", "running-a-server.md", "writing-hooks.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str, language: str = "sh") -> list[str]:
    return [block for found, block in BLOCK.findall((DOCS / page).read_text()) if found == language]


def do(script: list[str], env: dict[str, str], cwd: Path) -> str:
    """Run blocks as one script that ends at the first command that fails; what they said."""
    with tempfile.TemporaryDirectory() as place, (cwd / "said").open("w+") as said:
        line = warm.command_in(Path(place) / "bin")
        given = {**env, "PATH": f"{place}/bin:{BIN}:{env['PATH']}"}
        words = ["bash", "-e", "-c", "\n".join(script)]
        bash = subprocess.Popen(
            words, env=given, cwd=cwd, stdout=said, stderr=said, start_new_session=True, pass_fds=[line]
        )
        try:
            assert bash.wait(100) == 0, (cwd / "said").read_text()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(bash.pid, signal.SIGTERM)  # a server that it began
        return (cwd / "said").read_text()


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_whether_it_runs(page: str) -> None:
    assert {language for language, _ in BLOCK.findall((DOCS / page).read_text())} <= {
        "sh",
        "python",
        "json",
        "toml",
        "text",
    }


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with furnished(tmp_path / "studio") as made:
        yield made


# --- for coordinators


def test_the_commands_of_the_coordinators_page_do_what_it_says(studio: Studio, tmp_path: Path) -> None:
    """All of them, one after the other, on a job of which no byte has come."""
    studio.start()
    sources = [frames(tmp_path / name, range(1)) for name in ("one", "two")]
    vendor = studio.session(studio.vendor)  # type: ignore[attr-defined]
    job = submit(vendor, sources)
    env = {**studio.env(studio.admin), "JOB": job["id"], "STAGEDOOR_HOME": str(studio.home)}
    do(blocks("for-coordinators.md"), env, tmp_path)
    seen = studio.session(studio.admin).get_entity("Job", job["id"])
    assert [task["status"] for task in seen["tasks"]] == ["pending", "excluded"]
    assert [seen["status"], seen["queue_hr"], seen["metadata"]["internal"]] == ["waiting", "high", {"reel": "12"}]
    vendor.upload(job)
    ended = vendor.wait(job, 30)
    assert [ended["status"], ended["metadata"]["external"]] == ["done", {"ticket": "4711"}]
    assert sorted(path.name for path in (studio.volume / "in").iterdir()) == ["one"]


# --- running a server

SERVER = """
trap 'kill $server 2>/dev/null && wait $server' EXIT
stagedoor() {
    if [ "$1" = upgrade ]; then  # "The server is stopped."
        kill $server
        wait $server
    fi
    if [ "$1" != serve ]; then
        command stagedoor "$@"
        return
    fi
    command stagedoor "$@" --port $PORT 2>server.log &
    server=$!
    until curl -sfm 2 http://127.0.0.1:$PORT/healthz || curl -ksfm 2 https://127.0.0.1:$PORT/healthz; do
        kill -0 $server || { cat server.log; exit 1; }
        sleep 0.05
    done
}
"""
"""`serve` in the background, until the next `upgrade` or the end"""


def test_the_commands_of_the_administrators_page_work(tmp_path: Path) -> None:
    """From `init` to the audit log, with folders of ours in the place of its own."""
    home = tmp_path / "srv" / "stagedoor"
    for folder in ("srv", "mnt/projects", "mnt/pipeline", "backups"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("pre_publish.py", "publish.py"):
        (tmp_path / "mnt" / "pipeline" / name).write_text("")
    script = "\n".join(blocks("running-a-server.md")).replace("publish.studio.example", "localhost")
    script = re.sub(r"(?<![\w/])/(srv/stagedoor|mnt/p|backups)", rf"{tmp_path}/\1", script)
    env = clean(STAGEDOOR_HOME=str(home), PORT=str(free_port()))
    said = do([SERVER, script], env, tmp_path)
    assert "artist@vendor.example" in said
    assert "nothing to report" not in said
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*")}
    assert made >= {"backups/stagedoor.tar.gz", "srv/stagedoor", "srv/stagedoor-again"}
    assert (tmp_path / "log.csv").read_text().count("\n") > 5


def test_the_configuration_of_the_administrators_page_is_read(tmp_path: Path) -> None:
    text = "\n".join(blocks("running-a-server.md", "toml"))
    home = Home(tmp_path)
    home.config.write_text(text)
    given = tomllib.loads(text)
    mail, log = home.mail_choice(), home.log_choice()
    assert mail is not None
    assert (home.public_url, mail.host, mail.port) == ("https://publish.studio.example", given["mail"]["host"], 587)
    assert (log.format, log.access, log.file_bytes, log.files) == ("json", True, 20_000_000, 5)


# --- writing hooks


def test_the_commands_of_the_page_for_hook_authors_work(studio: Studio, tmp_path: Path) -> None:
    """First those before anything was published with these hooks, then those that look at what was."""
    pipeline = tmp_path / "pipeline"
    pipeline.mkdir()
    for block in blocks("writing-hooks.md", "python"):
        (pipeline / block.split()[1]).write_text(block)
    shutil.copy(pipeline / "check_frames.py", pipeline / "new_check.py")
    (pipeline / "venv").symlink_to(sys.prefix)
    frames(pipeline / "renders" / "shot_v001", range(1, 3))
    written = "\0".join(blocks("writing-hooks.md")).replace("/pipeline", str(pipeline))
    commands = re.sub(r"--home HOME\b", f"--home {studio.home}", written).split("\0")
    (later,) = (number for number, block in enumerate(commands) if "hook replay" in block)
    said = do(commands[:later], clean(), pipeline)
    assert "First version" in said
    studio.start()
    source = frames(tmp_path / "shot_v002", range(1, 3))
    done = studio.client(studio.vendor, "publish", str(source), "--comment", "Second", "--json")  # type: ignore[attr-defined]
    assert done.returncode == 0, done.stderr
    job = str(json.loads(done.stdout)["job"]["id"])
    runs = studio.session(studio.admin).find("Run")
    (check,) = (run["id"] for run in runs if run["hook"] == "pre-publish-server")
    looking = "\n".join(commands[later:])
    said = do([re.sub(r"\bID\b", job, re.sub(r"\bRUN\b", check, looking))], clean(), pipeline)
    assert "0 of 1 verdict" in said
    assert check in said
