"""Browsers that are signed in.

Rules
1. A session ends when it was not used for `session_idle_hours`, `session_days` after its beginning, when it is signed
   out or revoked, and when its user is disabled or sets a new password elsewhere.
2. Its secret is told once, to the browser; whoever knows it is the user.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..model.entities import User
from ..model.errors import SignInRefused
from ..model.signin import DAY, HOUR, Known, Limits, Session, Way
from .acting import acting, actor
from .lately import Lately
from .needs import Clock, House, SessionBook


@dataclass(frozen=True, slots=True)
class Begun:
    """Somebody who has just signed in."""

    known: Known
    token: str
    longest: int
    """milliseconds after which the session ends whatever happens"""


class Sessions:
    def __init__(self, book: SessionBook, house: House, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._limits: Lately[None, Limits] = Lately(lambda _: limits_of(house))

    @property
    def limits(self) -> Limits:
        return self._limits(None)

    def begin(self, user: User, way: Way) -> Begun:
        """Raises SignInRefused where the user was disabled at this moment."""
        who = actor()
        with acting(replace(who, user_id=user.id, code=user.code, role=user.role.value)):
            made = self._book.open(user.id, way, who.ip, who.client, self._clock())
        if made is None:
            raise SignInRefused
        session, token = made
        return Begun(Known(user=user, session=session), token, self.limits.longest)

    def known(self, token: str) -> Known | None:
        """Whose session it is, where it holds."""
        return self._book.known(token, self._clock(), self.limits)

    def of_user(self, user_id: str) -> list[Session]:
        return self._book.of_user(user_id, self._clock(), self.limits)

    def end(self, user_id: str, session_id: str) -> None:
        """Raises NotFound."""
        self._book.end(user_id, session_id, "revoke")

    def forget(self) -> int:
        """Remove what has ended; how many."""
        return self._book.forget(self._clock(), self.limits)

    def sign_out(self, known: Known) -> None:
        if known.session:
            self._book.end(known.user.id, known.session.id, "sign_out")


def limits_of(house: House) -> Limits:
    settings = house.settings()
    return Limits(idle=settings.number("session_idle_hours") * HOUR, longest=settings.number("session_days") * DAY)
