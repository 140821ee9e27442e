"""What signing in asks of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ...model.entities import Role, User
from ...model.signin import Invitation, Known, Limits, Passkey, Session, Way


class SessionBook(Protocol):
    def open(self, user_id: str, way: Way, ip: str, client: str, now: int) -> tuple[Session, str] | None:
        """A new session, and its secret, which is told this once. None where the user is disabled by now."""
        ...

    def known(self, token: str, now: int, limits: Limits, *, used: bool = True) -> Known | None:
        """Whose session it is, where it is one and has not ended. `used`: whether this counts as use of it."""
        ...

    def of_user(self, user_id: str, now: int, limits: Limits) -> list[Session]: ...

    def end(self, user_id: str, session_id: str, verb: str) -> None:
        """`verb` for the audit log: sign_out or revoke. Raises NotFound."""
        ...

    def forget(self, now: int, limits: Limits) -> int: ...


class PasswordBook(Protocol):
    def by_code(self, code: str) -> tuple[User, str] | None:
        """The enabled user of this address, and the hash of their password; empty where they have none."""
        ...

    def hash_of(self, user_id: str) -> str:
        """Empty where there is none."""
        ...

    def set(self, user_id: str, hash: str, now: int, *, keep: str = "") -> None:
        """And end all sessions but `keep`. Raises NotFound."""
        ...

    def renew(self, user_id: str, before: str, after: str) -> None:
        """Another hash of the same password."""
        ...


class LinkBook(Protocol):
    def make(self, user_id: str, now: int, expires: int) -> str | None:
        """The secret of a new link; None where the user has enough of them."""
        ...

    def redeem(self, token: str, now: int) -> User | None:
        """Whose link it is; it opens nothing any more. None where it does not hold."""
        ...

    def forget(self, now: int) -> int: ...


class InvitationBook(Protocol):
    def make(self, email: str, role: Role, by: str, now: int, expires: int) -> tuple[Invitation, str]:
        """A new one, and its secret, which is told this once; older ones of the address are revoked."""
        ...

    def by_token(self, token: str) -> Invitation | None: ...
    def invitation(self, invitation_id: str) -> Invitation | None: ...
    def pending(self, email: str, now: int) -> list[Role]:
        """Roles to which an address is invited and may still say yes."""
        ...

    def all(self) -> list[Invitation]: ...
    def revoke(self, invitation_id: str, now: int) -> None:
        """Raises NotFound, Conflict."""
        ...

    def redeem(self, token: str, now: int, name: str, password: str, passkey: Passkey | None) -> User | None:
        """The user, new or not, who now has this password (a hash) or this passkey. None where the invitation does
        not hold. Raises Conflict."""
        ...

    def forget(self, before: int) -> int: ...


class PasskeyBook(Protocol):
    def of_user(self, user_id: str) -> list[Passkey]: ...
    def by_credential(self, credential: bytes) -> tuple[Passkey, User] | None: ...
    def add(self, passkey: Passkey) -> None:
        """Raises Conflict, NotFound."""
        ...

    def used(self, passkey_id: str, sign_count: int, now: int) -> None: ...
    def remove(self, user_id: str, passkey_id: str) -> None:
        """Raises NotFound."""
        ...


class Hasher(Protocol):
    """Slow hashes of passwords."""

    def hash(self, password: str) -> str: ...

    def matches(self, hash: str, password: str) -> bool:
        """Takes as long for an empty hash, which nothing matches."""
        ...

    def is_old(self, hash: str) -> bool:
        """Whether it was made in a way that is weaker than today's."""
        ...


class MadeKey(NamedTuple):
    """What a browser has made."""

    credential: bytes
    public_key: bytes
    sign_count: int


class Ceremony(Protocol):
    """What WebAuthn asks and checks. `host`: the server's name as the page sees it; `origin`: with scheme and port."""

    def challenge(self) -> bytes: ...

    def making(
        self, challenge: bytes, host: str, user_id: str, code: str, name: str, known: Sequence[bytes]
    ) -> dict[str, Any]:
        """Options for the browser."""
        ...

    def made(self, credential: Mapping[str, Any], challenge: bytes, host: str, origin: str) -> MadeKey:
        """Raises BadRequest."""
        ...

    def using(self, challenge: bytes, host: str) -> dict[str, Any]:
        """Options for the browser."""
        ...

    def id_of(self, credential: Mapping[str, Any]) -> bytes:
        """Which passkey it claims to be. Raises BadRequest."""
        ...

    def used(
        self, credential: Mapping[str, Any], challenge: bytes, origin: str, passkey: Passkey, user_id: str
    ) -> int | None:
        """The new count of signatures; None where the credential does not prove what it claims."""
        ...


class Mailer(Protocol):
    def send(self, to: str, subject: str, text: str) -> bool:
        """Whether the mail is on its way; why not is in the log."""
        ...
