"""Invitations that may still be redeemed, ended by whoever ends them: their makers, and what becomes of users."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, select, update

from .audit import note
from .tables import invitations

PENDING = (invitations.c.redeemed.is_(None), invitations.c.revoked.is_(None))


def revoke(connection: Connection, these: ColumnElement[bool], now: int) -> None:
    """Those of `these` that are pending; each is in the audit log."""
    found = connection.execute(select(invitations.c.id, invitations.c.email).where(these, *PENDING)).all()
    for id_, email in found:
        connection.execute(update(invitations).where(invitations.c.id == id_).values(revoked=now))
        note(connection, "revoke", "invitation", id_, email)
