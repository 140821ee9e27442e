"""States of jobs, tasks and offers: tables of state x fact -> state.

Rules
1. A move that is not in the table is refused (`WrongMove`) and changes nothing.
2. A job's state says both what people read (`status`, accsyn's word) and how far the work is (`phase`).
3. Nothing but the fact INGESTED (the publish hook exited 0, or none is set) leads to DONE.
4. Phases go forward; only damage found by the proof leads back, and only to the upload.
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
    PROVING = "proving"
    PLACING = "placing"
    INGESTING = "ingesting"
    PROVE_FAILED = "prove_failed"
    PLACE_FAILED = "place_failed"
    INGEST_FAILED = "ingest_failed"
    DONE = "done"
    ABORTED = "aborted"

    def __str__(self) -> str:
        return self.value

    @property
    def status(self) -> str:
        """waiting, running, failed, aborted or done: the words scripts know."""
        return _STATUS[self]

    @property
    def phase(self) -> str:
        """upload, prove, place, ingest or ended."""
        return _PHASE[self]

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
    PROVED = "proved"
    PLACED = "placed"
    INGESTED = "ingested"
    """the publish hook exited 0, or none is set"""
    FAILED = "failed"
    RETRIED = "retried"
    ABORTED = "aborted"


_STATUS = {
    JobState.AWAITING_BYTES: "waiting",
    JobState.RECEIVING: "running",
    JobState.PROVING: "running",
    JobState.PLACING: "running",
    JobState.INGESTING: "running",
    JobState.PROVE_FAILED: "failed",
    JobState.PLACE_FAILED: "failed",
    JobState.INGEST_FAILED: "failed",
    JobState.DONE: "done",
    JobState.ABORTED: "aborted",
}
_PHASE = {
    JobState.AWAITING_BYTES: "upload",
    JobState.RECEIVING: "upload",
    JobState.PROVING: "prove",
    JobState.PLACING: "place",
    JobState.INGESTING: "ingest",
    JobState.PROVE_FAILED: "prove",
    JobState.PLACE_FAILED: "place",
    JobState.INGEST_FAILED: "ingest",
    JobState.DONE: "ended",
    JobState.ABORTED: "ended",
}

JOB: Mapping[tuple[JobState, JobFact], JobState] = {
    (JobState.AWAITING_BYTES, JobFact.BYTES): JobState.RECEIVING,
    (JobState.AWAITING_BYTES, JobFact.RECEIVED): JobState.PROVING,
    (JobState.AWAITING_BYTES, JobFact.STARVED): JobState.AWAITING_BYTES,
    (JobState.AWAITING_BYTES, JobFact.ABORTED): JobState.ABORTED,
    (JobState.RECEIVING, JobFact.BYTES): JobState.RECEIVING,
    (JobState.RECEIVING, JobFact.STARVED): JobState.AWAITING_BYTES,
    (JobState.RECEIVING, JobFact.RECEIVED): JobState.PROVING,
    (JobState.RECEIVING, JobFact.ABORTED): JobState.ABORTED,
    (JobState.PROVING, JobFact.DAMAGED): JobState.AWAITING_BYTES,
    (JobState.PROVING, JobFact.PROVED): JobState.PLACING,
    (JobState.PROVING, JobFact.FAILED): JobState.PROVE_FAILED,
    (JobState.PROVING, JobFact.ABORTED): JobState.ABORTED,
    (JobState.PROVE_FAILED, JobFact.RETRIED): JobState.PROVING,
    (JobState.PROVE_FAILED, JobFact.ABORTED): JobState.ABORTED,
    (JobState.PLACING, JobFact.PLACED): JobState.INGESTING,
    (JobState.PLACING, JobFact.FAILED): JobState.PLACE_FAILED,
    (JobState.PLACING, JobFact.ABORTED): JobState.ABORTED,
    (JobState.PLACE_FAILED, JobFact.RETRIED): JobState.PLACING,
    (JobState.PLACE_FAILED, JobFact.ABORTED): JobState.ABORTED,
    (JobState.INGESTING, JobFact.INGESTED): JobState.DONE,
    (JobState.INGESTING, JobFact.FAILED): JobState.INGEST_FAILED,
    (JobState.INGESTING, JobFact.ABORTED): JobState.ABORTED,
    (JobState.INGEST_FAILED, JobFact.RETRIED): JobState.INGESTING,
    (JobState.INGEST_FAILED, JobFact.ABORTED): JobState.ABORTED,
}


class TaskStatus(str, Enum):
    PENDING = "pending"
    EXECUTING = "executing"
    QUEUED = "queued"
    """received; waits for the entries beside it, for proof and place"""
    FAILED = "failed"
    DONE = "done"
    """placed"""

    def __str__(self) -> str:
        return self.value


class TaskFact(str, Enum):
    BYTES = "bytes"
    RECEIVED = "received"
    DAMAGED = "damaged"
    PLACED = "placed"
    FAILED = "failed"


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
