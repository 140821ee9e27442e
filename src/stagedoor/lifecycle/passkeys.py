"""Passkeys: made, used, listed, removed.

Rules
1. A passkey belongs to one host name of the server, the one by which the page was asked, and opens no other.
2. Making and using one has a beginning and an end, held together by a ticket; each end is reached once.
3. Whoever signs in need not say who they are: the passkey does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ..model.entities import User
from ..model.errors import BadRequest, SignInRefused
from ..model.signin import Passkey
from ..wire.signin import PasskeyOptions
from .manage import name_of
from .needs import Ceremony, Clock, PasskeyBook
from .tickets import Tickets

log = logging.getLogger("stagedoor.signin")
REFUSED = "This passkey does not open anything here; sign in another way."


@dataclass(frozen=True, slots=True)
class Site:
    """The server as a page sees it."""

    host: str
    """without port; empty where passkeys cannot be had: an address instead of a name, or not secure"""
    origin: str
    """with scheme and port"""


class Making(msgspec.Struct, frozen=True):
    """What a ticket says of a passkey that is being made."""

    challenge: bytes
    host: str
    owner: str
    """id of the user, or of the invitation"""
    user_id: str
    """whose it will be: who is invited gets this id"""


class Using(msgspec.Struct, frozen=True):
    challenge: bytes
    host: str


class Passkeys:
    def __init__(self, book: PasskeyBook, ceremony: Ceremony, new_id: Callable[[], str], clock: Clock) -> None:
        self._book = book
        self._ceremony = ceremony
        self._new_id = new_id
        self._clock = clock
        self._tickets = Tickets()

    def of_user(self, user_id: str) -> list[Passkey]:
        return self._book.of_user(user_id)

    def remove(self, user_id: str, passkey_id: str) -> None:
        """Raises NotFound."""
        self._book.remove(user_id, passkey_id)

    # --- making one

    def begin_making(self, site: Site, owner: str, code: str, name: str, user_id: str = "") -> PasskeyOptions:
        """`owner`: of the ticket, a user or an invitation; `user_id`: empty for one who is not there yet."""
        user_id = user_id or self._new_id()
        host, challenge = _host(site), self._ceremony.challenge()
        known = [one.credential for one in self._book.of_user(user_id) if one.host == host]
        options = self._ceremony.making(challenge, host, user_id, code, name, known)
        return PasskeyOptions(options=options, ticket=self._tickets.give(Making(challenge, host, owner, user_id)))

    def made(self, site: Site, owner: str, ticket: str, credential: Mapping[str, Any], name: str) -> Passkey:
        """The new passkey, which nobody has kept yet. Raises BadRequest."""
        making = self._tickets.read(ticket, Making)
        if making.owner != owner or making.host != site.host:
            raise BadRequest("This passkey was begun elsewhere; begin again.", code="ticket_over")
        found = self._ceremony.made(credential, making.challenge, making.host, site.origin)
        self._tickets.take(ticket, Making)
        return Passkey(
            id=self._new_id(),
            user_id=making.user_id,
            credential=found.credential,
            public_key=found.public_key,
            sign_count=found.sign_count,
            host=making.host,
            name=name,
            created=self._clock(),
        )

    def make(self, site: Site, owner: str, ticket: str, credential: Mapping[str, Any], name: str) -> Passkey:
        """A further one of a user. Raises BadRequest, Conflict."""
        made = self.made(site, owner, ticket, credential, name_of(name) or "passkey")
        self._book.add(made)
        return made

    # --- using one

    def begin_using(self, site: Site) -> PasskeyOptions:
        host, challenge = _host(site), self._ceremony.challenge()
        options = self._ceremony.using(challenge, host)
        return PasskeyOptions(options=options, ticket=self._tickets.give(Using(challenge, host)))

    def used(self, site: Site, ticket: str, credential: Mapping[str, Any]) -> User:
        """Whose passkey it is. Raises BadRequest, SignInRefused."""
        using = self._tickets.read(ticket, Using)
        found = self._book.by_credential(self._ceremony.id_of(credential))
        if found is None or found[0].host != using.host:
            raise SignInRefused(REFUSED)
        passkey, user = found
        count = self._ceremony.used(credential, using.challenge, site.origin, passkey, user.id)
        if count is None:
            raise SignInRefused(REFUSED)
        self._tickets.take(ticket, Using)
        self._book.used(passkey.id, count, self._clock())
        return user


def _host(site: Site) -> str:
    if not site.host:
        raise BadRequest(
            "Passkeys need a secure address with a name: https, and no number instead of the name.",
            code="passkeys_not_here",
        )
    return site.host
