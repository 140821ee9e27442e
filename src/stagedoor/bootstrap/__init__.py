"""The only place where parts are put together.

1. `homes`    a home on disk becomes records and management: what the commands of an administrator need
2. `serving`  a home becomes a server
3. `memory`   how the server gives memory back
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .homes import Home, create_home, open_home, room

__all__ = ["Home", "create_home", "open_home", "room", "serve"]


def serve(home: Path, host: str, port: int, **options: Any) -> None:
    """Run the server until it is told to stop; see `serving.serve`."""
    from . import serving  # web server and engine take half a second to load, which other commands need not pay

    serving.serve(home, host, port, **options)
