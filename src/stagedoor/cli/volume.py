"""`stagedoor volume`: storage roots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from . import metadata
from .options import Group, at_home, bootstrap, open_home, wanted, where
from .screen.numbers import size
from .screen.page import Column, Page, as_builtins


@click.group("volume", cls=Group)
def command() -> None:
    """Storage roots that publishes go to."""


@command.command()
@click.argument("code")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--default", is_flag=True, help="Where a path without a volume goes.")
@click.option(
    "--alias", "aliases", multiple=True, metavar="PREFIX", help="A further prefix that hooks may write for it."
)
@at_home
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
    _known_as(page, view)
    for line in able(view.capabilities):
        page.say(f"  {line}")


def _volumes(server: Any, where: str | None) -> list[Any]:
    if where is None:
        return server.manage.volumes()  # type: ignore[no-any-return]
    return list(reversed(server.records.lists.volumes(wanted=wanted(where).slice())[1]))


def _known_as(page: Page, view: Any) -> None:
    for alias in view.aliases:
        page.say(f"  also known as {alias}")


@command.command("set")
@click.argument("code")
@click.option("--alias", "aliases", multiple=True, metavar="PREFIX", help="These prefixes instead of those it has.")
@click.option("--no-alias", is_flag=True, help="No further prefix any more.")
@click.option("--default", is_flag=True, help="Where a path without a volume goes.")
@metadata.metadata
@click.option("--file-mode", metavar="MODE", help="Of files placed there: 664. `inherit`: as the folder there gives.")
@click.option("--folder-mode", metavar="MODE", help="Of folders placed there: 775 or 2775. Or `inherit`.")
@click.option("--group", metavar="NAME", help="Of what is placed there. Or `inherit`.")
@at_home
def set_(
    page: Page,
    home: Path,
    code: str,
    aliases: tuple[str, ...],
    no_alias: bool,
    default: bool,
    internal: dict[str, str],
    external: dict[str, str],
    file_mode: str | None,
    folder_mode: str | None,
    group: str | None,
) -> None:
    """Change aliases or metadata of volume CODE, modes and group of what is placed there, or make it the default one.

    Its settings: stagedoor settings set NAME VALUE --volume CODE.
    """
    if aliases and no_alias:
        raise click.UsageError("Give either --alias or --no-alias.")
    given = {"file_mode": file_mode, "folder_mode": folder_mode, "group": group}
    noted = bool(internal or external)
    if not (aliases or no_alias or default or noted or any(value is not None for value in given.values())):
        raise click.UsageError(
            "Say what to change: --alias, --no-alias, --default, --file-mode, --folder-mode, --group, --metadata or "
            "--external."
        )
    changed = aliases if aliases or no_alias else None
    with open_home(home) as server:
        metadata.change(server, "volume", code, internal, external)
    view = _changed(page, home, code, aliases=changed, default=True if default else None, **given)
    if page.json:
        return
    page.say(f"Volume {view.code} is {view.path}{' (default)' if view.default else ''}.")
    _known_as(page, view)
    metadata.say(page, view.metadata)


@command.command()
@click.argument("code")
@at_home
def show(page: Page, home: Path, code: str) -> None:
    """Show volume CODE: what it can do, how things are placed there, and what is on its way to it."""
    with open_home(home) as server:
        from ..lifecycle import house

        volume = server.manage.volume(code)
        view = house.volume(volume, bootstrap().room(volume.root))
        jobs = server.records.jobs.unfinished_on(volume.id)
    modes = {
        "file_mode": _octal(volume.file_mode),
        "folder_mode": _octal(volume.folder_mode),
        "group": volume.group or "inherit",
    }
    page.answer({**as_builtins(view), **modes, "unfinished_jobs": jobs})
    if page.json:
        return
    page.say(f"Volume {view.code} is {view.path}{' (default)' if view.default else ''}, {view.status}.")
    page.say(f"  {_free(view)} free")
    _known_as(page, view)
    for line in able(view.capabilities):
        page.say(f"  {line}")
    page.say(f"  placed with: {', '.join(f'{name} {value}' for name, value in modes.items())}")
    metadata.say(page, view.metadata)
    for job in jobs:
        page.say(f"  on its way to it: job {job}")


def _octal(mode: int | None) -> str:
    return "inherit" if mode is None else f"{mode:o}"


@command.command()
@click.argument("code")
@at_home
def disable(page: Page, home: Path, code: str) -> None:
    """Let nothing new go to volume CODE; what is there stays."""
    _switch(page, home, code, "disabled")


@command.command()
@click.argument("code")
@at_home
def enable(page: Page, home: Path, code: str) -> None:
    """Use volume CODE again."""
    _switch(page, home, code, "enabled")


@command.command()
@click.argument("code")
@at_home
def remove(page: Page, home: Path, code: str) -> None:
    """Forget volume CODE; its folder and its files stay."""
    with open_home(home) as server:
        volume = server.manage.volume(code)
        server.manage.remove_volume(volume.id)  # says which jobs are in its way
    page.done({"removed": volume.code}, f"The volume {volume.code} is forgotten. {volume.root} stays as it is.")


def _switch(page: Page, home: Path, code: str, status: str) -> None:
    view = _changed(page, home, code, status=status)
    if not page.json:
        page.say(f"The volume {view.code} is {view.status}.")


def _changed(page: Page, home: Path, code: str, **changes: Any) -> Any:
    """The changed volume, answered as JSON where that is wanted."""
    with open_home(home) as server:
        from ..lifecycle import house

        volume = server.manage.update_volume(code, **changes)
        view = house.volume(volume, bootstrap().room(volume.root))
    page.answer(view)
    return view


@command.command("list")
@where
@at_home
def list_(page: Page, home: Path, where: str | None) -> None:
    """List volumes, free space and what their file systems can do."""
    with open_home(home) as server:
        from ..lifecycle import house

        views = [house.volume(volume, bootstrap().room(volume.root)) for volume in _volumes(server, where)]
    page.answer({"volumes": views})
    if page.json:
        return
    if not views:
        page.say("No volume is like that." if where else "No volumes yet: stagedoor volume add CODE PATH --default")
        return
    page.table(
        [
            Column("CODE"),
            Column("PATH", long=True),
            Column("FREE", right=True),
            Column("STATUS"),
            Column("CAN", long=True),
            Column("ALIASES"),
        ],
        [
            (
                view.code + (" *" if view.default else ""),
                view.path,
                _free(view),
                view.status,
                can(view.capabilities),
                ", ".join(view.aliases),
            )
            for view in views
        ],
    )
    page.note("* the default volume")


def _free(view: Any) -> str:
    return "?" if view.free is None else f"{size(view.free)} of {size(view.size or 0)}"


SHORTEST_USUAL = 255
_ABLE = {
    "no_replace": "rename that never replaces",
    "exchange": "exchange",
    "hard_links": "hard links",
    "folder_claim": "claimed folder names",
    "reflink": "instant copies",
    "case_sensitive": "tells A from a",
}


def can(capabilities: Mapping[str, Any]) -> str:
    """What a file system lacks, in short; `all` where that is nothing."""
    if not capabilities:
        return "not known"
    if capabilities.get("safe") is False:
        return f"CANNOT BE USED: {capabilities.get('reason')}"
    lacking = [f"no {label}" for name, label in _ABLE.items() if not capabilities.get(name, True)]
    if capabilities.get("unicode_normalising"):
        lacking.append("respells names")
    if capabilities.get("longest_name", SHORTEST_USUAL) < SHORTEST_USUAL:
        lacking.append(f"names up to {capabilities['longest_name']} bytes only")
    return ", ".join(lacking) or "all"


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
