"""`stagedoor gc`: what nobody needs any more, listed first."""

from __future__ import annotations

from pathlib import Path

import click

from .options import at_home, bootstrap, open_home
from .screen.numbers import count, size
from .screen.page import Column, Page


@click.command("gc")
@click.option("--yes", is_flag=True, help="Remove it; without this it is only listed.")
@click.option(
    "--idle-days",
    type=click.IntRange(1, 36500),
    metavar="N",
    help="A staging without a job is old when nothing came for N days; left out: the setting staging_idle_days.",
)
@at_home
def command(page: Page, home: Path, yes: bool, idle_days: int | None) -> None:
    """List what nobody needs any more, and remove it with --yes.

    Stagings without a job, uploads past their time, old hook runs, run folders without a record, what the engine
    remembers of ended jobs, old logs. It may be run while the server runs, which sees to uploads and runs by itself.
    """
    with open_home(home) as server:
        found = bootstrap().litter(server, idle_days=idle_days)
        if yes:
            for one in found:
                one.remove()
    told = [{"kind": one.kind, "name": one.name, "reason": one.reason, "size": one.size} for one in found]
    page.answer({"removed": yes, "litter": told})
    if page.json:
        return
    if not found:
        page.say("There is nothing that nobody needs.")
        return
    page.table(
        [Column("WHAT"), Column("NAME", long=True), Column("SIZE", right=True), Column("WHY", long=True)],
        [(one.kind, one.name, size(one.size) if one.size else "", one.reason) for one in found],
    )
    amount = f"{count(len(found), 'thing')}, {size(sum(one.size for one in found))}"
    page.note(f"Removed: {amount}." if yes else f"{amount}; --yes removes it.")
