"""`stagedoor user`: users and their API keys; `user_invite` has invitations and sessions."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from . import metadata
from .options import Group, at_home, open_home, wanted, where
from .screen.numbers import count, moment
from .screen.page import Page, as_builtins
from .user_invite import ROLES, invitation, invite, session


@click.group("user", cls=Group)
def command() -> None:
    """Users, their API keys, invitations and sessions."""


command.add_command(invite)
command.add_command(invitation)
command.add_command(session)


@command.command()
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="standard",
    show_default=True,
    help="standard: a vendor, sees their own. employee: sees all jobs. admin: everything.",
)
@click.option("--name", default="", help="The person's name.")
@at_home
def add(page: Page, home: Path, email: str, role: str, name: str) -> None:
    """Add the user EMAIL; their API key is shown this once."""
    with open_home(home) as server:
        from ..lifecycle import house

        made = house.made(server.records.house.workspace(), *server.manage.add_user(email, role, name))
    _key_shown(page, made)


@command.command("set")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES))
@click.option("--name", help="The person's name.")
@metadata.metadata
@at_home
def set_(
    page: Page,
    home: Path,
    email: str,
    role: str | None,
    name: str | None,
    internal: dict[str, str],
    external: dict[str, str],
) -> None:
    """Change the role, name or metadata of the user EMAIL; what is not given stays."""
    if role is None and name is None and not (internal or external):
        raise click.UsageError("Say what to change: --role, --name, --metadata or --external.")
    with open_home(home) as server:
        from ..lifecycle import house

        metadata.change(server, "user", email, internal, external)
        view = house.user(server.manage.update_user(email, role=role, name=name))
    page.answer(view)
    if page.json:
        return
    page.say(f"{view.code} is {view.role}{f', {view.name}' if view.name else ''}.")
    metadata.say(page, view.metadata)


def _key_shown(page: Page, made: Any, key_id: str = "") -> None:
    page.answer({**as_builtins(made), "key": key_id} if key_id else made)
    if page.json:
        return
    page.say(f"User:    {made.user}")
    if key_id:
        page.say(f"Key ID:  {key_id}")
    page.say(f"API key: {made.api_key}")
    page.say("The key is shown this once; only a hash of it is kept. Store it now.")


@command.command("list")
@where
@at_home
def list_(page: Page, home: Path, where: str | None) -> None:
    """List users."""
    with open_home(home) as server:
        from ..lifecycle import house

        views = [house.user(user) for user in _users(server, where)]
    page.listed(
        {"users": views},
        ("USER", "ROLE", "STATUS", "NAME", "SINCE"),
        [(view.code, view.role, view.status, view.name, moment(view.created)) for view in views],
        long="NAME",
    )


def _users(server: Any, where: str | None) -> list[Any]:
    if where is None:
        return server.manage.users()  # type: ignore[no-any-return]
    return list(reversed(server.records.lists.users(wanted=wanted(where).slice())[1]))


@command.command()
@click.argument("email")
@at_home
def show(page: Page, home: Path, email: str) -> None:
    """Show the user EMAIL: role, keys, and how many jobs of theirs are unfinished."""
    with open_home(home) as server:
        from ..lifecycle import house

        user = server.manage.user(email)
        view, keys = house.user(user), [house.key(key) for key in server.manage.keys(user.id)]
        unfinished = server.records.jobs.count_unfinished(user.id)
    page.answer({**as_builtins(view), "keys": [as_builtins(key) for key in keys], "unfinished_jobs": unfinished})
    if page.json:
        return
    page.say(f"{view.code}{f', {view.name}' if view.name else ''}: {view.role}, {view.status}")
    page.say(f"  since {moment(view.created)}, id {view.id}, {count(unfinished, 'unfinished job')}")
    for part in (view.metadata.internal, view.metadata.external):
        for name, value in part.items():
            page.say(f"  {name} = {value}")
    for key in keys:
        page.say(f"  key {key.id} {_state(key)}{f', {key.label}' if key.label else ''}")


def _state(key: Any) -> str:
    """What a key is good for now."""
    if key.revoked:
        return f"revoked {moment(key.revoked)}"
    if key.expires is None:
        return "without end"
    return f"{'expired' if key.expires < datetime.now(timezone.utc) else 'until'} {moment(key.expires)}"


@command.command()
@click.argument("email")
@at_home
def disable(page: Page, home: Path, email: str) -> None:
    """Keep a user out: keys stop working, browsers are signed out, at once."""
    _switch(page, home, email, "disabled")


@command.command()
@click.argument("email")
@at_home
def enable(page: Page, home: Path, email: str) -> None:
    """Let a user in again."""
    _switch(page, home, email, "enabled")


def _switch(page: Page, home: Path, email: str, status: str) -> None:
    with open_home(home) as server:
        from ..lifecycle import house

        view = house.user(server.manage.update_user(email, status=status))
    page.done(view, f"{view.code} is {view.status}.")


@command.group(cls=Group)
def key() -> None:
    """API keys of a user."""


@key.command("add")
@click.argument("email")
@click.option("--label", default="", help="What it is for: `render farm`.")
@click.option("--days", type=click.IntRange(1, 36500), help="Days until it expires; left out: never.")
@at_home
def key_add(page: Page, home: Path, email: str, label: str, days: int | None) -> None:
    """Make a further API key; it is shown this once."""
    with open_home(home) as server:
        from ..lifecycle import house

        key, api_key = server.manage.add_key(email, label=label, days=days)
        made = house.made(server.records.house.workspace(), server.manage.user(email), api_key)
    _key_shown(page, made, key.id)


@key.command("list")
@click.argument("email")
@at_home
def key_list(page: Page, home: Path, email: str) -> None:
    """List a user's API keys; the keys themselves are not kept."""
    with open_home(home) as server:
        from ..lifecycle import house

        views = [house.key(key) for key in server.manage.keys(email)]
    page.listed(
        {"keys": views},
        ("ID", "LABEL", "MADE", "EXPIRES", "REVOKED"),
        [(view.id, view.label, moment(view.created), moment(view.expires), moment(view.revoked)) for view in views],
        long="LABEL",
    )


@key.command("revoke")
@click.argument("email")
@click.argument("key_id", metavar="ID")
@at_home
def key_revoke(page: Page, home: Path, email: str, key_id: str) -> None:
    """Make the key ID of a user worthless, at once and for good."""
    with open_home(home) as server:
        server.manage.revoke_key(email, key_id)
    page.done({"revoked": key_id}, f"The key {key_id} of {email} is revoked.")
