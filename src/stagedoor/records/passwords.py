"""Passwords, of which only a slow hash is kept: `lifecycle.needs.PasswordBook`.

Rules
1. A new password ends all other sessions of its user, and the links that were mailed to them.
2. The audit log tells that one was set, never what.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from ..model.entities import User
from ..model.errors import NotFound
from .audit import note
from .columns import fold
from .database import Database
from .house import USER, user_of
from .sessions import end_all
from .tables import links, passwords, users


class Passwords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def by_code(self, code: str) -> tuple[User, str] | None:
        """The enabled user of this address, and the hash of their password; empty where they have none."""
        query = (
            select(*USER, passwords.c.hash)
            .outerjoin(passwords, passwords.c.user_id == users.c.id)
            .where(users.c.folded == fold(code[:1000]), users.c.enabled.is_(True))
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return user_of(row), row.hash or ""

    def hash_of(self, user_id: str) -> str:
        """Empty where there is none."""
        with self._database.read() as connection:
            return connection.scalar(select(passwords.c.hash).where(passwords.c.user_id == user_id)) or ""

    def set(self, user_id: str, hash: str, now: int, *, keep: str = "") -> None:
        """`keep`: the session that goes on. Raises NotFound."""
        with self._database.write() as connection:
            code = connection.scalar(select(users.c.code).where(users.c.id == user_id))
            if code is None:
                raise NotFound(detail=f"no user {user_id}")
            write_password(connection, user_id, code, hash, now, keep=keep)

    def renew(self, user_id: str, before: str, after: str) -> None:
        """Another hash of the same password."""
        with self._database.write() as connection:
            same = (passwords.c.user_id == user_id, passwords.c.hash == before)
            connection.execute(update(passwords).where(*same).values(hash=after))


def write_password(connection: Connection, user_id: str, code: str, hash: str, now: int, *, keep: str = "") -> None:
    connection.execute(delete(passwords).where(passwords.c.user_id == user_id))
    connection.execute(insert(passwords).values(user_id=user_id, hash=hash, changed=now))
    connection.execute(delete(links).where(links.c.user_id == user_id))
    end_all(connection, user_id, keep)
    note(connection, "set", "password", user_id, code)
