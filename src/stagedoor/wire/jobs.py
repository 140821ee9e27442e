"""Submitting an offer, and the job that follows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field

from .house import MetadataChange, MetadataView
from .signing import Signature


class SubmitRequest(Struct, frozen=True, kw_only=True):
    """Entries of one offer, with answers, to become a job.

    `tasks`: `{id, source}`; the id names the entry. `hooks`: one publish hook, any spelling, with
    `data.files`: per entry `id` and answers; keys of the decision, where present, must be as the server decided.
    """

    tasks: list[dict[str, Raw]]
    hooks: list[dict[str, Raw]] = []
    code: str = ""
    hostname: str = ""
    client: str = ""
    queue: str = ""
    """code or id; employees and admins only. Left out: the default queue"""


class Answers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    comment: str = ""
    time_report: int = 0
    """seconds"""
    status: str = ""
    task: str = ""
    metadata: dict[str, str] = {}


class TaskView(Struct, frozen=True, kw_only=True):
    """One entry in a job."""

    id: str
    uri: str
    """its number within the job"""
    filename: str
    is_dir: bool
    status: str
    size: int
    received: int
    progress: int
    """0-100"""
    source: str
    can_publish: bool
    can_upload: bool
    warning: str
    info: str
    ident: str
    findings: tuple[dict[str, Any], ...]
    """what the studio's hook found about the entry: `{code, title, files, fix}`"""
    answers: Answers
    upload: str
    """id of the upload that takes its bytes"""
    files: int = 0
    """how many files it has"""
    job: str = ""
    """id of its job"""
    error: str = ""
    path: str = ""
    """for employees and admins only: `volume=<code>/<path>`"""
    path_abs_final: str = ""
    """for employees and admins only: absolute, on the server"""
    on_exists: str = ""
    """for employees and admins only: refuse or replace"""
    kept: str = ""
    """for employees and admins only: where that lies which the entry replaced; empty when its time is over"""
    kept_until: datetime | None = None
    """for employees and admins only: until when; null where nothing was replaced"""


class JobView(Struct, frozen=True, kw_only=True):
    id: str
    code: str
    name: str
    status: str
    """waiting, running, paused, failed, aborted, done"""
    phase: str
    """upload, prove, place, ingest, ended"""
    user: str
    user_hr: str
    created: datetime
    modified: datetime
    finished: datetime | None
    size: int
    received: int
    progress: int
    """0-100, of the upload"""
    speed: float
    """MB/s; -1.0 when idle"""
    etr: str
    """estimated time remaining, h:mm:ss; empty when idle"""
    queue: str
    """id; for employees and admins only"""
    queue_hr: str
    """its code; for employees and admins only"""
    hostname: str
    entries: int = 0
    files: int = 0
    """of all entries"""
    waits_for: str = ""
    """why a job of which everything has arrived is not gone on with"""
    metadata: MetadataView = field(default_factory=MetadataView)
    error_code: str = ""
    error: str = ""
    """what went wrong, in a sentence for the user"""
    reference: str = ""
    """to tell the studio: the hook run behind the error"""
    retry_at: datetime | None = None
    """when it will be tried again by itself"""
    staging_expires: datetime | None = None
    """an unfinished upload is cleared then if no byte comes"""
    attempts: int = 0
    """publish hook runs begun"""
    notes: tuple[str, ...] = ()
    detail: str = ""
    """for employees and admins only"""
    offer: str = ""
    tasks: tuple[TaskView, ...] = ()
    """in lists only on demand"""


class JobNews(Struct, frozen=True, kw_only=True):
    """What has changed on a job; the words are those of `JobView`."""

    id: str
    status: str
    phase: str
    size: int
    received: int
    progress: int
    speed: float
    etr: str


class JobChange(Struct, frozen=True, kw_only=True):
    """What may be changed on a job; `queue` and `metadata` by employees and admins."""

    code: str | None = None
    status: str | None = None
    """`paused`, `waiting` (goes on) or `aborted`"""
    queue: str | None = None
    """code or id"""
    metadata: MetadataChange | None = None


class TaskChange(Struct, frozen=True, kw_only=True):
    """What employees and admins may change on a task before it is placed."""

    status: str
    """`onhold` (the job does not go on without it), `excluded` (goes on without it), `queued` (neither any more)"""


class ReceiptFile(Struct, frozen=True, kw_only=True):
    path: str
    """relative to the entry; empty for an entry that is a file"""
    size: int
    modified: int | None
    xxh128: str
    blake3: str


class ReceiptEntry(Struct, frozen=True, kw_only=True):
    id: str
    filename: str
    is_dir: bool
    size: int
    can_publish: bool
    can_upload: bool
    ident: str
    answers: Answers
    proof: str
    """what the proof read: `device`, or `cache` where the system kept pages in memory"""
    folders: list[str]
    files: list[ReceiptFile]


class Receipt(Struct, frozen=True, kw_only=True):
    """What arrived, proved byte by byte."""

    job: str
    code: str
    workspace: str
    user: str
    submitted: datetime
    proved: datetime
    size: int
    entries: list[ReceiptEntry]
    version: int = 1
    signature: Signature | UnsetType = UNSET
    """left out where the studio does not sign; `signing` says what it is over"""


class Page(Struct, frozen=True, kw_only=True):
    """A page of a list; `total` counts what matches beyond this page."""

    total: int
    items: list[Any]
