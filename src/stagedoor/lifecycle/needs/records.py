"""What the steps ask of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from ...model.audit import LogLine, Stumble
from ...model.entities import (
    Changed,
    Concern,
    Earlier,
    Hook,
    HookRun,
    Job,
    Notice,
    Offer,
    OfferEntry,
    Queue,
    Reservation,
    Role,
    RunState,
    Sums,
    Task,
    User,
    Volume,
    Workspace,
)
from ...model.errors import StagedoorError
from ...model.hooks import HookName
from ...model.settings import Settings
from ...model.slice import FIRST, Slice
from ...model.states import JobFact, JobState, OfferFact, OfferState, TaskFact, TaskStatus


class House(Protocol):
    """Who and what the studio consists of. Read anew at each call: another process may have changed it."""

    def workspace(self) -> Workspace: ...
    def settings(self) -> Settings:
        """Those of the workspace."""
        ...

    def settings_of(self, job: Job) -> Settings:
        """The effective ones of a job: workspace, its queue, itself. `settings_of(job).number("upload_rate")`."""
        ...

    def settings_at(self, volume_id: str) -> Settings:
        """The effective ones of a volume: workspace, itself."""
        ...

    def queue(self, queue_id: str) -> Queue | None: ...
    def queues(self) -> list[Queue]:
        """The one that goes first comes first."""
        ...

    def user(self, user_id: str) -> User | None: ...
    def volumes(self) -> list[Volume]: ...
    def hook(self, name: HookName, queue: str = "") -> Hook | None:
        """The one that runs for a queue: its own, else the workspace's. None where none is set, or it is switched
        off."""
        ...


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
        """The same for a task, by `states.TASK`. `changes`: `received`, `error`, `kept`, `kept_until`."""
        ...

    def set_kept(self, job_id: str, task_id: str, kept: str, until: int | None) -> None:
        """Where that lies which an entry replaced, and until when; empty: it is gone."""
        ...

    def kept_before(self, now: int) -> list[Task]:
        """Some of the tasks whose replaced copies have had their time."""
        ...

    def set_received(self, job_id: str, task_id: str, received: int) -> None: ...

    def begin_attempt(self, job_id: str) -> int:
        """Count a publish hook run that is about to begin; its number, from 1."""
        ...

    def working(self) -> list[str]:
        """Ids of jobs that are PROVING, PLACING or INGESTING: their turn has come."""
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

    def earlier(self, user_id: str, job_id: str, most: int) -> list[Earlier]:
        """Entries of this user's jobs but one, newest first: those that were placed, and those whose staging has not
        been reported cleared."""
        ...

    def uncleared(self, aborted_before: int) -> list[str]:
        """Ids of ended jobs whose staging has not been reported cleared; aborted ones only where they ended by then."""
        ...

    def cleared(self, job_id: str) -> None: ...

    def task_of_upload(self, upload_id: str) -> tuple[Job, Task] | None:
        """The job (without its other tasks) and the task whose bytes an upload takes."""
        ...

    def lacking(self, job_id: str) -> frozenset[TaskStatus]:
        """What the tasks are that keep a job from going on: empty when every one is QUEUED or EXCLUDED."""
        ...

    def change_tasks(self, job_id: str, task_ids: Sequence[str], fact: TaskFact, now: int) -> None:
        """HELD, EXCLUDED or RELEASED, of several tasks at once; the job's size follows, and a job that was past its
        upload goes back to it, to look at what it has. Raises WrongMove where placing has begun, Conflict
        (`last_entry`) where nothing would be left."""
        ...

    def proved(self, job_id: str, task_ids: Sequence[str], receipt: bytes, now: int) -> None:
        """Keep the receipt and move on by PROVED, where exactly these tasks are not EXCLUDED. Raises WrongMove."""
        ...

    def receipt(self, job_id: str) -> bytes | None: ...


class TurnBook(Protocol):
    """Whose turn it is."""

    def begin_next(self, now: int) -> list[str]:
        """Move the waiting jobs whose turn it is by STARTED, in one transaction: the queue with the higher priority
        first, then the older job; within `jobs_at_once` of the workspace and of each queue, `user_jobs_at_once`, and
        never from a paused queue. Their ids."""
        ...

    def reasons(self, found: Sequence[Job]) -> dict[str, str]:
        """By id, why jobs that wait for their turn have not been begun; for the studio."""
        ...


class NoticeBook(Protocol):
    """What post hooks are still to be told. A notice is made with the change of its job, by JobBook."""

    def waiting(self, limit: int) -> list[Notice]:
        """The oldest ones."""
        ...

    def begin(self, notice_id: str) -> int:
        """Count a run that is about to begin; its number, from 1, or 0 where the notice is settled."""
        ...

    def settle(self, notice_id: str) -> None: ...


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


class AuditBook(Protocol):
    """The audit log. Lines about changes are added where the changes are made, in the same transaction."""

    def refused(self, entity: str, error: StagedoorError) -> None:
        """Add a line about an offer or a submit that was refused as a whole."""
        ...

    def tried(self, hook: Hook) -> None:
        """Add a line about a line that was tried, and not set."""
        ...

    def forget(self, before: int) -> int:
        """Remove lines that are older, some at a time; how many."""
        ...

    def stumbles(self, since: int | None = None) -> list[Stumble]: ...


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
        wanted: Slice = FIRST,
    ) -> tuple[int, list[Job]]: ...

    def tasks(
        self,
        *,
        user_id: str | None = None,
        job_id: str | None = None,
        wanted: Slice = FIRST,
    ) -> tuple[int, list[Task]]: ...

    def sums(self, job_ids: Sequence[str]) -> dict[str, Sums]: ...
    def with_tasks(self, found: Sequence[Job]) -> list[Job]: ...

    def changed(self, since: int, most: int) -> list[Changed]:
        """The jobs that have changed since a time, `most` at the most."""
        ...

    def owners(self, user_ids: Iterable[str]) -> dict[str, User]: ...

    def offers(
        self,
        *,
        user_id: str | None = None,
        id: str | None = None,
        state: OfferState | None = None,
        since: int | None = None,
        wanted: Slice = FIRST,
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
        wanted: Slice = FIRST,
    ) -> tuple[int, list[HookRun]]: ...

    def concerns(self, found: Sequence[HookRun]) -> dict[str, Concern]:
        """By run, as far as it is known still."""
        ...

    def users(
        self,
        *,
        id: str | None = None,
        code: str | None = None,
        role: Role | None = None,
        enabled: bool | None = None,
        wanted: Slice = FIRST,
    ) -> tuple[int, list[User]]: ...

    def volumes(
        self,
        *,
        code: str | None = None,
        enabled: bool | None = None,
        wanted: Slice = FIRST,
    ) -> tuple[int, list[Volume]]: ...

    def log(
        self,
        *,
        id: str | None = None,
        user: str | None = None,
        entity: str | None = None,
        thing: str | None = None,
        verb: str | None = None,
        code: str | None = None,
        since: int | None = None,
        among: Iterable[str] | None = None,
        wanted: Slice = FIRST,
    ) -> tuple[int, list[LogLine]]: ...
