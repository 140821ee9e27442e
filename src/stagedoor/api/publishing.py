"""Offers, jobs, receipts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar import Response, delete, get, patch, post
from litestar.params import Parameter

from ..lifecycle import views
from ..lifecycle.levels import On
from ..lifecycle.wanted import Wanted
from ..model import errors
from ..model.settings import SETTINGS, Level
from ..model.states import TaskFact
from ..wire import calls
from ..wire.jobs import JobChange, JobView, Page, SubmitRequest, TaskChange
from ..wire.offers import OfferAnswer, OfferRequest
from ..wire.signing import PublicKey
from .asking import Asked, insider, ip, json, milliseconds, read, refusals_kept, route, services, user
from .threads import checks, quick, submits

# `state` and `user` mean something else to the framework where they are names of arguments.
State = Annotated[str | None, Parameter(query="state", description="only in this state")]
Owner = Annotated[str | None, Parameter(query="user", description="only of this user: id or e-mail address")]
Since = Annotated[datetime | None, Parameter(description="made at or after, RFC 3339")]


@post(route(calls.OFFER), request_max_body_size=None, status_code=201)
async def offer(request: Asked) -> Response[bytes]:
    """Offer files and folders: the studio's hook answers entry by entry."""
    async with refusals_kept(request, "offer"):
        most = await quick(lambda: services(request).levels.settings()["offer_bytes"].value)
        asked = await read(request, OfferRequest, int(most))
        made = await checks(services(request).offering.validate, user(request), asked, ip(request))
    for entry in made.entries:
        services(request).tally.count("stagedoor_entries_total", entry.verdict.kind.value, entry.verdict.code)
    answer = await quick(services(request).reading.shown, user(request), made)
    return await json(request, answer, 201)


@get(route(calls.OFFERS))
async def offers(
    request: Asked,
    wanted: Wanted,
    id: str | None = None,
    of_state: State = None,
    of_user: Owner = None,
    since: Since = None,
) -> Page:
    """Offers, newest first."""
    return await quick(
        services(request).reading.offers,
        user(request),
        id=id,
        state=of_state,
        owner=of_user,
        since=milliseconds(since),
        wanted=wanted,
    )


@get(route(calls.OFFER_BY_ID))
async def offer_by_id(request: Asked, id: str) -> OfferAnswer:
    """One offer with its verdicts."""
    return await quick(services(request).reading.offer, user(request), id)


@delete(route(calls.WITHDRAW), status_code=204)
async def withdraw(request: Asked, id: str) -> None:
    """Withdraw an open offer; what it reserved is free."""
    await quick(services(request).control.withdraw, user(request), id)


@post(route(calls.SUBMIT), request_max_body_size=None, status_code=201)
async def submit(request: Asked) -> Response[bytes]:
    """Submit entries of an offer with answers. The same again answers 200 with the job that exists."""
    async with refusals_kept(request, "job"):
        asked = await read(request, SubmitRequest, int(SETTINGS["offer_bytes"].default))
        job, new = await submits(services(request).submitting.submit, user(request), asked, ip(request))
    view = await quick(services(request).reading.job, user(request), job.id)
    return await json(request, view, 201 if new else 200)


@get(route(calls.JOBS))
async def jobs(
    request: Asked,
    wanted: Wanted,
    id: str | None = None,
    of_state: State = None,
    of_user: Owner = None,
    since: Since = None,
    finished: bool = False,
    tasks: bool = False,
) -> Page:
    """Jobs, newest first; ended ones with `finished`. `state`: a status, a phase, or several with commas."""
    return await quick(
        services(request).reading.jobs,
        user(request),
        id=id,
        state=of_state,
        owner=of_user,
        since=milliseconds(since),
        finished=finished,
        tasks=tasks,
        wanted=wanted,
    )


@get(route(calls.JOB))
async def job(request: Asked, id: str) -> JobView:
    """One job with its tasks."""
    return await quick(services(request).reading.job, user(request), id)


@patch(route(calls.CHANGE_JOB))
async def change_job(request: Asked, id: str, data: JobChange) -> JobView:
    """Rename, pause, resume or abort a job; move it to another queue. Nobody sets a publish to done."""
    return await quick(_change, request, id, data)


