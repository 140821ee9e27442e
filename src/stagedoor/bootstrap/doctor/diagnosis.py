"""What the doctor says about one thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

GRADES = ("ok", "warning", "fault")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    area: str
    """home, limits, database, engine, jobs, volumes, hooks, door, tls, clock"""
    about: str
    """which volume, hook or file; empty where the area has one thing only"""
    grade: str
    """ok; warning: works, but look at it; fault: does not work"""
    sentence: str
    advice: str = ""
    """what to do; empty where all is well"""


def ok(area: str, about: str, sentence: str) -> Diagnosis:
    return Diagnosis(area=area, about=about, grade="ok", sentence=sentence)


def warning(area: str, about: str, sentence: str, advice: str) -> Diagnosis:
    return Diagnosis(area=area, about=about, grade="warning", sentence=sentence, advice=advice)


def fault(area: str, about: str, sentence: str, advice: str) -> Diagnosis:
    return Diagnosis(area=area, about=about, grade="fault", sentence=sentence, advice=advice)


def worst(found: Iterable[Diagnosis]) -> str:
    """The gravest grade."""
    return max((one.grade for one in found), key=GRADES.index, default="ok")


def size(count: float) -> str:
    """Bytes in powers of a thousand."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
