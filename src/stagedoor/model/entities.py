"""The records that all parts speak of. Frozen values; times are integer milliseconds since 1970 UTC.

Ids of entities are 24 lower-case hexadecimal characters in order of creation; entries and tasks carry the uuid4 that
the client chose. No id is a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from .form import Answers, Form
from .hooks import HookName
from .metadata import Metadata
from .states import JobState, OfferState, TaskStatus
from .verdict import Verdict

if TYPE_CHECKING:
    from .notation import Place


class Role(str, Enum):
    ADMIN = "admin"
    EMPLOYEE = "employee"
    STANDARD = "standard"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    id: str
    code: str
    metadata: Metadata = field(default_factory=Metadata)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    id: str
    code: str
    """the e-mail address"""
    role: Role
    enabled: bool = True
    name: str = ""
    metadata: Metadata = field(default_factory=Metadata)
    created: int = 0
    modified: int = 0

    @property
    def works_here(self) -> bool:
        """Admin or employee: may see the work of others."""
        return self.role is not Role.STANDARD


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key is shown once, when it is made; only a hash of it is kept."""

    id: str
    user_id: str
    label: str
    created: int
    expires: int | None = None
    revoked: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    id: str
    code: str
    root: str
    """absolute path on the server"""
    aliases: tuple[str, ...] = ()
    """further prefixes by which hooks and users know it; never used on disk"""
    default: bool = False
    enabled: bool = True
    file_mode: int | None = None
    folder_mode: int | None = None
    group: str = ""
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    """what its file system can do, as probed"""
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Metadata = field(default_factory=Metadata)
    created: int = 0
    modified: int = 0


class QueueStatus(str, Enum):
    WAITING = "waiting"
    """for jobs; its jobs are begun in their turn"""
    PAUSED = "paused"
    """none of its jobs is begun; uploads arrive all the same"""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A line in which jobs wait for their turn."""

    id: str
    code: str
    priority: int
    """0 to 1000; jobs of the queue with the higher number go first"""
    default: bool = False
    description: str = ""
    status: QueueStatus = QueueStatus.WAITING
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Metadata = field(default_factory=Metadata)
    created: int = 0
    modified: int = 0


BUILT_IN_QUEUES: Mapping[str, int] = {"high": 999, "medium": 500, "low": 1}
"""The queues that every workspace begins with, and their priorities."""
DEFAULT_QUEUE = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferEntry:
    """One file or folder as offered, and what was decided about it."""

    id: str
    number: int
    filename: str
    """as offered"""
    is_dir: bool
    size: int
    file_count: int
    modified: int | None
    verdict: Verdict
    place: Place | None = None
    extras: bytes = b"{}"
    """further keys of the hook's answer, as JSON: kept for the publish hook"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    id: str
    user_id: str
    state: OfferState
    created: int
    expires: int
    hostname: str = ""
    ip: str = ""
    client: str = ""
    size: int = 0
    run_id: str = ""
    """the pre-publish hook run that decided"""
    form: Form = field(default_factory=Form)
    entries: tuple[OfferEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A place that is kept for an open offer or an unfinished job."""

    key: str
    """the absolute path, as its file system compares names"""
    user_id: str
    offer_id: str
    entry_id: str
    size: int
    device: int
    """the file system it will fill"""
    job_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One entry in a job."""

    id: str
    job_id: str
    number: int
    filename: str
    is_dir: bool
    source: str
    size: int
    file_count: int
    status: TaskStatus
    upload_id: str
    staging: str
    """absolute path of the upload's folder on the server"""
    place: Place
    verdict: Verdict
    answers: Answers
    extras: bytes = b"{}"
    received: int = 0
    """bytes acknowledged, as last summed up; the upload itself knows exactly"""
    error: str = ""
    kept: str = ""
    """absolute path of what the entry replaced, as long as it is kept"""
    kept_until: int | None = None
    """None where nothing was replaced"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An entry of a user's earlier job, as far as is needed to find its files again."""

    job_id: str
    id: str
    filename: str
    file_count: int
    placed: bool
    """else what arrived of it lies in its staging"""
    place: Place
    upload_id: str
    staging: str


class Sums(NamedTuple):
    """What the tasks of a job come to."""

    entries: int
    files: int
    received: int
    """bytes, of the entries that are not left out"""


class Changed(NamedTuple):
    """A job that has changed lately."""

    id: str
    user_id: str
    state: JobState
    size: int
    modified: int
    received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    id: str
    code: str
    user_id: str
    offer_id: str
    state: JobState
    created: int
    modified: int
    finished: int | None = None
    hostname: str = ""
    ip: str = ""
    client: str = ""
    size: int = 0
    queue_id: str = ""
    error_code: str = ""
    error: str = ""
    """one sentence for the vendor"""
    error_detail: str = ""
    """for the studio only"""
    reference: str = ""
    """the hook run behind the error"""
    attempts: int = 0
    """publish hook runs begun"""
    failures: int = 0
    """failures in a row that were retried by themselves"""
    due: int | None = None
    """when it will be tried again by itself"""
    expires: int = 0
    """when its staging will be cleared if no byte comes"""
    notes: tuple[str, ...] = ()
    """the job's log: what a person should know"""
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Metadata = field(default_factory=Metadata)
    tasks: tuple[Task, ...] = ()


class RunState(str, Enum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    """the server ended while it ran; outcome unknown"""
    CANCELLED = "cancelled"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRun:
    id: str
    hook: HookName
    command: str
    version: str
    """hash over every word of the line that names a regular file"""
    state: RunState
    started: int
    user_id: str = ""
    offer_id: str = ""
    job_id: str = ""
    attempt: int = 1
    ended: int | None = None
    exit_code: int | None = None
    """negative: the signal that ended it"""
    pid: int | None = None
    pid_started: str = ""
    """start time of the process in clock ticks since boot, and the boot: tells it from a later one with its number"""
    error: str = ""
    """why the run or its answer counts as failed"""
    replay: bool = False
    """run by a person, once more, on what an earlier run had read"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    name: HookName
    queue: str = ""
    """code of the queue for whose jobs it stands instead of the workspace's; empty: the workspace's"""
    command: str
    environment: Mapping[str, str] = field(default_factory=dict)
    run_as: str = ""
    """name of the system user that runs it; empty: the server's own"""
    enabled: bool = True
    modified: int = 0

    def begun(
        self,
        id: str,
        *,
        at: int,
        version: str = "",
        user_id: str = "",
        offer_id: str = "",
        job_id: str = "",
        attempt: int = 1,
        replay: bool = False,
    ) -> HookRun:
        """A run of it, that begins."""
        return HookRun(
            id=id,
            hook=self.name,
            command=self.command,
            version=version,
            state=RunState.RUNNING,
            started=at,
            user_id=user_id,
            offer_id=offer_id,
            job_id=job_id,
            attempt=attempt,
            replay=replay,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Whom and what a run is about, as people call them."""

    user: str = ""
    """e-mail address"""
    name: str = ""
    """of its job; before there is one, of the first entry of its offer"""
    entries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """That something happened to a job, of which a hook is still to be told."""

    id: str
    """the same in every attempt: the hook's idempotency key"""
    hook: HookName
    job_id: str
    created: int
    status: str
    """of the job, at that moment; so are the next ones"""
    error: str = ""
    error_code: str = ""
    error_detail: str = ""
    reference: str = ""
    due: int | None = None
    attempts: int = 0
    """runs begun"""
