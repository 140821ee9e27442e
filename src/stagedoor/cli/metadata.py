"""`--metadata` and `--external` of the commands that change things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..model.form import parse_metadata
from .screen.jobs import pairs
from .screen.page import Page, indented

Function = TypeVar("Function", bound=Callable[..., Any])
Pairs = dict[str, str]


def metadata(function: Function) -> Function:
    """`--metadata` and `--external`, as the dicts `internal` and `external`."""
    internal = "For hooks, and for the studio only; several times if need be. KEY= takes it away."
    external = "The same, but the vendor whose it is may see it."
    given: dict[str, Any] = {"metavar": "KEY=VALUE", "multiple": True, "callback": _pairs}
    function = click.option("--external", help=external, **given)(function)
    return click.option("--metadata", "internal", help=internal, **given)(function)


def _pairs(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> Pairs:
    try:
        return parse_metadata("\n".join(given))
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


def change(server: Any, level: str, named: str, internal: Pairs, external: Pairs) -> None:
    """Change what is kept on a thing of this home, where that is asked for."""
    from ..lifecycle.levels import On
    from ..model.settings import Level

    if internal or external:
        server.levels.change_metadata(On(Level(level), named), internal, external)


def say(page: Page, kept: Any) -> None:
    """Of a view, or as JSON, or as it is kept."""
    parts = kept if isinstance(kept, dict) else {"internal": kept.internal, "external": kept.external}
    for words in pairs(parts):
        page.say(indented(f"  {words}", "    ").strip("\n"))
