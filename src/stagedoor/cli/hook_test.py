"""`stagedoor hook test`: run a script on real paths, without a server, and show what the vendor would see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..model.entities import Volume
from ..model.errors import SubmitRefused
from ..model.hooks import AFTERWARDS, HookName, canonical, unknown
from . import exits, offering
from .options import as_json, open_home, pass_page, server_parts
from .screen import answers, runs, verdicts
from .screen.numbers import duration
from .screen.page import Page, as_builtins


@click.command("test")
@click.argument("script")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--hook", "name", metavar="NAME", help="Which hook the script is; left out: guessed from its file name.")
@click.option("--comment", metavar="TEXT")
@click.option("--status", metavar="VALUE")
@click.option("--time-report", metavar="H:MM")
@click.option("--metadata", metavar="KEY=VALUE", multiple=True)
@click.option("--task", metavar="NAME")
@click.option("--volume", "volumes", metavar="CODE=PATH", multiple=True, help="A volume; the first is the default one.")
@click.option(
    "--home",
    envvar="STAGEDOOR_HOME",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the volumes of this server too. Or STAGEDOOR_HOME.",
)
@as_json
@pass_page
@click.pass_context
def test(
    ctx: click.Context,
    page: Page,
    script: str,
    paths: tuple[str, ...],
    name: str | None,
    comment: str | None,
    status: str | None,
    time_report: str | None,
    metadata: tuple[str, ...],
    task: str | None,
    volumes: tuple[str, ...],
    home: Path | None,
) -> None:
    """Run SCRIPT on PATHS without a server, and show what the vendor would see.

    SCRIPT is a Python file, an executable, or a whole command line with ${PATH_JSON_INPUT}. The answers (--comment and
    so on) are what a publish hook is given. Exit code 0 when the script answered properly, also when it refused; 7 when
    it did not.
    """
    hook = canonical(name) if name else None
    if name and hook is None:
        raise click.UsageError(f"--hook: {unknown(name)}")
    given = answers.from_options(comment, status, time_report, metadata, task)
    rehearse, guess = _rehearsal()
    if hook is None:
        hook, certain = guess(script)
        if not certain:
            page.note(f"Run as {hook} (guessed; --hook says otherwise)", "yellow")
    scanned = offering.look(page, paths)
    try:
        found = rehearse(
            script=script, entries=scanned.entries, hook=hook, volumes=_volumes(volumes, home), answers=given
        )
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    page.answer(found)
    if not page.json:
        _show(page, found, scanned)
    if not found.ok:
        ctx.exit(exits.HOOK)


def _rehearsal() -> Any:
    with server_parts():
        from ..programs.rehearsal import rehearse
        from ..programs.script import guess
    return rehearse, guess


def _show(page: Page, found: Any, scanned: Any) -> None:
    if found.publish is not None:
        verdicts.show(page, _places_told(found), scanned.entries)
        page.say()
    for name in ("stdout", "stderr"):
        runs.block(page, name, getattr(found, name))
    for note in found.notes:
        page.note(note, "yellow")
    ended = "" if found.exit_code is None else f", exit code {found.exit_code}"
    page.say(f"{found.hook}: {found.state} after {duration(found.seconds)}{ended}.")
    if found.refused is not None:
        page.say(f"No job would be made. A vendor would read: {found.refused or SubmitRefused().message}", "bold red")
    if not found.ok:
        page.complain(f"{_consequence(found)}: {found.error}.")
        for fault in found.faults:
            page.note(f"  {fault}")


def _consequence(found: Any) -> str:
    """What comes of a hook that has failed."""
    if found.hook == HookName.PUBLISH:
        return "The job would fail and wait for a person"
    if found.hook in AFTERWARDS:
        return "The run would be recorded as failed, and the job stay as it is"
    if found.refused is not None:
        return "The hook gave no reason"
    return "A vendor would be told that the studio's check could not run"


def _places_told(found: Any) -> dict[str, Any]:
    answer: dict[str, Any] = as_builtins(found.publish)
    if not found.places_checked:
        for entry in answer["files"]:
            if entry.get("path"):
                entry["path"] += " (not checked: no volume known)"
    return answer


def _volumes(given: tuple[str, ...], home: Path | None) -> list[tuple[str, str] | Volume]:
    """Those named, then those of the home that are not named; the first one named is the default."""
    found: list[tuple[str, str] | Volume] = []
    for pair in given:
        code, separator, path = pair.partition("=")
        if not separator or not code or not path:
            raise click.UsageError(f"--volume {pair}: write it as CODE=PATH.")
        found.append((code, str(Path(path).expanduser().absolute())))
    if home is None:
        return found
    codes = {item[0] for item in found if isinstance(item, tuple)}
    with open_home(home) as server:
        theirs = [volume for volume in server.manage.volumes() if volume.code not in codes]
    return [*found, *theirs]  # with their aliases; of several defaults the first counts
