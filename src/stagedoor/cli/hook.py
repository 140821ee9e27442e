"""`stagedoor hook`: the studio's own programs."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..model.entities import RunState
from ..model.errors import NotFound
from ..model.hooks import canonical, unknown
from ..model.names import printable
from .hook_replay import replay
from .hook_test import test
from .options import Group, at_home, open_home, wanted, where
from .screen import runs
from .screen.page import Column, Page, as_builtins

FAILURES = (RunState.FAILED, RunState.TIMED_OUT, RunState.LOST)


@click.group("hook", cls=Group)
def command() -> None:
    """The studio's own programs: set, test, explain."""


command.add_command(replay)
command.add_command(test)


def _name(_: click.Context, __: click.Parameter, value: str) -> str:
    name = canonical(value)
    if name is None:
        raise click.BadParameter(unknown(value))
    return name.value


hook_name = click.argument("name", callback=_name)
of_queue = click.option(
    "--queue", default="", metavar="CODE", help="The hook of this queue, which runs instead of the workspace's."
)


def _called(name: str, queue: str) -> str:
    return f"{name} of the queue {queue}" if queue else name


@command.command("set")
@hook_name
@click.argument("command_line", metavar="'COMMAND LINE'")
@click.option("--env", "pairs", multiple=True, metavar="K=V", help="A variable for its environment.")
@click.option(
    "--pass-env", "passed", multiple=True, metavar="NAME", help="A variable to copy from yours, as it is now."
)
@click.option("--user", "run_as", default="", metavar="NAME", help="Run it as this system user; needs a root server.")
@of_queue
@at_home
def set_(
    page: Page,
    home: Path,
    name: str,
    command_line: str,
    pairs: tuple[str, ...],
    passed: tuple[str, ...],
    run_as: str,
    queue: str,
) -> None:
    """Set the hook NAME to a command line.

    ${PATH_JSON_INPUT} and ${PATH_JSON_OUTPUT} are replaced in it. No shell runs, unless the line names one.
    """
    environment = _environment(pairs, passed)
    with open_home(home) as server:
        from ..lifecycle import house

        hook, warnings = server.manage.set_hook(name, command_line, queue=queue, environment=environment, run_as=run_as)
        view = house.hook(hook)
    page.done(view, f"{_called(name, queue)}: {view.command}")
    for warning in warnings:
        page.note(f"Set all the same, but {warning}", "yellow")


def _environment(pairs: tuple[str, ...], passed: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in passed:
        if name not in os.environ:
            raise click.UsageError(f"--pass-env {name}: your environment has no such variable.")
        found[name] = os.environ[name]
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise click.UsageError(f"--env {pair}: write it as NAME=VALUE.")
        found[name] = value
    return found


@command.command("list")
@where
@at_home
def list_(page: Page, home: Path, where: str | None) -> None:
    """List the hooks that are set."""
    with open_home(home) as server:
        from ..lifecycle import house, shelf

        views = shelf.page([house.hook(hook) for hook in server.manage.hooks()], shelf.HOOKS, wanted(where)).items
    page.answer({"hooks": views})
    if page.json:
        return
    if not views and where:
        page.say("No hook that is set is like that.")
        return
    if not views:
        page.say("No hook is set: without pre-publish-server every offer is refused.")
        return
    titles = ["HOOK", "QUEUE", "STATUS", "RUN AS", "COMMAND LINE"]
    rows = [(view.name, view.queue, view.status, view.user, view.command) for view in views]
    shown = [index for index, title in enumerate(titles) if title in ("HOOK", "COMMAND LINE") or _tells(rows, index)]
    page.table([Column(titles[index]) for index in shown], [tuple(row[index] for index in shown) for row in rows])


def _tells(rows: Sequence[tuple[str, ...]], index: int) -> bool:
    """Whether a column holds anything but what goes without saying."""
    return any(row[index] not in ("", "enabled") for row in rows)


@command.command()
@hook_name
@of_queue
@at_home
def enable(page: Page, home: Path, name: str, queue: str) -> None:
    """Run the hook NAME again."""
    _switch(page, home, name, queue, enabled=True)


@command.command()
@hook_name
@of_queue
@at_home
def disable(page: Page, home: Path, name: str, queue: str) -> None:
    """Run the hook NAME no more, but keep it. With --queue, jobs of that queue have no such hook at all."""
    _switch(page, home, name, queue, enabled=False)


def _switch(page: Page, home: Path, name: str, queue: str, *, enabled: bool) -> None:
    with open_home(home) as server:
        from ..lifecycle import house

        view = house.hook(server.manage.switch_hook(name, enabled=enabled, queue=queue))
    page.done(view, f"{_called(name, queue)} is {view.status}.")


@command.command()
@hook_name
@of_queue
@at_home
def unset(page: Page, home: Path, name: str, queue: str) -> None:
    """Run no hook NAME any more. With --queue, its jobs have that of the workspace again."""
    with open_home(home) as server:
        server.manage.unset_hook(name, queue)
    page.done({"unset": name, "queue": queue}, f"{_called(name, queue)} is not set any more.")


@command.command()
@click.argument("run", required=False, metavar="[RUN]")
@click.option("--job", default="", metavar="ID", help="Only runs for this job, and the one that accepted its files.")
@click.option("--user", default="", metavar="EMAIL", help="Only runs for what this user sent.")
@click.option("--failed", is_flag=True, help="Only runs that failed, ran too long or were lost.")
@where
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@at_home
def log(
    page: Page, home: Path, run: str | None, job: str, user: str, failed: bool, where: str | None, limit: int
) -> None:
    """List hook runs, the newest first; or show the run RUN in full: what it read, wrote and said."""
    with open_home(home) as server:
        found = _detail(server, run) if run else _runs(server, job, user, failed, where, limit)
    page.answer(found)
    if page.json:
        return
    if run:
        runs.show(page, found)
    else:
        runs.listing(page, found["runs"], found["total"], filtered=bool(job or user or failed or where))


def _runs(server: Any, job: str, user: str, failed: bool, where: str | None, limit: int) -> dict[str, Any]:
    total, found = server.records.lists.runs(
        job_id=job or None,
        user_id=_user_id(server, user) if user else None,
        states=FAILURES if failed else None,
        wanted=wanted(where or None, limit).slice(),
    )
    return {"total": total, "runs": _shown(server, found)}


def _user_id(server: Any, code: str) -> str:
    user = server.records.house.user_by_code(code)
    if user is None:
        raise NotFound(f"There is no user {printable(code)}; see: stagedoor user list.")
    return str(user.id)


def _shown(server: Any, found: list[Any]) -> list[dict[str, Any]]:
    """RunViews as builtins, with the e-mail address of their user under its older name as well."""
    from ..lifecycle.read import run_views

    return [{**as_builtins(view), "user_code": view.user_hr} for view in run_views(server.records.lists, found)]


def _detail(server: Any, run_id: str) -> dict[str, Any]:
    run = server.records.runs.run(run_id)
    if run is None:
        raise NotFound(f"There is no hook run {run_id}; see: stagedoor hook log.")
    return {"run": _shown(server, [run])[0], **server.programs.read_record(run_id)}


@command.command()
@hook_name
def schema(name: str) -> None:
    """Print the JSON Schema of what the hook NAME reads (`input`) and answers (`output`)."""
    from ..wire.hookdata import schemas_of

    try:
        found = schemas_of(name)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    click.echo(json.dumps(found, indent=2))
