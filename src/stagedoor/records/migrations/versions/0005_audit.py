"""The audit log; what is replaced, and where it is kept."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _of(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", KEY, primary_key=True, nullable=False),
        *_of(sa.BigInteger, "created"),
        *_of(KEY, "user_id"),
        *_of(sa.Text, "user", "user_folded", "role", "ip", "client"),
        *_of(KEY, "request_id"),
        *_of(sa.Text, "door"),
        *_of(KEY, "verb", "entity", "entity_id"),
        *_of(sa.Text, "entity_code", "entity_folded"),
        *_of(KEY, "code"),
        *_of(sa.Text, "message", "changes", "details", "reasons"),
    )
    op.create_index("audit_by_time", "audit", ["created"])
    op.create_index("audit_of_user", "audit", ["user_folded", "created"])
    op.create_index("audit_of_entity", "audit", ["entity_id"])
    op.create_index("audit_by_verb", "audit", ["verb", "created"])
    op.create_index("audit_by_entity", "audit", ["entity", "created"])
    op.add_column("tasks", sa.Column("kept", sa.Text, nullable=False, server_default=""))
    op.add_column("tasks", sa.Column("kept_until", sa.BigInteger, nullable=True))
    op.create_index("tasks_kept", "tasks", ["kept_until"])
