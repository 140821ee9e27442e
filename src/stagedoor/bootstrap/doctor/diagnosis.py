"""What the doctor says about one thing."""

from __future__ import annotations

from collections.abc import Iterable

from ...wire.house import Checkup, Diagnosis

__all__ = ["Checkup", "Diagnosis", "checkup", "fault", "ok", "size", "warning"]

GRADES = ("ok", "warning", "fault")


def ok(area: str, about: str, sentence: str) -> Diagnosis:
    return Diagnosis(area=area, about=about, grade="ok", sentence=sentence)


def warning(area: str, about: str, sentence: str, advice: str) -> Diagnosis:
    return Diagnosis(area=area, about=about, grade="warning", sentence=sentence, advice=advice)


def fault(area: str, about: str, sentence: str, advice: str) -> Diagnosis:
    return Diagnosis(area=area, about=about, grade="fault", sentence=sentence, advice=advice)


def checkup(found: Iterable[Diagnosis]) -> Checkup:
    """All of it, with the gravest grade."""
    diagnoses = list(found)
    return Checkup(grade=max((one.grade for one in diagnoses), key=GRADES.index, default="ok"), diagnoses=diagnoses)


def size(count: float) -> str:
    """Bytes in powers of a thousand."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
