"""How offers, jobs and tasks are shown, and to whom. `read` finds them.

Rules
1. A standard user is given their own: verdict, texts, form, answers, progress, receipt. Never a path of the studio,
   a volume, hook output, exit codes, command lines or another person.
2. Employees and admins are given places and details as well.
3. What is somebody else's answers exactly as what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone

from ..model.entities import Job, Offer, OfferEntry, Queue, Sums, Task, User, Volume
from ..model.errors import NotFound
from ..model.form import Answers
from ..model.notation import Place
from ..model.states import WAITING, JobState, TaskStatus
from ..model.verdict import Kind, OnExists, Verdict
from ..wire import house as wire_house
from ..wire import jobs as wire_jobs
from ..wire import offers as wire_offers

Progress = Callable[[Task], int]
"""bytes of a task received so far, exactly where that is known"""
Speed = Callable[[str], float]
"""bytes per second that a job receives; 0 when idle"""


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


def moment_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else moment(milliseconds)


def may_see(user: User, owner_id: str) -> bool:
    return user.works_here or user.id == owner_id


def seen_by(user: User, job: Job | None) -> Job:
    """The job, where this user may see it. Raises NotFound: the same for foreign and unknown."""
    if job is None or not may_see(user, job.user_id):
        raise NotFound
    return job


def owned_by(user: User, job: Job | None) -> Job:
    """The job, where this user may change it: their own, or anybody's for who works at the studio."""
    return seen_by(user, job)


def flags(verdict: Verdict) -> dict[str, bool]:
    return {
        "can_publish": verdict.kind is Kind.ACCEPTED,
        "can_upload": verdict.kind is Kind.UPLOAD_ONLY,
        "rejected": verdict.kind is Kind.REFUSED,
    }


def on_exists(verdict: Verdict) -> str:
    return (verdict.on_exists or OnExists.REFUSE).value


def notation_of(place: Place | None, volumes: Mapping[str, Volume]) -> str:
    if place is None:
        return ""
    volume = volumes.get(place.volume_id)
    return f"volume={volume.code if volume else place.volume_id}/{place.path}"


def absolute_of(place: Place, volumes: Mapping[str, Volume]) -> str:
    volume = volumes.get(place.volume_id)
    return f"{volume.root.rstrip('/')}/{place.path}" if volume else ""


def _verdict_entry(entry: OfferEntry, inside: bool, volumes: Mapping[str, Volume]) -> wire_offers.VerdictEntry:
    verdict = entry.verdict
    return wire_offers.VerdictEntry(
        id=entry.id,
        filename=entry.filename,
        size=entry.size,
        is_dir=entry.is_dir,
        modified=entry.modified,
        warning=verdict.warning,
        info=verdict.info,
        ident=verdict.ident,
        comment_label=verdict.comment_label,
        code=verdict.code,
        findings=verdict.findings,
        path=notation_of(entry.place, volumes) if inside else "",
        on_exists=on_exists(verdict) if inside and entry.place else "",
        detail=verdict.detail if inside else "",
        **flags(verdict),
    )


def offer(offer: Offer, reader: User, volumes: Mapping[str, Volume]) -> wire_offers.OfferAnswer:
    inside = reader.works_here
    form = offer.form
    return wire_offers.OfferAnswer(
        id=offer.id,
        state=offer.state.value,
        created=moment(offer.created),
        expires=moment(offer.expires),
        user=offer.user_id,
        size=offer.size,
        files=tuple(_verdict_entry(entry, inside, volumes) for entry in offer.entries),
        comment=form.comment,
        time_report=form.time_report,
        metadata=form.metadata,
        statuses=tuple(wire_offers.Status(**asdict(status)) for status in form.statuses),
        tasks=form.tasks,
        guidelines=form.guidelines,
        run=offer.run_id if inside else "",
    )


def answers(given: Answers) -> wire_jobs.Answers:
    return wire_jobs.Answers(**asdict(given))


def percent(part: int, whole: int) -> int:
    return 100 if part >= whole else part * 100 // whole


def task(task: Task, reader: User, volumes: Mapping[str, Volume]) -> wire_jobs.TaskView:
    return _task(task, task_received(task, None), reader.works_here, volumes)


