"""Passkeys of users: `lifecycle.needs.PasskeyBook`.

Rules
1. A passkey belongs to one user: the same credential twice is refused.
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, delete, func, insert, select, update

from ..model.entities import User
from ..model.errors import Conflict, NotFound
from ..model.signin import Passkey
from .audit import note
from .database import Database
from .house import USER, user_of
from .tables import passkeys, picked, users

MOST = 50
_PASSKEY = picked(passkeys)


class Passkeys:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of_user(self, user_id: str) -> list[Passkey]:
        """The newest first."""
        query = select(*_PASSKEY).where(passkeys.c.user_id == user_id).order_by(passkeys.c.id.desc())
        with self._database.read() as connection:
            return [Passkey(**row._mapping) for row in connection.execute(query)]

    def by_credential(self, credential: bytes) -> tuple[Passkey, User] | None:
        """Where its user is enabled."""
        query = (
            select(*USER, *(column.label(f"passkey_{column.name}") for column in _PASSKEY))
            .join(users, users.c.id == passkeys.c.user_id)
            .where(passkeys.c.credential == credential, users.c.enabled.is_(True))
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        found = Passkey(**{column.name: row._mapping[f"passkey_{column.name}"] for column in _PASSKEY})
        return found, user_of(row)

    def add(self, passkey: Passkey) -> None:
        """Raises Conflict (`passkey_exists`, `passkeys_full`), NotFound."""
        with self._database.write() as connection:
            code = connection.scalar(select(users.c.code).where(users.c.id == passkey.user_id))
            if code is None:
                raise NotFound(detail=f"no user {passkey.user_id}")
            write_passkey(connection, passkey, code)

    def used(self, passkey_id: str, sign_count: int, now: int) -> None:
        with self._database.write() as connection:
            this = update(passkeys).where(passkeys.c.id == passkey_id)
            connection.execute(this.values(sign_count=sign_count, last_used=now))

    def remove(self, user_id: str, passkey_id: str) -> None:
        """Raises NotFound."""
        this = (passkeys.c.id == passkey_id, passkeys.c.user_id == user_id)
        with self._database.write() as connection:
            name = connection.scalar(select(passkeys.c.name).where(*this))
            if name is None:
                raise NotFound(detail=f"user {user_id} has no passkey {passkey_id}")
            connection.execute(delete(passkeys).where(*this))
            code = connection.scalar(select(users.c.code).where(users.c.id == user_id)) or ""
            note(connection, "remove", "passkey", passkey_id, code, before={"name": name})


def write_passkey(connection: Connection, passkey: Passkey, code: str) -> None:
    """`code`: of its user."""
    if connection.scalar(select(passkeys.c.id).where(passkeys.c.credential == passkey.credential)):
        raise Conflict("This passkey is known here already.", code="passkey_exists")
    count = select(func.count()).select_from(passkeys).where(passkeys.c.user_id == passkey.user_id)
    if (connection.scalar(count) or 0) >= MOST:
        raise Conflict(f"You have {MOST} passkeys; remove one first.", code="passkeys_full")
    connection.execute(insert(passkeys).values(**asdict(passkey)))
    note(connection, "create", "passkey", passkey.id, code, after={"name": passkey.name, "host": passkey.host})
