"""Who did what to which thing: lines of the audit log, and what may stand in them.

Rules
1. No secret stands in a line: values of environments never, others not where their name says that they are one.
2. What strangers wrote is cut to a length that a person reads.
3. Refusals carry their reasons as short keys that can be counted: a code, or a sentence without names and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .errors import StagedoorError
from .verdict import Verdict

REFUSE = "refuse"
PUBLISHING = ("offer", "entry", "job", "replaced")
"""entity types of lines that are about publishes, not about the house"""
HIDDEN = "***"
LONGEST = 1000
MOST = 20

_SECRET = re.compile(r"pass|secret|token|credential|private|api[-_]?key", re.IGNORECASE)
_SECRET_WORD = re.compile(r"((?:pass\w*|secret\w*|token|credential\w*|api[-_]?key)(?:=|\s+))\S+", re.IGNORECASE)
_SECRET_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)")
_NUMBER = re.compile(r"\d+")


class Door(str, Enum):
    REST = "rest"
    HOME = "home"
    """a command on the server's home"""
    SYSTEM = "system"
    """the server by itself: its sweep, its engine"""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and from where."""

    user_id: str = ""
    code: str = "system"
    """e-mail address; on the home, the name of the account on the machine"""
    role: str = ""
    ip: str = ""
    client: str = ""
    request_id: str = ""
    door: Door = Door.SYSTEM


SYSTEM = Actor()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    id: str
    created: int
    user_id: str
    user: str
    role: str
    ip: str
    client: str
    request_id: str
    door: Door
    verb: str
    entity: str
    """type: user, key, volume, queue, hook, run, setting, workspace, offer, entry, job, replaced"""
    entity_id: str
    entity_code: str
    """what people call it"""
    code: str = ""
    """of a refusal or failure"""
    message: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """by field: before and after"""
    details: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    """of a refusal: what is counted"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stumble:
    """One reason, over all refusals that had it."""

    reason: str
    count: int
    """things that were refused for it, by user and name: what is checked again and still wrong counts once"""
    times: int
    """refusals"""
    users: tuple[str, ...]
    last: int
    example: str
    """what the last one was told"""


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, list[Any]]:
    """What differs, by field: before and after. A mapping's fields are named `metadata.lens`."""
    one, other = dict(_flat(before or {})), dict(_flat(after or {}))
    differing = [name for name in {**one, **other} if _something(one.get(name)) != _something(other.get(name))]
    return {name: [_shown(name, one.get(name)), _shown(name, other.get(name))] for name in differing}


def _something(value: Any) -> Any:
    """Nothing, where nothing is set, however that is written; 0 and False are something."""
    return None if isinstance(value, (str, tuple, list, Mapping)) and not value else value


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            yield name, value


def _shown(name: str, value: Any) -> Any:
    if value is None or value == "":
        return value
    if name.startswith("environment.") or _SECRET.search(name):
        return HIDDEN
    return plain(value)


def plain(value: Any) -> Any:
    """A value as JSON, cut to what a person reads."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return brief(without_secrets(value))
    if isinstance(value, Mapping):
        return {str(key)[:100]: plain(inner) for key, inner in list(value.items())[:MOST]}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value[:MOST]]
    return value


def without_secrets(text: str) -> str:
    """A text without passwords in URLs and after words such as `--token`."""
    return _SECRET_WORD.sub(rf"\1{HIDDEN}", _SECRET_URL.sub(rf"\1{HIDDEN}", text))


def brief(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def reasons_of_verdict(verdict: Verdict, filename: str) -> tuple[str, ...]:
    """What is counted of an entry that was refused."""
    if verdict.code:
        return (verdict.code,)
    codes = _once(str(finding["code"])[:100] for finding in verdict.findings if finding.get("code"))
    return codes or (pattern(verdict.warning, filename) or "refused",)


def reasons_of_error(error: StagedoorError) -> tuple[str, ...]:
    """What is counted of an offer or a submit that was refused as a whole."""
    faults = error.details.get("faults")
    if not isinstance(faults, (list, tuple)):
        return (error.error_code,)
    told = [fault for fault in faults if isinstance(fault, Mapping)]
    keys = (" ".join(filter(None, (fault.get("field"), pattern(str(fault.get("reason", "")))))) for fault in told)
    return _once(f"{error.error_code}: {key}" for key in keys) or (error.error_code,)


def pattern(text: str, name: str = "") -> str:
    """A sentence as it reads for any entry: without its name, without numbers."""
    text = " ".join(text.split())
    if name:
        text = text.replace(name, "…")
    return _NUMBER.sub("#", text)[:160]


def _once(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))[:MOST]
