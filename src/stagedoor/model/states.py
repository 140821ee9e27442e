"""States of jobs, tasks and offers: tables of state x fact -> state.

Rules
1. A move that is not in the table is refused (`WrongMove`) and changes nothing.
2. A job's state says both what people read (`status`, accsyn's word) and how far the work is (`phase`).
3. Nothing but the fact INGESTED (the publish hook exited 0, or none is set) leads to DONE.
4. Phases go forward; only damage found by the proof, and entries held, excluded or let in again before the placing,
   lead back, and only to the upload.
5. What waits for its turn (`*_waiting`) is begun by STARTED alone; what is paused goes on by RESUMED alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar


class WrongMove(ValueError):
    """This fact cannot happen in this state."""


class JobState(str, Enum):
    AWAITING_BYTES = "awaiting_bytes"
    RECEIVING = "receiving"
    UPLOAD_PAUSED = "upload_paused"
    PROVE_WAITING = "prove_waiting"
    """waits for its turn"""
    PROVING = "proving"
    PROVE_PAUSED = "prove_paused"
    PLACE_WAITING = "place_waiting"
    PLACING = "placing"
    PLACE_PAUSED = "place_paused"
    INGEST_WAITING = "ingest_waiting"
    INGESTING = "ingesting"
    INGEST_PAUSED = "ingest_paused"
    """a hook that had begun goes on to its end"""
    PROVE_FAILED = "prove_failed"
    PLACE_FAILED = "place_failed"
    INGEST_FAILED = "ingest_failed"
    DONE = "done"
    ABORTED = "aborted"

    def __str__(self) -> str:
        return self.value

    @property
    def status(self) -> str:
        """waiting, running, paused, failed, aborted or done: the words scripts know."""
        return _STATUS.get(self, self.value.rpartition("_")[2])

    @property
    def phase(self) -> str:
        """upload, prove, place, ingest or ended."""
        return _PHASE.get(self, self.value.partition("_")[0])

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.ABORTED)


class JobFact(str, Enum):
    BYTES = "bytes"
    """a part was acknowledged"""
    STARVED = "starved"
    """the upload cannot go on for now: no space"""
    RECEIVED = "received"
    """every byte of every entry is there"""
    DAMAGED = "damaged"
    """the proof found bytes that must come again"""
    CHANGED = "changed"
    """other entries belong to the job than before: what is there is looked at again"""
    STARTED = "started"
    """its turn has come"""
    PAUSED = "paused"
    RESUMED = "resumed"
    PROVED = "proved"
    PLACED = "placed"
    INGESTED = "ingested"
    """the publish hook exited 0, or none is set"""
    FAILED = "failed"
    RETRIED = "retried"
    ABORTED = "aborted"


# The other states are named <phase>_<status>.
_STATUS = {
    JobState.AWAITING_BYTES: "waiting",
    JobState.RECEIVING: "running",
    JobState.PROVING: "running",
    JobState.PLACING: "running",
    JobState.INGESTING: "running",
}
_PHASE = {
    JobState.AWAITING_BYTES: "upload",
    JobState.RECEIVING: "upload",
    JobState.PROVING: "prove",
    JobState.PLACING: "place",
    JobState.INGESTING: "ingest",
    JobState.DONE: "ended",
    JobState.ABORTED: "ended",
}

JOB: Mapping[tuple[JobState, JobFact], JobState] = {
    (JobState.AWAITING_BYTES, JobFact.BYTES): JobState.RECEIVING,
    (JobState.AWAITING_BYTES, JobFact.RECEIVED): JobState.PROVE_WAITING,
    (JobState.AWAITING_BYTES, JobFact.STARVED): JobState.AWAITING_BYTES,
    (JobState.AWAITING_BYTES, JobFact.PAUSED): JobState.UPLOAD_PAUSED,
    (JobState.RECEIVING, JobFact.BYTES): JobState.RECEIVING,
    (JobState.RECEIVING, JobFact.STARVED): JobState.AWAITING_BYTES,
    (JobState.RECEIVING, JobFact.RECEIVED): JobState.PROVE_WAITING,
    (JobState.RECEIVING, JobFact.PAUSED): JobState.UPLOAD_PAUSED,
    (JobState.UPLOAD_PAUSED, JobFact.PAUSED): JobState.UPLOAD_PAUSED,
    (JobState.UPLOAD_PAUSED, JobFact.RESUMED): JobState.AWAITING_BYTES,
    (JobState.PROVE_WAITING, JobFact.STARTED): JobState.PROVING,
    (JobState.PROVE_WAITING, JobFact.CHANGED): JobState.AWAITING_BYTES,
    (JobState.PROVE_WAITING, JobFact.PAUSED): JobState.PROVE_PAUSED,
    (JobState.PROVING, JobFact.CHANGED): JobState.AWAITING_BYTES,
    (JobState.PROVING, JobFact.DAMAGED): JobState.AWAITING_BYTES,
    (JobState.PROVING, JobFact.PROVED): JobState.PLACING,
    (JobState.PROVING, JobFact.FAILED): JobState.PROVE_FAILED,
    (JobState.PROVING, JobFact.PAUSED): JobState.PROVE_PAUSED,
    (JobState.PROVE_PAUSED, JobFact.CHANGED): JobState.UPLOAD_PAUSED,
    (JobState.PROVE_PAUSED, JobFact.RESUMED): JobState.PROVE_WAITING,
    (JobState.PROVE_FAILED, JobFact.CHANGED): JobState.AWAITING_BYTES,
    (JobState.PROVE_FAILED, JobFact.RETRIED): JobState.PROVE_WAITING,
    (JobState.PLACE_WAITING, JobFact.STARTED): JobState.PLACING,
    (JobState.PLACE_WAITING, JobFact.PAUSED): JobState.PLACE_PAUSED,
    (JobState.PLACING, JobFact.PLACED): JobState.INGESTING,
    (JobState.PLACING, JobFact.FAILED): JobState.PLACE_FAILED,
    (JobState.PLACING, JobFact.PAUSED): JobState.PLACE_PAUSED,
    (JobState.PLACE_PAUSED, JobFact.RESUMED): JobState.PLACE_WAITING,
    (JobState.PLACE_FAILED, JobFact.RETRIED): JobState.PLACE_WAITING,
    (JobState.INGEST_WAITING, JobFact.STARTED): JobState.INGESTING,
    (JobState.INGEST_WAITING, JobFact.INGESTED): JobState.DONE,
    (JobState.INGEST_WAITING, JobFact.FAILED): JobState.INGEST_FAILED,
    (JobState.INGEST_WAITING, JobFact.PAUSED): JobState.INGEST_PAUSED,
    (JobState.INGESTING, JobFact.INGESTED): JobState.DONE,
    (JobState.INGESTING, JobFact.FAILED): JobState.INGEST_FAILED,
    (JobState.INGESTING, JobFact.PAUSED): JobState.INGEST_PAUSED,
    (JobState.INGEST_PAUSED, JobFact.INGESTED): JobState.DONE,
    (JobState.INGEST_PAUSED, JobFact.FAILED): JobState.INGEST_FAILED,
    (JobState.INGEST_PAUSED, JobFact.RESUMED): JobState.INGEST_WAITING,
    (JobState.INGEST_FAILED, JobFact.RETRIED): JobState.INGEST_WAITING,
    **{(state, JobFact.ABORTED): JobState.ABORTED for state in JobState if not state.ended},
}
RUNNING = (JobState.PROVING, JobState.PLACING, JobState.INGESTING)
"""a step is under way, or about to be"""
WAITING = (JobState.PROVE_WAITING, JobState.PLACE_WAITING, JobState.INGEST_WAITING)
"""a step is to be done when its turn has come"""
UNFINISHED = tuple(state for state in JobState if not state.ended)


class TaskStatus(str, Enum):
    PENDING = "pending"
    EXECUTING = "executing"
    QUEUED = "queued"
    """received; waits for the entries beside it, for proof and place"""
    ONHOLD = "onhold"
    """the studio keeps it back; the job does not go on without it"""
    EXCLUDED = "excluded"
    """the studio left it out; the job goes on without it"""
    FAILED = "failed"
    DONE = "done"
    """placed"""

    def __str__(self) -> str:
        return self.value


class TaskFact(str, Enum):
    BYTES = "bytes"
    RECEIVED = "received"
    DAMAGED = "damaged"
    HELD = "held"
    EXCLUDED = "excluded"
    RELEASED = "released"
    """neither held nor left out any more"""
    PLACED = "placed"
    FAILED = "failed"


_BEFORE_PLACING = (
    TaskStatus.PENDING,
    TaskStatus.EXECUTING,
    TaskStatus.QUEUED,
    TaskStatus.ONHOLD,
    TaskStatus.EXCLUDED,
)
TASK: Mapping[tuple[TaskStatus, TaskFact], TaskStatus] = {
    (TaskStatus.PENDING, TaskFact.BYTES): TaskStatus.EXECUTING,
    (TaskStatus.PENDING, TaskFact.RECEIVED): TaskStatus.QUEUED,
    (TaskStatus.EXECUTING, TaskFact.BYTES): TaskStatus.EXECUTING,
    (TaskStatus.EXECUTING, TaskFact.RECEIVED): TaskStatus.QUEUED,
    (TaskStatus.QUEUED, TaskFact.RECEIVED): TaskStatus.QUEUED,
    (TaskStatus.QUEUED, TaskFact.DAMAGED): TaskStatus.PENDING,
    (TaskStatus.QUEUED, TaskFact.PLACED): TaskStatus.DONE,
    (TaskStatus.QUEUED, TaskFact.FAILED): TaskStatus.FAILED,
    (TaskStatus.FAILED, TaskFact.FAILED): TaskStatus.FAILED,
    (TaskStatus.FAILED, TaskFact.PLACED): TaskStatus.DONE,
    **{(state, TaskFact.HELD): TaskStatus.ONHOLD for state in _BEFORE_PLACING},
    **{(state, TaskFact.EXCLUDED): TaskStatus.EXCLUDED for state in _BEFORE_PLACING},
    (TaskStatus.ONHOLD, TaskFact.RELEASED): TaskStatus.PENDING,
    (TaskStatus.EXCLUDED, TaskFact.RELEASED): TaskStatus.PENDING,
}


class OfferState(str, Enum):
    OPEN = "open"
    CHECKED = "checked"
    """validated only: holds no reservation and cannot be submitted"""
    SUBMITTED = "submitted"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    def __str__(self) -> str:
        return self.value


class OfferFact(str, Enum):
    SUBMITTED = "submitted"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


OFFER: Mapping[tuple[OfferState, OfferFact], OfferState] = {
    (OfferState.OPEN, OfferFact.SUBMITTED): OfferState.SUBMITTED,
    (OfferState.OPEN, OfferFact.SUPERSEDED): OfferState.SUPERSEDED,
    (OfferState.OPEN, OfferFact.WITHDRAWN): OfferState.WITHDRAWN,
    (OfferState.OPEN, OfferFact.EXPIRED): OfferState.EXPIRED,
}

State = TypeVar("State", bound=Enum)
Fact = TypeVar("Fact", bound=Enum)


def after(table: Mapping[tuple[State, Fact], State], state: State, fact: Fact) -> State:
    """The state that follows. Raises WrongMove where the table has no such move."""
    try:
        return table[state, fact]
    except KeyError:
        raise WrongMove(f"{fact.value} cannot happen to something that is {state.value}") from None


def before(table: Mapping[tuple[State, Fact], State], fact: Fact) -> list[State]:
    """The states in which `fact` can happen: what a database update may start from."""
    return [state for state, known in table if known is fact]
