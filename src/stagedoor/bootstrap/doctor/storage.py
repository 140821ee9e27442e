"""Volumes: whether they are there, may be written, can do what is needed, and have room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...model.entities import Volume
from ...records.house import HouseRecords
from ...volumes.probe import clock_ahead, probe
from ..homes import room
from .diagnosis import Diagnosis, fault, ok, size, warning

AHEAD_SECONDS = 2.0
_TOLD = ("no_replace", "exchange", "hard_links", "folder_claim", "case_sensitive")


def examine(house: HouseRecords) -> Iterator[Diagnosis]:
    volumes = house.volumes()
    if not any(volume.enabled for volume in volumes):
        yield fault("volumes", "", "There is none: hooks have nowhere to send entries.", "stagedoor volume add")
    kept_free = house.settings().number("reserved_space")
    for volume in volumes:
        yield from _volume(volume, kept_free)


def _volume(volume: Volume, kept_free: int) -> Iterator[Diagnosis]:
    if not volume.enabled:
        yield ok("volumes", volume.code, "It is disabled and was not looked at.")
    elif not Path(volume.root).is_dir():
        yield fault(
            "volumes",
            volume.code,
            f"{volume.root} is not there.",
            f"Mount it, or: stagedoor volume disable {volume.code}",
        )
    else:
        able = probe(volume.root)
        yield _abilities(volume, able)
        yield _room(volume, kept_free)
        if able.get("safe"):
            yield _clock(volume)


def _abilities(volume: Volume, able: dict[str, object]) -> Diagnosis:
    if not able.get("safe"):
        advice = f"Let the server's user write to {volume.root}, or use another file system."
        return fault("volumes", volume.code, f"Nothing can be placed: {able.get('reason')}.", advice)
    before = volume.capabilities
    lost = [name for name in _TOLD if before.get(name) and not able.get(name)]
    if lost:
        return warning(
            "volumes",
            volume.code,
            f"Its file system cannot do any more: {', '.join(lost)}.",
            "Look whether the right one is mounted; a start of the server takes note of it.",
        )
    return ok("volumes", volume.code, f"{volume.root} can be written, and places safely.")


def _room(volume: Volume, kept_free: int) -> Diagnosis:
    left, total = room(volume.root) or (0, 1)
    words = f"{size(left)} of {size(total)} are free; uploads leave {kept_free} % of it free (reserved_space)."
    share = 100 * left / max(total, 1)
    if share <= kept_free:
        return fault("volumes", volume.code, f"It is full: {words}", "Make room: every offer is refused.")
    if share <= 2 * kept_free:
        return warning("volumes", volume.code, f"It is nearly full: {words}", "Make room.")
    return ok("volumes", volume.code, words)


def _clock(volume: Volume) -> Diagnosis:
    ahead = clock_ahead(volume.root)
    if abs(ahead) > AHEAD_SECONDS:
        sentence = f"The clock of its file server differs from ours by {ahead:+.0f} s."
        return warning("clock", volume.code, sentence, "Set both by NTP: times in receipts and listings will differ.")
    return ok("clock", volume.code, "The clock of its file system is ours.")
