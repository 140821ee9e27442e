"""`stagedoor hook replay`: what today's script would say of what earlier runs had read."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from . import exits
from .options import at_home, open_home, server_parts
from .screen import replays
from .screen.page import Page, as_builtins

_SPAN = re.compile(r"(\d{1,6})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


def _since(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Milliseconds since 1970, from `30d` or a date."""
    if value is None:
        return None
    span = _SPAN.fullmatch(value.strip().lower())
    if span:
        ago = int(span[1]) * _HOURS[span[2]] * 3600
        return int((datetime.now(timezone.utc).timestamp() - ago) * 1000)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r}: write it as 30d, 12h, 4w or a date such as 2026-01-31") from None
    return int(moment.timestamp() * 1000)


@click.command("replay")
@click.argument("run", required=False, metavar="[RUN]")
@click.option("--since", callback=_since, metavar="30d", help="All pre-publish runs since then, or a date.")
@click.option("--script", default="", metavar="SCRIPT", help="Try this file or command line, not the one that is set.")
@click.option("--list", "listed", is_flag=True, help="With --since: every verdict that changes, not only how many.")
@click.option("--limit", default=10_000, show_default=True, type=click.IntRange(1), help="Of --since the newest.")
@click.option("--for-real", is_flag=True, help="Run a hook of a job once more. It does again whatever it does.")
@at_home
@click.pass_context
def replay(
    ctx: click.Context,
    page: Page,
    run: str | None,
    since: int | None,
    script: str,
    listed: bool,
    limit: int,
    for_real: bool,
    home: Path,
) -> None:
    """Give today's pre-publish script what the run RUN had read, or all runs --since, and show what would change.

    Nothing is recorded, reserved or told to anybody. Other hooks do something: they run again only with --for-real, and
    find "replay": true in what they read. Exit code 7 where the script could not say yes or no.
    """
    if (run is None) == (since is None):
        raise click.UsageError("Name a run (see: stagedoor hook log), or say --since.")
    if for_real and (run is None or script):
        raise click.UsageError("--for-real takes one run, and the hook that is set.")
    with open_home(home) as server:
        if for_real:
            failed = _for_real(page, server, run)
        elif run:
            failed = _one(page, server.replaying.one(run, _line(script)))
        else:
            found = server.replaying.several(since=since, limit=limit, command=_line(script))
            failed = _several(page, found, listed)
    if failed:
        ctx.exit(exits.HOOK)


def _line(script: str) -> str:
    if not script:
        return ""
    with server_parts():
        from ..programs.script import command_line
    try:
        return command_line(script)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


def _for_real(page: Page, server: Any, run: str | None) -> bool:
    from ..lifecycle.read import run_view

    again = as_builtins(run_view(server.replaying.for_real(run)))
    page.answer(again)
    if not page.json:
        page.say(f"{again['hook']}: {again['state']}, run {again['id']}. See it with: stagedoor hook log {again['id']}")
        if again["error"]:
            page.complain(str(again["error"]))
    return bool(again["state"] != "succeeded")


def _one(page: Page, found: Any) -> bool:
    page.answer(found)
    if not page.json:
        replays.one(page, as_builtins(found))
    return found.state in replays.FAILED


def _several(page: Page, found: Any, listed: bool) -> bool:
    page.answer(found)
    if not page.json:
        replays.summary(page, as_builtins(found), listed=listed)
    return any(found.states.get(state) for state in replays.FAILED)
