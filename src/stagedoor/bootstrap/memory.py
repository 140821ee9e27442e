"""How this process gives memory back to the system, and what its collector passes over.

The C library of Linux (glibc) maps large blocks one by one and gives each back when it is freed; but with every block
freed it raises its idea of "large", up to 32 MiB, and keeps what is smaller, for each thread apart. An offer of
100,000 files passes through several blocks of 5 to 10 MB, in several threads. A fixed boundary keeps a fifth of the
peak away (`docs/performance.md`).
"""

from __future__ import annotations

import ctypes
import gc

_M_MMAP_THRESHOLD = -3  # malloc.h
LARGE_BYTES = 256 * 1024


def give_back_large_blocks() -> None:
    """Does nothing on other systems and C libraries."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)


def pass_over_what_stays() -> None:
    """Everything made so far lives as long as the process: modules, routes, types, 150,000 objects that every full
    collection would look through again, with all threads waiting."""
    gc.collect()
    gc.freeze()
