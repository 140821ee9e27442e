"""A home on disk: made, and opened for the commands of an administrator."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .. import config
from ..lifecycle.auditing import Auditing
from ..lifecycle.inviting import Inviting
from ..lifecycle.lately import Lately
from ..lifecycle.levels import Levels
from ..lifecycle.manage import Management
from ..lifecycle.queues import Queues
from ..lifecycle.replay import Replaying
from ..lifecycle.sessions import Sessions
from ..mail import Direct
from ..model.errors import Conflict
from ..programs import ProgramRunner
from ..records import Records, Schema, migrate, open_records, schema_of
from ..volumes import Disk, free


def now() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Home:
    """An open home: what the commands of an administrator work on."""

    paths: config.Home
    records: Records
    manage: Management
    queues: Queues
    levels: Levels
    programs: ProgramRunner
    storage: Disk
    replaying: Replaying
    auditing: Auditing
    sessions: Sessions
    inviting: Inviting
    mail: Direct | None
    """where mails are set up"""


def create_home(folder: Path, workspace_code: str, admin: str, database: str = "") -> dict[str, str]:
    """Make a home, its database, the workspace and the first admin; `{workspace, user, id, api_key}`.

    `database`: a URL, where it is not to be a file in the home.
    """
    paths = config.Home(folder.absolute())
    paths.make(database)
    try:
        migrate(paths.database)
        with open_home(folder) as home:
            workspace, user, key = home.manage.init(workspace_code, admin)
    except BaseException:
        paths.config.unlink()  # so that the same command can be given again, corrected
        raise
    return {"workspace": workspace.code, "user": user.code, "id": user.id, "api_key": key}


@contextmanager
def open_home(folder: Path) -> Iterator[Home]:
    paths = config.Home(folder.absolute())
    paths.check()
    _check_schema(paths)
    records = open_records(paths.database)
    lately = Lately[tuple[str, Path], str](lambda asked: _told(records, *asked))

    def told(name: str, folder: Path) -> str:
        return lately((name, folder))

    try:
        choice = paths.mail_choice()
        mail = Direct(choice) if choice else None
        programs = ProgramRunner(paths.folder, records.runs, now)
        yield Home(
            paths=paths,
            records=records,
            manage=Management(records.house, records.keys, now),
            queues=Queues(records.queues, now),
            levels=Levels(records.levels, records.house, records.jobs.job),
            programs=programs,
            storage=Disk(partial(told, "durability"), records.house.volumes, partial(told, "proof")),
            auditing=Auditing(records.audit, records.lists),
            sessions=Sessions(records.sessions, records.house, now),
            inviting=Inviting(records.invitations, records.house, records.house.user_by_code, mail, now),
            mail=mail,
            replaying=Replaying(
                records.house, records.offers, records.jobs, records.runs, records.lists, programs, now
            ),
        )
    finally:
        records.close()


def _told(records: Records, setting: str, folder: Path) -> str:
    """What a setting is in the volume that a staging lies in: the innermost one."""
    around = [volume for volume in records.house.volumes() if folder.is_relative_to(os.path.realpath(volume.root))]
    innermost = max(around, key=lambda volume: len(os.path.realpath(volume.root)), default=None)
    return records.house.settings_at(innermost.id if innermost else "").word(setting)


def _check_schema(paths: config.Home) -> None:
    """Nothing but `upgrade` changes tables: an older server may be working on them."""
    found = schema_of(paths.database)
    if found is Schema.NEWER:
        raise Conflict("This home belongs to a newer version of Stagedoor; run that one.", code="schema_newer")
    if found is Schema.OLDER:
        raise Conflict(
            "An earlier version of Stagedoor made this home's database; stop its server and run "
            f"`stagedoor upgrade --home {paths.folder}`, which makes a backup first.",
            code="schema_older",
        )
    if found is Schema.MISSING:
        raise Conflict(
            "The database of this home is empty or gone; restore a backup (`stagedoor restore`).",
            code="schema_missing",
        )


def room(root: str) -> tuple[int, int] | None:
    """Free and total bytes of the disk below a folder; None where it is not there."""
    try:
        left, total, _ = free(root)
    except OSError:
        return None
    return left, total
