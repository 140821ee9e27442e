"""`stagedoor settings`: limits and behaviour of the workspace."""

from __future__ import annotations

from pathlib import Path

import click

from ..model.errors import BadRequest
from ..model.settings import SETTINGS, parse
from .options import EVERY, as_json, home, open_home, pass_page, where
from .screen.page import Column, Page


@click.group("settings")
def command() -> None:
    """Limits and behaviour of the workspace."""


@command.command("list")
@where
@home
@as_json
@pass_page
def list_(page: Page, home: Path, where: str | None) -> None:
    """List every setting, its value, its default and its reason."""
    with open_home(home) as server:
        from ..lifecycle import house, shelf

        every = [house.setting(name, value) for name, value in server.manage.settings().items()]
        views = shelf.page(every, shelf.SETTINGS, where, EVERY, 0).items
    page.answer({"settings": views})
    if not page.json:
        page.table(
            [Column("SETTING"), Column("VALUE", right=True), Column("DEFAULT", right=True), Column("WHY")],
            [(view.name, _said(view.value), _said(view.default), view.reason) for view in views],
        )


def _said(value: bool | int | str) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


@command.command("set")
@click.argument("name")
@click.argument("value")
@home
@as_json
@pass_page
def set_(page: Page, home: Path, name: str, value: str) -> None:
    """Set NAME to VALUE; a running server follows at once."""
    try:
        parsed = parse(name, value)
    except ValueError as error:
        raise BadRequest(f"This cannot be set: {error}.", code="setting_refused") from None
    with open_home(home) as server:
        from ..lifecycle import house

        view = house.setting(name, server.manage.set_setting(name, parsed))
    page.answer(view)
    if not page.json:
        page.say(f"{view.name} is {_said(view.value)}.")


@command.command()
@click.argument("name", type=click.Choice(sorted(SETTINGS)), metavar="NAME")
@home
@as_json
@pass_page
def unset(page: Page, home: Path, name: str) -> None:
    """Go back to the default of NAME."""
    with open_home(home) as server:
        from ..lifecycle import house

        view = house.setting(name, server.manage.unset_setting(name))
    page.answer(view)
    if not page.json:
        page.say(f"{view.name} is {_said(view.value)}, the default.")
