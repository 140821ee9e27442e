"""Files and folders as they are offered: names, sizes, times; folders nest through `files`."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

# gc=False: a tree has no cycles, and 100,000 nodes need not be visited by the collector.


class Node(Struct, gc=False, omit_defaults=True):
    """A file or folder within an entry.

    Only `filename` is required: `is_dir` defaults to "has `files`", a missing `size` of a file is 0, and the size of
    a folder is computed by the server.
    """

    filename: str
    size: int | None = None
    """bytes"""
    is_dir: bool | None = None
    files: list[Node] | None = None
    modified: int | None = None
    """milliseconds since 1970 UTC"""


class Entry(Struct, gc=False, omit_defaults=True):
    """A file or folder that is offered as one publish."""

    id: str
    """uuid4, chosen by the client and kept through every phase"""
    filename: str
    size: int | None = None
    is_dir: bool | None = None
    files: list[Node] | None = None
    modified: int | None = None


def count(entries: Iterable[Entry | Node]) -> int:
    """How many files and folders there are, at any depth."""
    total = 0
    open_lists: list[Iterable[Entry | Node]] = [entries]
    while open_lists:
        for node in open_lists.pop():
            total += 1
            if node.files:
                open_lists.append(node.files)
    return total
