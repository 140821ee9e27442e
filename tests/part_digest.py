"""The digest that our client sends with a part, as `wire.parts` describes it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from xxhash import xxh3_128

from stagedoor.model import tape


def of_runs(sizes: Sequence[int], start: int, data: bytes) -> bytes:
    """Of a part that begins there, on a tape of files of these sizes: file by file, with no other way of counting."""
    end, cuts, at = start + len(data), {start, start + len(data)}, 0
    for size in sizes:
        if size >= tape.LARGE and start <= at and at + size <= end:
            cuts |= {at, at + size}
        at += size
    runs = [data[a - start : b - start] for a, b in pairwise(sorted(cuts))]
    return xxh3_128(b"".join(xxh3_128(run).digest() for run in runs)).digest()
