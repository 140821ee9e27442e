"""What tests need that break things: a studio made quickly, a watcher of places, a hook that waits, damage.

Beside `studio`, which has the studio itself, and `counting`, the line between client and server.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from counting import Line, steady_port
from stagedoor import Session, scan
from stagedoor.model.tape import Range, Ranges
from stagedoor.volumes.history import Extent, History
from stagedoor.volumes.journal import parse
from stagedoor.volumes.staging import Staging, Tree
from studio import Studio, until
from watcher import look

MIB = 2**20

# --- a studio -------------------------------------------------------------------------------------------------------


@contextmanager
def furnished(folder: Path) -> Iterator[Studio]:
    """A studio with the users `vendor` and `rival` that accepts everything below `in`; its server is not started.

    A copy of one that is made once for all tests of this process, since making one takes seconds.
    """
    template = _template(folder.parents[1] / "template")
    made = copy.copy(template)
    made.folder, made.home, made.volume = folder, folder / "home", folder / "projects"
    made.port, made.process = steady_port(), None
    made.volume.mkdir(parents=True)
    shutil.copytree(template.home, made.home)
    execute(made, "UPDATE volumes SET root = ?", str(made.volume))
    yield made
    if made.process and made.process.poll() is None:
        made.kill()
    for pid in waiting_hooks(made):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@functools.cache
def _template(folder: Path) -> Any:
    shutil.rmtree(folder, ignore_errors=True)  # one that failed half-way
    made: Any = Studio(folder)
    made.vendor = made.user("vendor@example.com")
    made.rival = made.user("rival@example.com")
    made.accept_everything()
    made.start()  # so that the engine's database is there as well
    made.kill()
    return made


def execute(studio: Studio, statement: str, *values: Any, file: str = "stagedoor.db") -> list[tuple[Any, ...]]:
    """Rows of a database of the home, or a change to it, past the server."""
    with closing(sqlite3.connect(studio.home / file, timeout=20)) as database, database:
        return database.execute(statement, values).fetchall()


def job_state(studio: Studio) -> str:
    """The state of the newest job, as its row says; empty where there is none."""
    rows = execute(studio, "SELECT state FROM jobs ORDER BY id DESC LIMIT 1")
    return rows[0][0] if rows else ""


def kill_when(studio: Studio, condition: Callable[[], object]) -> None:
    until(condition, every=0.001)
    studio.kill()


def submit(session: Session, paths: list[Path]) -> dict[str, Any]:
    """Offer paths and make a job of them; nothing is sent."""
    files = [dict(entry) for entry in scan(paths)]
    return session.create("job", submission(session, files))


def submission(session: Session, files: list[dict[str, Any]]) -> dict[str, Any]:
    """Offer entries; what is to be submitted for them."""
    offered = session.publish([{key: entry[key] for key in entry if key != "source"} for entry in files])
    assert all(entry["can_publish"] for entry in offered["files"]), offered
    return {
        "code": "a publish",
        "tasks": [{"id": entry["id"], "source": entry["source"]} for entry in files],
        "hooks": [{"when": "publish-server", "data": {"files": offered["files"]}}],
    }


# --- what lies in staging -------------------------------------------------------------------------------------------


def stagings(studio: Studio) -> list[Path]:
    """The folders of uploads in progress."""
    with suppress(FileNotFoundError):
        return sorted((studio.volume / ".stagedoor").iterdir())
    return []


def only_staging(studio: Studio) -> Path:
    (folder,) = stagings(studio)
    return folder


def extents(staging: Path) -> list[Extent]:
    """What the journal of an upload says was received, in the order of the tape."""
    records, _ = parse((staging / "state" / "journal").read_bytes())
    return list(History(records).extents)


# --- a client -------------------------------------------------------------------------------------------------------


@contextmanager
def publishing(studio: Any, line: Line, *paths: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real command, running."""
    words = ["publish", *map(str, paths), "--url", line.url]
    client = studio.client_process(studio.vendor, *words)
    try:
        yield client
    finally:
        client.kill()
        client.wait()
        client.stdout.close()


def ended_well(client: subprocess.Popen[bytes], seconds: float = 60) -> str:
    """Wait for the command to end with 0; what it said."""
    said = client.communicate(timeout=seconds)[0].decode()
    assert client.returncode == 0, said
    return said


# --- a watcher ------------------------------------------------------------------------------------------------------


@contextmanager
def watched(places: dict[Path, Path]) -> Iterator[None]:
    """Fail where a place (by its source) is ever seen in another state than absent and whole, or not both."""
    expected = {str(place): look(str(source)) for source, place in places.items()}
    words = [sys.executable, "-I", str(Path(__file__).with_name("watcher.py")), json.dumps(expected)]
    watcher = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert watcher.stdout
    try:
        assert watcher.stdout.readline() == "ready\n"
        yield
        watcher.terminate()
        seen = json.loads(watcher.communicate(timeout=30)[0])
    finally:
        watcher.kill()
        watcher.wait()
        watcher.stdout.close()
    assert not any(found["torn"] for found in seen.values()), (seen, expected)
    assert all(found["absent"] and found["whole"] for found in seen.values()), seen


