"""Sizes, times and counts as people say them."""

from __future__ import annotations

from datetime import datetime, timezone

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")


def size(count: int) -> str:
    """Bytes in powers of a thousand: `3.1 GB`, `512 bytes`."""
    if count < 1000:
        return f"{count} byte" if count == 1 else f"{count} bytes"
    value = float(count)
    for unit in _UNITS:
        value /= 1000
        if value < 999.5 or unit == _UNITS[-1]:
            break
    return f"{value:.1f} {unit}" if value < 99.95 else f"{value:,.0f} {unit}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 file`, `1,240 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """The two largest units: `2 h 5 min`, `3 min 20 s`, `0.4 s`."""
    if 0 < seconds < 9.95:
        return f"{seconds:.1f} s"
    left = round(seconds)
    for large, of_large, small, of_small in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if left >= large:
            rest = left % large // small
            return f"{left // large} {of_large}" + (f" {rest} {of_small}" if rest else "")
    return f"{left} s"


def clock(seconds: int) -> str:
    """A time report as people type it: `1:30`."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}" + (f":{left:02}" if left else "")


def moment(when: datetime | str | None) -> str:
    """A point in time on this machine's clock: `2026-03-01 14:05`; empty where there is none."""
    if not when:
        return ""
    if isinstance(when, str):
        when = datetime.fromisoformat(when.replace("Z", "+00:00"))
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return when.astimezone().strftime("%Y-%m-%d %H:%M")


def spoken(items: list[str], most: int = 0) -> str:
    """`a, b and c`; beyond `most`, how many more there are."""
    if most and len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
