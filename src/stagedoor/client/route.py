"""How connections to the server are made: where it is, how it proves who it is, through which proxy.

Rules
1. TLS is always verified: against the system's authorities, or against one certificate by its SHA-256 fingerprint.
2. A proxy is what the environment says; this machine itself is never reached through one.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote, urlsplit

import urllib3

from ..version import __version__

CONNECT_SECONDS = 30.0
"""also the longest that one piece of a body may take to leave this machine"""
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")


@dataclass(frozen=True, kw_only=True)
class Route:
    url: str
    """without a `/` at its end"""
    fingerprint: str
    """SHA-256 of the one certificate that is accepted, hexadecimal; empty where authorities vouch"""
    headers: Mapping[str, str]
    """of every request"""
    proxy: str
    """its URL; empty where there is none"""
    connect_seconds: float
    answer_seconds: float

    @property
    def secure(self) -> bool:
        return self.url.startswith("https:")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (443 if self.secure else 80)

    @cached_property  # it reads all authorities; one serves every connection
    def context(self) -> ssl.SSLContext:
        """Verifies by the system's authorities; where a fingerprint is known, whoever connects compares it."""
        if not self.fingerprint:
            return ssl.create_default_context()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def proxy_headers(self) -> dict[str, str]:
        """What a proxy wants to see, where its URL names a user."""
        parts = urlsplit(self.proxy)
        if parts.username is None:
            return {}
        return urllib3.make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")


def route_to(url: str, username: str, api_key: str, fingerprint: str | None, timeout: float) -> Route:
    """`timeout`: seconds that an answer may take. Raises ValueError for what cannot be."""
    where = _read_url(url)
    parts = urlsplit(where)
    host = parts.hostname or ""
    return Route(
        url=where,
        fingerprint=_read_fingerprint(fingerprint) if fingerprint else "",
        headers={
            **urllib3.make_headers(basic_auth=_credentials(username, api_key), accept_encoding="gzip"),
            "User-Agent": f"stagedoor/{__version__}",
        },
        proxy="" if _LOOPBACK.fullmatch(host) else _proxy(parts.scheme, host),
        connect_seconds=min(CONNECT_SECONDS, timeout),
        answer_seconds=timeout,
    )


def _read_url(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is not the address of a server: write it as https://host:8181")
    if parts.username or parts.password:
        raise ValueError("the address must not hold user or password; give them apart")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _credentials(username: str, api_key: str) -> str:
    if not username or ":" in username or not api_key:
        raise ValueError("signing in takes a user name, which holds no colon, and an API key")
    return f"{username}:{api_key}"


def _read_fingerprint(fingerprint: str) -> str:
    text = fingerprint.strip().lower().rpartition("=")[2].removeprefix("sha256:").replace(":", "").replace(" ", "")
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError(f"{fingerprint!r} is not the SHA-256 fingerprint of a certificate: 64 hexadecimal digits")
    return text


def _proxy(scheme: str, host: str) -> str:
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return ""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all") or ""
    return "" if not found or proxy_bypass(host) else found
