"""What is wrong with a home and its surroundings, and what to do about it.

1. `diagnosis`  what is said about one thing
2. `homes`      the home folder: rights, space, its configuration; limits of the process
3. `databases`  database and engine
4. `storage`    volumes, and the clocks of their file systems
5. `programs`   hooks
6. `mails`      whether mails can be sent
7. `doors`      port, certificate, the clock of the running server

Rules
1. Looking changes nothing but the folders for trying out, which are gone afterwards; it may be done while the server
   runs, and while it does not.
2. One fault keeps nothing else from being looked at.
3. Every warning and fault says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ... import config
from ...model.errors import StagedoorError
from ...records import Schema, open_records
from . import databases, doors, homes, mails, programs, storage
from .diagnosis import Checkup, Diagnosis, checkup, fault

__all__ = ["examine"]


def examine(folder: Path, *, host: str = "", port: int = 0) -> Checkup:
    """Look at everything. `host`: the name by which vendors reach the server; `port`: where it is to listen."""
    paths = config.Home(folder.absolute())
    paths.check()
    found = [*_looked("home", lambda: homes.examine(paths)), *_looked("limits", lambda: homes.limits(paths))]
    if any(one.area == "home" and one.about == "configuration" and one.grade == "fault" for one in found):
        return checkup(found)
    state, said = databases.schema(paths)
    found += said
    found += _looked("engine", lambda: databases.engine(paths))
    if state is Schema.CURRENT:
        found += _of_records(paths)
    found += _looked("mail", lambda: mails.examine(paths))
    return checkup([*found, *_looked("door", lambda: doors.examine(paths, host, port))])


def _of_records(paths: config.Home) -> list[Diagnosis]:
    records = open_records(paths.database)
    try:
        return [
            *_looked("database", lambda: databases.examine(records.health)),
            *_looked("volumes", lambda: storage.examine(records.house)),
            *_looked("hooks", lambda: programs.examine(records.house.hooks())),
            *_looked("jobs", lambda: databases.jobs(records.health)),
        ]
    finally:
        records.close()


def _looked(area: str, look: Callable[[], Iterable[Diagnosis]]) -> list[Diagnosis]:
    found: list[Diagnosis] = []
    try:
        for one in look():
            found.append(one)
    except (StagedoorError, OSError, ValueError) as error:
        reason = f"{error.message} {error.detail}" if isinstance(error, StagedoorError) else str(error)
        found.append(fault(area, "", f"This could not be looked at: {reason}", "Run doctor as the server's user."))
    return found
