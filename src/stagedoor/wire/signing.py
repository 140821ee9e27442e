"""The signature of a receipt: over which bytes it is made, and by which key.

Rules
1. What is signed is the receipt without its `signature`, written as JSON in one way (`signed_form`): keys sorted by
   code point, no blanks, UTF-8, nothing escaped but what JSON demands. In Python that is
   `json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()`.
2. Ed25519 (RFC 8032) over these bytes themselves. Keys and signatures travel in base64, keys as their 32 bytes.
3. A receipt carries its public key, so that it can be checked with nothing else at hand. Whether that is the studio's
   key is known only to who has got the studio's key in another way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

ALGORITHM = "ed25519"
KEY_BYTES = 32
SIGNATURE_BYTES = 64


class PublicKey(Struct, frozen=True, kw_only=True):
    """By which the studio's receipts are known."""

    algorithm: str
    """`ed25519`"""
    key_id: str
    """the first 16 digits of the SHA-256 of the key's bytes"""
    public_key: str
    """base64 of its 32 bytes"""


class Signature(PublicKey, frozen=True, kw_only=True):
    """Who signed, and the signature."""

    value: str
    """base64 of its 64 bytes"""


def signed_form(receipt: Any) -> bytes:
    """The bytes that a signature is over, of a receipt as JSON values or as the type."""
    if isinstance(receipt, Mapping):
        plain = {name: value for name, value in receipt.items() if name != "signature"}
        return msgspec.json.encode(plain, order="sorted")
    return msgspec.json.encode(msgspec.structs.replace(receipt, signature=msgspec.UNSET), order="sorted")


def key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:16]
