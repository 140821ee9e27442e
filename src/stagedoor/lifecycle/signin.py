"""Signing in, by whatever opens the door: one class a way; each ends in a session.

1. `ByPassword`  address and password
2. `ByLink`      a link that was mailed
3. `ByPasskey`   what the browser signs
4. `inviting.Redeeming`  an invitation

Rules
1. Whether an address is a user's is not told: neither by answers nor by how long they take.
2. Failures are counted and logged; those of passwords, and the asking for links, are slowed. What cannot be guessed
   (links, invitations, passkeys) needs no slowing. The audit log, which strangers could flood, has successes only.
3. A further way (OpenID Connect) is a class here that ends in `Sessions.begin`, and its calls.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..model.errors import NotFound, SignInRefused, StagedoorError
from ..model.names import printable
from ..model.signin import LINK_MS, Way, normal
from .acting import actor
from .needs import Clock, Hasher, House, LinkBook, Mailer, PasswordBook
from .passkeys import Passkeys, Site
from .sessions import Begun, Sessions
from .slowing import Slowing
from .tally import Tally

log = logging.getLogger("stagedoor.signin")
WRONG = "Sign-in refused: check the e-mail address and the password."
LINKS_WAITING = 100


class Counting:
    """What came of attempts, for metrics and the log."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def succeeded(self, way: Way) -> None:
        self._tally.count("stagedoor_sign_ins_total", way.value, "succeeded")

    def failed(self, way: Way, user: str = "") -> None:
        self._tally.count("stagedoor_sign_ins_total", way.value, "failed")
        named = f" as {printable(user[:255])}" if user else ""
        log.warning("a sign-in by %s%s from %s failed", way, named, actor().ip)


class ByPassword:
    def __init__(
        self, book: PasswordBook, hasher: Hasher, slowing: Slowing, sessions: Sessions, counting: Counting
    ) -> None:
        self._book = book
        self._hasher = hasher
        self._slowing = slowing
        self._sessions = sessions
        self._counting = counting

    def admit(self, user: str) -> None:
        """Before `sign_in`, where no thread is kept waiting. Raises TooManyAttempts."""
        self._slowing.begin(user, actor().ip)

    def sign_in(self, user: str, password: str) -> Begun:
        """Raises SignInRefused."""
        text = normal(password[:2048])
        found = self._book.by_code(user)
        if not self._hasher.matches(found[1] if found else "", text) or found is None:
            self._counting.failed(Way.PASSWORD, user)
            raise SignInRefused(WRONG)
        known, hash = found
        self._slowing.succeeded(user, actor().ip)
        if self._hasher.is_old(hash):
            self._book.renew(known.id, hash, self._hasher.hash(text))
        self._counting.succeeded(Way.PASSWORD)
        return self._sessions.begin(known, Way.PASSWORD)


class ByPasskey:
    def __init__(self, passkeys: Passkeys, sessions: Sessions, counting: Counting) -> None:
        self._passkeys = passkeys
        self._sessions = sessions
        self._counting = counting

    def sign_in(self, site: Site, ticket: str, credential: Mapping[str, Any]) -> Begun:
        """Raises BadRequest, SignInRefused."""
        try:
            user = self._passkeys.used(site, ticket, credential)
        except StagedoorError:
            self._counting.failed(Way.PASSKEY)
            raise
        self._counting.succeeded(Way.PASSKEY)
        return self._sessions.begin(user, Way.PASSKEY)


class ByLink:
    """Links are made and mailed in a thread of their own: nobody learns by a clock whether there is such a user."""

    def __init__(
        self,
        book: LinkBook,
        passwords: PasswordBook,
        house: House,
        mailer: Mailer | None,
        base: str,
        sessions: Sessions,
        counting: Counting,
        clock: Clock,
    ) -> None:
        """`base`: URL of the server, which no request can choose."""
        self._book = book
        self._passwords = passwords
        self._house = house
        self._mailer = mailer
        self._base = base
        self._slowing = Slowing()
        self._sessions = sessions
        self._counting = counting
        self._clock = clock
        self._room = threading.BoundedSemaphore(LINKS_WAITING)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="links")

    @property
    def there(self) -> bool:
        return self._mailer is not None

    def ask(self, user: str) -> None:
        """Mail a link to this address, where it is a user's. Raises NotFound where none are mailed, TooManyAttempts."""
        if not self.there:
            raise NotFound("This server mails no links; ask the studio for an invitation.", code="no_links")
        self._slowing.begin(user, actor().ip)
        if self._room.acquire(blocking=False):
            self._pool.submit(self._mail, user)
        else:
            log.warning("too many links wait to be mailed; one was left out")

    def sign_in(self, token: str) -> Begun:
        """Raises NotFound (`link_over`)."""
        user = self._book.redeem(token, self._clock())
        if user is None:
            self._counting.failed(Way.LINK)
            raise NotFound(
                "This link has been used, or is older than 15 minutes, or is not complete; ask for a new one.",
                code="link_over",
            )
        self._counting.succeeded(Way.LINK)
        self._slowing.succeeded(user.code, actor().ip)
        return self._sessions.begin(user, Way.LINK)

    def stop(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _mail(self, user: str) -> None:
        try:
            found = self._passwords.by_code(user)
            if found and self._mailer:
                now = self._clock()
                token = self._book.make(found[0].id, now, now + LINK_MS)
                if token:
                    self._send(self._mailer, found[0].code, f"{self._base}/sign-in#{token}")
        except Exception:
            log.exception("a link could not be made")
        finally:
            self._room.release()

    def _send(self, mailer: Mailer, to: str, url: str) -> None:
        workspace = self._house.workspace().code
        mailer.send(
            to,
            f"Sign in to {workspace}",
            f"Open this address within 15 minutes to sign in to {workspace}; it works once:\n\n{url}\n\n"
            "If you did not ask for it, do nothing.\n",
        )
