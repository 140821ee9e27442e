"""`stagedoor init`: make a new server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import as_json, bootstrap, home, on_this_machine, pass_page
from .screen.page import Page


@click.command("init")
@home
@click.option("--admin", required=True, metavar="EMAIL", help="Who administrates it.")
@click.option("--workspace", default="studio", show_default=True, metavar="CODE", help="A short name of the studio.")
@click.option(
    "--database", default="", metavar="URL", help="postgresql://USER@HOST/NAME; left out: a file in the home."
)
@as_json
@pass_page
def command(page: Page, home: Path, admin: str, workspace: str, database: str) -> None:
    """Make a new server: its home, first administrator and API key.

    The API key is shown this once. A home that exists already is left as it is.
    """
    wiring = bootstrap()
    with on_this_machine():
        made: dict[str, Any] = wiring.create_home(home, workspace, admin, database)
    page.answer(made)
    if page.json:
        return
    page.say(f"Workspace {made['workspace']} is ready in {home}.")
    page.say(f"Administrator: {made['user']}")
    page.say(f"API key:       {made['api_key']}")
    page.say("The key is shown this once; only a hash of it is kept. Store it now.")
    page.note("\nWhat to do next")
    for line in NEXT:
        page.note(f"  stagedoor {line} --home {home}")


NEXT = (
    "volume add projects /mnt/projects --default",
    "hook set pre-publish-server 'python3 /path/to/check.py ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}'",
    "user add vendor@example.com --role standard",
    "serve",
)
