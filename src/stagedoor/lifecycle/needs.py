"""What the steps ask of the world: narrow Protocols, one implementation each.

`records` implements `OfferBook`, `JobBook`, `RunBook` and `House`; `volumes` implements `Storage`, `Upload` and
`PartWriter`; `hooks` implements `Programs`; `engine` implements `Runner`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..model.entities import (
    Hook,
    HookRun,
    Job,
    Offer,
    OfferEntry,
    Reservation,
    Role,
    RunState,
    Task,
    User,
    Volume,
    Workspace,
)
from ..model.hooks import HookName
from ..model.manifest import Manifest
from ..model.settings import Settings
from ..model.states import JobFact, JobState, OfferFact, OfferState, TaskFact
from ..model.tape import Range, Ranges

Clock = Callable[[], int]
"""now, in milliseconds since 1970 UTC"""


# --- records -----------------------------------------------------------------------------------------------------


class House(Protocol):
    """Who and what the studio consists of. Read anew at each call: another process may have changed it."""

    def workspace(self) -> Workspace: ...
    def settings(self) -> Settings: ...
    def user(self, user_id: str) -> User | None: ...
    def volumes(self) -> list[Volume]: ...
    def hook(self, name: HookName) -> Hook | None: ...


class OfferBook(Protocol):
    def new_id(self) -> str:
        """An id of an entity: later ones sort after earlier ones."""
        ...

    def count_open(self, user_id: str, now: int) -> int: ...

    def keep(
        self,
        offer: Offer,
        trees: Mapping[str, bytes],
        claims: Sequence[Reservation],
        refuse: Callable[[OfferEntry], OfferEntry],
    ) -> Offer:
        """Store an offer and reserve its places, in one transaction.

        `trees` holds per entry id the JSON of the entry's `files` (kept compressed). A claim conflicts with a
        reservation of another user's open, unexpired offer or of any unfinished job (also the user's own) when its
        key is the same, lies below it or above it. Conflicting entries are stored as `refuse(entry)` and reserve
        nothing. Earlier open offers of the same user that hold a conflicting reservation or an entry of the same id
        become SUPERSEDED and lose their reservations. An offer that is not OPEN (only CHECKED) reserves and
        supersedes nothing, but conflicts are found for it as well (of the user's own open offers: none).
        Returns the offer as stored.
        """
        ...

    def offer(self, offer_id: str) -> Offer | None: ...

    def newest_with(self, user_id: str, entry_ids: Sequence[str]) -> Offer | None:
        """The offer that a submit of these entries means: among this user's offers that hold any of these ids, the
        newest open one, else the newest of all; never one that was only checked."""
        ...

    def entry(self, offer_id: str, entry_id: str) -> OfferEntry | None: ...

    def tree(self, offer_id: str, entry_id: str) -> bytes:
        """The JSON of an entry's `files`, as kept (`null` for a file)."""
        ...

    def close(self, offer_id: str, fact: OfferFact, now: int) -> bool:
        """Withdraw or expire an open offer and free what it reserved. False where it was not open."""
        ...

    def expire(self, now: int) -> int:
        """Expire every open offer whose time has come; how many."""
        ...

    def reserved(self, device: int, *, without_offers_of: str = "") -> int:
        """Bytes still to come on a file system: reservations less what their jobs have received.

        `without_offers_of`: leave out what the open offers of this user reserve; a new offer may take it over.
        """
        ...


class JobBook(Protocol):
    def submit(self, job: Job, now: int) -> Job:
        """Make a job of an open offer, in one transaction.

        The offer becomes SUBMITTED; reservations of the submitted entries pass to the job, the others are freed.
        Where the offer is SUBMITTED already and its job has exactly the same task ids, that job is returned. Raises
        `OfferClosed` (code `offer_<state>`) otherwise.
        """
        ...

    def job(self, job_id: str) -> Job | None:
        """With its tasks."""
        ...

    def job_of_offer(self, offer_id: str) -> Job | None: ...
    def count_unfinished(self, user_id: str) -> int: ...

    def move(self, job_id: str, fact: JobFact, now: int, **changes: Any) -> Job:
        """Apply a fact by the table `states.JOB`, and set further columns, atomically.

        `changes` are field names of Job (`error`, `error_code`, `error_detail`, `reference`, `due`, `failures`,
        `expires`, `finished`). A job that ends (DONE, ABORTED) loses its reservations and gets `finished`. Raises
        WrongMove; nothing has changed then. The job comes without its tasks.
        """
        ...

    def state(self, job_id: str) -> JobState: ...

    def set(self, job_id: str, now: int, **changes: Any) -> None:
        """Set columns that are not the state."""
        ...

    def note(self, job_id: str, text: str, now: int) -> None:
        """Append a line to the job's log."""
        ...

    def move_task(self, job_id: str, task_id: str, fact: TaskFact, **changes: Any) -> Task:
        """The same for a task, by `states.TASK`. `changes`: `received`, `error`."""
        ...

    def set_received(self, job_id: str, task_id: str, received: int) -> None: ...

    def begin_attempt(self, job_id: str) -> int:
        """Count a publish hook run that is about to begin; its number, from 1."""
        ...

    def working(self) -> list[str]:
        """Ids of jobs that are PROVING, PLACING or INGESTING."""
        ...

    def taking(self) -> list[str]:
        """Ids of jobs that take bytes (AWAITING_BYTES, RECEIVING)."""
        ...

    def due(self, now: int) -> list[str]:
        """Ids of failed jobs whose time to be tried again has come."""
        ...

    def idle(self, now: int) -> list[str]:
        """Ids of jobs that wait for bytes and whose `expires` has passed."""
        ...

    def uncleared(self) -> list[str]:
        """Ids of ended jobs whose staging has not been reported cleared."""
        ...

    def cleared(self, job_id: str) -> None: ...

    def task_of_upload(self, upload_id: str) -> tuple[Job, Task] | None:
        """The job (without its other tasks) and the task whose bytes an upload takes."""
        ...

    def all_received(self, job_id: str) -> bool:
        """Whether every task of a job is QUEUED."""
        ...

    def keep_receipt(self, job_id: str, receipt: bytes) -> None: ...
    def receipt(self, job_id: str) -> bytes | None: ...


class RunBook(Protocol):
    def begin(self, run: HookRun) -> None: ...
    def update(self, run_id: str, **changes: Any) -> None: ...
    def unfinished(self) -> list[HookRun]:
        """Runs that are recorded as RUNNING."""
        ...

    def run(self, run_id: str) -> HookRun | None: ...
    def runs_of_job(self, job_id: str) -> list[HookRun]: ...
    def ended_before(self, when: int) -> list[str]: ...
    def forget(self, run_ids: Sequence[str]) -> None: ...


class Lists(Protocol):
    """Filters and pages, newest first: how many match, and the page."""

    def jobs(
        self,
        *,
        user_id: str | None = None,
        id: str | None = None,
        code: str | None = None,
        states: Iterable[JobState] | None = None,
        since: int | None = None,
        finished: bool = False,
        limit: int = 50,
        skip: int = 0,
    ) -> tuple[int, list[Job]]: ...

    def received(self, job_ids: Sequence[str]) -> dict[str, int]: ...

    def offers(
        self,
        *,
        user_id: str | None = None,
        state: OfferState | None = None,
        since: int | None = None,
        limit: int = 50,
        skip: int = 0,
    ) -> tuple[int, list[Offer]]: ...

    def runs(
        self,
        *,
        hook: HookName | None = None,
        job_id: str | None = None,
        offer_id: str | None = None,
        user_id: str | None = None,
        state: RunState | None = None,
        since: int | None = None,
        limit: int = 50,
        skip: int = 0,
    ) -> tuple[int, list[HookRun]]: ...

    def users(
        self,
        *,
        code: str | None = None,
        role: Role | None = None,
        enabled: bool | None = None,
        limit: int = 50,
        skip: int = 0,
    ) -> tuple[int, list[User]]: ...


# --- volumes -----------------------------------------------------------------------------------------------------


class InTheWay(ValueError):
    """A file stands where a place needs a folder: for a vendor, the place is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What is known of a place before anything is there."""

    absolute: str
    """where it will be, links resolved as far as it exists"""
    key: str
    """`absolute` as its file system compares names: equal keys are the same place"""
    exists: bool
    device: int
    free: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHash:
    path: str
    size: int
    modified: int | None
    xxh128: str
    blake3: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The outcome of reading everything once. With `lost` ranges there are no hashes."""

    lost: Ranges
    files: tuple[FileHash, ...] = ()
    read_from: str = "cache"
    """`device`, or `cache` where pages could not be dropped"""


class PartWriter(Protocol):
    """Takes the bytes of one part, in order. One thread at a time."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Raises OSError (ENOSPC ...) from the disk, BadRange for more bytes than announced, RangeInFlight when
        another connection took the range over because this one stalled."""
        ...

    def commit(self) -> None:
        """Check length and digest, record the bytes as received. Raises DigestMismatch; nothing counts then."""
        ...

    def close(self) -> None:
        """Free the range. Without a commit nothing of this part counts. May be called again."""
        ...


class Upload(Protocol):
    """The staging of one task: what arrived, and where it lies. Safe for use by many threads."""

    @property
    def folder(self) -> Path: ...
    @property
    def manifest(self) -> Manifest: ...
    @property
    def size(self) -> int: ...
    @property
    def received(self) -> int: ...
    @property
    def complete(self) -> bool: ...

    def missing(self) -> Ranges: ...

    def begin(self, part: Range, algorithm: str, digest: bytes) -> PartWriter:
        """Open a part. Raises RangeInFlight where another connection is sending bytes of it."""
        ...

    def prove(self, stop: Callable[[], bool]) -> Proof:
        """Flush, read everything once, compare with the digests of what was written; what does not match is dropped
        from what was received. Idempotent. `stop` is asked now and then; InterruptedError when it says so."""
        ...


class Storage(Protocol):
    """Volumes on disk: staging and placing."""

    def inspect(self, volume: Volume, path: str) -> Spot:
        """Raises ValueError (for the studio's log) where nothing can ever be placed there: it leaves the volumes by a
        link, the name is too long for the disk, the disk cannot place safely; InTheWay where a file stands where a
        folder must be."""
        ...

    def create(self, volume: Volume, path: str, upload_id: str, manifest: Manifest) -> Path:
        """Make the staging of an upload whose entry will go to `path`; its folder. Idempotent."""
        ...

    def open(self, folder: Path, upload_id: str) -> Upload:
        """The upload that is staged there, one object per upload and process. After an unclean end of the server,
        what is not known to be on the device is read again here first. Raises FileNotFoundError."""
        ...

    def known(self, upload_id: str) -> Upload | None:
        """The same upload, where this process has it open already."""
        ...

    def check(self, folder: Path, upload_id: str, volume: Volume, path: str) -> None:
        """Just before placing: raises DestinationTaken or ValueError where `place` could not succeed. Passes where
        the entry has been placed already."""
        ...

    def place(self, folder: Path, upload_id: str, volume: Volume, path: str) -> str:
        """Move the proved entry to its place, at once and without replacing anything; the absolute path. Journalled
        before and after: a repeat after a crash finds out whether it happened. Raises DestinationTaken, OSError."""
        ...

    def clear(self, folder: Path, upload_id: str) -> None:
        """Remove what is left of a staging. Idempotent."""
        ...

    def flush(self) -> None:
        """Before a clean end: flush every open upload, so that nothing need be read again."""
        ...


# --- hooks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """A hook to be run."""

    run: HookRun
    """as recorded by RunBook.begin; state RUNNING"""
    environment: Mapping[str, str] = field(default_factory=dict)
    input: bytes
    """JSON"""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """further files beside the input, by name (the hashes of a publish)"""
    wants_output: bool = False
    seconds: float
    answer_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    state: RunState
    exit_code: int | None
    error: str
    """for the studio's log; empty where the hook exited 0 and left what was wanted"""
    output: bytes | None
    """what it wrote to `${PATH_JSON_OUTPUT}`"""


class Programs(Protocol):
    def version(self, command: str) -> str: ...

    def run(self, order: RunOrder) -> Outcome:
        """Run to the end, or to its deadline; its process group is gone when this returns. Keeps input, output,
        stdout and stderr under the run's id, and pid and end in the RunBook. `${PATH_FILE_<NAME>}`-like names in the
        input are not known: paths of `files` are `folder(run_id) / name`."""
        ...

    def folder(self, run_id: str) -> Path:
        """The absolute path of a run's folder: input, output and `files` lie in it while it runs."""
        ...

    def end(self, run: HookRun) -> None:
        """End what is left of a run, its process group and whatever carries its mark."""
        ...

    def read_record(self, run_id: str) -> dict[str, str]:
        """What is kept of a run: `input`, `output`, `stdout`, `stderr`, as text; empty where there is nothing."""
        ...

    def remove(self, run_id: str) -> None:
        """Remove what is kept of a run."""
        ...

    def end_job(self, job_id: str) -> None:
        """End the run of a job that is under way in this process, if any (abort)."""
        ...

    def shutdown(self) -> None:
        """End all runs under way without recording an outcome: they will be repeated."""
        ...


# --- engine ------------------------------------------------------------------------------------------------------


class Runner(Protocol):
    def enqueue(self, job_id: str) -> None:
        """See to it that the job's steps are run. Harmless when they are under way."""
        ...

    def busy(self, job_id: str) -> bool:
        """Whether a step of this job runs, or is about to."""
        ...

    def forget(self, job_id: str) -> None:
        """The job has ended: nothing of it need be remembered."""
        ...
