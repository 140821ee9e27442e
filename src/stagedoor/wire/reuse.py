"""Files that the studio may have already: which to look at, what they are, which were taken.

Files are named by their numbers in the manifest of a task (the order of its tape), in half-open ranges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from ..model.tape import Ranges

FileRanges = tuple[tuple[int, int], ...]
DIGEST_BYTES = 32


class TaskFiles(Struct, frozen=True, kw_only=True):
    task: str
    files: FileRanges


class ReuseView(Struct, frozen=True, kw_only=True):
    """What is worth hashing: files of which this user sent one of the same size and a similar name before."""

    job: str
    tasks: tuple[TaskFiles, ...]
    most: int
    """identities in one request"""


class Identities(Struct, frozen=True, kw_only=True):
    """What files of a task are: with their sizes, which the manifest has, their blake3."""

    task: str
    files: FileRanges
    blake3: bytes
    """32 bytes a file, in the order of `files`; base64 in JSON"""


class ReuseRequest(Struct, frozen=True, kw_only=True):
    tasks: list[Identities]


class ReuseAnswer(Struct, frozen=True, kw_only=True):
    received: tuple[TaskFiles, ...]
    """these have arrived now"""
    left: tuple[TaskFiles, ...]
    """these were not looked at in the time of one request: ask again"""


def ranges_of(numbers: Iterable[int]) -> FileRanges:
    return tuple((start, end) for start, end in Ranges((number, number + 1) for number in numbers))


def numbers_of(files: FileRanges) -> Iterator[int]:
    for start, end in files:
        yield from range(start, end)
