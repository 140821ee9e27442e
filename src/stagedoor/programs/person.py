"""Another user of the system, as whom a hook runs.

Rules
1. Only root becomes somebody else; the server's own user needs no change.
2. The program has that user's own groups and nothing of the server's; HOME and USER are theirs.
3. The folder of the run is theirs while it runs. The way to it lets everybody pass through and nobody look around, and
   what else lies in the home is the server's alone; folders above the home are the administrator's, and are looked at
   before the program starts.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class NotPossible(Exception):
    """The hook cannot run as that user; the message says why."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the system."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str

    @property
    def becomes(self) -> dict[str, Any]:
        """What `subprocess.Popen` is told."""
        return {"user": self.uid, "group": self.gid, "extra_groups": list(self.groups)}

    def is_given(self, folder: Path, top: Path) -> None:
        """Hand over the folder of a run, which lies below `top`. Raises NotPossible, OSError."""
        for beside in top.iterdir():
            if beside != folder.parent and not beside.is_symlink():
                beside.chmod(stat.S_IMODE(beside.stat().st_mode) & ~0o077)
        for path in (folder.parent, top):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o077 | 0o011)
        for path in folder.parents:
            if not self._may_pass(path.stat()):
                raise NotPossible(f"{self.name} may not pass through {path}: allow it with `chmod o+x {path}`")
        for item in folder.iterdir():
            os.chown(item, self.uid, self.gid, follow_symlinks=False)
        os.chown(folder, self.uid, self.gid)

    def _may_pass(self, found: os.stat_result) -> bool:
        if self.uid == 0:
            return True
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid in (self.gid, *self.groups):
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def person(name: str) -> Person | None:
    """None where the server itself is that user, or nobody is named. Raises NotPossible."""
    if not name:
        return None
    try:
        found = pwd.getpwnam(name)
    except (KeyError, ValueError):
        raise NotPossible(f"this machine has no system user {name!r}") from None
    if found.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise NotPossible(f"only a server that runs as root can run a hook as {name}")
    groups = tuple(os.getgrouplist(name, found.pw_gid))
    return Person(name, found.pw_uid, found.pw_gid, groups, found.pw_dir)


def take_back(folder: Path) -> None:
    """The folder of a run is the server's again."""
    os.chown(folder, os.geteuid(), os.getegid(), follow_symlinks=False)
