"""The tables of this version. `migrations` makes them; a test keeps the two equal.

Rules
1. Columns have the names of the fields they hold; `picked` gives those that make up an entity.
2. Times are integer milliseconds since 1970 UTC.
3. Columns whose names end with `folded` are for comparisons alone; `picked` leaves them out.
4. A reservation exists exactly as long as it holds: while its offer is open or its job unfinished.
5. No foreign key leads to a volume or a run: records outlive both.
6. What lists are narrowed by has an index that goes on with `id`, in whose order pages are: a page then reads its own
   rows, however many match. A task says whose it is, as its job does and never otherwise.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table

from ..model.audit import Door
from ..model.entities import QueueStatus, Role, RunState
from ..model.form import Answers, Form
from ..model.hooks import HookName
from ..model.metadata import Metadata
from ..model.signin import Way
from ..model.states import JobState, OfferState, TaskStatus
from ..model.verdict import Verdict
from .columns import KEY, Choice, Json, Words, folded_of

metadata = MetaData()


def _key(name: str, *constraints: Any, **options: Any) -> Column[str]:
    return Column(name, KEY, *constraints, nullable=False, **options)


def _id(name: str = "id") -> Column[str]:
    return Column(name, KEY, primary_key=True, nullable=False)


def _words(*names: str) -> list[Column[str]]:
    return [Column(name, Words(), nullable=False) for name in names]


def _numbers(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _optional(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=True) for name in names]


def _of(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _theirs() -> Column[str]:
    """Whose it is."""
    return _key("user_id", ForeignKey("users.id"), index=True)


def _secret(name: str = "hash") -> Column[bytes]:
    """What somebody proves that they have: no two are the same."""
    return Column(name, LargeBinary, nullable=False, unique=True)


def _own() -> list[Column[Any]]:
    """What a thing carries that the studio has set on it."""
    return [_of("settings", Json(dict[str, Any])), _of("metadata", Json(Metadata))]


workspaces = Table(
    "workspaces",
    metadata,
    _id(),
    *_words("code"),
    _of("metadata", Json(Metadata)),
    _of("settings", Json(dict[str, Any])),
)

users = Table(
    "users",
    metadata,
    _id(),
    *_words("code"),
    _key("folded", unique=True),
    _of("role", Choice(Role)),
    _of("enabled", Boolean),
    *_words("name"),
    folded_of("name"),
    _of("metadata", Json(Metadata)),
    *_numbers("created", "modified"),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _theirs(),
    _of("hash", LargeBinary),
    *_words("label"),
    *_numbers("created"),
    *_optional("expires", "revoked"),
)

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", KEY, ForeignKey("users.id"), primary_key=True, nullable=False),
    *_words("hash"),
    *_numbers("changed"),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    _theirs(),
    _secret(),
    *_numbers("created", "last_used"),
    *_words("ip", "client"),
    _of("way", Choice(Way)),
    Index("sessions_by_use", "last_used"),
)

invitations = Table(
    "invitations",
    metadata,
    _id(),
    *_words("email"),
    folded_of("email"),
    _of("role", Choice(Role)),
    *_words("by"),
    _secret(),
    *_numbers("created", "expires"),
    *_optional("redeemed", "revoked"),
    Index("invitations_by_email", "email_folded"),
)

links = Table(
    "links",
    metadata,
    _id(),
    _theirs(),
    _secret(),
    *_numbers("created", "expires"),
)

passkeys = Table(
    "passkeys",
    metadata,
    _id(),
    _theirs(),
    _secret("credential"),
    _of("public_key", LargeBinary),
    *_numbers("sign_count"),
    *_words("host", "name"),
    *_numbers("created"),
    *_optional("last_used"),
)

volumes = Table(
    "volumes",
    metadata,
    _id(),
    *_words("code"),
    _key("folded", unique=True),
    *_words("root"),
    _of("aliases", Json(tuple[str, ...])),
    _of("default", Boolean),
    _of("enabled", Boolean),
    Column("file_mode", Integer, nullable=True),
    Column("folder_mode", Integer, nullable=True),
    *_words("group"),
    _of("capabilities", Json(dict[str, Any])),
    *_numbers("created", "modified"),
    *_own(),
)

queues = Table(
    "queues",
    metadata,
    _id(),
    *_words("code"),
    _key("folded", unique=True),
    _of("priority", Integer),
    _of("default", Boolean),
    *_words("description"),
    _of("status", Choice(QueueStatus)),
    *_numbers("created", "modified"),
    *_own(),
)

hooks = Table(
    "hooks",
    metadata,
    Column("name", Choice(HookName), primary_key=True, nullable=False),
    _id("queue"),
    *_words("command"),
    _of("environment", Json(dict[str, str])),
    *_words("run_as"),
    _of("enabled", Boolean),
    *_numbers("modified"),
)

offers = Table(
    "offers",
    metadata,
    _id(),
    _key("user_id", ForeignKey("users.id")),
    _of("state", Choice(OfferState)),
    *_numbers("created", "expires"),
    *_words("hostname", "ip", "client"),
    folded_of("hostname"),
    *_numbers("size"),
    _key("run_id"),
    _of("form", Json(Form)),
    *_optional("closed"),
    Index("offers_by_state", "state", "id"),
    Index("offers_of_user", "user_id", "state", "id"),
    Index("offers_of_user_in_order", "user_id", "id"),
    Index("offers_to_expire", "state", "expires"),
    Index("offers_by_time", "created"),
)

entries = Table(
    "offer_entries",
    metadata,
    Column("offer_id", KEY, ForeignKey("offers.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    _id(),
    _of("number", Integer),
    *_words("filename"),
    folded_of("filename"),
    _of("is_dir", Boolean),
    *_numbers("size", "file_count"),
    *_optional("modified"),
    _of("verdict", Json(Verdict)),
    Column("volume_id", KEY, nullable=True),
    Column("path", Words(), nullable=True),
    _of("extras", LargeBinary),
    _of("tree", LargeBinary),
    Index("entries_by_id", "id"),
    Index("entries_by_filename", "filename_folded"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("offer_id", KEY, ForeignKey("offers.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    _id("entry_id"),
    _key("key", index=True),
    _key("user_id"),
    _key("job_id", index=True),
    *_numbers("size", "device"),
    Index("reservations_on_device", "device"),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    *_words("code"),
    _key("folded"),
    _key("user_id", ForeignKey("users.id")),
    _key("offer_id", ForeignKey("offers.id"), unique=True),
    _of("state", Choice(JobState)),
    *_numbers("created", "modified"),
    *_optional("finished"),
    *_words("hostname", "ip", "client"),
    folded_of("hostname"),
    *_numbers("size"),
    _key("queue_id"),
    *_words("error_code", "error", "error_detail", "reference"),
    _of("attempts", Integer),
    _of("failures", Integer),
    *_optional("due"),
    *_numbers("expires"),
    _of("notes", Json(tuple[str, ...])),
    _of("cleared", Boolean),
    *_own(),
    Index("jobs_by_code", "folded"),
    Index("jobs_of_user", "user_id", "created", "state"),
    Index("jobs_by_time", "created", "state"),
    Index("jobs_by_state", "state", "cleared"),
    Index("jobs_of_user_in_order", "user_id", "id"),
    Index("jobs_of_user_by_state", "user_id", "state", "id", "created"),
    Index("jobs_of_user_by_code", "user_id", "folded", "id"),
    Index("jobs_of_state_in_order", "state", "id", "created"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("job_id", KEY, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    _id(),
    _key("user_id"),
    _of("number", Integer),
    *_words("filename"),
    folded_of("filename"),
    _of("is_dir", Boolean),
    *_words("source"),
    folded_of("source"),
    *_numbers("size", "file_count"),
    _of("status", Choice(TaskStatus)),
    _key("upload_id", unique=True),
    *_words("staging"),
    _key("volume_id", index=True),
    *_words("path"),
    folded_of("path"),
    _of("verdict", Json(Verdict)),
    _of("answers", Json(Answers)),
    _of("extras", LargeBinary),
    *_numbers("received"),
    *_words("error", "kept"),
    Index("tasks_by_filename", "filename_folded"),
    Index("tasks_of_job_by_volume", "job_id", "volume_id"),
    Index("tasks_of_user", "user_id", "job_id", "number"),
    Index("tasks_of_user_by_filename", "user_id", "filename_folded", "job_id"),
    *_optional("kept_until"),
    Index("tasks_kept", "kept_until"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("job_id", KEY, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    _of("body", LargeBinary),
)

notices = Table(
    "notices",
    metadata,
    _id(),
    _of("hook", Choice(HookName)),
    _key("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), index=True),
    *_numbers("created"),
    *_words("status", "error", "error_code", "error_detail", "reference"),
    *_optional("due"),
    _of("attempts", Integer),
)

runs = Table(
    "hook_runs",
    metadata,
    _id(),
    _of("hook", Choice(HookName)),
    *_words("command"),
    _key("version"),
    _of("state", Choice(RunState)),
    *_numbers("started"),
    _key("user_id"),
    _key("offer_id", index=True),
    _key("job_id", index=True),
    _of("attempt", Integer),
    *_optional("ended", "exit_code", "pid"),
    *_words("pid_started", "error"),
    _of("replay", Boolean),
    Index("runs_by_state", "state"),
    Index("runs_by_time", "started"),
    Index("runs_of_hook", "hook", "id", "started"),
    Index("runs_of_user", "user_id", "id", "started"),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    *_numbers("created"),
    _key("user_id"),
    *_words("user"),
    *_words("user_folded"),
    *_words("role", "ip", "client"),
    _key("request_id"),
    _of("door", Choice(Door)),
    _key("verb"),
    _key("entity"),
    _key("entity_id"),
    *_words("entity_code", "entity_folded"),
    _key("code"),
    *_words("message"),
    _of("changes", Json(dict[str, Any])),
    _of("details", Json(dict[str, Any])),
    _of("reasons", Json(tuple[str, ...])),
    Index("audit_by_time", "created"),
    Index("audit_of_user", "user_folded", "id", "created"),
    Index("audit_by_user", "user_id", "id", "created"),
    Index("audit_of_entity", "entity_id"),
    Index("audit_by_verb", "verb", "id", "created"),
    Index("audit_by_entity", "entity", "created"),
    Index("audit_of_entity_in_order", "entity", "id"),
)


def picked(table: Table, *without: str) -> list[Column[Any]]:
    """The columns of a table but some, and but those that are folded."""
    return [column for column in table.columns if column.name not in without and not column.name.endswith("folded")]