# --- a hook that waits ----------------------------------------------------------------------------------------------

_WAITING = '''
"""Notes that it begins and ends; in between it waits for the file `go`, with a child in a session of its own.

Both hold a lock: a second run beside them, or beside what is left of them, notes `overlap`.
"""
import fcntl, json, os, signal, subprocess, sys, time
folder, given = sys.argv[1], json.load(open(sys.argv[2]))
if {stubborn}:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

def note(*words):
    with open(folder + "/runs", "a") as notes:
        notes.write(" ".join(map(str, words)) + chr(10))

lock = open(folder + "/lock", "w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    note("overlap", given.get("attempt"))
    sys.exit(9)
child = subprocess.Popen(["/bin/sleep", "100"], start_new_session=True, pass_fds=[lock.fileno()])
note("begin", given.get("attempt"), os.getpid(), child.pid)
while not os.path.exists(folder + "/go"):
    time.sleep(0.01)
note("end", given.get("attempt"))
child.kill()
{rest}
'''


def waiting_hook(studio: Studio, name: str = "publish-server", *, stubborn: bool = False, rest: str = "") -> None:
    """Set a hook that waits until `let_go`; `rest` is what it does then. A stubborn one does not mind SIGTERM."""
    script = studio.folder / "waiting.py"
    script.write_text(_WAITING.format(stubborn=stubborn, rest=rest))
    output = " ${PATH_JSON_OUTPUT}" if name.startswith("pre-") else ""
    line = f"{sys.executable} {script} {studio.folder} ${{PATH_JSON_INPUT}}{output}"
    set_hook(studio, name, line)


def set_hook(studio: Studio, name: str, line: str, queue: str = "") -> None:
    """Past the command line, which takes half a second."""
    execute(
        studio,
        "INSERT OR REPLACE INTO hooks (name, queue, command, environment, run_as, enabled, modified) "
        "VALUES (?, ?, ?, '{}', '', true, 0)",
        name,
        queue,
        line,
    )


def hook_runs(studio: Studio) -> list[list[str]]:
    """What waiting hooks noted: `begin <attempt> <pid> <pid of the child>`, `end <attempt>`, `overlap <attempt>`."""
    with suppress(FileNotFoundError):
        return [line.split() for line in (studio.folder / "runs").read_text().splitlines()]
    return []


def hook_events(studio: Studio) -> list[str]:
    return [" ".join(words[:2]) for words in hook_runs(studio)]


def waiting_hooks(studio: Studio) -> list[int]:
    """Living processes of waiting hooks, whoever started them."""
    return [int(pid) for words in hook_runs(studio) if words[0] == "begin" for pid in words[2:] if alive(int(pid))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def let_go(studio: Studio) -> None:
    (studio.folder / "go").touch()


# --- a power cut ----------------------------------------------------------------------------------------------------


def power_cut(staging: Path, damages: Sequence[str]) -> Ranges:
    """Damage what lies in a staging, as a power cut may: the first files that were wholly received, one for each of
    `flipped` (one bit in the middle), `zeroed` (its second half), `truncated` (to a third), `missing`.

    Returns what cannot be trusted any more: every extent, as the journal has them, with a byte that changed.
    """
    kept = Staging(staging, staging.name)
    layout = Tree(kept.data, kept.manifest())
    received = Ranges((one.start, one.end) for one in extents(staging))
    whole = [
        index
        for index in range(len(layout.manifest.files))
        if received.within(*layout.tape.range_of(index)).size == layout.tape.range_of(index).size > 0
    ]
    changed = []
    for how, index in zip(damages, whole[: len(damages)], strict=True):
        start, end = layout.tape.range_of(index)
        first = _DAMAGES[how](Path(layout.file(index)), end - start)
        changed.append(Range(start + first, start + first + 1 if how == "flipped" else end))
    return Ranges(
        (one.start, one.end)
        for one in extents(staging)
        if any(b.start < one.end and one.start < b.end for b in changed)
    )


def _flip(path: Path, size: int) -> int:
    content = bytearray(path.read_bytes())
    content[size // 2] ^= 1
    path.write_bytes(content)
    return size // 2


def _zero(path: Path, size: int) -> int:
    path.write_bytes(path.read_bytes()[: size // 2].ljust(size, b"\0"))
    return size // 2


def _truncate(path: Path, size: int) -> int:
    os.truncate(path, size // 3)
    return size // 3


def _unlink(path: Path, size: int) -> int:
    path.unlink()
    return 0


_DAMAGES = {"flipped": _flip, "zeroed": _zero, "truncated": _truncate, "missing": _unlink}


@contextmanager
def proof_held(staging: Path) -> Iterator[None]:
    """Inside, the proof of an upload cannot be written down: the server reads everything and then waits, for ever."""
    pipe = staging / "state" / "proof.new"
    os.mkfifo(pipe)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # who waits goes on
            pipe.unlink()
            time.sleep(0.1)
            os.close(reader)
