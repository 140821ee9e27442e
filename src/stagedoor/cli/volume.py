"""`stagedoor volume`: storage roots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from .options import as_json, bootstrap, home, open_home, pass_page
from .screen.numbers import size
from .screen.page import Column, Page


@click.group("volume")
def command() -> None:
    """Storage roots that publishes go to."""


@command.command()
@click.argument("code")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--default", is_flag=True, help="Where a path without a volume goes.")
@click.option(
    "--alias", "aliases", multiple=True, metavar="PREFIX", help="A further prefix that hooks may write for it."
)
@home
@as_json
@pass_page
def add(page: Page, home: Path, code: str, path: Path, default: bool, aliases: tuple[str, ...]) -> None:
    """Add the folder PATH as volume CODE, and see what its file system can do."""
    with open_home(home) as server:
        from ..lifecycle import house
        from ..volumes.probe import probe

        made = server.manage.add_volume(code, str(path), aliases=aliases, default=default, probe=probe)
        view = house.volume(made, bootstrap().room(made.root))
    page.answer(view)
    if page.json:
        return
    page.say(f"Volume {view.code} is {view.path}{' (default)' if view.default else ''}.")
    for line in able(view.capabilities):
        page.say(f"  {line}")


@command.command("list")
@home
@as_json
@pass_page
def list_(page: Page, home: Path) -> None:
    """List volumes, free space and what their file systems can do."""
    with open_home(home) as server:
        from ..lifecycle import house

        views = [house.volume(volume, bootstrap().room(volume.root)) for volume in server.manage.volumes()]
    page.answer({"volumes": views})
    if page.json:
        return
    if not views:
        page.say("No volumes yet: stagedoor volume add CODE PATH --default")
        return
    page.table(
        [
            Column("CODE"),
            Column("PATH"),
            Column("FREE", right=True),
            Column("STATUS"),
            Column("CAN"),
            Column("ALIASES"),
        ],
        [
            (
                view.code + (" *" if view.default else ""),
                view.path,
                _free(view),
                view.status,
                ", ".join(able(view.capabilities)),
                ", ".join(view.aliases),
            )
            for view in views
        ],
    )
    page.note("* the default volume")


def _free(view: Any) -> str:
    return "?" if view.free is None else f"{size(view.free)} of {size(view.size or 0)}"


_ABLE = {
    "no_replace": "rename that never replaces",
    "exchange": "exchange",
    "hard_links": "hard links",
    "folder_claim": "claimed folder names",
    "reflink": "instant copies",
    "case_sensitive": "tells A from a",
}


def able(capabilities: Mapping[str, Any]) -> list[str]:
    """What a file system can do, in words."""
    words = [label if capabilities[name] else f"no {label}" for name, label in _ABLE.items() if name in capabilities]
    if capabilities.get("unicode_normalising"):
        words.append("respells names")
    if capabilities.get("longest_name"):
        words.append(f"names up to {capabilities['longest_name']} bytes")
    if capabilities.get("safe") is False:
        words.insert(0, f"CANNOT BE USED: {capabilities.get('reason')}")
    return words
