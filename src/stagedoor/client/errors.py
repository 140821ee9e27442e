"""What can go wrong on this side, beside what a server answers.

    StagedoorError
    ├── BadRequest
    │   ├── QueryRefused           a query that cannot be asked; a ValueError as well
    │   └── ManifestRefused
    │       └── ScanFault          files that cannot be offered; all faults at once
    ├── ServerUnreachable          no answer, or none of Stagedoor
    ├── ServerFault                the server failed on this request
    ├── SourceChanged              files are not what was validated; all that are known at once
    ├── ReceiptRefused             a receipt is not the studio's, or files are not what it says; all at once
    └── TransferFailed             bytes cannot be sent, now or at all

`details["request_id"]` of an error that a server answered is what the studio finds it by in its log.
"""

from __future__ import annotations

from ..model.errors import BadRequest, ManifestRefused, StagedoorError


class QueryRefused(BadRequest, ValueError):
    """The query cannot be asked.

    `details` of one that cannot be read: `{"column", "expected"}`.
    """

    code = "query_refused"


class ScanFault(ManifestRefused):
    """Some of the files cannot be offered.

    `details`: `{"faults": [{"path", "reason"}, ...], "total"}`.
    """

    code = "scan_refused"


class ServerUnreachable(StagedoorError):
    """The server does not answer; check its address and your connection."""

    code = "server_unreachable"


class ServerFault(StagedoorError):
    """The server failed on this request; try again, and tell the studio if it stays so."""

    code = "server_fault"


class SourceChanged(StagedoorError):
    """The files are no longer what the studio validated; publish them again.

    `details`: `{"files": [{"path", "reason"}, ...], "total"}`; `path` begins with the name of the entry.
    """

    code = "source_changed"


class ReceiptRefused(StagedoorError):
    """The receipt does not hold.

    `details` of files that differ: `{"faults": [{"path", "reason"}, ...], "total"}`; `path` begins with the local one.
    """

    code = "receipt_refused"


class TransferFailed(StagedoorError):
    """The transfer failed. Nothing that was sent is lost; start it again."""

    code = "transfer_failed"
