"""From runs to figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .loads import Load

if TYPE_CHECKING:
    from .contest import Run

MB = 1_000_000
GB = 1_000_000_000
Numbers = dict[str, Any]


def spread(values: Sequence[float]) -> Numbers:
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
        "values": [round(value, 4) for value in values],
    }


def of_runs(load: Load, runs: Sequence[Run]) -> Numbers:
    """What one contestant did with one load."""
    cpu = [(run.measured.client_cpu, run.measured.server_cpu) for run in runs]
    gigabytes = [max(run.bytes, 1) / GB for run in runs]
    return {
        "seconds": spread([run.seconds for run in runs]),
        "seconds_to_device": spread([run.flushed for run in runs]),
        "mb_per_second": spread([run.bytes / MB / run.seconds for run in runs]),
        "files_per_second": spread([load.count * run.bytes / load.bytes / run.seconds for run in runs]),
        "cpu_seconds_per_gb": {
            "client": statistics.median(one / size for (one, _), size in zip(cpu, gigabytes, strict=True)),
            "server": statistics.median(one / size for (_, one), size in zip(cpu, gigabytes, strict=True)),
        },
        "peak_mb": {
            "client": max(run.measured.client_peak for run in runs) / MB,
            "server": max(run.measured.server_peak for run in runs) / MB,
        },
        "cut_off": sum(run.measured.cut_off for run in runs),
        **({"phases": phases(runs)} if all("moments" in run.facts for run in runs) else {}),
    }


def of_load(load: Load, scale: float, contestants: Mapping[str, Numbers]) -> Numbers:
    """What all of them did with one load."""
    return {
        "files": load.count,
        "bytes": load.bytes,
        "scale": scale,
        "contestants": dict(contestants),
        "ratios": compared(contestants),
    }


def phases(runs: Sequence[Run]) -> Numbers:
    """Seconds between the moments that the server wrote down, in the median."""
    from .house import PHASES

    every: dict[str, list[float]] = {name: [] for name in PHASES}
    for run in runs:
        began = run.facts["began"]
        moments = [began, *run.facts["moments"], began + run.seconds]
        for name, earlier, later in zip(PHASES, moments, moments[1:], strict=False):
            every[name].append(later - earlier)
    return {name: statistics.median(values) for name, values in every.items()}


def times_as_fast(ours: Sequence[float], theirs: Sequence[float]) -> Numbers:
    """How many times as fast the first is, from runs of the same turn; both are speeds."""
    return spread([one / other if other else float("inf") for one, other in zip(ours, theirs, strict=True)])


def compared(results: Mapping[str, Numbers]) -> Numbers:
    """Every way of measuring Stagedoor beside every peer. Where it flushes, the flush of peers counts too."""
    found: Numbers = {}
    for name, ours in results.items():
        if not name.startswith("stagedoor"):
            continue
        found[name] = {other: _ratio(name, ours, theirs) for other, theirs in results.items() if other != name}
    return found


def _ratio(name: str, ours: Numbers, theirs: Numbers) -> Numbers:
    if ours["cut_off"] or theirs["cut_off"]:
        return times_as_fast(ours["mb_per_second"]["values"], theirs["mb_per_second"]["values"])
    key = "seconds_to_device" if name.endswith("-flushed") else "seconds"
    return times_as_fast(theirs[key]["values"], ours["seconds"]["values"])
