"""The key that receipts are signed with: made once, kept in the home, readable by the server alone.

Who has the file can sign in the studio's name. Where it is taken away, the next start makes another; receipts that
were signed before carry the old public key and are right by that.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .model.errors import BadRequest
from .wire.signing import ALGORITHM, PublicKey, Signature, key_id

FILE = "receipts.key"


class SigningKey:
    """`lifecycle.needs.Signer`."""

    def __init__(self, folder: Path) -> None:
        """The key in `folder`, made where there is none. Raises BadRequest where it cannot be read or made."""
        file = folder / FILE
        try:
            if not file.exists():
                _make(file)
            self._secret = _read(file)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not an Ed25519 key in PEM"
            raise BadRequest(
                f"The key that receipts are signed with cannot be read or made at {file}: {reason}. Put it right, or "
                "move it away: then a new one is made.",
                code="signing_key_unreadable",
            ) from None
        raw = self._secret.public_key().public_bytes_raw()
        self.public = PublicKey(algorithm=ALGORITHM, key_id=key_id(raw), public_key=_text(raw))

    def sign(self, body: bytes) -> Signature:
        return Signature(
            algorithm=self.public.algorithm,
            key_id=self.public.key_id,
            public_key=self.public.public_key,
            value=_text(self._secret.sign(body)),
        )


def _read(file: Path) -> Ed25519PrivateKey:
    found = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(found, Ed25519PrivateKey):
        raise ValueError(type(found).__name__)
    return found


def _make(file: Path) -> None:
    """Whole or not at all: written beside its place, then renamed."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(pem)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
