"""Signing in: passwords, passkeys, sessions, invitations, one-time links."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _of(kind: Any, *names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def _id(name: str = "id") -> sa.Column[str]:
    return sa.Column(name, KEY, primary_key=True, nullable=False)


def _user() -> sa.Column[str]:
    return sa.Column("user_id", KEY, sa.ForeignKey("users.id"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "passwords",
        sa.Column("user_id", KEY, sa.ForeignKey("users.id"), primary_key=True, nullable=False),
        *_of(sa.Text, "hash"),
        *_of(sa.BigInteger, "changed"),
    )
    op.create_table(
        "sessions",
        _id(),
        _user(),
        *_of(sa.LargeBinary, "hash"),
        *_of(sa.BigInteger, "created", "last_used"),
        *_of(sa.Text, "ip", "client", "way"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("sessions_by_use", "sessions", ["last_used"])
    op.create_table(
        "invitations",
        _id(),
        *_of(sa.Text, "email"),
        *_of(KEY, "email_folded"),
        *_of(sa.Text, "role", "by"),
        *_of(sa.LargeBinary, "hash"),
        *_of(sa.BigInteger, "created", "expires"),
        *_of(sa.BigInteger, "redeemed", "revoked", nullable=True),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("invitations_by_email", "invitations", ["email_folded"])
    op.create_table(
        "links",
        _id(),
        _user(),
        *_of(sa.LargeBinary, "hash"),
        *_of(sa.BigInteger, "created", "expires"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("ix_links_user_id", "links", ["user_id"])
    op.create_table(
        "passkeys",
        _id(),
        _user(),
        *_of(sa.LargeBinary, "credential", "public_key"),
        *_of(sa.BigInteger, "sign_count"),
        *_of(sa.Text, "host", "name"),
        *_of(sa.BigInteger, "created"),
        *_of(sa.BigInteger, "last_used", nullable=True),
        sa.UniqueConstraint("credential"),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])
