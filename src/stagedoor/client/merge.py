"""The caller's own entries, with what the studio decided.

Rules
1. The caller's keys are kept as they are; the caller's dicts are not touched.
2. Keys of a decision come from the newest answer alone: an entry that went through an earlier offer keeps none of it.
3. `size` and `is_dir` are the server's: it computes the size of a folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..wire.offers import VerdictEntry

FORM = ("comment", "time_report", "statuses", "metadata", "tasks", "guidelines")
_OFFERED = ("id", "filename", "modified")
_DECIDED = frozenset(VerdictEntry.__struct_fields__).difference(_OFFERED)


def publish_answer(offered: Sequence[Mapping[str, Any]], answer: Mapping[str, Any]) -> dict[str, Any]:
    """`{"files": [...], "offer": id}`, and what the hook gave of the form."""
    verdicts = {verdict["id"]: verdict for verdict in answer["files"]}
    merged: dict[str, Any] = {"files": [_entry(entry, verdicts[entry["id"]]) for entry in offered]}
    merged.update((key, answer[key]) for key in FORM if key in answer)
    merged["offer"] = answer["id"]
    return merged


def _entry(offered: Mapping[str, Any], verdict: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in offered.items() if key not in _DECIDED}
    return {**kept, **{key: value for key, value in verdict.items() if key in _DECIDED}}