def _task(task: Task, received: int, inside: bool, volumes: Mapping[str, Volume]) -> wire_jobs.TaskView:
    return wire_jobs.TaskView(
        id=task.id,
        uri=str(task.number),
        filename=task.filename,
        is_dir=task.is_dir,
        status=task.status.value,
        size=task.size,
        received=received,
        files=task.file_count,
        progress=percent(received, task.size),
        source=task.source,
        can_publish=task.verdict.kind is Kind.ACCEPTED,
        can_upload=task.verdict.kind is Kind.UPLOAD_ONLY,
        warning=task.verdict.warning,
        info=task.verdict.info,
        ident=task.verdict.ident,
        findings=task.verdict.findings,
        answers=answers(task.answers),
        upload=task.upload_id,
        job=task.job_id,
        error=task.error,
        path=notation_of(task.place, volumes) if inside else "",
        path_abs_final=absolute_of(task.place, volumes) if inside else "",
        on_exists=on_exists(task.verdict) if inside else "",
        kept=task.kept if inside else "",
        kept_until=moment_or_none(task.kept_until) if inside else None,
    )


def user_hr(user: User) -> str:
    return f"user:{user.code}[{user.role}]({user.id})"


def time_left(left: int, speed: float) -> str:
    if speed < 1 or left <= 0:
        return ""
    seconds = int(left / speed)
    return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"


def task_received(task: Task, progress: Progress | None) -> int:
    if task.status in (TaskStatus.QUEUED, TaskStatus.DONE, TaskStatus.FAILED):
        return task.size
    return progress(task) if progress else task.received


def job(
    job: Job,
    reader: User,
    owner: User | None,
    volumes: Mapping[str, Volume],
    *,
    queue: Queue | None = None,
    reason: str = "",
    summed: Sums | None = None,
    progress: Progress | None = None,
    speed: Speed | None = None,
) -> wire_jobs.JobView:
    """`owner` is the job's user, `reason` why it waits for its turn; `tasks` are shown where the job comes with them,
    else `summed` tells what they come to."""
    inside = reader.works_here
    uploading = job.state.phase == "upload"
    counted = [(task, task_received(task, progress if uploading else None)) for task in job.tasks]
    complete = not uploading and job.state is not JobState.ABORTED
    there = sum(count for task, count in counted if task.status is not TaskStatus.EXCLUDED)
    sums = summed or Sums(len(job.tasks), sum(task.file_count for task in job.tasks), there)
    received = job.size if complete else sums.received
    waits = job.state in WAITING
    rate = speed(job.id) if speed and uploading else 0.0
    return wire_jobs.JobView(
        id=job.id,
        code=job.code,
        name=job.code,
        status=job.state.status,
        phase=job.state.phase,
        user=job.user_id,
        user_hr=user_hr(owner) if owner else "",
        created=moment(job.created),
        modified=moment(job.modified),
        finished=moment_or_none(job.finished),
        size=job.size,
        received=received,
        entries=sums.entries,
        files=sums.files,
        progress=percent(received, job.size),
        speed=round(rate / 1e6, 3) if rate else -1.0,
        etr=time_left(job.size - received, rate),
        queue=job.queue_id if inside else "",
        queue_hr=queue.code if queue and inside else "",
        waits_for=(reason if inside else "Everything has arrived; it waits for its turn at the studio.")
        if waits
        else "",
        metadata=wire_house.MetadataView(
            internal=dict(job.metadata.internal) if inside else {}, external=dict(job.metadata.external)
        ),
        hostname=job.hostname,
        error_code=job.error_code,
        error=job.error,
        reference=job.reference,
        retry_at=moment_or_none(job.due),
        staging_expires=moment(job.expires) if uploading else None,
        attempts=job.attempts,
        notes=job.notes,
        detail=job.error_detail if inside else "",
        offer=job.offer_id,
        tasks=tuple(_task(task, count, inside, volumes) for task, count in counted),
    )


def receipt_entry(
    task: Task, proof: str, folders: list[str], files: list[wire_jobs.ReceiptFile]
) -> wire_jobs.ReceiptEntry:
    return wire_jobs.ReceiptEntry(
        id=task.id,
        filename=task.filename,
        is_dir=task.is_dir,
        size=task.size,
        can_publish=task.verdict.kind is Kind.ACCEPTED,
        can_upload=task.verdict.kind is Kind.UPLOAD_ONLY,
        ident=task.verdict.ident,
        answers=answers(task.answers),
        proof=proof,
        folders=folders,
        files=files,
    )
