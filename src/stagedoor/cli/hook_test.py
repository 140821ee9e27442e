"""`stagedoor hook test`: run a script on real paths, without a server, and show what the vendor would see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..model.hooks import HookName, canonical
from . import exits, offering
from .options import as_json, open_home, pass_page
from .screen import answers
from .screen.page import Page


@click.command("test")
@click.argument("script")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--hook", "name", default="pre-publish-server", show_default=True, help="Which hook the script is.")
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
    help="Take the volumes of this server. Or STAGEDOOR_HOME.",
)
@as_json
@pass_page
@click.pass_context
def test(
    ctx: click.Context,
    page: Page,
    script: str,
    paths: tuple[str, ...],
    name: str,
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
    hook = canonical(name)
    if hook is None:
        raise click.UsageError(f"--hook {name}: there is no such hook.")
    given = answers.from_options(comment, status, time_report, metadata, task)
    scanned = offering.look(page, paths)
    outcome = _rehearse(hook, script, scanned, given, _volumes(volumes, home))
    page.answer(outcome)
    if not outcome.ok:
        ctx.exit(exits.HOOK)


def _volumes(given: tuple[str, ...], home: Path | None) -> list[tuple[str, str]]:
    found = []
    for pair in given:
        code, separator, path = pair.partition("=")
        if not separator or not code or not path:
            raise click.UsageError(f"--volume {pair}: write it as CODE=PATH.")
        found.append((code, str(Path(path).expanduser().absolute())))
    if not found and home:
        with open_home(home) as house:
            return [(volume.code, volume.root) for volume in house.records.volumes()]
    return found


def _rehearse(hook: HookName, script: str, scanned: Any, given: dict[str, Any], volumes: list[tuple[str, str]]) -> Any:
    raise NotImplementedError
