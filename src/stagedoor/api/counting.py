"""Every request that was answered, by whichever way it came: counted for `/metrics`, and a line in the access log.

Rules
1. Counting costs two additions under a lock. Nothing is put into words unless the access log wants it.
2. A route is written as the table of calls writes it, so that labels take few values whatever is asked for.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..lifecycle.tally import Tally

access = logging.getLogger("stagedoor.access")
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS")
NO_ROUTE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One request. `status`: 0 where the line was cut; `refusal`: the code, where it was refused."""

    method: str
    route: str
    path: str
    status: int
    seconds: float
    refusal: str = ""
    ip: str = ""


def count(tally: Tally, answered: Answered) -> None:
    method = answered.method if answered.method in METHODS else "other"
    route = answered.route or NO_ROUTE
    tally.count("stagedoor_requests_total", method, route, str(answered.status or "cut"))
    tally.took("stagedoor_request_seconds", answered.seconds, method, route)
    if answered.refusal:
        tally.count("stagedoor_refusals_total", route, answered.refusal)
    if access.isEnabledFor(logging.INFO):
        _log(answered)


def _log(answered: Answered) -> None:
    facts = {
        "method": answered.method,
        "path": answered.path,
        "status": answered.status,
        "milliseconds": round(answered.seconds * 1000, 1),
        "ip": answered.ip,
    }
    access.info("%s %s %s", answered.method, answered.path, answered.status or "cut", extra={"facts": facts})
