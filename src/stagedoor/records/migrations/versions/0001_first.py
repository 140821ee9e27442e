"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _key(name: str, *rest: sa.ForeignKey, primary: bool = False) -> sa.Column[str]:
    return sa.Column(name, KEY, *rest, primary_key=primary, nullable=False)


def _of(kind: Any, *names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def upgrade() -> None:
    _house()
    _offers()
    _jobs()
    _runs()


def _house() -> None:
    op.create_table(
        "workspaces",
        _key("id", primary=True),
        *_of(sa.Text, "code", "metadata", "settings"),
    )
    op.create_table(
        "users",
        _key("id", primary=True),
        *_of(sa.Text, "code"),
        _key("folded"),
        *_of(sa.Text, "role"),
        *_of(sa.Boolean, "enabled"),
        *_of(sa.Text, "name", "metadata"),
        *_of(sa.BigInteger, "created", "modified"),
        sa.UniqueConstraint("folded"),
    )
    op.create_table(
        "api_keys",
        _key("id", primary=True),
        _key("user_id", sa.ForeignKey("users.id")),
        *_of(sa.LargeBinary, "hash"),
        *_of(sa.Text, "label"),
        *_of(sa.BigInteger, "created"),
        *_of(sa.BigInteger, "expires", "revoked", nullable=True),
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"])
    op.create_table(
        "volumes",
        _key("id", primary=True),
        *_of(sa.Text, "code"),
        _key("folded"),
        *_of(sa.Text, "root", "aliases"),
        *_of(sa.Boolean, "default", "enabled"),
        *_of(sa.Integer, "file_mode", "folder_mode", nullable=True),
        *_of(sa.Text, "group", "capabilities"),
        *_of(sa.BigInteger, "created", "modified"),
        sa.UniqueConstraint("folded"),
    )
    op.create_table(
        "hooks",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        *_of(sa.Text, "command", "environment"),
        *_of(sa.BigInteger, "modified"),
    )


def _offers() -> None:
    op.create_table(
        "offers",
        _key("id", primary=True),
        _key("user_id", sa.ForeignKey("users.id")),
        *_of(sa.Text, "state"),
        *_of(sa.BigInteger, "created", "expires"),
        *_of(sa.Text, "hostname", "ip", "client"),
        *_of(sa.BigInteger, "size"),
        _key("run_id"),
        *_of(sa.Text, "form"),
        *_of(sa.BigInteger, "closed", nullable=True),
    )
    op.create_index("offers_of_user", "offers", ["user_id", "state"])
    op.create_index("offers_to_expire", "offers", ["state", "expires"])
    op.create_index("offers_by_time", "offers", ["created"])
    op.create_table(
        "offer_entries",
        _key("offer_id", sa.ForeignKey("offers.id", ondelete="CASCADE"), primary=True),
        _key("id", primary=True),
        *_of(sa.Integer, "number"),
        *_of(sa.Text, "filename"),
        *_of(sa.Boolean, "is_dir"),
        *_of(sa.BigInteger, "size", "file_count"),
        *_of(sa.BigInteger, "modified", nullable=True),
        *_of(sa.Text, "verdict"),
        sa.Column("volume_id", KEY, nullable=True),
        *_of(sa.Text, "path", nullable=True),
        *_of(sa.LargeBinary, "extras", "tree"),
    )
    op.create_index("entries_by_id", "offer_entries", ["id"])
    op.create_table(
        "reservations",
        _key("offer_id", sa.ForeignKey("offers.id", ondelete="CASCADE"), primary=True),
        _key("entry_id", primary=True),
        _key("key"),
        _key("user_id"),
        _key("job_id"),
        *_of(sa.BigInteger, "size", "device"),
    )
    op.create_index("ix_reservations_key", "reservations", ["key"])
    op.create_index("ix_reservations_job_id", "reservations", ["job_id"])
    op.create_index("reservations_on_device", "reservations", ["device"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        _key("id", primary=True),
        *_of(sa.Text, "code"),
        _key("folded"),
        _key("user_id", sa.ForeignKey("users.id")),
        _key("offer_id", sa.ForeignKey("offers.id")),
        *_of(sa.Text, "state"),
        *_of(sa.BigInteger, "created", "modified"),
        *_of(sa.BigInteger, "finished", nullable=True),
        *_of(sa.Text, "hostname", "ip", "client"),
        *_of(sa.BigInteger, "size"),
        *_of(sa.Text, "queue", "error_code", "error", "error_detail", "reference"),
        *_of(sa.Integer, "attempts", "failures"),
        *_of(sa.BigInteger, "due", nullable=True),
        *_of(sa.BigInteger, "expires"),
        *_of(sa.Text, "notes"),
        *_of(sa.Boolean, "cleared"),
        sa.UniqueConstraint("offer_id"),
    )
    op.create_index("jobs_by_code", "jobs", ["folded"])
    op.create_index("jobs_of_user", "jobs", ["user_id", "created"])
    op.create_index("jobs_by_time", "jobs", ["created"])
    op.create_index("jobs_by_state", "jobs", ["state", "cleared"])
    op.create_table(
        "tasks",
        _key("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary=True),
        _key("id", primary=True),
        *_of(sa.Integer, "number"),
        *_of(sa.Text, "filename"),
        *_of(sa.Boolean, "is_dir"),
        *_of(sa.Text, "source"),
        *_of(sa.BigInteger, "size", "file_count"),
        *_of(sa.Text, "status"),
        _key("upload_id"),
        *_of(sa.Text, "staging"),
        _key("volume_id"),
        *_of(sa.Text, "path", "verdict", "answers"),
        *_of(sa.LargeBinary, "extras"),
        *_of(sa.BigInteger, "received"),
        *_of(sa.Text, "error"),
        sa.UniqueConstraint("upload_id"),
    )
    op.create_index("ix_tasks_volume_id", "tasks", ["volume_id"])
    op.create_table(
        "receipts",
        _key("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary=True),
        *_of(sa.LargeBinary, "body"),
    )


def _runs() -> None:
    op.create_table(
        "hook_runs",
        _key("id", primary=True),
        *_of(sa.Text, "hook", "command"),
        _key("version"),
        *_of(sa.Text, "state"),
        *_of(sa.BigInteger, "started"),
        _key("user_id"),
        _key("offer_id"),
        _key("job_id"),
        *_of(sa.Integer, "attempt"),
        *_of(sa.BigInteger, "ended", "exit_code", "pid", nullable=True),
        *_of(sa.Text, "pid_started", "error"),
    )
    op.create_index("ix_hook_runs_offer_id", "hook_runs", ["offer_id"])
    op.create_index("ix_hook_runs_job_id", "hook_runs", ["job_id"])
    op.create_index("runs_by_state", "hook_runs", ["state"])
    op.create_index("runs_by_time", "hook_runs", ["started"])
    op.create_index("runs_of_hook", "hook_runs", ["hook", "started"])
    op.create_index("runs_of_user", "hook_runs", ["user_id", "started"])
