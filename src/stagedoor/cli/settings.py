"""`stagedoor settings`: limits and behaviour, of the workspace and of what is in it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..model.errors import BadRequest
from ..model.settings import SETTINGS, Level, parse
from .options import Group, as_json, at_home, home, open_home, wanted, where
from .screen.page import Column, Page

Function = TypeVar("Function", bound=Callable[..., Any])


@click.group("settings", cls=Group)
def command() -> None:
    """Limits and behaviour of workspace, volumes, queues and jobs.

    What is not set on a queue, volume or job is taken from the workspace, and what is not set there is the default.
    """


def on(function: Function) -> Function:
    """`--queue`, `--volume`, `--job`: whose settings; hands over `(level, name)` as `on`."""

    def told(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
        if value is not None:
            if ctx.meta.get("on"):
                raise click.UsageError("Name a queue, a volume or a job, not several of them.")
            ctx.meta["on"] = (str(parameter.name), value)
        return value

    @click.option("--queue", metavar="CODE", callback=told, help="Of this queue.")
    @click.option("--volume", metavar="CODE", callback=told, help="Of this volume.")
    @click.option("--job", metavar="ID", callback=told, help="Of this job.")
    @click.pass_context
    @functools.wraps(function)
    def found(ctx: click.Context, /, *, queue: str | None, volume: str | None, job: str | None, **more: Any) -> Any:
        level, name = ctx.meta.get("on", ("workspace", ""))
        return ctx.invoke(function, on=(Level(level), name), **more)

    return found  # type: ignore[return-value]


@command.command("list")
@where
@at_home
def list_(page: Page, home: Path, where: str | None) -> None:
    """List every setting, its value, its default, its reason, and what it can be set on."""
    from ..lifecycle import shelf

    views = shelf.page(_views(home, (Level.WORKSPACE, "")), shelf.SETTINGS, wanted(where)).items
    page.answer({"settings": views})
    if not page.json:
        page.table(
            [
                Column("SETTING"),
                Column("VALUE", right=True),
                Column("DEFAULT", right=True),
                Column("ALSO OF"),
                Column("WHY"),
            ],
            [
                (view.name, _said(view.value), _said(view.default), ", ".join(view.levels[1:]), view.reason)
                for view in views
            ],
        )


@command.command()
@click.option(
    "--effective", is_flag=True, help="Also what is not set there: the value that counts, and where it is set."
)
@on
@home
@as_json
def show(on: tuple[Level, str], home: Path, effective: bool) -> None:
    """Show what is set on the workspace, or on a queue, volume or job."""
    page = click.get_current_context().ensure_object(Page)
    views = [view for view in _views(home, on) if effective or view.level == on[0].value]
    page.answer({"settings": views})
    if page.json:
        return
    if not views:
        page.say("Nothing is set there. What counts all the same: --effective")
        return
    page.table(
        [Column("SETTING"), Column("VALUE", right=True), Column("SET ON")],
        [(view.name, _said(view.value), f"{view.level} {view.set_on}".strip()) for view in views],
    )


def _views(home: Path, on: tuple[Level, str]) -> list[Any]:
    with open_home(home) as server:
        from ..lifecycle import house
        from ..lifecycle.levels import On

        return [house.setting(name, value) for name, value in server.levels.settings(On(*on)).items()]


def _said(value: bool | int | str) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


@command.command("set", context_settings={"ignore_unknown_options": True})  # "-1" is a value, and refused as one
@click.argument("name")
@click.argument("value")
@on
@home
@as_json
def set_(on: tuple[Level, str], home: Path, name: str, value: str) -> None:
    """Set NAME to VALUE, on the workspace or on a queue, volume or job; a running server follows at once."""
    page = click.get_current_context().ensure_object(Page)
    try:
        parsed = parse(name, value, on[0])
    except ValueError as error:
        raise BadRequest(f"This cannot be set: {error}.", code="setting_refused") from None
    with open_home(home) as server:
        from ..lifecycle import house
        from ..lifecycle.levels import On

        view = house.setting(name, server.levels.set_setting(name, parsed, On(*on)))
    page.done(view, f"{view.name} is {_said(view.value)}{_where(on)}.")


@command.command()
@click.argument("name", type=click.Choice(sorted(SETTINGS)), metavar="NAME")
@on
@home
@as_json
def unset(on: tuple[Level, str], home: Path, name: str) -> None:
    """Take NAME away from the workspace or from a queue, volume or job: what is set above counts, or the default."""
    page = click.get_current_context().ensure_object(Page)
    with open_home(home) as server:
        from ..lifecycle import house
        from ..lifecycle.levels import On

        view = house.setting(name, server.levels.unset_setting(name, On(*on)))
    page.answer(view)
    if not page.json:
        source = "the default" if view.level == "default" else f"as set on the {view.level} {view.set_on}".strip()
        page.say(f"{view.name} is {_said(view.value)}{_where(on)}, {source}.")


def _where(on: tuple[Level, str]) -> str:
    return "" if on[0] is Level.WORKSPACE else f" for the {on[0]} {on[1]}"
