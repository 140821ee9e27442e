"""Which names are alike: names of one thing in several versions, or of several frames of it.

Rules
1. `stem` leaves out every digit: all versions and frames of a thing have one stem.
2. `unversioned` leaves out the numbers of versions alone (`v002`): frames stay apart.
3. Both take names and paths, and fold them as disks do that ignore case.
"""

from __future__ import annotations

import re

_DIGITS = re.compile(r"\d+")
_VERSION = re.compile(r"(?<![a-z])v\d+")


def stem(path: str) -> str:
    return _DIGITS.sub("", path.casefold())


def unversioned(path: str) -> str:
    return _VERSION.sub("v", path.casefold())
