"""`stagedoor job`: one job."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..model.errors import BadRequest, NotFound
from . import metadata, sending
from .options import Group, limit, no_reuse, with_session
from .receipt import save
from .screen import jobs
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session


@click.group("job", cls=Group)
def command() -> None:
    """Show, retry, pause, resume, move or abort one job; hold and exclude its entries."""


def _find(session: Session, job_id: str) -> dict[str, Any]:
    job = session.get_entity("Job", job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}; see: stagedoor jobs --finished.")
    return job


@command.command()
@click.argument("job_id", metavar="ID")
@click.option(
    "--receipt", type=click.Path(dir_okay=False, path_type=Path), help="Save the receipt, JSON, to this file."
)
@with_session
def show(page: Page, session: Session, job_id: str, receipt: Path | None) -> None:
    """Show a job: its entries, answers, state, and what to do next."""
    job = _find(session, job_id)
    proof = session.receipt(job_id) if receipt or job["status"] == "done" else None
    if receipt and proof:
        save(receipt, proof)
        page.note(f"The receipt is in {receipt}.")
    page.answer({"job": job, "receipt": proof} if receipt else job)
    if page.json:
        return
    jobs.show(page, job)
    if proof:
        jobs.receipt(page, proof)


@command.command()
@click.argument("job_id", metavar="ID")
@click.option("--wait", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait at most so long for the studio.")
@with_session
@click.pass_context
def retry(ctx: click.Context, page: Page, session: Session, job_id: str, wait: float | None) -> None:
    """Try a failed job again from the step that failed, and wait. Nothing is sent a second time.

    The studio or you may do so, once the cause is mended. Ends with exit code 7 when a hook fails again.
    """
    job = session.retry(job_id)
    page.context = {"job": job}
    page.note(f"The job {job_id} is tried again.")
    job = sending.carry_out(page, session, job, wait, send=job.get("hostname") == socket.gethostname())
    ctx.exit(sending.conclude(page, job))


@command.command()
@click.argument("job_id", metavar="ID")
@with_session
def abort(page: Page, session: Session, job_id: str) -> None:
    """End a job for good. What was placed already stays.

    What had arrived is kept for a day: publish the same files again, and it is taken from there.
    """
    job = session.abort(job_id)
    page.answer(job)
    page.say(f"The job {job_id} is aborted.")
    jobs.advise(page, job)


@command.command()
@click.argument("job_id", metavar="ID")
@no_reuse
@limit
@click.option("--wait", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait at most so long for the studio.")
@with_session
@click.pass_context
def resume(
    ctx: click.Context, page: Page, session: Session, job_id: str, reuse: bool, limit: float, wait: float | None
) -> None:
    """Go on with a job: end its pause, and send what is missing of it where its files lie on this computer.

    What the studio paused only the studio resumes. Of somebody else's job just the pause is ended.
    """
    job = _find(session, job_id)
    page.context = {"job": job}
    # Who works at the studio is told the queue. Everybody else sees their own jobs alone: no need to ask who they are.
    mine = not job["queue"] or job["user"] == (session.find_one("User") or {}).get("id")
    if job["status"] == "paused":
        job = page.context["job"] = session.resume(job_id)
        page.note(f"The job {job_id} goes on.")
    if not mine:
        ctx.exit(sending.conclude(page, job))
    job = sending.carry_out(page, session, job, wait, reuse=reuse, limit=limit)
    ctx.exit(sending.conclude(page, job))


@command.command()
@click.argument("job_id", metavar="ID")
@with_session
def pause(page: Page, session: Session, job_id: str) -> None:
    """Let a job rest until it is resumed: it takes no bytes and begins no step.

    A hook that runs goes on to its end. What the studio paused only the studio resumes.
    """
    _done(page, session.pause(job_id), f"The job {job_id} is paused.")


@command.command()
@click.argument("job_id", metavar="ID")
@click.argument("queue")
@with_session
def move(page: Page, session: Session, job_id: str, queue: str) -> None:
    """Move a job to another QUEUE. For employees and admins."""
    job = session.update("Job", job_id, {"queue": queue})
    _done(page, job, f"The job {job_id} is in the queue {job['queue_hr']}.")


@command.command("set")
@click.argument("job_id", metavar="ID")
@metadata.metadata
@with_session
def set_(page: Page, session: Session, job_id: str, internal: dict[str, str], external: dict[str, str]) -> None:
    """Change the metadata of a job. For employees and admins."""
    if not internal and not external:
        raise click.UsageError("Say what to change: --metadata or --external.")
    job = session.update("Job", job_id, {"metadata": {"internal": internal, "external": external}})
    _done(page, job, f"The job {job_id} carries:")
    if not page.json:
        metadata.say(page, job["metadata"])


def _entries(name: str, status: str, words: str, help: str) -> None:
    """A command that sets the status of entries."""

    @command.command(name, help=help)
    @click.argument("job_id", metavar="ID")
    @click.argument("entries", metavar="ENTRY...", nargs=-1, required=True)
    @with_session
    def change(page: Page, session: Session, job_id: str, entries: tuple[str, ...]) -> None:
        job = _find(session, job_id)
        for task in [_task(job, entry) for entry in entries]:
            job = session.set_task(job_id, task["id"], status)
            page.note(f"{task['filename']} {words}.")
        _done(page, job, f"The job {job_id} {jobs.standing(job)}.")


_entries(
    "hold",
    "onhold",
    "is on hold",
    "Keep entries of a job back, by number, file name or id, before they are placed.\n\n"
    "The others are uploaded; the job does not go on without these. For employees and admins.",
)
_entries(
    "exclude",
    "excluded",
    "is left out",
    "Leave entries out of a job, by number, file name or id, before they are placed.\n\n"
    "The job goes on without them. For employees and admins.",
)
_entries(
    "release",
    "queued",
    "belongs to the job again",
    "Let entries that were held or left out go on with their job, by number, file name or id.\n\n"
    "For employees and admins.",
)


def _task(job: dict[str, Any], named: str) -> dict[str, Any]:
    """By its number as `job show` counts, its file name, or its id. Raises BadRequest."""
    tasks = job["tasks"]
    if named.isascii() and named.isdigit() and 1 <= int(named) <= len(tasks):
        return dict(tasks[int(named) - 1])
    found = [task for task in tasks if named in (task["id"], task["filename"])]
    if len(found) != 1:
        raise BadRequest(
            f"The job has {'several entries' if found else 'no entry'} {named!r}; name it by its number in: "
            f"stagedoor job show {job['id']}",
            code="entry_unknown",
        )
    return dict(found[0])


def _done(page: Page, job: dict[str, Any], words: str) -> None:
    page.done(job, words)
