"""Queues; settings and metadata of volumes, queues and jobs; metadata in an internal and an external part."""

import json
import time
from typing import Any

import sqlalchemy as sa
from alembic import op

from stagedoor.records.ids import new_id

revision = "0004"
down_revision = "0003"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NO_METADATA = '{"internal":{},"external":{}}'


def upgrade() -> None:
    _make_queues()
    for table in ("volumes", "jobs"):
        op.add_column(table, sa.Column("settings", sa.Text, nullable=False, server_default="{}"))
        op.add_column(table, sa.Column("metadata", sa.Text, nullable=False, server_default=NO_METADATA))
    _part_metadata("workspaces")
    _part_metadata("users")
    op.execute("ALTER TABLE jobs RENAME COLUMN queue TO queue_id")
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE jobs ALTER COLUMN queue_id TYPE text COLLATE "C"')
    _fill_queues()


def _make_queues() -> None:
    op.create_table(
        "queues",
        sa.Column("id", KEY, primary_key=True, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("folded", KEY, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("default", sa.Boolean, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.UniqueConstraint("folded"),
    )


def _part_metadata(name: str) -> None:
    """What was kept so far was for the studio: it becomes the internal part."""
    table = sa.table(name, sa.column("id"), sa.column("metadata"))
    connection = op.get_bind()
    for id_, kept in connection.execute(sa.select(table.c.id, table.c.metadata)).all():
        parts: dict[str, Any] = {"internal": json.loads(kept), "external": {}}
        connection.execute(table.update().where(table.c.id == id_).values(metadata=json.dumps(parts)))


def _fill_queues() -> None:
    """A workspace that is there already gets the queues that a new one begins with; its jobs are in the default one."""
    connection = op.get_bind()
    if not connection.execute(sa.text("SELECT 1 FROM workspaces")).first():
        return
    names = ["id", "code", "folded", "priority", "default", "description", "status"]
    names += ["created", "modified", "settings", "metadata"]
    table = sa.table("queues", *(sa.column(name) for name in names))
    now = time.time_ns() // 1_000_000
    for code, priority in (("high", 999), ("medium", 500), ("low", 1)):
        row = (new_id(), code, code, priority, code == "medium", "", "waiting", now, now, "{}", NO_METADATA)
        connection.execute(table.insert().values(dict(zip(names, row, strict=True))))
        if code == "medium":
            connection.execute(sa.text("UPDATE jobs SET queue_id = :id"), {"id": row[0]})
