"""Pairs of text that the studio keeps about people and things, and hands to its hooks.

Rules
1. External pairs may be seen by the vendor whose they are; internal ones by the studio only.
2. Where several carry the same key, the nearer wins: the user's over the workspace's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_BYTES = 64 * 1024

Changes = Mapping[str, str | None]
"""new values by key; None or empty takes a key away"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    internal: Mapping[str, str] = field(default_factory=dict)
    external: Mapping[str, str] = field(default_factory=dict)

    def changed(self, internal: Changes, external: Changes) -> Metadata:
        """With these pairs set or taken away. Raises ValueError for what cannot be kept."""
        made = Metadata(internal=_changed(self.internal, internal), external=_changed(self.external, external))
        size = sum(
            len(f"{key}{value}".encode()) for part in (made.internal, made.external) for key, value in part.items()
        )
        if size > MOST_BYTES:
            raise ValueError(f"metadata may hold {MOST_BYTES} bytes, this is {size}")
        return made


def merged(*layers: Metadata) -> Metadata:
    """All of them in one, the later ones over the earlier."""
    internal: dict[str, str] = {}
    external: dict[str, str] = {}
    for layer in layers:
        internal.update(layer.internal)
        external.update(layer.external)
    return Metadata(internal=internal, external=external)


def _changed(before: Mapping[str, str], changes: Changes) -> dict[str, str]:
    for key in changes:
        if not key.strip() or len(key) > 255 or not key.isprintable():
            raise ValueError("a key of metadata has 1 to 255 printable characters")
    return {key: value for key, value in {**before, **changes}.items() if value}
