"""The home folder, and the limits of this machine's processes."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from ...config import Home
from ...model.errors import BadRequest
from .diagnosis import Diagnosis, fault, ok, size, warning

LEAST_BYTES = 100_000_000
FEW_BYTES = 1_000_000_000
LEAST_FILES = 1024
FEW_FILES = 4096
_OVER_THE_NET = ("nfs", "cifs", "smb", "fuse.sshfs", "9p")


def examine(paths: Home) -> Iterator[Diagnosis]:
    yield _configuration(paths)
    yield _owner(paths.folder)
    yield from _rights(paths)
    yield _space(paths.folder)
    yield _file_system(paths)


def _configuration(paths: Home) -> Diagnosis:
    try:
        paths.log_choice()
        where = "a PostgreSQL database" if not paths.database.startswith("sqlite") else "a database in the home"
    except BadRequest as error:
        return fault("home", "configuration", error.message, f"Correct {paths.config}.")
    return ok("home", "configuration", f"{paths.config.name} can be read and names {where}.")


def _owner(folder: Path) -> Diagnosis:
    owner, me = folder.stat().st_uid, os.geteuid()
    if owner == me:
        return ok("home", "owner", f"It belongs to {_person(me)}, who asks.")
    return warning(
        "home",
        "owner",
        f"It belongs to {_person(owner)}, and {_person(me)} asks: rights are judged for the wrong person.",
        f"Run doctor as {_person(owner)}.",
    )


def _person(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _rights(paths: Home) -> Iterator[Diagnosis]:
    passes = _mode(paths.folder) & 0o011
    if _mode(paths.folder) & 0o066:
        yield warning("home", "rights", f"Others may look into {paths.folder}.", f"chmod go-rw {paths.folder}")
    elif found := _open_to_others(paths, everything=bool(passes)):
        named = " ".join(map(str, found))
        when = "" if passes else ", should the folder be opened"
        yield warning("home", "rights", f"Others may read {named}{when}.", f"chmod go-rw {named}")
    elif passes:
        yield ok("home", "rights", "Others may pass through it, as hooks of other users must, and read nothing.")
    else:
        yield ok("home", "rights", "Only its owner can read it.")
    if not os.access(paths.folder, os.R_OK | os.W_OK | os.X_OK):
        yield fault("home", "rights", f"{paths.folder} cannot be written.", "Give it to the server's user.")


def _open_to_others(paths: Home, *, everything: bool) -> list[Path]:
    """Secrets that others may read once they are in the folder; or whatever lies there."""
    secret = [paths.config, *sorted(paths.folder.glob("*.db")), *sorted(paths.tls.glob("*.key"))]
    secret += [path for path in sorted(paths.keys.glob("*")) if path.suffix != ".pub"]
    if everything:
        secret = sorted({*secret, *paths.folder.iterdir()})
    return [path for path in secret if _mode(path) & 0o066]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _space(folder: Path) -> Diagnosis:
    left = shutil.disk_usage(folder).free
    words = f"{size(left)} are free for database, log and hook runs."
    if left < LEAST_BYTES:
        return fault("home", "space", f"Only {words}", "Make room on this disk: the database cannot grow.")
    if left < FEW_BYTES:
        return warning("home", "space", f"Only {words}", "Make room on this disk.")
    return ok("home", "space", words)


def _file_system(paths: Home) -> Diagnosis:
    kind = kind_of(paths.folder)
    if kind.startswith(_OVER_THE_NET) and paths.database.startswith("sqlite"):
        return fault(
            "home",
            "file system",
            f"It lies on {kind}; a SQLite database can be damaged over a network.",
            "Move the home to a disk of this machine, or use PostgreSQL.",
        )
    return ok("home", "file system", f"It lies on {kind or 'a disk of a kind that the system does not tell'}.")


def kind_of(folder: Path) -> str:
    """The kind of the file system that a folder lies on (`ext4`, `nfs4`); empty where the system does not tell."""
    best = ("", "")
    real = str(folder.resolve())
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return ""
    for line in mounts:
        left, _, right = line.partition(" - ")
        point = _unescaped(left.split()[4])
        if (real == point or real.startswith(point.rstrip("/") + "/")) and len(point) >= len(best[0]):
            best = (point, right.split()[0])
    return best[1]


def _unescaped(point: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)


def limits(paths: Home) -> Iterator[Diagnosis]:
    """Of the running server, else of this process: a server started from here would have the same."""
    serving = paths.serving() if paths.is_served else None
    whose = f"The server (process {serving.pid})" if serving else "A process started here"
    most = _most_files(serving.pid if serving else os.getpid())
    if most is None:
        return
    words = f"{whose} may have {most:,} files and connections open."
    advice = "Raise the limit: LimitNOFILE= in the systemd unit, or ulimit -n."
    if most < LEAST_FILES:
        yield fault("limits", "open files", words, advice)
    elif most < FEW_FILES:
        yield warning("limits", "open files", words, advice)
    else:
        yield ok("limits", "open files", words)


def _most_files(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/limits").read_text()
    except OSError:
        import resource

        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    found = re.search(r"^Max open files\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else None
