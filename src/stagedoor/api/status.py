"""Which refusal has which HTTP status."""

from __future__ import annotations

import msgspec

from ..model import errors
from ..wire.house import ErrorAnswer

STATUS: dict[type[errors.StagedoorError], int] = {
    errors.StagedoorError: 500,
    errors.BadRequest: 400,
    errors.ManifestRefused: 422,
    errors.LimitExceeded: 413,
    errors.BadRange: 416,
    errors.SignInRefused: 401,
    errors.TooManyAttempts: 429,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.AnswersRefused: 422,
    errors.DigestMismatch: 422,
    errors.NoSpace: 507,
    errors.Busy: 503,
    errors.CheckFailed: 502,
}
RETRY_AFTER = {errors.Busy: "2", errors.RangeInFlight: "1", errors.NoSpace: "10"}
BY_STATUS = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", errors.NotFound().message),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("limit_exceeded", "The request is larger than this server takes."),
    415: ("media_type", "The body must be JSON: send Content-Type: application/json."),
}


def status_of(error: errors.StagedoorError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def headers_of(error: errors.StagedoorError, *, page: bool = False) -> dict[str, str]:
    """`page`: a script in a browser asks, and the browser must not ask for a password by itself."""
    headers = {"content-type": "application/json"}
    for kind, seconds in RETRY_AFTER.items():
        if isinstance(error, kind):
            headers["retry-after"] = seconds
    if isinstance(error, errors.TooManyAttempts):
        headers["retry-after"] = str(error.details.get("seconds", 1))
    if isinstance(error, errors.SignInRefused) and not page:
        headers["www-authenticate"] = 'Basic realm="stagedoor", charset="UTF-8"'
    return headers


def fault(request_id: str) -> errors.StagedoorError:
    """What is said of a failure of ours; the log has the story under this number."""
    return errors.StagedoorError(f"Something went wrong at the studio; tell them the reference {request_id}.")


def body_of(error: errors.StagedoorError, request_id: str) -> bytes:
    answer = ErrorAnswer(code=error.error_code, message=error.message, details=error.details, request_id=request_id)
    return msgspec.json.encode(answer)
