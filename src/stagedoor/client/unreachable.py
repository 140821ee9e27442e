"""Why a server does not answer, in a sentence that helps: from what a request raised, or a connection."""

from __future__ import annotations

import re
import socket
import ssl
from urllib.parse import urlsplit

import urllib3

from .errors import ServerUnreachable

PROBE_SECONDS = 3.0
_NO_TLS = re.compile("WRONG_VERSION_NUMBER|record layer failure|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG", re.IGNORECASE)


def of_request(url: str, error: urllib3.exceptions.HTTPError, *, direct: bool = False) -> ServerUnreachable:
    """Behind what a request raised. `direct`: the server has not answered yet, and no proxy stands before it."""
    if isinstance(error, urllib3.exceptions.SSLError):
        return ServerUnreachable(_tls_refusal(url, error), code="tls_refused")
    if direct and isinstance(error, urllib3.exceptions.ProtocolError) and _speaks_tls(url):
        return ServerUnreachable(_takes_https(url), code="tls_refused")
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return ServerUnreachable(f"There is no host named in {url}, or your connection is down.")
    if isinstance(error, urllib3.exceptions.TimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    ):
        return _late(url)
    return _away(url, error)


def of_socket(url: str, error: Exception) -> ServerUnreachable:
    """Behind what a connection raised."""
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return ServerUnreachable(_tls_refusal(url, error), code="tls_refused")
    return _late(url) if isinstance(error, TimeoutError) else _away(url, error)


def _late(url: str) -> ServerUnreachable:
    return ServerUnreachable(f"{url} does not answer in time; try again, or check the address.")


def _away(url: str, error: Exception) -> ServerUnreachable:
    if _caused_by(error, ConnectionRefusedError):
        return ServerUnreachable(f"{url} cannot be reached: no server listens there. Check the address and the port.")
    cause = _caused_by(error, OSError)
    return ServerUnreachable(
        f"{url} cannot be reached; check the address and your connection.", detail=str(cause or type(error).__name__)
    )


def _tls_refusal(url: str, error: Exception) -> str:
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
