"""Every way in which Stagedoor says no, as one tree.

    StagedoorError
    ├── BadRequest                 the request cannot be read
    │   ├── ManifestRefused        names, sizes or shape of an offer; all faults at once
    │   ├── LimitExceeded          a limit, with its number
    │   └── BadRange               a part's range or digest headers
    ├── SignInRefused              who are you?
    ├── TooManyAttempts            failed too often just now; `details.seconds` says when to try again
    ├── Forbidden                  known, but not for this role
    ├── NotFound                   does not exist, or is somebody else's: the same answer
    ├── Conflict                   understood, but not as things stand
    │   ├── OfferClosed            superseded, expired, withdrawn or used
    │   ├── DecisionChanged        what came back is not what the server decided
    │   ├── DestinationTaken       the place cannot be had
    │   ├── SubmitRefused          the studio's pre-submit hook said no
    │   ├── RangeInFlight          another connection is sending these bytes
    │   └── JobPaused              nothing goes on until it is resumed
    ├── AnswersRefused             something required is missing or wrong
    ├── DigestMismatch             the bytes did not survive the journey
    ├── NoSpace                    not enough room
    ├── Busy                       try again in a moment
    └── CheckFailed                the studio's hook could not say yes or no

Rules
1. `message` is one sentence the vendor can act on; it never holds a path of the studio, a traceback or another
   person's name.
2. `detail` is for the studio's log only and never leaves the server.
3. `code` is stable: scripts compare it. HTTP status codes live in `api.status`, exit codes in `cli.exits`.
4. `details` are the facts behind the message as JSON values, safe for whoever gets the message.
"""

from __future__ import annotations

from typing import Any, ClassVar


class StagedoorError(Exception):
    """Something went wrong inside Stagedoor."""

    code: ClassVar[str] = "internal"

    def __init__(
        self, message: str = "", *, code: str = "", details: dict[str, Any] | None = None, detail: str = ""
    ) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.error_code = code or type(self).code
        self.details = details or {}
        self.detail = detail
        super().__init__(self.message)


class BadRequest(StagedoorError):
    """The request cannot be read."""

    code = "bad_request"


class ManifestRefused(BadRequest):
    """Some of the offered names cannot be accepted."""

    code = "manifest_refused"


class LimitExceeded(BadRequest):
    """The request is larger than this server takes."""

    code = "limit_exceeded"


class BadRange(BadRequest):
    """The part does not fit the upload."""

    code = "bad_range"


class SignInRefused(StagedoorError):
    """Sign-in refused: check the user name and the API key."""

    code = "sign_in_refused"


class TooManyAttempts(StagedoorError):
    """Too many attempts failed; wait a moment before the next one."""

    code = "too_many_attempts"


class Forbidden(StagedoorError):
    """Your role does not allow this; ask an administrator of the studio."""

    code = "forbidden"


class NotFound(StagedoorError):
    """There is nothing here under that id."""

    code = "not_found"


class Conflict(StagedoorError):
    """This is not possible as things stand."""

    code = "conflict"


class OfferClosed(Conflict):
    """This offer can no longer be submitted; offer the files again."""

    code = "offer_closed"


class DecisionChanged(Conflict):
    """What was sent back differs from what the studio decided; offer the files again."""

    code = "decision_changed"


class DestinationTaken(Conflict):
    """The place for this entry is taken; ask the studio or publish a new version."""

    code = "destination_taken"


class SubmitRefused(Conflict):
    """The studio's check before submitting did not let this job through; ask the studio."""

    code = "submit_refused"


class RangeInFlight(Conflict):
    """Another connection is sending these bytes; try again in a moment."""

    code = "range_in_flight"


class JobPaused(Conflict):
    """This job is paused; it goes on when it is resumed. Nothing that was sent is lost."""

    code = "job_paused"


class AnswersRefused(StagedoorError):
    """Some answers are missing or wrong."""

    code = "answers_refused"


class DigestMismatch(StagedoorError):
    """The bytes arrived damaged and were dropped; send this part again."""

    code = "digest_mismatch"


class NoSpace(StagedoorError):
    """Not enough space at the studio; the studio can see how much is missing. Try again later."""

    code = "no_space"


class Busy(StagedoorError):
    """The server is busy; try again in a moment."""

    code = "busy"


class CheckFailed(StagedoorError):
    """The studio's check could not run; this is not a refusal of your files. Tell the studio the reference."""

    code = "check_failed"
