"""What is asked of long lists has indexes: jobs of a user by state, jobs of a state by time,
volumes of a job, the log of a user.
"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("jobs_of_user_by_state", "jobs", ["user_id", "state"])
    op.create_index("jobs_by_state_and_time", "jobs", ["state", "created", "id"])
    op.create_index("tasks_of_job_by_volume", "tasks", ["job_id", "volume_id"])
    op.create_index("audit_by_user", "audit", ["user_id"])
