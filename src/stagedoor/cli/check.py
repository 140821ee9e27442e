"""`stagedoor check`: would the studio accept these?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import exits, offering
from .options import with_session
from .screen import verdicts
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session


@click.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@with_session
@click.pass_context
def command(ctx: click.Context, page: Page, paths: tuple[str, ...], session: Session) -> None:
    """Ask the studio whether the files and folders PATHS would be accepted.

    Each path is one entry. Nothing is sent and nothing is reserved. Ends with exit code 3 when one is refused.
    """
    page.context = {"publish": None, "job": None}
    scanned = offering.look(page, paths)
    answer = offering.ask(page, session, scanned, check_only=True)
    if verdicts.of_kind(answer, verdicts.REFUSED):
        page.failed(verdicts.refusal(answer))
        ctx.exit(exits.REFUSED)
    page.answer(page.context)
