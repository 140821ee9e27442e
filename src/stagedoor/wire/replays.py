"""Today's script on what earlier pre-publish runs had read: what would change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class ReplayRequest(Struct, frozen=True, kw_only=True):
    """Which runs: the newest first."""

    since: datetime | None = None
    limit: int = 50
    skip: int = 0


class ReplayedEntry(Struct, frozen=True, kw_only=True):
    id: str
    filename: str
    before: str
    """accepted, upload_only or refused"""
    now: str
    changes: dict[str, tuple[Any, Any]]
    """what differs: then and now, by `verdict`, `path`, `warning`, `info`, `ident`, `comment_label`, `findings`,
    `further` (what else the hook said of the entry)"""


class Replay(Struct, frozen=True, kw_only=True):
    """One run."""

    run: str
    started: datetime
    user: str
    """e-mail address of who offered"""
    state: str
    """`same`, `changed`; `fails_now`, `failed_before`, `fails_still`: the check could not run; `gone`: not recorded"""
    verdicts: int = 0
    """compared"""
    changed: int = 0
    """of these: accepted, upload-only or refused otherwise than then"""
    reworded: int = 0
    """of these: the same verdict with another path or other words"""
    entries: tuple[ReplayedEntry, ...] = ()
    form: dict[str, tuple[Any, Any]] = {}
    """what is asked of the user otherwise: then and now"""
    error: str = ""
    """why today's script could not say"""
    error_before: str = ""


class Replays(Struct, frozen=True, kw_only=True):
    """Several runs, added up."""

    total: int
    """runs that there are"""
    runs: int
    """looked at"""
    next: int | None
    """`skip` of what has not been looked at; null where nothing is left"""
    verdicts: int
    changed: int
    reworded: int
    states: dict[str, int]
    """how many runs came to which state"""
    items: list[Replay]
    """those that are not the same, with the entries that differ"""


class SampleEntry(Struct, frozen=True, kw_only=True):
    filename: str
    verdict: str
    """accepted, upload_only or refused"""
    path: str
    warning: str
    info: str
    findings: list[dict[str, Any]]


class Sample(Struct, frozen=True, kw_only=True):
    """What was said of an offer that is made up."""

    error: str
    """why nothing could be said; else empty"""
    entries: tuple[SampleEntry, ...]


class Trial(Struct, frozen=True, kw_only=True):
    """What a line that is not set says."""

    replays: Replays
    """of the newest runs"""
    sample: Sample | None
    """where no run is kept: of a small offer that is made up"""
    warnings: tuple[str, ...]
    """what looks wrong about the line, though it need not be"""
