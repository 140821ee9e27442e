"""Stagedoor: the publish gateway for media production.

    from stagedoor import Session, scan

`Session` speaks to a server; `scan` makes the list of entries from files and folders on this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__

__all__ = ["Limit", "Session", "__version__", "scan"]

if TYPE_CHECKING:
    from .client.limit import Limit
    from .client.scan import scan
    from .client.session import Session


def __getattr__(name: str) -> Any:  # loaded on demand: the server and `--help` need not pay for the client
    if name == "Session":
        from .client.session import Session

        return Session
    if name == "Limit":
        from .client.limit import Limit

        return Limit
    if name == "scan":
        from .client.scan import scan

        return scan
    raise AttributeError(f"module 'stagedoor' has no attribute {name!r}")
