"""Files and folders as they are offered: names, sizes, times; folders nest through `files`."""

from __future__ import annotations

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


def count(nodes: list[Node] | None) -> int:
    """How many files and folders a tree holds."""
    return sum(1 + count(node.files) if node.files else 1 for node in nodes or ())
