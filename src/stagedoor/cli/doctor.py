"""`stagedoor doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import click

from . import exits
from .options import at_home, bootstrap
from .screen.page import Page

_STYLES = {"ok": "green", "warning": "yellow", "fault": "bold red"}


@click.command("doctor")
@click.option(
    "--host",
    default="",
    metavar="NAME",
    help="The name by which vendors reach it, to see whether the certificate fits.",
)
@click.option(
    "--port", default=0, type=click.IntRange(0, 65535), help="Where it is to listen; left out: as it did last."
)
@at_home
def command(page: Page, home: Path, host: str, port: int) -> None:
    """Look at everything that a server needs, and say what to do where something is wrong.

    Home, limits, database, engine, volumes, hooks, jobs that stand still, mail, certificate, port and clocks. It
    changes nothing and sends no mail, and may be run while the server runs and while it does not. Exit code 8 where
    there is a fault.
    """
    found = bootstrap().examine(home, host=host, port=port)
    page.answer(found)
    if not page.json:
        for one in found.diagnoses:
            about = f"{one.area} {one.about}".strip()
            page.say(f"{one.grade.upper():8} {about}: {one.sentence}", _STYLES[one.grade])
            if one.advice:
                page.say(f"         -> {one.advice}")
    if found.grade == "fault":
        raise click.exceptions.Exit(exits.UNHEALTHY)
