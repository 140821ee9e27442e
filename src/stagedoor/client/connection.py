"""One server, reached over HTTP.

Rules
1. Redirects are not followed: the key goes to the named server alone.
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
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
import urllib3

from ..model import errors
from ..wire.calls import Call
from ..wire.house import ErrorAnswer
from . import unreachable
from .errors import ServerFault, ServerUnreachable
from .route import Route, route_to

ANSWER_SECONDS = 120.0
CONNECTIONS = 4
"""kept open for the next request"""
TRIES = 4
COMPRESS_ABOVE = 100_000
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
    ) -> None:
        """`timeout`: seconds that an answer may take. Raises ValueError for an address that is none."""
        self._answered = False
        self.route = route_to(url, username, api_key, fingerprint, timeout)
        """for connections beside those of this one as well, which carry parts alone"""
        self._pool = _pool(
            self.route,
            timeout=urllib3.Timeout(connect=self.route.connect_seconds, read=timeout),
            retries=False,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def close(self) -> None:
        self._pool.clear()

    def call(
        self, call: Call, names: Mapping[str, str] = _NONE, *, query: Mapping[str, str] = _NONE, body: Any = None
    ) -> Any:
        """`names` fill the path. The answer as plain JSON values; None where there is none. Raises StagedoorError."""
        return self._decode(self._answer(call, names, query, body), Any)

    def fetch(self, call: Call, names: Mapping[str, str] = _NONE) -> Any:
        """The answer as the type that the call names. Raises StagedoorError."""
        return self._decode(self._answer(call, names, _NONE, None), call.answer)

    def fetch_both(self, call: Call, names: Mapping[str, str] = _NONE) -> tuple[Any, Any]:
        """As plain JSON values, whatever a newer server adds, and as the type. Raises StagedoorError."""
        answer = self._answer(call, names, _NONE, None)
        return self._decode(answer, Any), self._decode(answer, call.answer)

    def download(self, call: Call, names: Mapping[str, str] = _NONE) -> bytes:
        """The answer as it is. Raises StagedoorError."""
        return self._answer(call, names, _NONE, None).body

    def try_once(self, call: Call, path: str, headers: Mapping[str, str], body: Body | None = None) -> Answer:
        """Send one request. Raises ServerUnreachable where no answer comes."""
        try:
            answer = self._pool.request(
                call.method,
                self.route.url + path,
                headers={**self.route.headers, **headers},
                body=body,  # type: ignore[arg-type]
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            direct = not self._answered and not isinstance(self._pool, urllib3.ProxyManager)
            raise unreachable.of_request(self.route.url, error, direct=direct) from error
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
                f"{self.route.url} answers, but not as a Stagedoor server does: {error}. Check its address."
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


def _pool(route: Route, **options: Any) -> urllib3.PoolManager:
    if route.fingerprint:  # verified by what it is, not by who signed it
        options |= {"assert_fingerprint": route.fingerprint, "cert_reqs": "CERT_NONE"}
    if route.secure:  # else each connection would read all authorities for itself
        options["ssl_context"] = route.context
    if route.proxy:
        return urllib3.ProxyManager(route.proxy, maxsize=CONNECTIONS, proxy_headers=route.proxy_headers(), **options)
    return urllib3.PoolManager(maxsize=CONNECTIONS, **options)
