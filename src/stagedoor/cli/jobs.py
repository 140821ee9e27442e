"""`stagedoor jobs`: a list of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from .options import since_option, where, with_session
from .screen import jobs
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session

STATES = ("waiting", "running", "paused", "failed", "aborted", "done")


@click.command("jobs")
@click.option("--finished", is_flag=True, help="Also those that are done or aborted.")
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@since_option("Only jobs made since: 2d, 12h, or a date.")
@where
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@with_session
def command(
    page: Page,
    session: Session,
    finished: bool,
    state: str | None,
    since: datetime | None,
    where: str | None,
    limit: int,
) -> None:
    """List jobs, the newest first. You see your own; employees and admins see everybody's."""
    conditions = [f"status={state}"] if state else []
    if since:
        conditions.append(f"created >= {since:%Y-%m-%dT%H:%M:%SZ}")
    if where:
        conditions.append(f"({where})" if conditions else where)
    query = "Job" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
    found = session.find(query, finished=finished or state in ("done", "aborted"), limit=limit)
    page.answer({"jobs": found})
    if not page.json:
        jobs.listing(page, found, limit)
