"""Hooks per queue, with a system user and a switch; what post hooks are still to be told; runs on recorded input."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _hooks()
    op.create_table(
        "notices",
        sa.Column("id", KEY, primary_key=True, nullable=False),
        sa.Column("hook", sa.Text, nullable=False),
        sa.Column("job_id", KEY, sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("status", "error", "error_code", "error_detail", "reference")
        ),
        sa.Column("due", sa.BigInteger, nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    op.create_index("ix_notices_job_id", "notices", ["job_id"])
    op.add_column("hook_runs", sa.Column("replay", sa.Boolean, nullable=False, server_default=sa.false()))


def _hooks() -> None:
    """A new primary key: SQLite cannot change one, so the table is made again."""
    op.rename_table("hooks", "hooks_before")
    op.create_table(
        "hooks",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        sa.Column("queue", KEY, primary_key=True, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("run_as", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO hooks (name, queue, command, environment, run_as, enabled, modified) "
        "SELECT name, '', command, environment, '', true, modified FROM hooks_before"
    )
    op.drop_table("hooks_before")
