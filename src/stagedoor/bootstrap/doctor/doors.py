"""The way in: the port, the certificate, and what the running server's clock says."""

from __future__ import annotations

import socket
import time
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

import urllib3

from ...api.certificate import Facts, facts
from ...config import PORT, Home, Serving
from .diagnosis import Diagnosis, fault, ok, warning

SOON = timedelta(days=30)
AHEAD_SECONDS = 2.0


def examine(paths: Home, host: str, port: int) -> Iterator[Diagnosis]:
    """`host`: by which vendors reach it; `port`: where it is to listen, 0 for where it does or did last."""
    serving = paths.serving()
    if paths.is_served and serving:
        yield from _answer(serving)
    else:
        yield _free(serving.host if serving else "127.0.0.1", port or (serving.port if serving else PORT))
    yield from _tls(paths, serving, host)


def _answer(serving: Serving) -> Iterator[Diagnosis]:
    # To this machine itself: who answers is known by the lock, and the certificate is looked at below.
    pool = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_hostname=False, retries=False, timeout=10)
    began = time.time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = pool.request("GET", f"{serving.url}/healthz")
    except urllib3.exceptions.HTTPError as error:
        sentence = f"The server (process {serving.pid}) does not answer on {serving.url}: {error}"
        yield fault("door", "server", sentence, "Look into its log; start it again where it hangs.")
        return
    if answer.status != 200:
        sentence = f"Somebody answers {answer.status} on {serving.url}."
        yield fault("door", "server", sentence, "Look into the server's log.")
        return
    yield ok("door", "server", f"It runs (process {serving.pid}) and answers on {serving.url}.")
    yield from _date(answer.headers.get("date", ""), began)


def _date(header: str, began: float) -> Iterator[Diagnosis]:
    if not header:
        return
    ahead = parsedate_to_datetime(header).timestamp() - began  # whole seconds, and the answer took a moment
    if abs(ahead) > AHEAD_SECONDS + (time.time() - began):
        yield warning("clock", "server", f"The server's clock differs from ours by {ahead:+.0f} s.", "Set it by NTP.")
    else:
        yield ok("clock", "server", "The server's clock is ours.")


def _free(host: str, port: int) -> Diagnosis:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sentence = f"No server runs on this home, and it could not listen on {host} port {port}: {error.strerror}."
            return fault("door", "server", sentence, "End what listens there, or serve with another --port.")
    return ok("door", "server", f"No server runs on this home; {host} port {port} is free.")


def _tls(paths: Home, serving: Serving | None, host: str) -> Iterator[Diagnosis]:
    cert, key = _pair(paths, serving)
    if cert is None or key is None:
        yield ok("tls", "", "The server does no TLS: it listens on this machine only, or a proxy does it.")
        return
    try:
        found = facts(cert, key)
    except (OSError, ValueError) as error:
        yield fault("tls", str(cert), f"Certificate or key cannot be read: {error}", "Give files in PEM form.")
        return
    yield _time(cert, found)
    if not found.key_fits:
        yield fault("tls", str(cert), f"{key} is not its key.", "Give the two that belong together.")
    if host and not found.speaks_for(host):
        names = ", ".join(found.names) or "none"
        advice = "Clients refuse it; get one for this name."
        if found.self_signed:
            yield ok("tls", str(cert), f"It is not made for {host}; clients know it by its fingerprint.")
        else:
            yield fault("tls", str(cert), f"It is not made for {host}, but for: {names}.", advice)


def _pair(paths: Home, serving: Serving | None) -> tuple[Path | None, Path | None]:
    if serving:
        return (Path(serving.certificate), Path(serving.key)) if serving.certificate else (None, None)
    own = paths.tls / "self-signed.crt"
    return (own, own.with_suffix(".key")) if own.exists() else (None, None)


def _time(cert: Path, found: Facts) -> Diagnosis:
    now = datetime.now(timezone.utc)
    ends = found.ends.strftime("%Y-%m-%d")
    advice = "Get a new one and start the server again."
    if now > found.ends:
        return fault("tls", str(cert), f"It expired on {ends}.", advice)
    if now < found.begins:
        return fault("tls", str(cert), f"It is valid from {found.begins:%Y-%m-%d} on only.", "Is the clock right?")
    if found.ends - now < SOON:
        return warning("tls", str(cert), f"It expires on {ends}.", advice)
    return ok("tls", str(cert), f"It is valid until {ends}, for {', '.join(found.names) or 'no name'}.")
