"""Every setting: name, default, what it takes, where it can be set, and why it exists.

Rules
1. Every setting can be set on the workspace; `levels` names what else it can be set on.
2. The nearest counts: workspace, then volume; or workspace, then queue, then job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .entities import Job, Queue, Volume

Value = bool | int | str
DAY = 86_400_000
"""milliseconds"""


class Level(str, Enum):
    """What settings and metadata can be set on."""

    WORKSPACE = "workspace"
    USER = "user"
    VOLUME = "volume"
    QUEUE = "queue"
    JOB = "job"

    def __str__(self) -> str:
        return self.value


_VOLUME = (Level.VOLUME,)
_QUEUE = (Level.QUEUE,)
_JOB = (Level.QUEUE, Level.JOB)


@dataclass(frozen=True, slots=True)
class Setting:
    default: Value
    reason: str
    choices: tuple[str, ...] = ()
    least: int = 0
    levels: tuple[Level, ...] = ()
    """beside the workspace"""

    def on(self, level: Level) -> bool:
        return level is Level.WORKSPACE or level in self.levels


SETTINGS: Mapping[str, Setting] = {
    "required_answers": Setting(
        "enforce", "warn keeps old scripts working that never filled in answers", ("enforce", "warn"), levels=_QUEUE
    ),
    "windows_names": Setting(True, "refuse names that Windows machines in the studio could not open"),
    "durability": Setting(
        "cache",
        "flush: a part is acknowledged only when it is on the device",
        ("cache", "flush"),
        levels=_VOLUME,
    ),
    "proof": Setting(
        "device",
        "cache: the proof does not wait for the device; quicker, but a power cut soon after may take what was placed",
        ("device", "cache"),
        levels=_VOLUME,
    ),
    "offer_files": Setting(250_000, "files in one offer; bounds memory and the hook's input", least=1),
    "offer_bytes": Setting(64 * 2**20, "bytes of JSON of one offer, counted while unpacking", least=1024),
    "offer_entries": Setting(500, "entries in one offer; a person must be able to read the verdicts", least=1),
    "open_offers": Setting(20, "open offers per user; each may hold reservations", least=1),
    "running_jobs": Setting(50, "unfinished jobs per user", least=1),
    "offer_hours": Setting(24, "how long an offer that is not submitted lives and holds its reservations", least=1),
    "staging_idle_days": Setting(14, "how long an upload that receives nothing is kept", least=1, levels=_JOB),
    "keep_aborted_hours": Setting(
        24, "how long what had arrived of an aborted job is kept: the user's next publish of it re-uses that"
    ),
    "reserved_space": Setting(5, "percent of a disk that uploads never fill", levels=_VOLUME),
    "part_bytes": Setting(64 * 2**20, "largest part; proxies cut requests at about 100 MB", least=65536),
    "open_parts": Setting(128, "parts in flight per user; bounds memory", least=1),
    "pre_publish_seconds": Setting(30, "how long the pre-publish hook may take", least=1),
    "publish_seconds": Setting(300, "how long the publish hook may take", least=1, levels=_JOB),
    "pre_submit_seconds": Setting(
        90, "how long the pre-submit hook may take; the vendor waits", least=1, levels=_QUEUE
    ),
    "post_hook_seconds": Setting(
        300, "how long a post-submit, post-failed or post-done hook may take", least=1, levels=_JOB
    ),
    "publish_hook_retries": Setting(0, "how often a failed publish hook is run again by itself", levels=_JOB),
    "pre_publish_at_once": Setting(4, "pre-publish hooks running side by side; the rest wait up to 20 s", least=1),
    "pre_submit_at_once": Setting(4, "pre-submit hooks running side by side; the rest wait up to 20 s", least=1),
    "post_hooks_at_once": Setting(
        4, "post hooks running side by side, each for another job; the rest wait; read when the server starts", least=1
    ),
    "hook_answer_bytes": Setting(128 * 2**20, "largest answer read from a hook", least=1024),
    "keep_runs_days": Setting(90, "how long recorded hook runs are kept", least=1),
    "on_exists": Setting(
        "refuse",
        "replace: what exists makes way, and is kept aside; a hook may say otherwise for each entry",
        ("refuse", "replace"),
        levels=_VOLUME,
    ),
    "keep_replaced_days": Setting(7, "how long that is kept which an entry replaced", least=1, levels=_VOLUME),
    "keep_audit_days": Setting(400, "how long the audit log goes back; 0: for ever"),
    "sign_receipts": Setting(True, "a signed receipt can be checked by anybody who has the studio's public key"),
    "upload_rate": Setting(0, "bytes per second that a job may be sent at; 0 is no limit", levels=_JOB),
    "session_idle_hours": Setting(12, "a browser that is not used so long is signed out", least=1),
    "session_days": Setting(30, "so long after signing in a browser must do so again, whatever it did", least=1),
    "metrics": Setting(
        "admin",
        "loopback: /metrics is answered without a key to this machine itself, not through a proxy",
        ("admin", "loopback"),
    ),
    "jobs_at_once": Setting(
        2,
        "jobs being proved, placed and ingested side by side; of a queue: that many of its jobs",
        least=1,
        levels=_QUEUE,
    ),
    "user_jobs_at_once": Setting(
        0, "how many of these may be one user's; 0 is no limit, else nobody keeps the others waiting"
    ),
}


class Layer(NamedTuple):
    """What is set in one place."""

    level: Level
    name: str
    """of the queue, the volume, or the id of the job; empty for the workspace"""
    given: Mapping[str, Any]


class Effective(NamedTuple):
    value: Value
    level: Level | None
    """None: the default"""
    name: str


class Settings:
    """The effective values: what is set nearest, else the default."""

    def __init__(self, given: Mapping[str, Any] | None = None, *nearer: Layer) -> None:
        self._layers = (Layer(Level.WORKSPACE, "", given or {}), *nearer)

    def on_volume(self, volume: Volume) -> Settings:
        return self._below(Layer(Level.VOLUME, volume.code, volume.settings))

    def on_queue(self, queue: Queue) -> Settings:
        return self._below(Layer(Level.QUEUE, queue.code, queue.settings))

    def on_job(self, job: Job) -> Settings:
        return self._below(Layer(Level.JOB, job.id, job.settings))

    def number(self, name: str) -> int:
        return int(self.effective(name).value)

    def flag(self, name: str) -> bool:
        return bool(self.effective(name).value)

    def word(self, name: str) -> str:
        return str(self.effective(name).value)

    def effective(self, name: str) -> Effective:
        """The value and where it comes from."""
        for layer in reversed(self._layers):
            if name in layer.given:
                return Effective(layer.given[name], layer.level, layer.name)
        return Effective(SETTINGS[name].default, None, "")

    @property
    def nearest(self) -> Layer:
        """The place whose settings these are."""
        return self._layers[-1]

    def _below(self, layer: Layer) -> Settings:
        return Settings(self._layers[0].given, *self._layers[1:], layer)


def parse(name: str, text: str, level: Level = Level.WORKSPACE) -> Value:
    """The value of a setting from what a person typed. Raises ValueError with the way out."""
    setting = known(name, level)
    if setting.choices:
        if text not in setting.choices:
            raise ValueError(f"{name} takes one of: {', '.join(setting.choices)}")
        return text
    if isinstance(setting.default, bool):
        if text.lower() not in ("on", "off", "true", "false"):
            raise ValueError(f"{name} takes on or off")
        return text.lower() in ("on", "true")
    if not (text.isascii() and text.isdigit() and len(text) < 16) or int(text) < setting.least:
        raise ValueError(f"{name} takes a whole number of at least {setting.least}")
    return int(text)


def known(name: str, level: Level = Level.WORKSPACE) -> Setting:
    """Raises ValueError for what is no setting, or none of this level."""
    there = sorted(name for name, setting in SETTINGS.items() if setting.on(level))
    if name not in SETTINGS:
        raise ValueError(f"there is no setting {name!r}; there are: {', '.join(there)}")
    if name not in there:
        raise ValueError(f"{name} cannot be set on a {level}; there can be: {', '.join(there)}")
    return SETTINGS[name]
