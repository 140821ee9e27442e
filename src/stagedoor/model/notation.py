"""The ways to write a place, and what they come to.

    volume=projects/staging/shot_v001      on the volume with this code or id
    volume=(default)/staging/shot_v001     on the default volume
    staging/shot_v001                      the same, shorter
    /mnt/projects/staging/shot_v001        absolute; must lie in a volume
    /Volumes/projects/staging/shot_v001    under a further prefix (alias) by which a volume is known
    volume=projects/staging/               into this folder, under the offered name
    acme:volume=projects/staging/shot      with a party in front (the workspace, a user, a site, a client)

Rules
1. A place is a volume and a relative path of proper names: never empty, never `.` or `..`, never `.stagedoor`.
2. An alias is recognised, never used on disk. The longest prefix wins, compared name by name.
3. What is wrong is told to the studio (`ValueError`), not to the vendor: hooks write places, vendors do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from . import names
from .entities import Volume

_ROOT = re.compile(r"(volume|share|folder|home|collection)=([^/]*)(?:/(.*))?", re.DOTALL)
_PARTY = re.compile(
    r"(?:site=[^:/]+|client=[^:/]+|[^:/=\\]+@[^:/=]+(?:@[^:/=]+)?|[A-Za-z0-9_.-]+):(?!\\)(.*)", re.DOTALL
)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class Place:
    """A decided place: `path` is relative to the root of the volume, `/` between names."""

    volume_id: str
    path: str


def resolve(text: str, filename: str, volumes: Iterable[Volume]) -> Place:
    """The place that `text` means for an entry offered as `filename`.

    Raises ValueError, with the reason, where it means none.
    """
    known = [volume for volume in volumes if volume.enabled]
    text = _without_party(text)
    if not text or "\0" in text:
        raise ValueError("the path is empty" if not text else "the path holds a NUL character")
    volume, rest = _split(text, known)
    into = not rest or rest.endswith("/")
    parts = [names.normal(part) for part in rest.split("/") if part]
    if into:
        parts.append(filename)
    for part in parts:
        reason = names.fault(part, windows=False)
        if reason:
            raise ValueError(f"in the path {text!r}, the name {part!r} {reason}")
    path = "/".join(parts)
    if len(path.encode()) > names.MAX_PATH_BYTES:
        raise ValueError(f"the path is longer than {names.MAX_PATH_BYTES} bytes")
    return Place(volume.id, path)


def _without_party(text: str) -> str:
    if text.startswith(("/", "volume=")) or _DRIVE.match(text):
        return text
    party = _PARTY.fullmatch(text)
    return party[1] if party else text


def _split(text: str, volumes: list[Volume]) -> tuple[Volume, str]:
    named = _ROOT.fullmatch(text)
    if named:
        kind, code, rest = named[1], named[2], named[3] or ""
        if kind != "volume":
            raise ValueError(f"{kind}= is not known here: write volume=<code>/<path>")
        return _by_code(code, volumes), rest
    if text.startswith("/") or _DRIVE.match(text):
        return _by_prefix(text, volumes)
    if text.startswith("~"):
        raise ValueError("there are no home shares here: write volume=<code>/<path>")
    return _by_code("(default)", volumes), text


def _by_code(code: str, volumes: list[Volume]) -> Volume:
    for volume in volumes:
        if volume.default if code == "(default)" else code in (volume.id, volume.code):
            return volume
    if code == "(default)":
        raise ValueError("there is no default volume: add one with `stagedoor volume add CODE PATH --default`")
    raise ValueError(f"there is no volume {code!r}: `stagedoor volume list` shows which there are")


def _by_prefix(text: str, volumes: list[Volume]) -> tuple[Volume, str]:
    wanted = text.replace("\\", "/") if _DRIVE.match(text) else text
    best: tuple[int, Volume, str] | None = None
    for volume in volumes:
        for prefix in (volume.root, *volume.aliases):
            bare = prefix.replace("\\", "/").rstrip("/")
            if wanted == bare or wanted.startswith(bare + "/"):
                found = (len(bare), volume, wanted[len(bare) :])
                best = max(best, found, key=lambda item: item[0]) if best else found
    if best is None:
        raise ValueError(f"{text!r} lies in no volume: `stagedoor volume list` shows roots and aliases")
    return best[1], best[2]
