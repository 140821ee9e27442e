"""One server, reached over HTTP.

Rules
1. TLS is always verified: against the system's authorities, or against one certificate by its SHA-256 fingerprint.
   Redirects are not followed: the key goes to the named server alone.
2. What the server refuses is raised as the class of `model.errors` with its code.
3. A call that may be repeated is repeated after a lost connection or while the server is busy, for a short time;
   `try_once` does not. Waiting longer is the caller's business.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode, urlsplit

import msgspec
import urllib3

from ..model import errors
from ..version import __version__
from ..wire.calls import Call
from ..wire.house import ErrorAnswer
from .errors import ServerFault, ServerUnreachable

CONNECT_SECONDS = 30.0
"""also the longest that one piece of a body may take to leave this machine"""
ANSWER_SECONDS = 120.0
PROBE_SECONDS = 3.0
TRIES = 4
COMPRESS_ABOVE = 100_000
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")
_NO_TLS = re.compile("WRONG_VERSION_NUMBER|record layer failure|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG", re.IGNORECASE)
_HTTPS_WANTED = re.compile(rb"http.{1,60}https (port|server)", re.IGNORECASE | re.DOTALL)
"""what proxies say to a plain request where TLS is spoken"""
_TEMPORARY = frozenset({408, 429, 502, 503, 504})

_NONE: Mapping[str, str] = {}

Body = bytes | Iterable[memoryview]


class Answer(NamedTuple):
    """What came back, whatever it says."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds, where the server says when to come again."""
        text = self.headers.get("Retry-After", "")
        return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed a moment later. What a hook could not say, it cannot say then either."""
        if self.status == 502 and isinstance(refusal(self.status, self.body), errors.CheckFailed):
            return False
        return self.status in _TEMPORARY

    @property
    def success(self) -> bool:
        return 200 <= self.status < 300

    def check(self) -> None:
        """Raise what the server refused; nothing for a success."""
        if not self.success:
            raise refusal(self.status, self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How connections to the server are made."""

    scheme: str
    host: str
    port: int
    prefix: str
    """of every path"""
    context: ssl.SSLContext | None
    fingerprint: str
    """SHA-256 of the one certificate that is accepted, hexadecimal; empty where authorities vouch"""
    headers: Mapping[str, str]
    """of every request"""
    proxy: str
    """its URL; empty where there is none"""
    congestion: str
    """name of a congestion control, `system`, or empty: what suits the line"""
    connect_seconds: float
    answer_seconds: float


