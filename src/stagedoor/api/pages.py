"""The pages: static files of `stagedoor/web`, as they are. What they show comes over the same calls as everybody's.

Rules
1. Every page is one document; its script picks what to show by the address, so that an upload goes on while its user
   looks at something else. An address that is no page gets the same document with 404.
2. Files have addresses below `/assets/<version>/`, and the version is a digest of all files: a browser keeps them for
   good, and a newer server has new addresses. The document itself is always asked for.
3. Nothing here needs a sign-in, and nothing here is a secret.
4. The policy lets a page load from this server alone, run no script in a document and make no markup from text but
   in the modules that it names.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

PAGES = frozenset(
    (
        *("", "sign-in", "invitation", "account", "publish", "jobs"),
        *("today", "refused", "hooks", "runs", "people", "volumes", "queues", "settings", "log", "doctor"),
    )
)
"""first words of addresses that are pages; `js/app.js` has the same"""
ASSETS = "/assets/"
POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "connect", "font", "worker", "manifest")),
        "img-src 'self' blob:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types guidelines worker",
    )
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"referrer-policy", b"no-referrer"),
)
FOR_GOOD = (b"cache-control", b"public, max-age=31536000, immutable")
_SMALL = 512
"""bytes below which packing is not worth it"""


class Asset(NamedTuple):
    kind: bytes
    body: bytes
    packed: bytes
    """with gzip; empty where that is no smaller"""


class Site(NamedTuple):
    version: str
    assets: dict[str, Asset]
    """by path below `/assets/<version>/`"""
    document: Asset
    etag: bytes


def serves(method: str, path: str) -> bool:
    """Whether this is asked of the pages, not of the calls."""
    return method in ("GET", "HEAD") and not path.startswith("/api/") and path not in ("/healthz", "/metrics")


class Pages:
    """ASGI: answers what `serves` names, and passes everything else on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not serves(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        status, headers, asset = _found(scope)
        packs = b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"") and bool(asset.packed)
        body = b"" if status == 304 else asset.packed if packs else asset.body
        headers = [*headers, (b"content-type", asset.kind), (b"vary", b"accept-encoding"), *HEADERS]
        if status != 304:  # which speaks of what the browser has, and has no length of its own
            headers += [(b"content-encoding", b"gzip")] if packs else []
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if scope["method"] == "HEAD":
            body = b""
        await send({"type": "http.response.body", "body": body, "more_body": False})


def _found(scope: HTTPScope) -> tuple[int, list[tuple[bytes, bytes]], Asset]:
    path, has = scope["path"], site()
    scope["path_template"] = "/{page}"
    if path.startswith(ASSETS):
        version, _, name = path.removeprefix(ASSETS).partition("/")
        asset = has.assets.get(name)
        if asset:
            return 200, [FOR_GOOD] if version == has.version else [], asset
        return 404, [], Asset(b"text/plain; charset=utf-8", b"There is no such file.\n", b"")
    if path.strip("/").partition("/")[0] not in PAGES:
        return 404, [], has.document
    tag = [(b"etag", has.etag), (b"cache-control", b"no-cache")]
    return (304 if has.etag in dict(scope["headers"]).get(b"if-none-match", b"") else 200), tag, has.document


@cache
def site() -> Site:
    """Read once: some hundred kilobytes."""
    found = dict(sorted(_walk(files("stagedoor") / "web")))
    document = found.pop("index.html")
    digest = hashlib.sha256()
    for name, body in found.items():
        digest.update(b"%s\0%d\0" % (name.encode(), len(body)) + body)
    version = digest.hexdigest()[:16]
    modules = (name for name in found if name.startswith("js/") and not name.endswith("worker.js"))
    filled = document.replace(b"{{preload}}", _preload(version, modules)).replace(b"{{version}}", version.encode())
    etag = b'"%s"' % hashlib.sha256(filled).hexdigest()[:16].encode()
    return Site(version, {name: _asset(name, body) for name, body in found.items()}, _asset(".html", filled), etag)


def _walk(folder: Traversable, above: str = "") -> Iterable[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _walk(item, f"{above}{item.name}/")
        elif not item.name.startswith("."):
            yield above + item.name, item.read_bytes()


def _preload(version: str, modules: Iterable[str]) -> bytes:
    """So that a browser asks for all modules at once, and not for each when it meets its name."""
    return "\n".join(f'<link rel="modulepreload" href="{ASSETS}{version}/{name}">' for name in modules).encode()


def _asset(name: str, body: bytes) -> Asset:
    kind = mimetypes.guess_type(f"x{name}")[0] or "application/octet-stream"
    if name.endswith(".js"):
        kind = "text/javascript"  # what the system's table says of it differs
    if kind.startswith("text/") or kind in ("image/svg+xml", "application/manifest+json"):
        kind += "; charset=utf-8"
    packed = gzip.compress(body, 9, mtime=0) if len(body) > _SMALL else b""
    return Asset(kind.encode(), body, packed if len(packed) < len(body) else b"")
