"""Invitations: `lifecycle.needs.InvitationBook`.

Rules
1. An invitation is redeemed once, and what it brings about is made in the same transaction.
2. A newer invitation of the same address revokes the older one.
3. An invitation of a user holds as long as they are enabled and have the role that it names: who was given more rights
   since is not reached by what somebody with fewer once sent out.
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, insert, select, update

from ..model.entities import Role, User
from ..model.errors import Conflict, NotFound
from ..model.signin import Invitation, Passkey
from .audit import note
from .columns import fold
from .database import Database
from .house import USER, new_user
from .ids import new_id
from .passkeys import write_passkey
from .passwords import write_password
from .pending import PENDING, revoke
from .tables import invitations, picked, users
from .tokens import hashed, new_token

_INVITATION = picked(invitations, "hash")


class Invitations:
    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, email: str, role: Role, by: str, now: int, expires: int) -> tuple[Invitation, str]:
        """A new one, and its secret, which is told this once."""
        made = Invitation(id=new_id(), email=email, role=role, by=by, created=now, expires=expires)
        token = new_token()
        with self._database.write() as connection:
            revoke(connection, invitations.c.email_folded == fold(email), now)
            connection.execute(insert(invitations).values(**asdict(made), hash=hashed(token)))
            note(connection, "create", "invitation", made.id, email, after={"role": role, "expires": expires})
        return made, token

    def by_token(self, token: str) -> Invitation | None:
        return self._one(invitations.c.hash == hashed(token))

    def invitation(self, invitation_id: str) -> Invitation | None:
        return self._one(invitations.c.id == invitation_id)

    def pending(self, email: str, now: int) -> list[Role]:
        """Roles to which an address is invited and may still say yes."""
        held = (invitations.c.email_folded == fold(email), invitations.c.expires > now, *PENDING)
        with self._database.read() as connection:
            return list(connection.scalars(select(invitations.c.role).where(*held)))

    def all(self) -> list[Invitation]:
        """The newest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(*_INVITATION).order_by(invitations.c.id.desc()))
            return [Invitation(**row._mapping) for row in rows]

    def revoke(self, invitation_id: str, now: int) -> None:
        """A second time changes nothing. Raises NotFound, Conflict where it was redeemed."""
        with self._database.write() as connection:
            found = _find(connection, invitations.c.id == invitation_id)
            if found is None:
                raise NotFound(detail=f"no invitation {invitation_id}")
            if found.redeemed is not None:
                raise Conflict(
                    "This invitation was redeemed already; disable the user to keep them out.",
                    code="invitation_redeemed",
                )
            if found.revoked is None:
                revoke(connection, invitations.c.id == found.id, now)

    def redeem(self, token: str, now: int, name: str, password: str, passkey: Passkey | None) -> User | None:
        """The user, new or not, who now has this password (a hash) or this passkey. None where the invitation does not
        hold. Raises Conflict."""
        with self._database.write() as connection:
            found = _find(connection, invitations.c.hash == hashed(token))
            if found is None or found.state(now) != "pending":
                return None
            user = _user_of(connection, found, name, now, passkey.user_id if passkey else "")
            if user is None:
                return None
            if password:
                write_password(connection, user.id, user.code, password, now)
            if passkey:
                write_passkey(connection, passkey, user.code)
            connection.execute(update(invitations).where(invitations.c.id == found.id).values(redeemed=now))
            note(connection, "redeem", "invitation", found.id, found.email, details={"user": user.id})
            return user

    def forget(self, before: int) -> int:
        """Remove those that ended before a time; how many."""
        over = invitations.c.expires < before
        return self._database.forget(invitations, over)

    def _one(self, this: ColumnElement[bool]) -> Invitation | None:
        with self._database.read() as connection:
            return _find(connection, this)


def _find(connection: Connection, this: ColumnElement[bool]) -> Invitation | None:
    row = connection.execute(select(*_INVITATION).where(this)).one_or_none()
    return Invitation(**row._mapping) if row else None


def _user_of(connection: Connection, found: Invitation, name: str, now: int, user_id: str) -> User | None:
    """Who was invited; made where they are new. `user_id`: where it is decided already."""
    row = connection.execute(select(*USER).where(users.c.folded == fold(found.email))).one_or_none()
    if row is None:
        return new_user(connection, found.email, found.role, name, now, user_id)
    user = User(**row._mapping)
    holds = user.enabled and user.role is found.role and user_id in ("", user.id)
    return user if holds else None
