"""Passwords: set by whom they belong to.

Rules
1. Who has one says it before they set another; but for a quarter of an hour after a mailed link has let them in, since
   they may have forgotten it.
2. A new password ends all other sessions.
3. Wrong old passwords are slowed as wrong passwords are.
"""

from __future__ import annotations

from typing import NamedTuple

from ..model.errors import BadRequest, Forbidden
from ..model.signin import LINK_MS, Known, Way, check_password, normal
from .acting import actor
from .needs import Clock, Hasher, PasswordBook
from .slowing import Slowing


class Kept(NamedTuple):
    """What is kept of somebody's password."""

    hash: str
    """empty where they have none"""
    proves: bool
    """whether a new one needs it"""


class Passwords:
    def __init__(self, book: PasswordBook, hasher: Hasher, slowing: Slowing, clock: Clock) -> None:
        self._book = book
        self._hasher = hasher
        self._slowing = slowing
        self._clock = clock

    def kept(self, known: Known) -> Kept:
        hash = self._book.hash_of(known.user.id)
        return Kept(hash=hash, proves=bool(hash) and not self._came_by_link(known))

    def admit(self, known: Known, new: str, old: str | None) -> None:
        """What can be said at once, before `set` keeps a thread busy. Raises BadRequest, TooManyAttempts."""
        check_password(new, known.user.code, known.user.name)
        if self.kept(known).proves:
            if old is None:
                raise BadRequest("Give your old password as well.", code="old_password_missing")
            self._slowing.begin(known.user.code, actor().ip)

    def set(self, known: Known, new: str, old: str | None) -> None:
        """Raises BadRequest, Forbidden."""
        user = known.user
        password = check_password(new, user.code, user.name)
        kept = self.kept(known)
        if kept.proves:
            if not self._hasher.matches(kept.hash, normal((old or "")[:2048])):
                raise Forbidden("The old password is wrong.", code="old_password_wrong")
            self._slowing.succeeded(user.code, actor().ip)
        keep = known.session.id if known.session else ""
        self._book.set(user.id, self._hasher.hash(password), self._clock(), keep=keep)

    def _came_by_link(self, known: Known) -> bool:
        session = known.session
        return session is not None and session.way is Way.LINK and self._clock() - session.created < LINK_MS
