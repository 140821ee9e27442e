"""An offer, and the studio's answer to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from .tree import Entry


class OfferRequest(Struct, frozen=True, kw_only=True):
    """What a client sends to have it validated."""

    files: list[Entry]
    hostname: str = ""
    """of the user's computer"""
    client: str = ""
    """what program asks"""
    check_only: bool = False
    """validate, but reserve nothing; such an offer cannot be submitted"""


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True):
    label: str
    value: str
    default: bool = False


class VerdictEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry with what was decided. Exactly one of the three flags is true. `files` are not repeated."""

    id: str
    filename: str
    size: int = field()
    is_dir: bool = field()
    can_publish: bool = field()
    can_upload: bool = field()
    rejected: bool = field()
    modified: int | None = None
    warning: str = ""
    info: str = ""
    ident: str = ""
    comment_label: str = ""
    code: str = ""
    """stable reason where the server itself refused: `destination_taken`, `no_verdict`"""
    findings: tuple[dict[str, Any], ...] = ()
    path: str = ""
    """for employees and admins only: where the entry goes, as `volume=<code>/<path>`"""
    on_exists: str = ""
    """for employees and admins only: refuse or replace"""
    detail: str = ""
    """for employees and admins only: why the server itself refused"""


class OfferAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Verdicts and form. What the hook did not ask for is left out."""

    id: str
    state: str
    expires: datetime
    size: int
    files: tuple[VerdictEntry, ...]
    comment: bool = False
    time_report: bool = False
    metadata: bool = False
    statuses: tuple[Status, ...] = ()
    tasks: tuple[str, ...] = ()
    guidelines: str = ""
    """HTML, cleaned"""
    user: str = ""
    created: datetime | None = None
    run: str = ""
    """for employees and admins only: the hook run that decided"""
