"""Which names in one folder are frames of a sequence, by fileseq.

Rules
1. Version numbers (`_v002`) are no frames.
2. No name takes long, whoever made it up. fileseq's pattern tries two ways for every piece between dots, and all their
   combinations before it gives up: it is shown the last `PIECES` of a name, in which a frame number stands.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

PIECES = 6
_VERSION = re.compile(r"(?:^|[._\- ])v$", re.IGNORECASE)


def sequences_among(names: Iterable[str]) -> Iterator[Any]:
    """`fileseq.FileSequence`s of two frames and more."""
    import fileseq  # takes a while to load, and is not always needed

    tails: dict[str, list[str]] = defaultdict(list)
    for name in names:
        pieces = name.rsplit(".", PIECES)
        head = f"{pieces[0]}." if len(pieces) > PIECES else ""
        tails[head].append(name[len(head) :])
    for head, found in tails.items():
        for sequence in fileseq.findSequencesInList(found):
            if len(sequence) > 1 and not _VERSION.search(sequence.basename()):
                sequence.setBasename(head + sequence.basename())
                yield sequence
