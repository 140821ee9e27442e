"""`stagedoor user invite`, `user invitation` and `user session`: letting people in by the browser, and out again."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click

from .options import Group, at_home, open_home
from .screen.numbers import moment
from .screen.page import Page

ROLES = ("standard", "employee", "admin")


@click.command("invite")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="standard",
    show_default=True,
    help="Of a new user. Who is a user already keeps theirs.",
)
@at_home
def invite(page: Page, home: Path, email: str, role: str) -> None:
    """Invite EMAIL to sign in with a browser; the address to open is shown this once.

    It is mailed as well where mails are set up. Who is a user already sets a password with it.
    """
    with open_home(home) as server:
        base = server.paths.url
        made = server.inviting.invite(None, email, role, base)
    page.answer(made)
    if _is_loopback(base):
        page.note(
            f"Only this machine can open {base}; set public_url in {server.paths.config} to where people reach the "
            "server."
        )
    if page.json:
        return
    if made.existing:
        page.say(f"{made.email} is a user already ({made.role}): the invitation lets them set a password.")
    page.say(f"Open:  {made.url}")
    page.say(f"Until: {moment(made.expires)}, once; {'mailed to' if made.mailed else 'give it to'} {made.email}")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


@click.group("invitation", cls=Group)
def invitation() -> None:
    """Invitations that were made."""


@invitation.command("list")
@at_home
def invitation_list(page: Page, home: Path) -> None:
    """List invitations, the newest first."""
    with open_home(home) as server:
        views = server.inviting.views()
    page.listed(
        {"invitations": views},
        ("ID", "EMAIL", "ROLE", "STATE", "MADE", "UNTIL", "BY"),
        [(v.id, v.email, v.role, v.state, moment(v.created), moment(v.expires), v.by) for v in views],
        long="BY",
    )


@invitation.command("revoke")
@click.argument("invitation_id", metavar="ID")
@at_home
def invitation_revoke(page: Page, home: Path, invitation_id: str) -> None:
    """Make the invitation ID worthless."""
    with open_home(home) as server:
        server.inviting.revoke(None, invitation_id)
    page.done({"revoked": invitation_id}, f"The invitation {invitation_id} is revoked.")


@click.group("session", cls=Group)
def session() -> None:
    """Browsers in which a user is signed in."""


@session.command("list")
@click.argument("email")
@at_home
def session_list(page: Page, home: Path, email: str) -> None:
    """List the browsers in which the user EMAIL is signed in."""
    with open_home(home) as server:
        from ..lifecycle import house

        found, limits = server.sessions.of_user(server.manage.user(email).id), server.sessions.limits
        views = [house.session(one, limits, None) for one in found]
    page.listed(
        {"sessions": views},
        ("ID", "SINCE", "USED", "UNTIL", "FROM", "BROWSER"),
        [(v.id, moment(v.created), moment(v.last_used), moment(v.expires), v.ip, v.client) for v in views],
        long="BROWSER",
    )


@session.command("revoke")
@click.argument("email")
@click.argument("session_id", metavar="ID")
@at_home
def session_revoke(page: Page, home: Path, email: str, session_id: str) -> None:
    """Sign the browser ID of the user EMAIL out, at once."""
    with open_home(home) as server:
        server.sessions.end(server.manage.user(email).id, session_id)
    page.done({"revoked": session_id}, f"The session {session_id} of {email} is ended.")
