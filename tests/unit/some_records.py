"""Users, offers and jobs to test with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from stagedoor.model.entities import HookRun, Job, Offer, OfferEntry, Reservation, Role, RunState, Task, User
from stagedoor.model.form import Answers, Form, Status
from stagedoor.model.hooks import HookName
from stagedoor.model.notation import Place
from stagedoor.model.states import JobState, OfferState, TaskStatus
from stagedoor.model.verdict import Kind, Verdict
from stagedoor.records import Records, new_id

NOW = 1_700_000_000_000
HOUR = 3_600_000


def user_of(records: Records, code: str = "anna@vendor.example") -> User:
    return records.house.user_by_code(code) or records.house.add_user(code, Role.STANDARD, "", NOW)


def entry_of(path: str, *, number: int = 0, size: int = 100, **changes: Any) -> OfferEntry:
    entry = OfferEntry(
        id=str(uuid4()),
        number=number,
        filename=path.rsplit("/", 1)[-1],
        is_dir=True,
        size=size,
        file_count=1,
        modified=None,
        verdict=Verdict(kind=Kind.ACCEPTED, ident="shot", findings=({"code": "x", "title": "y"},)),
        place=Place("volume", path.lstrip("/")),
        extras=b'{"shotgun":{"id":7}}',
    )
    return replace(entry, **changes)


def offer_of(user: User, *entries: OfferEntry, **changes: Any) -> Offer:
    offer = Offer(
        id=new_id(),
        user_id=user.id,
        state=OfferState.OPEN,
        created=NOW,
        expires=NOW + 24 * HOUR,
        hostname="ws1",
        ip="10.0.0.9",
        client="test",
        size=sum(entry.size for entry in entries),
        form=Form(comment=True, statuses=(Status(label="To do", value="todo", default=True),), tasks=("comp",)),
        entries=entries,
    )
    return replace(offer, **changes)


def claim_of(offer: Offer, entry: OfferEntry, *, device: int = 1, key: str = "") -> Reservation:
    assert entry.place
    return Reservation(
        key=key or "/mnt/" + entry.place.path,
        user_id=offer.user_id,
        offer_id=offer.id,
        entry_id=entry.id,
        size=entry.size,
        device=device,
    )


def refused(entry: OfferEntry) -> OfferEntry:
    return replace(entry, verdict=Verdict(kind=Kind.REFUSED, code="destination_taken"), place=None)


def keep(records: Records, offer: Offer, *, device: int = 1) -> Offer:
    claims = [claim_of(offer, entry, device=device) for entry in offer.entries if entry.place]
    trees = {entry.id: b'[{"filename":"a.exr","size":100}]' for entry in offer.entries}
    return records.offers.keep(offer, trees, claims, refused)


def kept(records: Records, user: User, *paths: str, **changes: Any) -> Offer:
    """An offer of these paths, as stored."""
    entries = [entry_of(path, number=number) for number, path in enumerate(paths)]
    return keep(records, offer_of(user, *entries, **changes))


def kinds(offer: Offer) -> list[str]:
    return [entry.verdict.kind.value for entry in offer.entries]


def task_of(job_id: str, entry: OfferEntry) -> Task:
    assert entry.place
    return Task(
        id=entry.id,
        job_id=job_id,
        number=entry.number,
        filename=entry.filename,
        is_dir=entry.is_dir,
        source=f"/home/anna/{entry.filename}",
        size=entry.size,
        file_count=entry.file_count,
        status=TaskStatus.PENDING,
        upload_id=new_id(),
        staging="/mnt/.stagedoor/data/x",
        place=entry.place,
        verdict=entry.verdict,
        answers=Answers(comment="Grain fixed", time_report=5400, metadata={"lens": "50"}),
        extras=entry.extras,
    )


def job_of(offer: Offer, *entries: OfferEntry, **changes: Any) -> Job:
    job_id = new_id()
    chosen = entries or offer.entries
    job = Job(
        id=job_id,
        code="sq010_sh020",
        user_id=offer.user_id,
        offer_id=offer.id,
        state=JobState.AWAITING_BYTES,
        created=NOW,
        modified=NOW,
        hostname="ws1",
        ip="10.0.0.9",
        client="test",
        size=sum(entry.size for entry in chosen),
        expires=NOW + 14 * 24 * HOUR,
        notes=("made",),
        tasks=tuple(task_of(job_id, entry) for entry in chosen),
    )
    return replace(job, **changes)


def submitted(records: Records, user: User, *paths: str) -> Job:
    """An unfinished job of these paths."""
    return records.jobs.submit(job_of(kept(records, user, *paths)), NOW)


def run_of(**changes: Any) -> HookRun:
    run = HookRun(
        id=new_id(),
        hook=HookName.PUBLISH,
        command="python3 /p.py ${PATH_JSON_INPUT}",
        version="abc",
        state=RunState.RUNNING,
        started=NOW,
    )
    return replace(run, **changes)
