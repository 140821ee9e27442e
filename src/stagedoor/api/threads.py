"""Where blocking work is done: seven pools, so that one kind of work never keeps another waiting.

- `quick`   queries and small changes
- `parts`   bytes onto disks
- `checks`  offers: a hook may think for half a minute
- `submits` submits: a hook may think even longer
- `looks`   what a user sent before, and the doctor: two at a time, since a receipt of many files takes memory
- `hashes`  passwords: two at a time, since each takes 64 MiB; few wait
- `copies`  files copied from the studio's own disks: two at a time, so that parts find the disks free
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from ..model.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")

_QUICK = ThreadPoolExecutor(8, thread_name_prefix="quick")
_PARTS = ThreadPoolExecutor(8, thread_name_prefix="parts")
_CHECKS = ThreadPoolExecutor(24, thread_name_prefix="checks")
_SUBMITS = ThreadPoolExecutor(24, thread_name_prefix="submits")
_LOOKS = ThreadPoolExecutor(2, thread_name_prefix="looks")
_HASHES = ThreadPoolExecutor(2, thread_name_prefix="hashes")
MOST_HASHES = 24
"""that run or wait"""
_hashing = 0
_COPIES = ThreadPoolExecutor(2, thread_name_prefix="copies")


async def quick(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await _in(_QUICK, partial(work, *args, **kwargs))


async def parts(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await _in(_PARTS, partial(work, *args, **kwargs))


async def checks(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await _in(_CHECKS, partial(work, *args, **kwargs))


async def submits(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await _in(_SUBMITS, partial(work, *args, **kwargs))


async def looks(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await _in(_LOOKS, partial(work, *args, **kwargs))


def room_to_hash() -> None:
    """Raises Busy where so many passwords wait that another one would wait for seconds."""
    if _hashing >= MOST_HASHES:
        raise Busy


async def hashes(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    global _hashing
    _hashing += 1
    try:
        return await _in(_HASHES, partial(work, *args, **kwargs))
    finally:
        _hashing -= 1


async def copies(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await _in(_COPIES, partial(work, *args, **kwargs))


async def _in(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, context.run, work)
