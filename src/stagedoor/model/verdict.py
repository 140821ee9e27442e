"""What a hook said about an entry, brought to one of three.

Rules
1. No verdict is a refusal. Where an answer contradicts itself the stricter wins: refused, then upload-only, then
   accepted.
2. Accepted and upload-only entries have a place; a refused one has none.
3. What exists at that place is never replaced unless the studio says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Kind(str, Enum):
    ACCEPTED = "accepted"
    UPLOAD_ONLY = "upload_only"
    REFUSED = "refused"

    def __str__(self) -> str:
        return self.value


class OnExists(str, Enum):
    """What becomes of that which exists at the place of an entry."""

    REFUSE = "refuse"
    """it stays, and the entry is refused"""
    REPLACE = "replace"
    """the entry takes its place; it is kept aside for a time"""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    kind: Kind
    code: str = ""
    """why the server itself refused (`destination_taken`, `no_verdict`); empty where the hook spoke"""
    detail: str = ""
    """the same for the studio: may name its paths"""
    warning: str = ""
    info: str = ""
    ident: str = ""
    comment_label: str = ""
    findings: tuple[dict[str, Any], ...] = field(default=())
    on_exists: OnExists | None = None
    """as the hook said; once the offer is kept, as volume and workspace have it where the hook said nothing"""

    @property
    def replaces(self) -> bool:
        return self.on_exists is OnExists.REPLACE


def kind_of(*, can_publish: bool, can_upload: bool, rejected: bool) -> Kind | None:
    """The verdict that three flags come to; None where none of them is set."""
    if rejected:
        return Kind.REFUSED
    if can_upload:
        return Kind.UPLOAD_ONLY
    return Kind.ACCEPTED if can_publish else None
