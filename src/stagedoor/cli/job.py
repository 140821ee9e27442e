"""`stagedoor job`: one job."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..model.errors import NotFound
from . import sending
from .options import as_json, no_reuse, pass_page, sign_in
from .receipt import save
from .screen import jobs
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session


@click.group("job")
def command() -> None:
    """Show, retry, abort or resume one job."""


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
@sign_in
@as_json
@pass_page
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
@sign_in
@as_json
@pass_page
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
@sign_in
@as_json
@pass_page
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
@click.option("--wait", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait at most so long for the studio.")
@sign_in
@as_json
@pass_page
@click.pass_context
def resume(ctx: click.Context, page: Page, session: Session, job_id: str, reuse: bool, wait: float | None) -> None:
    """Send what is missing of a job whose files lie on this computer."""
    job = _find(session, job_id)
    page.context = {"job": job}
    job = sending.carry_out(page, session, job, wait, reuse=reuse)
    ctx.exit(sending.conclude(page, job))
