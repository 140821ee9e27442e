"""Ids of entities: 24 lower-case hexadecimal characters in order of creation.

Rules
1. 12 characters of milliseconds since 1970, 4 of a counter within the millisecond, 8 of chance.
2. The ids of one process strictly increase, in all its threads, even when the clock is set back.
3. No id is a secret.
"""

from __future__ import annotations

import os
import re
import threading
import time

_lock = threading.Lock()
_last = (0, 0)
_COUNTS = 0x10000
_ID = re.compile("[0-9a-f]{24}")


def new_id() -> str:
    """An id that sorts after all that this process has made before."""
    global _last
    now = time.time_ns() // 1_000_000
    with _lock:
        moment, count = _last
        if now > moment:
            moment, count = now, 0
        else:
            count += 1
            moment, count = moment + count // _COUNTS, count % _COUNTS
        _last = (moment, count)
    return f"{moment:012x}{count:04x}{os.urandom(4).hex()}"


def may_be_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None
