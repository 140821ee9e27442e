"""What the steps ask of a key."""

from __future__ import annotations

from typing import Protocol

from ...wire.signing import Signature


class Signer(Protocol):
    def sign(self, body: bytes) -> Signature: ...
