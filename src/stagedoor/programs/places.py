"""Places where no server tells what volumes there are: taken as the script means them.

Rules
1. Where no volumes are known, every volume is taken to exist: places are checked for their spelling only, and shown as
   the script wrote them.
2. The ways out that are named are those of a rehearsal: there may be no server to ask for its volumes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from ..model.entities import Volume
from ..wire.offers import OfferAnswer

_NAMED_VOLUME = re.compile(r"volume=([^/\"\\(]+)")
_NO_SUCH_VOLUME = re.compile(r"there is no volume '([^']*)': `stagedoor volume list` .*")
_NO_VOLUME_HERE = re.compile(r"lies in no volume: `stagedoor volume list` .*")
_NO_DEFAULT = re.compile(r"there is no default volume: .*")


def volume(code: str, root: str, *, default: bool = False, aliases: tuple[str, ...] = ()) -> Volume:
    return Volume(id=code, code=code, root=root, default=default, aliases=aliases)


def any_volume(output: bytes) -> Iterator[Volume]:
    """Volumes as the answer takes them to be."""
    for code in sorted(set(_NAMED_VOLUME.findall(output.decode(errors="replace")))):
        yield volume(code, f"/(volume {code})")
    drives = tuple(f"{letter}:" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    yield volume("(any)", "/", aliases=drives)
    yield volume("(default)", "/(default volume)", default=True)


class _Written(msgspec.Struct):
    """What a script wrote of an entry's place."""

    id: str
    path: str | None = None


class _Paths(msgspec.Struct):
    files: list[_Written]


def as_written(answer: OfferAnswer, output: bytes) -> OfferAnswer:
    """With the paths that the script gave: where no volume is known they mean nothing else."""
    written = msgspec.json.decode(output.removeprefix(b"\xef\xbb\xbf"), type=_Paths).files
    paths = {entry.id: entry.path or "" for entry in written}
    files = (msgspec.structs.replace(entry, path=entry.path and paths.get(entry.id, "")) for entry in answer.files)
    return msgspec.structs.replace(answer, files=tuple(files))


def with_way_out(fault: str, volumes: Sequence[Volume]) -> str:
    known = f"known here: {', '.join(volume.code for volume in volumes)}"
    fault = _NO_SUCH_VOLUME.sub(rf"there is no volume '\1': {known}; give --volume \1=PATH", fault)
    fault = _NO_VOLUME_HERE.sub(f"lies in no volume: {known}; give --volume CODE=PATH", fault)
    return _NO_DEFAULT.sub(f"there is no default volume: {known}; the first --volume CODE=PATH is the default", fault)
