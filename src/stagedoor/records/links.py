"""One-time links that were mailed: `lifecycle.needs.LinkBook`."""

from __future__ import annotations

from sqlalchemy import delete, func, insert, select

from ..model.entities import User
from .database import Database
from .house import USER
from .ids import new_id
from .tables import links, users
from .tokens import hashed, new_token

MOST = 5
"""of a user at a time"""


class Links:
    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, user_id: str, now: int, expires: int) -> str | None:
        """The secret of a new link; None where the user has `MOST` that hold: their mailbox is not to be flooded."""
        token = new_token()
        row = {"id": new_id(), "user_id": user_id, "hash": hashed(token), "created": now, "expires": expires}
        holding = select(func.count()).select_from(links).where(links.c.user_id == user_id, links.c.expires > now)
        with self._database.write() as connection:
            if (connection.scalar(holding) or 0) >= MOST:
                return None
            connection.execute(insert(links).values(**row))
        return token

    def redeem(self, token: str, now: int) -> User | None:
        """Whose link it is; it opens nothing any more. None where it does not hold."""
        this = links.c.hash == hashed(token)
        query = select(*USER).join(links, links.c.user_id == users.c.id)
        query = query.where(this, links.c.expires > now, users.c.enabled.is_(True))
        with self._database.write() as connection:
            row = connection.execute(query).one_or_none()
            connection.execute(delete(links).where(this))
        return User(**row._mapping) if row else None

    def forget(self, now: int) -> int:
        """Remove those whose time is over; how many."""
        over = links.c.expires <= now
        return self._database.forget(links, over)