def _change(request: Asked, id: str, data: JobChange) -> JobView:
    control, who = services(request).control, user(request)
    views.owned_by(who, control.job(id))
    if data.status not in (None, "aborted", "paused", "waiting"):
        raise errors.Conflict(
            "The status of a publish can be set to paused, waiting (it goes on) or aborted.", code="status_not_settable"
        )
    if data.metadata is not None:
        insider(request)
        services(request).levels.change_metadata(On(Level.JOB, id), data.metadata.internal, data.metadata.external)
    if data.code is not None:
        control.rename(who, id, data.code)
    if data.queue is not None:
        control.move_to(who, id, data.queue)
    if data.status is not None:
        {"aborted": control.abort, "paused": control.pause, "waiting": control.resume}[data.status](who, id)
    return services(request).reading.job(who, id)


@patch(route(calls.CHANGE_TASK))
async def change_task(request: Asked, id: str, task: str, data: TaskChange) -> JobView:
    """Put an entry on hold, exclude it, or let it in again, before it is placed. For employees and admins."""
    return await quick(_change_task, request, id, task, data)


def _change_task(request: Asked, id: str, task: str, data: TaskChange) -> JobView:
    found = views.owned_by(user(request), services(request).control.job(id))
    fact = _TASK_FACTS.get(data.status)
    if fact is None and any(one.id == task for one in found.tasks):
        raise errors.Conflict(
            "The status of a task can be set to onhold, excluded or queued (neither any more).",
            code="status_not_settable",
        )
    services(request).control.set_entries(user(request), id, [task], fact or TaskFact.RELEASED)
    return services(request).reading.job(user(request), id)


_TASK_FACTS = {"onhold": TaskFact.HELD, "excluded": TaskFact.EXCLUDED, "queued": TaskFact.RELEASED}


@post(route(calls.RETRY), status_code=200)
async def retry(request: Asked, id: str) -> JobView:
    """Go on where a failed job stopped. Nothing is uploaded again."""
    await quick(services(request).control.retry, user(request), id)
    return await quick(services(request).reading.job, user(request), id)


@post(route(calls.ABORT), status_code=200)
async def abort(request: Asked, id: str) -> JobView:
    """End a job. What has been placed stays."""
    await quick(services(request).control.abort, user(request), id)
    return await quick(services(request).reading.job, user(request), id)


@post(route(calls.PAUSE), status_code=200)
async def pause(request: Asked, id: str) -> JobView:
    """Let a job rest: it takes no bytes and begins no step. What the studio paused only the studio resumes."""
    await quick(services(request).control.pause, user(request), id)
    return await quick(services(request).reading.job, user(request), id)


@post(route(calls.RESUME), status_code=200)
async def resume(request: Asked, id: str) -> JobView:
    """Go on with a paused job."""
    await quick(services(request).control.resume, user(request), id)
    return await quick(services(request).reading.job, user(request), id)


@get(route(calls.RECEIPT))
async def receipt(request: Asked, id: str) -> Response[bytes]:
    """What arrived, proved: every file with size, xxh128 and blake3."""
    return await json(request, await quick(services(request).reading.receipt, user(request), id))


@get(route(calls.RECEIPT_MHL))
async def receipt_mhl(request: Asked, id: str) -> Response[bytes]:
    """The receipt as ASC MHL 2.0: a ZIP with the folder `ascmhl` of each entry."""
    found = await checks(services(request).reading.receipt_mhl, user(request), id)
    return Response(
        found, media_type="application/zip", headers={"content-disposition": f'attachment; filename="receipt-{id}.zip"'}
    )


@get(route(calls.RECEIPT_KEY))
async def receipt_key(request: Asked) -> PublicKey:
    """The public key of the studio's receipts."""
    return services(request).receipt_key


@get(route(calls.TASKS))
async def tasks(request: Asked, wanted: Wanted, job: str | None = None) -> Page:
    """Tasks, those of the newest job first; ended ones too. `job`: of this job only."""
    return await quick(services(request).reading.tasks, user(request), job=job, wanted=wanted)


@get(route(calls.TASK_FILES))
async def task_files(request: Asked, id: str, task: str) -> Response[bytes]:
    """The validated tree of one entry of a job."""
    found = await quick(services(request).reading.files, user(request), id, task)
    return await json(request, found)


HANDLERS = [
    offer,
    offers,
    offer_by_id,
    withdraw,
    submit,
    jobs,
    job,
    change_job,
    change_task,
    retry,
    abort,
    pause,
    resume,
    receipt,
    receipt_mhl,
    receipt_key,
    tasks,
    task_files,
]
