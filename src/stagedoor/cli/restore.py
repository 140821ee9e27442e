"""`stagedoor restore`: a new home from a backup."""

from __future__ import annotations

from pathlib import Path

import click

from .options import at_home, bootstrap
from .screen.numbers import count
from .screen.page import Page


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--database",
    default="",
    metavar="URL",
    help="An empty PostgreSQL database, for a backup of a server that uses one.",
)
@at_home
def command(page: Page, home: Path, file: Path, database: str) -> None:
    """Make the new home --home from the backup FILE; nothing is overwritten.

    Every file in it is compared with its digest first. Stop the server of the old home before starting one on the new:
    both would work on the same volumes.
    """
    made = bootstrap().restore(file, home, database)
    page.answer(made)
    if page.json:
        return
    page.say(f"{made['home']} is as it was on {made['made']}: {count(made['files'], 'file')}.")
    page.note(f"Look at it with `stagedoor doctor --home {home}`, then serve; unfinished jobs go on by themselves.")
