"""The only place where parts are put together.

1. `homes`    a home on disk becomes records and management: what the commands of an administrator need
2. `serving`  a home becomes a server
3. `memory`   how the server gives memory back
4. `doctor`   what is wrong with a home and its surroundings
5. `gc`       what nobody needs any more
6. `archive`  a home into one file, and back
7. `upgrade`  a home from an earlier version to this one
8. `logs`     how the log is written
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .homes import Home, create_home, open_home, room

if TYPE_CHECKING:
    from ..wire.house import Checkup

__all__ = [
    "Home",
    "backup",
    "create_home",
    "examine",
    "litter",
    "open_home",
    "restore",
    "room",
    "serve",
    "upgrade",
]


def examine(home: Path, **options: Any) -> Checkup:
    """See `doctor.examine`."""
    from . import doctor

    return doctor.examine(home, **options)


def litter(home: Home, **options: Any) -> list[Any]:
    """See `gc.find`."""
    from . import gc

    return gc.find(home, **options)


def backup(home: Path, target: Path) -> dict[str, Any]:
    """See `archive.backup`."""
    from .archive import backup as make

    return make(home, target)


def restore(source: Path, home: Path, database: str = "") -> dict[str, Any]:
    """See `archive.restore`."""
    from .archive import restore as make

    return make(source, home, database)


def upgrade(home: Path, *, backed_up: bool = False) -> dict[str, Any]:
    """See `upgrade.upgrade`."""
    from .upgrade import upgrade as bring

    return bring(home, backed_up=backed_up)


def serve(home: Path, host: str, port: int, **options: Any) -> None:
    """Run the server until it is told to stop; see `serving.serve`."""
    from . import serving  # web server and engine take half a second to load, which other commands need not pay

    serving.serve(home, host, port, **options)
