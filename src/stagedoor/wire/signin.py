"""Signing in: invitations, passwords, passkeys, one-time links, sessions.

Rules
1. Secrets travel in bodies and, as fragments, in URLs that only pages read; never in paths or queries.
2. `options` and `credential` are what WebAuthn in JSON calls them: a page hands them to the browser and back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from .house import UserView


class SignInView(Struct, frozen=True, kw_only=True):
    """What is possible here; told to anybody."""

    workspace: str
    passkeys: bool
    """whether the address by which this was asked can have passkeys: a name, not a number, and secure"""
    links: bool
    """whether one-time links are mailed"""


class SessionView(Struct, frozen=True, kw_only=True):
    id: str
    created: datetime
    last_used: datetime
    """to the minute"""
    expires: datetime
    """when it ends if it is not used again"""
    ip: str
    client: str
    """what the browser calls itself"""
    way: str
    """how it was begun: password, passkey, link or invitation"""
    current: bool
    """the one that asks"""


class Me(UserView, frozen=True, kw_only=True):
    """The signed-in user."""

    session: SessionView | None = None
    """null where an API key was used"""
    has_password: bool = False
    old_password: bool = False
    """whether a new password needs the old one"""


class PasswordSignIn(Struct, frozen=True, kw_only=True):
    user: str
    """e-mail address"""
    password: str


class LinkRequest(Struct, frozen=True, kw_only=True):
    user: str
    """e-mail address"""


class Token(Struct, frozen=True, kw_only=True):
    token: str
    """what stands behind the # of an invitation or a link"""


class PasskeyOptions(Struct, frozen=True, kw_only=True):
    """The beginning of making or using a passkey; `ticket` goes back with the credential, within five minutes."""

    options: dict[str, Any]
    ticket: str


class PasskeySignIn(Struct, frozen=True, kw_only=True):
    ticket: str
    credential: dict[str, Any]


class NewPasskey(Struct, frozen=True, kw_only=True):
    ticket: str
    credential: dict[str, Any]
    name: str = ""
    """what the user calls it: `laptop`"""


class PasskeyView(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    host: str
    """the server's name for which it was made; it opens no other"""
    created: datetime
    last_used: datetime | None


class PasswordChange(Struct, frozen=True, kw_only=True):
    password: str
    old: str | None = None
    """needed where there is one, but not soon after signing in with a mailed link"""


class NewInvitation(Struct, frozen=True, kw_only=True):
    email: str
    role: str = "standard"
    """of the new user; who is a user already keeps theirs"""


class InvitationMade(Struct, frozen=True, kw_only=True):
    """`url` is shown this once."""

    id: str
    email: str
    role: str
    created: datetime
    expires: datetime
    url: str
    existing: bool
    """whether the address is a user's already: the invitation lets them set a new password"""
    mailed: bool
    """whether it is on its way by mail; else hand over the URL yourself"""


class InvitationView(Struct, frozen=True, kw_only=True):
    id: str
    email: str
    role: str
    created: datetime
    expires: datetime
    state: str
    """pending, redeemed, revoked or expired"""
    by: str
    """who invited"""


class InvitationLook(Struct, frozen=True, kw_only=True):
    """What an invitation says to who holds it."""

    email: str
    workspace: str
    role: str
    expires: datetime
    existing: bool
    """whether they are a user already, who sets a new password"""


class Redemption(Struct, frozen=True, kw_only=True):
    """Either `password`, or `ticket` and `credential` of a new passkey."""

    token: str
    name: str | None = None
    password: str | None = None
    ticket: str | None = None
    credential: dict[str, Any] | None = None
