"""What is told: lines on the screen, `.bench/results.json`, and the table in docs/performance.md."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from .figures import Numbers

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def say(text: str) -> None:
    print(text, flush=True)


def row(name: str, value: str) -> None:
    print(f"  {name:<26}{value}", flush=True)


def shown(values: Sequence[float], unit: str = "times") -> str:
    return f"{statistics.median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f})"


def show_load(contestants: Mapping[str, Numbers]) -> None:
    """A line for each contestant, the fastest first."""
    heads = (("seconds", 9), ("least", 8), ("most", 8), ("to device", 11), ("MB/s", 8), ("files/s", 9))
    both = (("CPU s/GB c+s", 16), ("MB c+s", 12))
    say("  " + " " * 26 + "".join(f"{head:>{width}}" for head, width in (*heads, *both)))
    for name, one in sorted(contestants.items(), key=lambda item: -item[1]["mb_per_second"]["median"]):
        seconds, cpu, peak = one["seconds"], one["cpu_seconds_per_gb"], one["peak_mb"]
        cut = f"  cut off {one['cut_off']} times" if one["cut_off"] else ""
        say(
            f"  {name:<26}{seconds['median']:>9.2f}{seconds['least']:>8.2f}{seconds['most']:>8.2f}"
            f"{one['seconds_to_device']['median']:>11.2f}{one['mb_per_second']['median']:>8.1f}"
            f"{one['files_per_second']['median']:>9.0f}{cpu['client']:>9.2f} +{cpu['server']:>5.2f}"
            f"{peak['client']:>7.0f} +{peak['server']:>4.0f}{cut}"
        )
        if "phases" in one:
            row("", ", ".join(f"{key} {value:.2f} s" for key, value in one["phases"].items()))


def show_ratios(ratios: Mapping[str, Mapping[str, Numbers]]) -> None:
    """How many times as fast Stagedoor is, by peer."""
    for name, others in ratios.items():
        told = (
            f"{other} {ratio['median']:.2f}" for other, ratio in others.items() if not other.startswith("stagedoor")
        )
        row(name, "times as fast as: " + (", ".join(told) or "no peer"))


def keep(results: Numbers, file: Path) -> None:
    """Add parts to the results that are there; a part that was measured again takes the place of the older one."""
    earlier = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**earlier, **results}, indent=2) + "\n")


def write_docs(results: Path) -> None:
    raise NotImplementedError
