"""`stagedoor workspace`: what the studio keeps about itself."""

from __future__ import annotations

from pathlib import Path

import click

from . import metadata
from .options import Group, at_home, open_home
from .screen.page import Page


@click.group("workspace", cls=Group)
def command() -> None:
    """What the studio keeps about itself."""


@command.command()
@at_home
def show(page: Page, home: Path) -> None:
    """Show the workspace and its metadata."""
    _show(page, home, {}, {})


@command.command("set")
@metadata.metadata
@at_home
def set_(page: Page, home: Path, internal: dict[str, str], external: dict[str, str]) -> None:
    """Change the metadata of the workspace; hooks are told of it for every user and job."""
    if not internal and not external:
        raise click.UsageError("Say what to change: --metadata or --external.")
    _show(page, home, internal, external)


def _show(page: Page, home: Path, internal: dict[str, str], external: dict[str, str]) -> None:
    with open_home(home) as server:
        from ..lifecycle import house

        metadata.change(server, "workspace", "", internal, external)
        view = house.workspace(server.records.house.workspace())
    page.answer(view)
    if not page.json:
        page.say(f"{view.code}  ({view.id})")
        metadata.say(page, view.metadata)
