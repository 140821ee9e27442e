"""`stagedoor log`: who did what, and what vendors stumble over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ..model.errors import BadRequest
from .options import at_home, open_home, since_option, wanted, where
from .screen import log as screen
from .screen.page import Page
from .table import write_csv

EXPORTED = 1_000_000


@click.command("log")
@click.option("--user", metavar="WHO", help="Only what this user did: e-mail address, id, account, or `system`.")
@click.option("--entity", metavar="WHAT", help="Only about this: a type (job, user, ...), an id, a name, or TYPE:ID.")
@click.option("--verb", metavar="VERB", help="Only this: create, change, refuse, abort, ...")
@click.option("--code", metavar="CODE", help="Only with this error code.")
@since_option("Only since: 30d, 12h, or a date.")
@click.option("--refusals", is_flag=True, help="Only offers, entries and submits that were refused, and why.")
@click.option("--stumbles", is_flag=True, help="Refusals summed up by reason: what do vendors stumble over?")
@where
@click.option("--limit", type=click.IntRange(1, EXPORTED), help="At most so many lines. [default: 50; a file: all]")
@click.option("--csv", "file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), metavar="FILE")
@at_home
def command(
    page: Page,
    home: Path,
    user: str | None,
    entity: str | None,
    verb: str | None,
    code: str | None,
    since: datetime | None,
    refusals: bool,
    stumbles: bool,
    where: str | None,
    limit: int | None,
    file: Path | None,
) -> None:
    """Show the audit log, the newest line first.

    --csv saves everything that matches as CSV (RFC 4180). Cells that a spreadsheet would take for a formula begin with
    an apostrophe there.
    """
    if stumbles and (user or entity or verb or code or where):
        raise click.UsageError("--stumbles sums up all refusals; beside it only --since, --limit and --csv are known.")
    if page.json and str(file) == "-":
        raise click.UsageError("--json and --csv - would both write to stdout; give --csv a file.")
    moment = None if since is None else int(since.timestamp() * 1000)
    with open_home(home) as server:
        if stumbles:
            found = server.auditing.stumbles(None, moment).items[:limit]
            _answer(page, "stumbles", found, len(found), file)
            return
        asked = {"user": user, "entity": entity, "verb": verb, "code": code, "since": moment, "refusals": refusals}
        total = server.auditing.log(None, wanted=wanted(where, 0), **asked).total
        most = limit or (None if file else screen.USUAL)
        lines = server.auditing.every(None, limit=most, where=where, **asked)
        _answer(page, "log", lines, total, file)


def _answer(page: Page, name: str, found: Iterable[Any], total: int, file: Path | None) -> None:
    if file:
        count = _save(file, screen.CSV[name], found)
        page.answer({"file": str(file), "lines": count})
        if str(file) != "-":
            page.note(f"{count} lines are in {file}.")
        return
    items = list(found)
    page.answer({name: items, "total": total})
    if not page.json:
        screen.SHOWN[name](page, items, total)


def _save(file: Path, columns: tuple[str, ...], found: Iterable[Any]) -> int:
    try:
        with click.open_file(str(file), "w", encoding="utf-8") as out:
            return write_csv(out, columns, found)
    except OSError as error:
        raise BadRequest(
            f"The log cannot be written to {file}: {error.strerror or error}.", code="log_unwritable"
        ) from None
