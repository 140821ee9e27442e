"""What opens the door for a person: passwords, passkeys, invitations, links; and the sessions that they begin.

Rules
1. A password is compared in one Unicode form (NFKC), whatever keyboard it was typed on.
2. Times are integer milliseconds since 1970 UTC. Secrets stand nowhere here: only hashes of them are kept.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum

from .entities import Role, User
from .errors import BadRequest
from .query import folded

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
INVITATION_MS = 7 * DAY
LINK_MS = 15 * MINUTE
LEAST_CHARACTERS = 12
MOST_BYTES = 1024


class Way(str, Enum):
    """How a session was begun."""

    PASSWORD = "password"  # noqa: S105
    PASSKEY = "passkey"
    LINK = "link"
    INVITATION = "invitation"

    def __str__(self) -> str:
        return self.value


def may_invite(inviter: User | None, role: Role) -> bool:
    """`inviter`: None for who has the home itself."""
    if inviter is None:
        return True
    return inviter.enabled and (inviter.role is Role.ADMIN or (inviter.works_here and role is Role.STANDARD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in."""

    id: str
    user_id: str
    created: int
    last_used: int
    ip: str
    client: str
    way: Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long sessions live, in milliseconds."""

    idle: int
    longest: int

    def end_of(self, session: Session) -> int:
        return min(session.last_used + self.idle, session.created + self.longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who asks; `session` where it was a page."""

    user: User
    session: Session | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    id: str
    email: str
    role: Role
    by: str
    """who invited, as people call them"""
    created: int
    expires: int
    redeemed: int | None = None
    revoked: int | None = None

    def state(self, now: int) -> str:
        if self.redeemed is not None:
            return "redeemed"
        if self.revoked is not None:
            return "revoked"
        return "pending" if now < self.expires else "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """`credential` names it; `public_key` checks what it signs."""

    id: str
    user_id: str
    credential: bytes
    public_key: bytes
    sign_count: int
    host: str
    name: str
    created: int
    last_used: int | None = None


def normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *names: str) -> str:
    """The password in its one form. Raises BadRequest for one that is too easily guessed; `names`: of its owner."""
    text = normal(password)
    if len(text) < LEAST_CHARACTERS:
        raise _refused(f"A password has at least {LEAST_CHARACTERS} characters; several words make a good one.")
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise _refused(f"A password has at most {MOST_BYTES} bytes.")
    if folded(text.strip()) in {folded(normal(name).strip()) for name in names}:
        raise _refused("A password must not be your own name or address; choose another one.")
    if len(set(folded(text))) < 4:
        raise _refused("This password repeats few characters; choose another one.")
    return text


def _refused(message: str) -> BadRequest:
    return BadRequest(message, code="password_refused")
