"""`stagedoor upgrade`: a home from an earlier version to this one."""

from __future__ import annotations

from pathlib import Path

import click

from .options import at_home, bootstrap
from .screen.page import Page


@click.command("upgrade")
@click.option("--no-backup", is_flag=True, help="Make no backup first, since there is one.")
@at_home
def command(page: Page, home: Path, no_backup: bool) -> None:
    """Bring the home to this version of Stagedoor: a backup first, then the tables of the database.

    Stop the server before. Where nothing is to be done, nothing is done. Jobs under way go on when the server starts.
    """
    made = bootstrap().upgrade(home, backed_up=no_backup)
    page.answer(made)
    if page.json:
        return
    if not made["upgraded"]:
        page.say("The home is of this version already; nothing was done.")
        return
    page.say("The home is of this version now. Start the server.")
    if made["backup"]:
        page.say(f"As it was before: {made['backup']} (stagedoor restore)")