class Connection:
    """Safe to be used by several threads."""

    def __init__(
        self,
        url: str,
        username: str,
        api_key: str,
        *,
        fingerprint: str | None = None,
        timeout: float = ANSWER_SECONDS,
        connections: int = 4,
    ) -> None:
        """`timeout`: seconds that an answer may take. Raises ValueError for an address that is none."""
        self._prefix = _read_url(url)
        self._answered = False
        self._same = (url, username, api_key, fingerprint, timeout)
        self._headers = {
            **urllib3.make_headers(basic_auth=_credentials(username, api_key), accept_encoding="gzip"),
            "User-Agent": f"stagedoor/{__version__}",
        }
        self._pool = _pool(
            self._prefix,
            maxsize=connections,
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, timeout), read=timeout),
            retries=False,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            **_verification(fingerprint),
        )

    def close(self) -> None:
        self._pool.clear()

    def route(self) -> Route:
        """For connections beside those of this one, which carry parts alone."""
        _, _, _, fingerprint, timeout = self._same
        parts = urlsplit(self._prefix)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        known = _verification(fingerprint).get("assert_fingerprint", "")
        proxy = "" if _LOOPBACK.fullmatch(host) else _proxy(parts.scheme, host)
        return Route(
            scheme=parts.scheme,
            host=host,
            port=parts.port or (443 if secure else 80),
            prefix=parts.path,
            context=_context(known) if secure else None,
            fingerprint=known,
            headers={**self._headers, **(proxy_credentials(proxy) if not secure else {})},
            proxy=proxy,
            congestion=os.environ.get("STAGEDOOR_CONGESTION", ""),
            connect_seconds=min(CONNECT_SECONDS, timeout),
            answer_seconds=timeout,
        )

    def call(
        self, call: Call, names: Mapping[str, str] = _NONE, *, query: Mapping[str, str] = _NONE, body: Any = None
    ) -> Any:
        """`names` fill the path. The answer as plain JSON values; None where there is none. Raises StagedoorError."""
        return self._decode(self._answer(call, names, query, body), Any)

    def fetch(self, call: Call, names: Mapping[str, str] = _NONE) -> Any:
        """The answer as the type that the call names. Raises StagedoorError."""
        return self._decode(self._answer(call, names, _NONE, None), call.answer)

    def download(self, call: Call, names: Mapping[str, str] = _NONE) -> bytes:
        """The answer as it is. Raises StagedoorError."""
        return self._answer(call, names, _NONE, None).body

    def try_once(self, call: Call, path: str, headers: Mapping[str, str], body: Body | None = None) -> Answer:
        """Send one request. Raises ServerUnreachable where no answer comes."""
        try:
            answer = self._pool.request(
                call.method,
                self._prefix + path,
                headers={**self._headers, **headers},
                body=body,  # type: ignore[arg-type]
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            direct = not self._answered and not isinstance(self._pool, urllib3.ProxyManager)
            raise _unreachable(self._prefix, error, direct=direct) from error
        self._answered = True
        return Answer(answer.status, answer.headers, answer.data)

    def _answer(self, call: Call, names: Mapping[str, str], query: Mapping[str, str], body: Any) -> Answer:
        path = call.at(**names) + (f"?{urlencode(query)}" if query else "")
        headers, content = _encode(body)
        for pause in _pauses():
            try:
                answer = self.try_once(call, path, headers, content)
            except ServerUnreachable as error:
                if pause is None or error.error_code == "tls_refused" or not _repeatable(call, error):
                    raise
            else:
                if pause is None or not (answer.temporary and call.repeatable):
                    answer.check()
                    return answer
                pause = min(answer.retry_after or pause, 10.0)
            time.sleep(pause)
        raise AssertionError("the last pause is None")

    def _decode(self, answer: Answer, kind: Any) -> Any:
        if not answer.body:
            return None
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.MsgspecError as error:
            raise ServerUnreachable(
                f"{self._prefix} answers, but not as a Stagedoor server does: {error}. Check its address."
            ) from None


def refusal(status: int, body: bytes) -> errors.StagedoorError:
    """The exception for an answer that is not a success."""
    try:
        said = msgspec.json.decode(body, type=ErrorAnswer)
    except msgspec.MsgspecError:
        return _of_status(status, body)
    details = {**said.details, "request_id": said.request_id} if said.request_id else dict(said.details)
    return _kind(status, said.code)(said.message, code=said.code, details=details)


def _kind(status: int, code: str) -> type[errors.StagedoorError]:
    """By the code; a finer code is of the class that its status tells."""
    if status == 409 and code.startswith("offer_"):
        return errors.OfferClosed
    return _BY_CODE.get(code) or _BY_STATUS.get(status) or (ServerFault if status >= 500 else errors.BadRequest)


def _of_status(status: int, body: bytes) -> errors.StagedoorError:
    """For what a proxy answered, or something that is no Stagedoor."""
    kind = _BY_STATUS.get(status)
    if kind in (errors.SignInRefused, errors.LimitExceeded, errors.Busy):
        return kind()
    if status >= 500:
        return ServerFault(f"The server, or a proxy before it, answered with status {status}; try again.")
    if status == 400 and _HTTPS_WANTED.search(body[:10_000]):
        return ServerUnreachable(
            "The server takes TLS alone: write its address with https:// instead.", code="tls_refused"
        )
    return ServerUnreachable(f"The answer (status {status}) is not that of a Stagedoor server; check the address.")


def _tree(kind: type[errors.StagedoorError]) -> Iterator[type[errors.StagedoorError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _tree(below)


_BY_CODE = {kind.code: kind for kind in _tree(errors.StagedoorError)} | {errors.StagedoorError.code: ServerFault}
_BY_STATUS: dict[int, type[errors.StagedoorError]] = {
    400: errors.BadRequest,
    401: errors.SignInRefused,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.LimitExceeded,
    416: errors.BadRange,
    429: errors.Busy,
    503: errors.Busy,
    507: errors.NoSpace,
}


def _encode(body: Any) -> tuple[dict[str, str], bytes | None]:
    if body is None:
        return {}, None
    content = msgspec.json.encode(body, enc_hook=_plain)
    headers = {"Content-Type": "application/json"}
    if len(content) > COMPRESS_ABOVE:
        content = gzip.compress(content, 3)
        headers["Content-Encoding"] = "gzip"
    return headers, content


def _plain(value: Any) -> str:
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    raise TypeError(f"{type(value).__name__} cannot travel as JSON: {value!r}")


def _pauses() -> Iterator[float | None]:
    """Seconds to wait after each try; None after the last."""
    for number in range(TRIES - 1):
        yield 0.25 * 4**number * random.uniform(0.75, 1.25)  # noqa: S311
    yield None


def _repeatable(call: Call, error: ServerUnreachable) -> bool:
    """A request that never left this machine may always be sent again."""
    return call.repeatable or isinstance(error.__cause__, urllib3.exceptions.NewConnectionError)


def _unreachable(url: str, error: urllib3.exceptions.HTTPError, *, direct: bool = False) -> ServerUnreachable:
    """`direct`: the server has not answered yet, and no proxy stands before it."""
    if isinstance(error, urllib3.exceptions.SSLError):
        return ServerUnreachable(_tls_refusal(url, error), code="tls_refused")
    if direct and isinstance(error, urllib3.exceptions.ProtocolError) and _speaks_tls(url):
        return ServerUnreachable(_takes_https(url), code="tls_refused")
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return ServerUnreachable(f"There is no host named in {url}, or your connection is down.")
    if isinstance(error, urllib3.exceptions.TimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    ):
        return ServerUnreachable(f"{url} does not answer in time; try again, or check the address.")
    if _caused_by(error, ConnectionRefusedError):
        return ServerUnreachable(f"{url} cannot be reached: no server listens there. Check the address and the port.")
    cause = _caused_by(error, OSError)
    return ServerUnreachable(
        f"{url} cannot be reached; check the address and your connection.", detail=str(cause or type(error).__name__)
    )


def _tls_refusal(url: str, error: urllib3.exceptions.SSLError) -> str:
    if _NO_TLS.search(str(error)):
        return (
            f"{url} answers without TLS: write {_other_scheme(url)} instead, or ask the studio for its https address."
        )
    if "ingerprint" in str(error):
        return (
            f"{url} has another certificate than the fingerprint that you gave (--tls-fingerprint or "
            "STAGEDOOR_TLS_FINGERPRINT); ask the studio for the right one."
        )
    cause = _caused_by(error, ssl.SSLCertVerificationError)
    reason = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else str(error)
    return (
        f"{url} does not prove who it is ({reason}). Where the studio uses a certificate of its own, ask for its "
        "fingerprint and give that with --tls-fingerprint or STAGEDOOR_TLS_FINGERPRINT."
    )


def _takes_https(url: str) -> str:
    return f"{url} takes TLS alone: write {_other_scheme(url)} instead."


def _other_scheme(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{'http' if scheme == 'https' else 'https'}://{rest}"


def _speaks_tls(url: str) -> bool:
    """Whether a server for http hangs up because it expects TLS. Nothing is sent but the greeting."""
    parts = urlsplit(url)
    if parts.scheme != "http":
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((parts.hostname or "", parts.port or 80), PROBE_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname),
        ):
            return True
    except OSError:
        return False


def _caused_by(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The error of this kind behind another."""
    seen: BaseException | None = error
    while seen is not None:
        found = next((item for item in (seen, *seen.args) if isinstance(item, kind)), None)
        if found is not None:
            return found
        seen = seen.__cause__ or seen.__context__
    return None


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


def _verification(fingerprint: str | None) -> dict[str, Any]:
    if not fingerprint:
        return {}
    text = fingerprint.strip().lower().rpartition("=")[2].removeprefix("sha256:").replace(":", "").replace(" ", "")
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError(f"{fingerprint!r} is not the SHA-256 fingerprint of a certificate: 64 hexadecimal digits")
    return {"assert_fingerprint": text, "cert_reqs": "CERT_NONE"}  # verified: by what it is, not by who signed it


def _context(fingerprint: str) -> ssl.SSLContext:
    """Verifies by the system's authorities; where a fingerprint is known, whoever connects compares it."""
    context = ssl.create_default_context()
    if fingerprint:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def proxy_credentials(url: str) -> dict[str, str]:
    """The header that a proxy wants to see, where its URL names a user."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": "Basic " + b64encode(pair.encode()).decode()}


def _pool(url: str, **options: Any) -> urllib3.PoolManager:
    parts = urlsplit(url)
    proxy = "" if _LOOPBACK.fullmatch(parts.hostname or "") else _proxy(parts.scheme, parts.hostname or "")
    return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)


def _proxy(scheme: str, host: str) -> str:
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return ""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all") or ""
    return "" if not found or proxy_bypass(host) else found
