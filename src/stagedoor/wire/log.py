"""The audit log: who did what, and what vendors stumble over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class LogView(Struct, frozen=True, kw_only=True):
    """One line: somebody did something to one thing."""

    id: str
    created: datetime
    user: str
    """id; empty for commands on the server's home and for the server itself"""
    user_hr: str
    """e-mail address; on the home, the name of the account on that machine; `system`: the server by itself"""
    role: str
    ip: str
    client: str
    """the program, as it says itself"""
    request: str
    """id of the request, as in its answer's `X-Request-Id` and in the server's log"""
    door: str
    """rest, home or system"""
    verb: str
    entity: str
    """type of the thing"""
    entity_id: str
    entity_hr: str
    """what people call it"""
    code: str
    """why it was refused or failed, where a code says so"""
    message: str
    """the sentence that the user was told"""
    changes: dict[str, Any]
    """by field: before and after. Secrets are `***`"""
    details: dict[str, Any]
    reasons: tuple[str, ...]
    """of a refusal: what `stumbles` counts"""


class StumbleView(Struct, frozen=True, kw_only=True):
    """One reason for refusals, over all that had it."""

    reason: str
    """a code of the server or of a finding; else the hook's sentence, without names and numbers"""
    count: int
    """things that were refused for it, by user and name: what is checked again and still wrong counts once"""
    times: int
    """refusals, each check again among them"""
    users: int
    last: datetime
    example: str
    """what the last one was told"""
    user_hrs: tuple[str, ...]
