"""Guessing is slowed: who fails waits longer and longer.

Rules
1. Nobody is locked out of their account by others: an address that has not failed for an account may try it once,
   whatever happened to the account elsewhere, and a right password is taken. From an address with many failures, for
   whatever account, everybody waits up to a minute for each attempt.
2. Counted are the failures of an address for an account, those of an account from anywhere, and those of an address for
   any account. The first few cost nothing; from then on the wait doubles, up to a bound.
3. An attempt counts as a failure from its beginning until it has succeeded: many at once are counted as many.
4. What is remembered is bounded, and forgotten `FORGET` seconds after the last failure.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from ..model.errors import TooManyAttempts
from ..model.query import folded

FORGET = 3600.0
MOST = 20_000
"""remembered of each kind"""


class Pace(NamedTuple):
    free: int
    """failures that cost nothing"""
    longest: float
    """seconds"""

    def wait(self, failures: int) -> float:
        over = failures - self.free
        return 0.0 if over <= 0 else min(2.0 ** min(over - 1, 30), self.longest)


PAIR = Pace(4, 900.0)
ACCOUNT = Pace(20, 900.0)
ADDRESS = Pace(30, 60.0)
"""a whole studio may sit behind one address: it is never kept waiting long"""


class _Count(NamedTuple):
    failures: int
    last: float


class _Counts:
    def __init__(self) -> None:
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()

    def get(self, key: bytes, now: float) -> _Count:
        found = self._counts.get(key)
        return found if found and now - found.last < FORGET else _Count(0, -FORGET)

    def add(self, key: bytes, now: float) -> None:
        self._counts[key] = _Count(self.get(key, now).failures + 1, now)
        self._counts.move_to_end(key)
        while len(self._counts) > MOST:
            self._counts.popitem(last=False)

    def take_back(self, key: bytes) -> None:
        found = self._counts.get(key)
        if found:
            self._counts[key] = _Count(max(0, found.failures - 1), found.last)

    def forget(self, key: bytes) -> None:
        self._counts.pop(key, None)

    def __len__(self) -> int:
        return len(self._counts)


class Slowing:
    """Safe for threads. `clock`: seconds, in one direction."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pairs, self._accounts, self._addresses = _Counts(), _Counts(), _Counts()

    def begin(self, account: str, address: str) -> None:
        """Count an attempt. Raises TooManyAttempts where it comes too early; that is not counted."""
        who, where = _account(account), _address(address)
        with self._lock:
            now = self._clock()
            wait = self._wait(who, where, now)
            if wait > 0:
                raise TooManyAttempts(details={"seconds": math.ceil(wait)})
            for counts, key in self._keys(who, where):
                counts.add(key, now)

    def succeeded(self, account: str, address: str) -> None:
        """The attempt that was begun was right."""
        who, where = _account(account), _address(address)
        with self._lock:
            self._pairs.forget(who + where)
            self._accounts.take_back(who)
            self._addresses.take_back(where)

    def _wait(self, who: bytes, where: bytes, now: float) -> float:
        pair, account = self._pairs.get(who + where, now), self._accounts.get(who, now)
        address = self._addresses.get(where, now)
        waits = [pair.last + PAIR.wait(pair.failures), address.last + ADDRESS.wait(address.failures)]
        if pair.failures:
            waits.append(pair.last + ACCOUNT.wait(account.failures))
        return max(waits) - now

    def _keys(self, who: bytes, where: bytes) -> tuple[tuple[_Counts, bytes], ...]:
        return (self._pairs, who + where), (self._accounts, who), (self._addresses, where)


def _account(text: str) -> bytes:
    return hashlib.blake2b(folded(text[:1000].strip()).encode(errors="replace"), digest_size=16).digest()


def _address(text: str) -> bytes:
    """Of IPv6 the network: who has one address has 2^64 of them."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return hashlib.blake2b(text[:1000].encode(errors="replace"), digest_size=8).digest()
    return found.packed[:8]
