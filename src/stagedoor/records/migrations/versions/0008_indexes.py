"""Long lists are read in the order of their pages: indexes that go on with the id; a task says whose it is."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INDEXES = (
    ("jobs_of_user_in_order", "jobs", ["user_id", "id"]),
    ("jobs_of_user_by_state", "jobs", ["user_id", "state", "id", "created"]),
    ("jobs_of_user_by_code", "jobs", ["user_id", "folded", "id"]),
    ("jobs_of_state_in_order", "jobs", ["state", "id", "created"]),
    ("tasks_of_job_by_volume", "tasks", ["job_id", "volume_id"]),
    ("tasks_of_user", "tasks", ["user_id", "job_id", "number"]),
    ("tasks_of_user_by_filename", "tasks", ["user_id", "filename_folded", "job_id"]),
    ("offers_of_user_in_order", "offers", ["user_id", "id"]),
    ("audit_by_user", "audit", ["user_id", "id", "created"]),
    ("audit_of_entity_in_order", "audit", ["entity", "id"]),
)
CHANGED = (
    ("jobs_of_user", "jobs", ["user_id", "created", "state"]),
    ("jobs_by_time", "jobs", ["created", "state"]),
    ("offers_of_user", "offers", ["user_id", "state", "id"]),
    ("runs_of_hook", "hook_runs", ["hook", "id", "started"]),
    ("runs_of_user", "hook_runs", ["user_id", "id", "started"]),
    ("audit_of_user", "audit", ["user_folded", "id", "created"]),
    ("audit_by_verb", "audit", ["verb", "id", "created"]),
)


def upgrade() -> None:
    op.add_column("tasks", sa.Column("user_id", KEY, nullable=False, server_default=""))
    op.execute("UPDATE tasks SET user_id = (SELECT user_id FROM jobs WHERE jobs.id = tasks.job_id)")
    for name, table, _ in CHANGED:
        op.drop_index(name, table)
    for name, table, columns in (*INDEXES, *CHANGED):
        op.create_index(name, table, columns)
