"""A device with passkeys, in software: makes and uses them as a browser with a platform authenticator does."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Key:
    id: bytes
    host: str
    handle: bytes
    secret: ec.EllipticCurvePrivateKey
    count: int = 0


@dataclass
class Authenticator:
    """`origin`: of the page that asks. `verifies`: whether it makes sure who holds it."""

    origin: str
    verifies: bool = True
    keys: list[Key] = field(default_factory=list)

    def create(self, options: dict[str, Any], **changed: str) -> dict[str, Any]:
        """What `navigator.credentials.create` gives, as JSON. `changed`: of what the browser says."""
        secret = ec.generate_private_key(ec.SECP256R1())
        key = Key(secrets.token_bytes(32), options["rp"]["id"], _bytes(options["user"]["id"]), secret)
        self.keys.append(key)
        numbers = secret.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(key.id)) + key.id + cose
        data = self._data(key, ATTESTED) + attested
        return self._credential(
            key,
            clientDataJSON=_text(self._client("webauthn.create", options["challenge"], changed)),
            attestationObject=_text(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
        )

    def get(self, options: dict[str, Any], *, number: int = -1, **changed: str) -> dict[str, Any]:
        """What `navigator.credentials.get` gives, as JSON, for the key of this number."""
        key = self.keys[number]
        key.count += 1
        client, data = self._client("webauthn.get", options["challenge"], changed), self._data(key)
        signed = key.secret.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            key,
            clientDataJSON=_text(client),
            authenticatorData=_text(data),
            signature=_text(signed),
            userHandle=_text(key.handle),
        )

    def _client(self, kind: str, challenge: str, changed: dict[str, str]) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**said, **changed}).encode()

    def _data(self, key: Key, more: int = 0) -> bytes:
        flags = PRESENT | (VERIFIED if self.verifies else 0) | more
        return hashlib.sha256(key.host.encode()).digest() + struct.pack(">BI", flags, key.count)

    def _credential(self, key: Key, **response: str) -> dict[str, Any]:
        return {"id": _text(key.id), "rawId": _text(key.id), "type": "public-key", "response": response}


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
