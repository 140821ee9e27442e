"""A home from an earlier version to this one.

Rules
1. Only this changes tables; a server and the other commands refuse a home whose tables are not theirs (ADR 9).
2. The home is held as a server holds it: none runs meanwhile.
3. A backup is made first, into `backups/` in the home, and said. Without one nothing is changed.
4. Jobs are left as they are: the next start goes on with them.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .. import config
from ..model.errors import Conflict
from ..records import Schema, migrate, schema_of
from .archive import backup


def upgrade(folder: Path, *, backed_up: bool = False) -> dict[str, Any]:
    """Bring a home's database up to this version; what was done. `backed_up`: the caller has a backup already."""
    paths = config.Home(folder.absolute())
    paths.check()
    with paths.locked():
        found = schema_of(paths.database)
        if found is Schema.NEWER:
            raise Conflict("This home belongs to a newer version of Stagedoor; run that one.", code="schema_newer")
        if found is Schema.MISSING:
            raise Conflict("The database of this home is empty or gone; restore a backup.", code="schema_missing")
        if found is Schema.CURRENT:
            return {"upgraded": False, "backup": None}
        file = None if backed_up else _backup(paths)
        migrate(paths.database)
        return {"upgraded": True, "backup": file}


def _backup(paths: config.Home) -> str:
    paths.backups.mkdir(mode=0o700, exist_ok=True)
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    return str(backup(paths.folder, paths.backups / f"before-upgrade-{stamp}.tar.gz")["file"])
