"""Who asks: by API key, or by the cookie of a page of ours. One answer for both ways that requests come.

Rules
1. Where a request has an Authorization header, cookies count for nothing. Browsers that were given a key send such
   a header by themselves, also from pages of others: what they say of the page that asks counts for that too (rule 2).
2. What a cookie could do behind its owner's back (everything but GET and HEAD), it does only in requests that a page of
   ours made: they carry `X-Stagedoor-Page`, which no other page can have a browser send; and where the browser says
   from which page a request comes, that is one of ours.
3. Over TLS the cookie has a name that browsers take from this very host and over TLS alone (`__Host-`).
4. What a proxy says of how it was asked counts only where there is one (`--behind-proxy`).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from ..lifecycle.passkeys import Site
from ..model import errors
from ..model.entities import User
from ..model.signin import Known

Headers = Mapping[bytes, bytes]
"""by lower-case name"""
PAGE = b"x-stagedoor-page"
SECURE_COOKIE = "__Host-stagedoor"
PLAIN_COOKIE = "stagedoor"
_HARMLESS = ("GET", "HEAD")
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{43}")
_LOCAL = ("localhost", ".localhost")


class Credential(NamedTuple):
    """What a request shows of who sends it. One of the two is empty."""

    authorization: bytes
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How people reach this server."""

    tls: bool = False
    behind_proxy: bool = False
    public_url: str = ""
    """as it is set; empty where it is not"""

    def scheme(self, headers: Headers) -> str:
        """Empty where the proxy does not tell."""
        if not self.behind_proxy:
            return "https" if self.tls else "http"
        return _first(headers.get(b"x-forwarded-proto", b"")).lower()

    def host(self, headers: Headers) -> str:
        """With the port, where the browser named one."""
        forwarded = _first(headers.get(b"x-forwarded-host", b"")) if self.behind_proxy else ""
        return (forwarded or headers.get(b"host", b"").decode("latin-1")).lower()

    def is_secure(self, headers: Headers) -> bool:
        return self.scheme(headers) == "https"

    def base(self, headers: Headers) -> str:
        """What an address of this server begins with."""
        return self.public_url or f"{self.scheme(headers) or 'https'}://{self.host(headers)}"

    def is_ours(self, origin: str, headers: Headers) -> bool:
        """Whether a page of this origin is one of ours."""
        origin, host, scheme = origin.lower(), self.host(headers), self.scheme(headers)
        if self.public_url and origin == self.public_url:
            return True
        try:
            asked, known = urlsplit(origin), urlsplit(f"//{host}")
            same_port = asked.port == known.port or (self.behind_proxy and known.port is None)
        except ValueError:
            return False
        same_scheme = asked.scheme == scheme if scheme else asked.scheme in ("http", "https")
        return same_scheme and same_port and asked.hostname is not None and asked.hostname == known.hostname

    def site(self, headers: Headers) -> Site:
        """As a page sees it that asks."""
        origin = headers.get(b"origin", b"").decode("latin-1") or self.base(headers)
        try:
            found = urlsplit(origin)
            host = found.hostname or ""
        except ValueError:
            return Site("", "")
        local = host == _LOCAL[0] or host.endswith(_LOCAL[1])
        secure = found.scheme == "https" or local
        return Site(host if secure and not _is_number(host) else "", origin)


class SessionOf(Protocol):
    def __call__(self, token: str, *, used: bool = True) -> Known | None: ...


class SignIn:
    def __init__(
        self,
        key: Callable[[str, str], User | None],
        session: SessionOf,
        reached: Reached,
    ) -> None:
        """`key`: whose it is, with the user's name; `session`: whose, by its secret."""
        self._key = key
        self._session = session
        self.reached = reached

    def credential(self, method: str, headers: Headers) -> Credential:
        """What a request shows. Raises Forbidden where a browser must not do this with it."""
        authorization = headers.get(b"authorization", b"")
        if authorization:
            if method not in _HARMLESS:
                self._check_origin(headers)
            return Credential(authorization, "")
        token = self.token(headers)
        if token and method not in _HARMLESS:
            self.check_page(headers)
        return Credential(b"", token)

    def known(self, shown: Credential, *, used: bool = True) -> Known:
        """`used`: whether this counts as use of a session. Raises SignInRefused."""
        if shown.token:
            found = self._session(shown.token, used=used)
        else:
            user = self._key(*credentials(shown.authorization))
            found = Known(user=user) if user else None
        if found is None:
            raise errors.SignInRefused
        return found

    def token(self, headers: Headers) -> str:
        """The secret in the cookie; empty where there is none that could be one."""
        wanted = self.cookie_name(headers).encode()
        for pair in headers.get(b"cookie", b"").split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == wanted and _TOKEN.fullmatch(value):
                return value.decode()
        return ""

    def check_page(self, headers: Headers) -> None:
        """Raises Forbidden where a request was not made by a page of ours."""
        if headers.get(PAGE) != b"1":
            raise errors.Forbidden(
                "Requests with a cookie, and those that sign in, need the header X-Stagedoor-Page: 1.",
                code="page_header_missing",
            )
        self._check_origin(headers)

    def _check_origin(self, headers: Headers) -> None:
        """Raises Forbidden where a browser says that a page of somebody else asks."""
        site, origin = headers.get(b"sec-fetch-site", b""), headers.get(b"origin")
        if site not in (b"", b"same-origin", b"none") or (
            origin is not None and not self.reached.is_ours(origin.decode("latin-1"), headers)
        ):
            raise errors.Forbidden(
                "This request comes from a page of another address. If it does not, the studio must tell the server "
                "its address (public_url), or have its proxy pass it on.",
                code="page_elsewhere",
            )

    def cookie_name(self, headers: Headers) -> str:
        return SECURE_COOKIE if self.reached.is_secure(headers) else PLAIN_COOKIE

    def cookie(self, headers: Headers, token: str, seconds: int) -> str:
        """The value of Set-Cookie; no seconds take the cookie away."""
        secure = "; Secure" if self.reached.is_secure(headers) else ""
        return f"{self.cookie_name(headers)}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def is_page(headers: Headers) -> bool:
    """Whether a script in a browser asks: it shows a refusal itself, where the browser would ask for a password."""
    return PAGE in headers or headers.get(b"sec-fetch-mode", b"navigate") != b"navigate"


def credentials(header: bytes) -> tuple[str, str]:
    """User name and key of an Authorization header. Raises SignInRefused."""
    scheme, _, packed = header.partition(b" ")
    if scheme.lower() != b"basic":
        raise errors.SignInRefused
    try:
        name, _, key = base64.b64decode(packed.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise errors.SignInRefused from None
    return name, key


def _first(header: bytes) -> str:
    """Of several that proxies added: what the first was asked by."""
    return header.decode("latin-1").split(",", 1)[0].strip()


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
