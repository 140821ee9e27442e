"""Invitations: made, looked at, redeemed, revoked.

Rules
1. An invitation is bound to an address, holds for a week, and is redeemed once. Its secret stands in the fragment of
   its URL, which no server and no scanner of mails is sent; looking at it burns nothing.
2. Administrators invite anybody, employees standard users. Who is a user already gets an invitation to set a
   password, by those who may manage them.
3. What does not hold is answered in the same words, whether it was redeemed, revoked, superseded, or never was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..model import errors
from ..model.entities import User
from ..model.signin import INVITATION_MS, Invitation, Passkey, Way, check_password, may_invite
from ..wire.signin import InvitationLook, InvitationMade, InvitationView, PasskeyOptions, Redemption
from . import house as views
from .acting import acting, actor
from .manage import address_of, name_of, role_of
from .needs import Clock, Hasher, House, InvitationBook, Mailer
from .passkeys import Passkeys, Site
from .sessions import Begun, Sessions
from .signin import Counting
from .views import moment

ByCode = Callable[[str], User | None]


class Inviting:
    def __init__(
        self, book: InvitationBook, house: House, user_by_code: ByCode, mailer: Mailer | None, clock: Clock
    ) -> None:
        self._book = book
        self._house = house
        self._user_by_code = user_by_code
        self._mailer = mailer
        self._clock = clock

    def invite(self, inviter: User | None, email: str, role: str, base: str) -> InvitationMade:
        """`inviter`: None for who has the home itself. `base`: URL of the server. Raises BadRequest, Forbidden,
        Conflict."""
        address, wanted = address_of(email), role_of(role)
        existing = self._user_by_code(address)
        if existing:
            address, wanted = existing.code, existing.role
        if not may_invite(inviter, wanted):
            raise errors.Forbidden
        if existing and not existing.enabled:
            raise errors.Conflict(f"The user {existing.code} is disabled; enable them first.", code="user_disabled")
        now = self._clock()
        if not all(may_invite(inviter, role) for role in self._book.pending(address, now)):
            raise errors.Forbidden  # it would be revoked by this one
        made, token = self._book.make(address, wanted, actor().code, now, now + INVITATION_MS)
        url = f"{base.rstrip('/')}/invitation#{token}"
        return InvitationMade(
            id=made.id,
            email=made.email,
            role=made.role.value,
            created=moment(made.created),
            expires=moment(made.expires),
            url=url,
            existing=existing is not None,
            mailed=self._mailed(made, url, existing is not None),
        )

    def views(self) -> list[InvitationView]:
        """All, the newest first."""
        now = self._clock()
        return [views.invitation(one, now) for one in self._book.all()]

    def revoke(self, revoker: User | None, invitation_id: str) -> None:
        """Raises NotFound, Forbidden, Conflict."""
        found = self._book.invitation(invitation_id)
        if found is None:
            raise errors.NotFound
        if not may_invite(revoker, found.role):
            raise errors.Forbidden
        self._book.revoke(invitation_id, self._clock())

    def _mailed(self, made: Invitation, url: str, existing: bool) -> bool:
        if self._mailer is None:
            return False
        workspace = self._house.workspace().code
        what = "set a password" if existing else "publish your work there"
        return self._mailer.send(
            made.email,
            f"Your invitation to {workspace}",
            f"{workspace} invites you to {what}.\n\nOpen this address within a week; it works once:\n\n{url}\n\n"
            "If you did not expect this, do nothing: without you nothing happens.\n",
        )


class Redeeming:
    """For who holds an invitation."""

    def __init__(
        self,
        book: InvitationBook,
        house: House,
        user_by_code: ByCode,
        passkeys: Passkeys,
        sessions: Sessions,
        hasher: Hasher,
        counting: Counting,
        clock: Clock,
    ) -> None:
        self._book = book
        self._house = house
        self._user_by_code = user_by_code
        self._passkeys = passkeys
        self._sessions = sessions
        self._hasher = hasher
        self._counting = counting
        self._clock = clock

    def look(self, token: str) -> InvitationLook:
        """Raises NotFound (`invitation_over`)."""
        found, user = self._holding(token)
        return InvitationLook(
            email=found.email,
            workspace=self._house.workspace().code,
            role=found.role.value,
            expires=moment(found.expires),
            existing=user is not None,
        )

    def begin_passkey(self, token: str, site: Site) -> PasskeyOptions:
        """Raises NotFound, BadRequest."""
        found, user = self._holding(token)
        name = user.name if user else ""
        return self._passkeys.begin_making(site, found.id, found.email, name, user.id if user else "")

    def redeem(self, asked: Redemption, site: Site) -> Begun:
        """Raises NotFound, BadRequest, Conflict."""
        try:
            user = self._user(asked, site)
        except errors.NotFound:
            self._counting.failed(Way.INVITATION)
            raise
        self._counting.succeeded(Way.INVITATION)
        return self._sessions.begin(user, Way.INVITATION)

    def _user(self, asked: Redemption, site: Site) -> User:
        """Who has redeemed it."""
        found, user = self._holding(asked.token)
        name = name_of(asked.name or "")
        password, passkey = "", None
        if asked.password is not None:
            text = check_password(asked.password, found.email, user.name if user else name)
            password = self._hasher.hash(text)
        elif asked.ticket is not None and asked.credential is not None:
            passkey = self._passkeys.made(site, found.id, asked.ticket, asked.credential, "passkey")
        else:
            raise errors.BadRequest("Choose a password or make a passkey.", code="password_missing")
        return self._redeemed(asked.token, found, name, password, passkey)

    def _redeemed(self, token: str, found: Invitation, name: str, password: str, passkey: Passkey | None) -> User:
        with acting(replace(actor(), code=found.email)):
            user = self._book.redeem(token, self._clock(), name, password, passkey)
        if user is None:
            raise over()
        return user

    def _holding(self, token: str) -> tuple[Invitation, User | None]:
        """An invitation that can be redeemed, and the user whom it is for, where they are one already."""
        found = self._book.by_token(token)
        if found is None or found.state(self._clock()) != "pending":
            raise over()
        user = self._user_by_code(found.email)
        if user and (not user.enabled or user.role is not found.role):
            raise over()
        return found, user


def over() -> errors.NotFound:
    return errors.NotFound(
        "This invitation has been used or revoked, or is older than 7 days, or its link is not complete; "
        "ask the studio for a new one.",
        code="invitation_over",
    )
