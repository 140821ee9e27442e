"""Browsers that are signed in: `lifecycle.needs.SessionBook`.

Rules
1. A session of a disabled user opens nothing, and disabling ends it for good.
2. When it was used is written once a minute, not with every request.
3. A user has `MOST` at a time: one more ends the one that was used longest ago.
4. A session that has ended leaves nothing here; the audit log tells of it.
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, or_, select, update

from ..model.errors import NotFound
from ..model.signin import MINUTE, Known, Limits, Session, Way
from .audit import note
from .database import Database
from .house import USER, user_of
from .ids import new_id
from .tables import picked, sessions, users
from .tokens import hashed, new_token

MOST = 50
_SESSION = picked(sessions, "hash")


class Sessions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, user_id: str, way: Way, ip: str, client: str, now: int) -> tuple[Session, str] | None:
        """A new session, and its secret, which is told this once. None where the user is disabled by now."""
        session = Session(id=new_id(), user_id=user_id, created=now, last_used=now, ip=ip, client=client[:255], way=way)
        token = new_token()
        with self._database.write() as connection:
            code = connection.scalar(select(users.c.code).where(users.c.id == user_id, users.c.enabled.is_(True)))
            if code is None:
                return None
            _make_room(connection, user_id)
            connection.execute(insert(sessions).values(**asdict(session), hash=hashed(token)))
            note(connection, "sign_in", "session", session.id, code, details={"way": way.value})
        return session, token

    def known(self, token: str, now: int, limits: Limits, *, used: bool = True) -> Known | None:
        """Whose session it is, where it is one and has not ended. `used`: whether this counts as use of it."""
        query = (
            select(*USER, *(column.label(f"session_{column.name}") for column in _SESSION))
            .join(users, users.c.id == sessions.c.user_id)
            .where(sessions.c.hash == hashed(token), users.c.enabled.is_(True))
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        session = Session(**{column.name: row._mapping[f"session_{column.name}"] for column in _SESSION})
        if limits.end_of(session) <= now:
            return None
        if used and now - session.last_used >= MINUTE:
            self._used(session.id, now)
        return Known(user=user_of(row), session=session)

    def of_user(self, user_id: str, now: int, limits: Limits) -> list[Session]:
        """Those that have not ended, the newest first."""
        query = select(*_SESSION).where(sessions.c.user_id == user_id).order_by(sessions.c.id.desc())
        with self._database.read() as connection:
            found = [Session(**row._mapping) for row in connection.execute(query)]
        return [session for session in found if limits.end_of(session) > now]

    def end(self, user_id: str, session_id: str, verb: str) -> None:
        """`verb` for the audit log: sign_out or revoke. Raises NotFound."""
        this = (sessions.c.id == session_id, sessions.c.user_id == user_id)
        with self._database.write() as connection:
            if not connection.execute(delete(sessions).where(*this)).rowcount:
                raise NotFound(detail=f"user {user_id} has no session {session_id}")
            code = connection.scalar(select(users.c.code).where(users.c.id == user_id)) or ""
            note(connection, verb, "session", session_id, code)

    def forget(self, now: int, limits: Limits) -> int:
        """Remove those that have ended; how many."""
        over = or_(sessions.c.last_used <= now - limits.idle, sessions.c.created <= now - limits.longest)
        return self._database.forget(sessions, over)

    def _used(self, session_id: str, now: int) -> None:
        with self._database.write() as connection:
            connection.execute(update(sessions).where(sessions.c.id == session_id).values(last_used=now))


def end_all(connection: Connection, user_id: str, but: str = "") -> None:
    """End the sessions of a user, all but one."""
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id != but))


def _make_room(connection: Connection, user_id: str) -> None:
    theirs = select(sessions.c.id).where(sessions.c.user_id == user_id).order_by(sessions.c.last_used.desc())
    for surplus in list(connection.scalars(theirs))[MOST - 1 :]:
        connection.execute(delete(sessions).where(sessions.c.id == surplus))
