"""`stagedoor backup`: everything that the home holds, in one file."""

from __future__ import annotations

from pathlib import Path

import click

from .options import at_home, bootstrap
from .screen.numbers import count, size
from .screen.page import Page


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@at_home
def command(page: Page, home: Path, file: Path) -> None:
    """Put everything that the home holds into the new file FILE, also while the server runs.

    Database, configuration, certificates, keys and hook runs. Not what lies on the volumes: what has been placed, and
    bytes of unfinished uploads; nor who is signed in. FILE holds secrets: only its owner may read it.
    """
    made = bootstrap().backup(home, file.absolute())
    page.answer(made)
    if page.json:
        return
    page.say(f"{made['file']}: {size(made['size'])}, {count(made['files'], 'file')}, of {made['made']}.")
    for path in made["outside"]:
        page.note(f"Not in it, since it lies outside of the home: {path}", "yellow")
