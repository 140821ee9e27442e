"""Exit codes: the one table, listed in `stagedoor --help` and in `docs/command-line.md`."""

from __future__ import annotations

from ..client import errors as client
from ..model import errors

DONE = 0
INTERNAL = 1
USAGE = 2
REFUSED = 3
ANSWERS = 4
UNREACHABLE = 5
TRANSFER = 6
HOOK = 7
UNHEALTHY = 8
STOPPED = 130

MEANINGS: dict[int, str] = {
    DONE: "done",
    INTERNAL: "a fault inside Stagedoor",
    USAGE: "usage: an option, a path, an id or a request that cannot be",
    REFUSED: "refused by validation, a source changed since, or a receipt does not hold",
    ANSWERS: "an answer is missing or wrong",
    UNREACHABLE: "server unreachable, busy, or sign-in refused",
    TRANSFER: "the transfer failed, or the job was aborted",
    HOOK: "a hook failed at the studio",
    UNHEALTHY: "the doctor found a fault",
    STOPPED: "stopped with Ctrl-C; nothing that was sent is lost",
}

BY_ERROR: dict[type[errors.StagedoorError], int] = {
    errors.StagedoorError: INTERNAL,
    errors.BadRequest: USAGE,
    errors.ManifestRefused: REFUSED,
    errors.LimitExceeded: REFUSED,
    errors.BadRange: TRANSFER,
    errors.SignInRefused: UNREACHABLE,
    errors.TooManyAttempts: UNREACHABLE,
    errors.Forbidden: UNREACHABLE,
    errors.NotFound: USAGE,
    errors.Conflict: USAGE,
    errors.OfferClosed: REFUSED,
    errors.DecisionChanged: REFUSED,
    errors.DestinationTaken: REFUSED,
    errors.SubmitRefused: REFUSED,
    errors.RangeInFlight: TRANSFER,
    errors.AnswersRefused: ANSWERS,
    errors.DigestMismatch: TRANSFER,
    errors.NoSpace: TRANSFER,
    errors.Busy: UNREACHABLE,
    errors.CheckFailed: HOOK,
    client.ScanFault: REFUSED,
    client.ServerUnreachable: UNREACHABLE,
    client.ServerFault: INTERNAL,
    client.SourceChanged: REFUSED,
    client.ReceiptRefused: REFUSED,
    client.TransferFailed: TRANSFER,
}

BY_CODE: dict[str, int] = {"publishing_not_set_up": REFUSED}
"""errors whose code says more than their kind"""


def of(error: errors.StagedoorError) -> int:
    """The exit code of an error: its own, else that of the nearest error above it."""
    if error.error_code in BY_CODE:
        return BY_CODE[error.error_code]
    return next(BY_ERROR[kind] for kind in type(error).__mro__ if kind in BY_ERROR)
