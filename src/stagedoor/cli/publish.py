"""`stagedoor publish`: from files on this machine to a job that has ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..model.errors import AnswersRefused
from . import exits, offering, sending
from .options import limit, no_reuse, with_session
from .screen import answers, verdicts
from .screen.numbers import count, size, spoken
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session

Answer = dict[str, Any]


@click.command("publish")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--comment", metavar="TEXT", help="Comment, for every entry.")
@click.option("--status", metavar="VALUE", help="One of the statuses that the studio offers.")
@click.option("--time-report", metavar="H:MM", help="Time spent, for every entry.")
@click.option("--metadata", metavar="KEY=VALUE", multiple=True, help="Free metadata; may be given several times.")
@click.option("--task", metavar="NAME", help="One of the production tasks that the studio offers.")
@click.option(
    "--answers",
    "answers_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='Answers per entry: {"<file name or id>": {"comment": ...}, "*": {...}}.',
)
@click.option("--code", metavar="NAME", help="Name of the job; else that of the first entry.")
@click.option("--queue", metavar="CODE", help="Queue of the job; employees and admins only. Else the default one.")
@click.option("--allow-partial", is_flag=True, help="Send what was accepted, leave the refused out.")
@click.option("--publish-only", is_flag=True, help="Leave out what may be uploaded but is not a publish.")
@click.option("--new", is_flag=True, help="Start afresh, also where an unfinished job of these paths exists.")
@no_reuse
@limit
@click.option("--wait", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait at most so long for the studio.")
@with_session
@click.pass_context
def command(
    ctx: click.Context,
    page: Page,
    session: Session,
    paths: tuple[str, ...],
    comment: str | None,
    status: str | None,
    time_report: str | None,
    metadata: tuple[str, ...],
    task: str | None,
    answers_file: Path | None,
    code: str | None,
    queue: str | None,
    allow_partial: bool,
    publish_only: bool,
    new: bool,
    reuse: bool,
    limit: float,
    wait: float | None,
) -> None:
    """Have the files and folders PATHS validated by the studio, answer what it asks, send them.

    Each path is one entry. Ends when the studio has ingested them. Run it again after an interruption: it finds the
    unfinished job and sends what is missing.
    """
    page.context = {"publish": None, "job": None}
    options = answers.from_options(comment, status, time_report, metadata, task)
    per_entry = answers.from_file(answers_file) if answers_file else {}
    scanned = offering.look(page, paths)
    job = None if new else sending.unfinished(page, session, scanned, partial=allow_partial or publish_only)
    if job is None:
        answer = offering.ask(page, session, scanned)
        chosen = choose(page, answer, allow_partial=allow_partial, publish_only=publish_only)
        if not chosen:
            offering.withdraw(session, answer)
            page.failed(verdicts.refusal(answer))
            ctx.exit(exits.REFUSED)
        filled = fill(page, session, answer, chosen, options, per_entry)
        job = sending.submit(page, session, scanned, chosen, filled, code, queue)
        page.context["job"] = job
    job = sending.carry_out(page, session, job, wait, reuse=reuse, limit=limit)
    ctx.exit(sending.conclude(page, job))


def choose(page: Page, answer: Answer, *, allow_partial: bool, publish_only: bool) -> list[Answer]:
    """The entries that will be sent; none where a refusal stops all."""
    refused = verdicts.of_kind(answer, verdicts.REFUSED)
    if refused and not allow_partial:
        others = verdicts.of_kind(answer, verdicts.ACCEPTED, *(() if publish_only else (verdicts.UPLOAD_ONLY,)))
        way = ", or send the others with --allow-partial" if others else ""
        page.complain(
            f"Nothing was sent: {count(len(refused), 'entry', 'entries')} refused ({_named(refused)}). "
            f"Mend {'it' if len(refused) == 1 else 'them'} and publish again{way}."
        )
        return []
    if refused:
        page.note(f"Left out, since refused: {_named(refused)}.", "yellow")
    chosen = verdicts.of_kind(answer, verdicts.ACCEPTED)
    chosen += _upload_only(page, answer, leave_out=publish_only)
    if not chosen:
        page.complain("Nothing was sent: no entry is left to send.")
    order = {entry["id"]: number for number, entry in enumerate(answer["files"])}
    return sorted(chosen, key=lambda entry: order[entry["id"]])


def _upload_only(page: Page, answer: Answer, *, leave_out: bool) -> list[Answer]:
    found = verdicts.of_kind(answer, verdicts.UPLOAD_ONLY)
    if not found:
        return []
    if leave_out:
        page.note(f"Left out, since they are not a publish: {_named(found)}.", "yellow")
        return []
    page.note(f"To be uploaded, but not as a publish: {_named(found)}.", "yellow")
    if page.interactive and not click.confirm("Upload them all the same?", default=True, err=True):
        return []
    return found


def _named(entries: list[Answer]) -> str:
    return spoken([str(entry.get("filename")) for entry in entries], 5)


def fill(
    page: Page,
    session: Session,
    answer: Answer,
    chosen: list[Answer],
    options: answers.Given,
    per_entry: dict[str, answers.Given],
) -> dict[str, answers.Given]:
    try:
        filled = answers.fill(page, answer, chosen, options, per_entry)
    except (AnswersRefused, click.Abort):
        offering.withdraw(session, answer)
        page.note("Nothing was sent.")
        raise
    page.note(
        f"Sending {count(len(chosen), 'entry', 'entries')}, {size(sum(int(e.get('size') or 0) for e in chosen))}."
    )
    return filled
