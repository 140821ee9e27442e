"""Every setting of a workspace: name, default, what it takes, and why it exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Value = bool | int | str


@dataclass(frozen=True, slots=True)
class Setting:
    default: Value
    reason: str
    choices: tuple[str, ...] = ()
    least: int = 0


SETTINGS: Mapping[str, Setting] = {
    "required_answers": Setting(
        "enforce", "warn keeps old scripts working that never filled in answers", ("enforce", "warn")
    ),
    "windows_names": Setting(True, "refuse names that Windows machines in the studio could not open"),
    "durability": Setting("cache", "flush: a part is acknowledged only when it is on the device", ("cache", "flush")),
    "proof": Setting(
        "device",
        "cache: the proof does not wait for the device; quicker, but a power cut soon after may take what was placed",
        ("device", "cache"),
    ),
    "offer_files": Setting(250_000, "files in one offer; bounds memory and the hook's input", least=1),
    "offer_bytes": Setting(64 * 2**20, "bytes of JSON of one offer, counted while unpacking", least=1024),
    "offer_entries": Setting(500, "entries in one offer; a person must be able to read the verdicts", least=1),
    "open_offers": Setting(20, "open offers per user; each may hold reservations", least=1),
    "running_jobs": Setting(50, "unfinished jobs per user", least=1),
    "offer_hours": Setting(24, "how long an offer that is not submitted lives and holds its reservations", least=1),
    "staging_idle_days": Setting(14, "how long an upload that receives nothing is kept", least=1),
    "reserved_space": Setting(5, "percent of a disk that uploads never fill"),
    "part_bytes": Setting(64 * 2**20, "largest part; proxies cut requests at about 100 MB", least=65536),
    "open_parts": Setting(64, "parts in flight per user; bounds memory", least=1),
    "pre_publish_seconds": Setting(30, "how long the pre-publish hook may take", least=1),
    "publish_seconds": Setting(300, "how long the publish hook may take", least=1),
    "pre_submit_seconds": Setting(90, "how long the pre-submit hook may take; the vendor waits", least=1),
    "post_hook_seconds": Setting(300, "how long a post-submit, post-failed or post-done hook may take", least=1),
    "publish_hook_retries": Setting(0, "how often a failed publish hook is run again by itself"),
    "pre_publish_at_once": Setting(4, "pre-publish hooks running side by side; the rest wait up to 20 s", least=1),
    "pre_submit_at_once": Setting(4, "pre-submit hooks running side by side; the rest wait up to 20 s", least=1),
    "post_hooks_at_once": Setting(
        4, "post hooks running side by side, each for another job; the rest wait; read when the server starts", least=1
    ),
    "hook_answer_bytes": Setting(128 * 2**20, "largest answer read from a hook", least=1024),
    "keep_runs_days": Setting(90, "how long recorded hook runs are kept", least=1),
    "sign_receipts": Setting(True, "a signed receipt can be checked by anybody who has the studio's public key"),
    "metrics": Setting(
        "admin",
        "loopback: /metrics is answered without a key to this machine itself, not through a proxy",
        ("admin", "loopback"),
    ),
    "jobs_at_once": Setting(
        2, "jobs being proved, placed and ingested side by side; read when the server starts", least=1
    ),
}


class Settings:
    """The effective values: what was set, else the default."""

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._given = dict(given or {})

    def number(self, name: str) -> int:
        return int(self._value(name))

    def flag(self, name: str) -> bool:
        return bool(self._value(name))

    def word(self, name: str) -> str:
        return str(self._value(name))

    def _value(self, name: str) -> Value:
        value: Value = self._given.get(name, SETTINGS[name].default)
        return value


def parse(name: str, text: str) -> Value:
    """The value of a setting from what a person typed. Raises ValueError with the way out."""
    setting = SETTINGS.get(name)
    if setting is None:
        raise ValueError(f"there is no setting {name!r}; there are: {', '.join(sorted(SETTINGS))}")
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
