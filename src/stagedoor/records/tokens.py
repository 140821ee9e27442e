"""Secrets of sessions, invitations and links: 256 bits of chance, of which only the SHA-256 is kept.

Rules
1. One is found by its hash: chance of that length needs no slow one, and how long the search takes tells nothing.
"""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hashed(token: str) -> bytes:
    return hashlib.sha256(token[:1000].encode(errors="replace")).digest()
