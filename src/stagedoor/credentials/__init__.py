"""What proves who somebody is, checked by libraries that are made for it.

1. `password`  slow hashes of passwords (argon2id)
2. `passkey`   what browsers sign (WebAuthn)

Rules
1. What a library says of a bad input becomes a refusal here; its words go to the log.
"""

from __future__ import annotations

from .passkey import WebAuthn
from .password import Argon2

__all__ = ["Argon2", "WebAuthn"]
