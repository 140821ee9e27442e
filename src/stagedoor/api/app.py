"""The routes put together: an ASGI application from the steps."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp

from ..lifecycle.auditing import Auditing
from ..lifecycle.control import Control
from ..lifecycle.inviting import Inviting, Redeeming
from ..lifecycle.levels import Levels
from ..lifecycle.manage import Management, Probe
from ..lifecycle.offer import Offering
from ..lifecycle.passkeys import Passkeys
from ..lifecycle.passwords import Passwords
from ..lifecycle.queues import Queues
from ..lifecycle.read import Reading
from ..lifecycle.receive import Receiving
from ..lifecycle.refusals import Refusals
from ..lifecycle.replay import Replaying
from ..lifecycle.reuse import Reusing
from ..lifecycle.sessions import Sessions
from ..lifecycle.signin import ByLink, ByPasskey, ByPassword
from ..lifecycle.submit import Submitting
from ..lifecycle.tally import Tally
from ..lifecycle.trial import Trying
from ..model import errors
from ..version import __version__
from ..wire import calls
from ..wire.house import Checkup, Health
from ..wire.signing import PublicKey
from . import doctor, events, hooks, house, metrics, publishing, reuse, signin, studio, uploads
from . import log as log_door
from .asking import LISTS
from .document import Document
from .gate import Gate, is_loopback, log_refusal
from .pages import Pages
from .status import BY_STATUS, body_of, fault, headers_of, status_of
from .who import SECURE_COOKIE, SignIn, is_page

log = logging.getLogger("stagedoor.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Who comes in, and how."""

    sign_in: SignIn
    sessions: Sessions
    by_password: ByPassword
    by_link: ByLink
    by_passkey: ByPasskey
    passwords: Passwords
    passkeys: Passkeys
    inviting: Inviting
    redeeming: Redeeming


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the handlers call."""

    offering: Offering
    submitting: Submitting
    receiving: Receiving
    reusing: Reusing
    reading: Reading
    control: Control
    auditing: Auditing
    refusals: Refusals
    manage: Management
    replaying: Replaying
    trying: Trying
    queues: Queues
    levels: Levels
    doors: Doors
    receipt_key: PublicKey
    probe: Probe
    room: Callable[[str], tuple[int, int] | None]
    """free and total bytes of the disk below a folder, where it is there"""
    tally: Tally
    census: metrics.Census
    examine: Callable[[str], Checkup]
    """look at everything a server needs; given the name by which vendors reach it"""
    events: events.Broadcast


def make_app(services: Services, peers: Mapping[int, str]) -> ASGIApp:
    """`peers`: who is behind a connection of this machine, by its port."""
    app = Litestar(
        route_handlers=[
            health,
            *publishing.HANDLERS,
            *uploads.HANDLERS,
            *reuse.HANDLERS,
            *signin.HANDLERS,
            *house.HANDLERS,
            *hooks.HANDLERS,
            *studio.HANDLERS,
            *metrics.HANDLERS,
            *log_door.HANDLERS,
            *events.HANDLERS,
            *doctor.HANDLERS,
        ],
        state=State({"services": services}),
        dependencies=LISTS,
        exception_handlers={
            errors.StagedoorError: _refused,
            HTTPException: _http,
            ValidationException: _invalid,
            RecursionError: _too_deep,
            UnicodeDecodeError: _not_utf8,
            Exception: _fault,
        },
        openapi_config=OpenAPIConfig(
            title="Stagedoor",
            version=__version__,
            description="Publish gateway: offer, upload, ingest. Every refusal is an `ErrorAnswer`.",
            openapi_router=Router(
                f"{calls.V1}/openapi", route_handlers=[], after_request=_nothing_as_json, include_in_schema=False
            ),
            render_plugins=[Document(path="/openapi.json")],
            security=[{"basic": []}, {"cookie": []}],
            components=Components(
                security_schemes={
                    "basic": SecurityScheme(type="http", scheme="basic", description="user name and API key"),
                    "cookie": SecurityScheme(
                        type="apiKey",
                        name=SECURE_COOKIE,
                        security_scheme_in="cookie",
                        description="of a page that has signed in; all but GET needs X-Stagedoor-Page: 1",
                    ),
                }
            ),
            use_handler_docstrings=True,
        ),
        request_max_body_size=1 << 20,
        logging_config=None,
        debug=False,
    )
    is_open = _is_open(services.levels)
    return Gate(Pages(app), services.doors.sign_in, peers, services.tally, is_open)


def _is_open(levels: Levels) -> Callable[[str], bool]:
    """Whether `/metrics` is answered to an address without a sign-in."""

    def is_open(ip: str) -> bool:
        return is_loopback(ip) and levels.settings()["metrics"].value == "loopback"

    return is_open


@get(calls.HEALTH.path, security=[], sync_to_thread=False)
def health() -> Health:
    """200 when the server is ready. Needs no sign-in."""
    return Health(status="ok", version=__version__)


def _answer(request: Request[Any, Any, Any], error: errors.StagedoorError, status: int = 0) -> Response[bytes]:
    request_id = request.scope["state"]["request_id"]
    request.scope["state"]["refusal"] = error.error_code
    known = request.scope["state"].get("known")
    log_refusal(error, request_id, known.user.code if known else "nobody")
    return Response(
        body_of(error, request_id),
        status_code=status or status_of(error),
        headers=headers_of(error, page=is_page(request.scope["state"]["headers"])),
        media_type=MediaType.JSON,
    )


def _refused(request: Request[Any, Any, Any], error: errors.StagedoorError) -> Response[bytes]:
    return _answer(request, error)


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    code, message = BY_STATUS.get(error.status_code, ("bad_request", "The request cannot be taken."))
    return _answer(request, errors.StagedoorError(message, code=code), error.status_code)


def _invalid(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    found = error.extra if isinstance(error.extra, list) else []
    reasons = "; ".join(_reason(item) for item in found) or error.detail
    return _answer(request, errors.BadRequest(f"The request cannot be read: {reasons}"))


def _reason(item: dict[str, Any]) -> str:
    # The framework takes every "data." out of a name, also that of "metadata.".
    key = re.sub(r"\bmeta(?=(internal|external)\b)", "metadata.", item.get("key", "body"))
    message = item.get("message", "")
    if key == "data":  # the name of the argument that takes the body
        return "its body is missing" if message == "'data'" else message
    return f"{key}: {message}"


def _nothing_as_json(response: Response[Any]) -> Response[Any]:
    """The framework has a page of its own for what is not there beside the OpenAPI document."""
    if response.status_code == 404:
        raise NotFoundException
    return response


def _not_utf8(request: Request[Any, Any, Any], _error: UnicodeDecodeError) -> Response[bytes]:
    return _answer(request, errors.BadRequest("The request cannot be read: it is not UTF-8."))


def _too_deep(request: Request[Any, Any, Any], _error: RecursionError) -> Response[bytes]:
    return _answer(request, errors.BadRequest("The request nests deeper than this server reads."))


def _fault(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    request_id = request.scope["state"]["request_id"]
    log.error("request %s failed", request_id, exc_info=error)
    return _answer(request, fault(request_id))
