"""Hundreds of frames in one line, gaps named.

Rules
1. Every file is in exactly one group: counts and sizes of the groups add up to those of the folder.
2. Files of one folder that differ in a number are a sequence from two neighbours, or three members, on. Version
   numbers (`_v002`) are not frames.
3. Frames on twos or any other even step have no gaps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...frames import sequences_among
from .numbers import count, size

GAPS_NAMED = 6


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are told in one line."""

    name: str
    """`beauty/shot.[1001-1240].exr`, relative to the entry"""
    files: int
    size: int
    frames: bool = False
    missing: str = ""
    """`1043, 1101-1103`; empty where there is no gap"""
    unbroken: tuple[str, ...] = ()
    """the names of what lies between the gaps"""

    def __str__(self) -> str:
        words = [self.name]
        if self.frames:
            words.append(count(self.files, "frame"))
        words.append(size(self.size))
        if self.missing:
            words.append(f"missing {self.missing}")
        return ", ".join(words)


def groups(files: Iterable[tuple[str, int]]) -> list[Group]:
    """Sum up files, given as relative path and size, in the order of folders."""
    folders: dict[str, dict[str, int]] = defaultdict(dict)
    for path, bytes_ in files:
        folder, _, name = path.rpartition("/")
        folders[folder][name] = bytes_
    return [group for folder, sizes in folders.items() for group in _folder(f"{folder}/" if folder else "", sizes)]


def _folder(prefix: str, sizes: Mapping[str, int]) -> list[Group]:
    found: list[Group] = []
    left = dict(sizes)
    for sequence in _sequences(list(sizes)):
        members = list(sequence)
        if set(members) <= left.keys():
            found.append(_group(prefix, sequence, sum(left.pop(name) for name in members)))
    return found + [Group(prefix + name, 1, bytes_) for name, bytes_ in left.items()]


def _sequences(names: list[str]) -> Iterator[Any]:
    if len(names) < 2:
        return
    for sequence in sequences_among(names):
        frames = [int(frame) for frame in sequence.frameSet()]
        if len(frames) > 2 or frames[-1] - frames[0] == 1:
            yield sequence


def _group(prefix: str, sequence: Any, bytes_: int) -> Group:
    frames = sorted(sequence.frameSet())
    width = sequence.zfill()
    step = _step(frames)
    span = f"{_padded(frames[0], width)}-{_padded(frames[-1], width)}" + (f"x{step}" if step > 1 else "")
    base, extension = f"{prefix}{sequence.basename()}", sequence.extension()
    gaps = [] if step else [(before + 1, after - 1) for before, after in pairwise(frames) if after - before > 1]
    return Group(
        f"{base}[{span}]{extension}",
        len(frames),
        bytes_,
        True,
        _told(gaps, width),
        tuple(f"{base}{words}{extension}" for words in _between(frames, gaps, width)) if gaps else (),
    )


def _step(frames: Sequence[int]) -> int:
    """The step of an even sequence, 0 of an uneven one."""
    steps = {after - before for before, after in pairwise(frames)}
    return steps.pop() if len(steps) == 1 else 0


def _told(gaps: Sequence[tuple[int, int]], width: int) -> str:
    words = [
        _padded(first, width) + (f"-{_padded(last, width)}" if last > first else "")
        for first, last in gaps[:GAPS_NAMED]
    ]
    further = sum(last - first + 1 for first, last in gaps[GAPS_NAMED:])
    return ", ".join(words) + (f" and {further:,} more" if further else "")


def _between(frames: Sequence[int], gaps: Sequence[tuple[int, int]], width: int) -> Iterator[str]:
    """The runs that gaps leave: `1043`, `[1101-1103]`."""
    firsts = [frames[0], *(last + 1 for _, last in gaps)]
    lasts = [*(first - 1 for first, _ in gaps), frames[-1]]
    for first, last in zip(firsts, lasts, strict=True):
        yield _padded(first, width) if first == last else f"[{_padded(first, width)}-{_padded(last, width)}]"


def _padded(frame: int, width: int) -> str:
    return f"{frame:0{width}d}"


def files_of(node: Any, above: str = "") -> Iterator[tuple[str, int]]:
    """Relative path and size of every file in an entry as it is offered (dict or wire type). A file has path ""."""
    for child in _get(node, "files") or ():
        path = f"{above}{_get(child, 'filename')}"
        if _is_folder(child):
            yield from files_of(child, path + "/")
        else:
            yield path, _get(child, "size") or 0
    if not above and not _is_folder(node):
        yield "", _get(node, "size") or 0


def named(names: Sequence[str]) -> list[str]:
    """Names, those of frames that follow one another in one: these files and no others."""
    found = groups((name, 0) for name in dict.fromkeys(names))
    return [name for group in found for name in group.unbroken or (group.name,)]


def empty_folders(node: Any) -> int:
    """How many folders in an entry hold nothing at all."""
    if not _is_folder(node):
        return 0
    inside = _get(node, "files") or ()
    return sum(empty_folders(child) for child in inside) if inside else 1


def _is_folder(node: Any) -> bool:
    flag = _get(node, "is_dir")
    return bool(flag) if flag is not None else _get(node, "files") is not None


def _get(node: Any, key: str) -> Any:
    return node.get(key) if isinstance(node, Mapping) else getattr(node, key, None)


def contents(entry: Any, most: int = 12) -> list[str]:
    """The lines that sum up an entry; what does not fit into `most` lines is counted in the last one."""
    if not _is_folder(entry):
        return [size(_get(entry, "size") or 0)]
    found = groups(files_of(entry))
    lines = [str(group) for group in found[:most]]
    rest = found[most:]
    if rest:
        files, bytes_ = sum(group.files for group in rest), sum(group.size for group in rest)
        lines.append(f"and {count(files, 'more file', 'more files')}, {size(bytes_)}")
    empty = empty_folders(entry)
    if empty:
        lines.append(count(empty, "empty folder"))
    return lines
