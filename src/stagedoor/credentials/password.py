"""Slow hashes of passwords: `lifecycle.needs.Hasher`.

Rules
1. argon2id as RFC 9106 recommends where memory is scarce: 64 MiB, three passes, four lanes. Each hash says how it was
   made, so that this can change.
2. A hash that nothing matches takes as long as any: whoever asks cannot tell users from strangers by a clock.
"""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY


class Argon2:
    def __init__(self) -> None:
        self._hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._nobodys = ""

    def hash(self, password: str) -> str:
        return self._hasher.hash(password.encode(errors="replace"))

    def matches(self, hash: str, password: str) -> bool:
        if not hash and not self._nobodys:
            self._nobodys = self._hasher.hash(secrets.token_bytes(16))
        try:
            self._hasher.verify(hash or self._nobodys, password.encode(errors="replace"))
        except (Argon2Error, InvalidHashError):
            return False
        return bool(hash)

    def is_old(self, hash: str) -> bool:
        return self._hasher.check_needs_rehash(hash)
