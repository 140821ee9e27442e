"""API keys.

Rules
1. A key is `sd_<24 hexadecimal characters: its id>_<256 bits of chance>`, shown once; only its SHA-256 is kept. Chance
   of that length needs no slow hash.
2. A check does the same work whether user and key exist or not.
3. A disabled user's keys, revoked keys and expired keys open nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from sqlalchemy import insert, select, update

from ..model.entities import ApiKey, User
from ..model.errors import NotFound
from .audit import note
from .columns import fold
from .database import Database
from .house import USER, user_of
from .ids import new_id
from .tables import api_keys, picked, users

_SECRET = re.compile(r"sd_([0-9a-f]{24})_[A-Za-z0-9_-]{43}")
_KEY = picked(api_keys, "hash")
_NO_HASH = bytes(32)


class Keys:
    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, user_id: str, label: str, now: int, expires: int | None) -> tuple[ApiKey, str]:
        """A new key of a user, and the secret that is told this once. Raises NotFound."""
        key = ApiKey(id=new_id(), user_id=user_id, label=label, created=now, expires=expires)
        secret = f"sd_{key.id}_{secrets.token_urlsafe(32)}"
        row = {"id": key.id, "user_id": user_id, "label": label, "created": now, "expires": expires}
        with self._database.write() as connection:
            owner = connection.scalar(select(users.c.code).where(users.c.id == user_id))
            if owner is None:
                raise NotFound(detail=f"no user {user_id}")
            connection.execute(insert(api_keys).values(**row, hash=_hash(secret)))
            told = {"user": owner, "label": label, "expires": expires}
            note(connection, "create", "key", key.id, owner, after=told)
        return key, secret

    def check(self, user_code: str, secret: str, now: int) -> User | None:
        """The user to whom the key belongs, if it is theirs and holds now."""
        match = _SECRET.fullmatch(secret)
        query = (
            select(*USER, api_keys.c.hash, api_keys.c.expires, api_keys.c.revoked, users.c.folded)
            .join(users, users.c.id == api_keys.c.user_id)
            .where(api_keys.c.id == (match[1] if match else ""))
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        proved = hmac.compare_digest(_hash(secret), row.hash if row else _NO_HASH)
        named = hmac.compare_digest(
            fold(user_code[:1000]).encode(errors="replace"), (row.folded if row else "").encode()
        )
        if row is None or not (proved and named) or not row.enabled or row.revoked is not None:
            return None
        if row.expires is not None and row.expires <= now:
            return None
        return user_of(row)

    def list(self, user_id: str) -> list[ApiKey]:
        with self._database.read() as connection:
            rows = connection.execute(select(*_KEY).where(api_keys.c.user_id == user_id).order_by(api_keys.c.id))
            return [ApiKey(**row._mapping) for row in rows]

    def revoke(self, user_id: str, key_id: str, now: int) -> None:
        """Revoke a key of this user; a second time changes nothing. Raises NotFound."""
        this = (api_keys.c.id == key_id, api_keys.c.user_id == user_id)
        with self._database.write() as connection:
            label = connection.scalar(select(api_keys.c.label).where(*this))
            if label is None:
                raise NotFound(
                    "There is no such key of this user; `stagedoor user key list` shows those there are.",
                    code="key_unknown",
                    detail=f"user {user_id} has no key {key_id}",
                )
            revoking = update(api_keys).where(*this, api_keys.c.revoked.is_(None)).values(revoked=now)
            if connection.execute(revoking).rowcount:
                owner = connection.scalar(select(users.c.code).where(users.c.id == user_id)) or ""
                note(connection, "revoke", "key", key_id, owner, before={"user": owner, "label": label})


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret[:1000].encode(errors="replace")).digest()
