"""What is told: lines on the screen, `.bench/results.json`, and the table in docs/performance.md."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .figures import Numbers, compared
from .targets import TARGETS

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
BY_LOAD = ("loads", "wan")


def say(text: str) -> None:
    print(text, flush=True)


def row(name: str, value: str) -> None:
    print(f"  {name:<26}{value}", flush=True)


def shown(values: Sequence[float], unit: str = "times") -> str:
    return f"{statistics.median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f})"


def show(contestants: Mapping[str, Numbers]) -> None:
    show_load(contestants)
    show_ratios(compared(contestants))


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


def keep(part: str, numbers: Numbers, file: Path) -> None:
    """Add to the results that are there. What was measured again takes the place of the older, load by load."""
    results = json.loads(file.read_text()) if file.exists() else {}
    earlier = results.get(part, {}) if part in BY_LOAD else {}
    file.write_text(json.dumps({**results, part: {**earlier, **numbers}}, indent=2) + "\n")


def write_docs(results: Path, page: Path) -> None:
    """Put tables between the markers of a page."""
    if not results.exists():
        sys.exit(f"There are no numbers in {results} yet: run the bench first.")
    text = page.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{page} has no place for tables: the lines {BEGIN} and {END}.")
    page.write_text(f"{before}{BEGIN}\n{tables(json.loads(results.read_text()))}\n{END}{after}")


def tables(results: Numbers) -> str:
    parts = [_from(results), _targets(results)]
    if "loads" in results:
        parts.append(_loads(results["loads"]))
    if "wan" in results:
        parts.append(_lines(results["wan"]))
    if "lists" in results:
        parts.append(_lists(results["lists"]))
    if "page" in results:
        parts.append(_page(results["page"]))
    return "\n\n".join(parts)


def _lists(lists: Numbers) -> str:
    """The slowest of each kind: its median, and the most that one request took."""
    heads = ["ms, the slowest of each kind", "limit", *lists["databases"]]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for who, kind in dict.fromkeys((one["who"], one["kind"]) for one in lists["databases"]["SQLite"]["lists"]):
        limited, cells = False, []
        for measured in lists["databases"].values():
            of_kind = [one for one in measured["lists"] if (one["who"], one["kind"]) == (who, kind)]
            worst = max(of_kind, key=lambda one: float(one["ms"]["median"]))
            limited = bool(worst["limited"])
            asked = worst["asked"].replace("|", "\\|")
            cells.append(f"{worst['ms']['median']:.0f} (to {worst['ms']['most']:.0f}) `{asked}`")
        limit = f"{lists['limit_ms']:g}" if limited else "-"
        lines.append(f"| {who}: {len(of_kind)} of kind {kind} | {limit} | {' | '.join(cells)} |")
    for step in ("offer", "submit"):
        cells = [
            f"{one['full'][step]['median']:.0f}, empty {one['empty'][step]['median']:.0f}"
            for one in lists["databases"].values()
        ]
        lines.append(f"| {step} | {lists['limit_more_ms']:g} more than empty | {' | '.join(cells)} |")
    return f"{lists['jobs']:,} jobs of {lists['users']:,} users:\n\n" + "\n".join(lines)


def _page(page: Numbers) -> str:
    """Medians, and the most of the runs. A browser tells only of tasks over 50 ms."""
    lines = ["| ms | limit | picked | dropped |", "|---|---|---|---|"]
    for name, words in (
        ("first", "until the first entry is on the screen"),
        ("task", "longest task of the main thread"),
    ):
        cells = []
        for way in ("picked", "dropped"):
            found = page[way][f"{name}_ms"]
            cells.append(f"{found['median']:.0f} (to {found['most']:.0f})" if found["most"] else "none over 50")
        lines.append(f"| {words} | {page[f'limit_{name}_ms']:g} | {' | '.join(cells)} |")
    return f"{page['files']:,} files given to the publish page:\n\n" + "\n".join(lines)


def _from(results: Numbers) -> str:
    machine = results["machine"]
    scales = sorted({load["scale"] for load in _loads_of(results)})
    scaled = f" Loads were scaled down: {', '.join(f'{scale:g}' for scale in scales)}." if scales[:1] < [1] else ""
    where = f"{machine['cores']} cores ({machine['cpu']}) with {machine['memory_gb']:.0f} GB of memory"
    how = f"{machine['file_system'].split()[0]}, {machine['congestion_control'].upper()} where a line says nothing else"
    ratios = f"Ratios: median (least to most) of the runs.{scaled}"
    return f"Measured {machine['began'][:10]} on {where}, {how}. {ratios}"


def _loads_of(results: Numbers) -> list[Numbers]:
    over_lines = [load for loads in results.get("wan", {}).values() for load in loads.values()]
    return [*results.get("loads", {}).values(), *over_lines]


def _targets(results: Numbers) -> str:
    lines = ["| what | against | measured | must | and then | reached |", "|---|---|---|---|---|---|"]
    for target in TARGETS:
        found = target.measured(results)
        ratio = f"{found['median']:.3g} ({found['least']:.3g} to {found['most']:.3g})" if found else "-"
        sign = "<=" if target.at_most else ">="
        then = f"{sign} {target.then:g}" if target.then else "-"
        cells = (target.what, target.against, ratio, f"{sign} {target.must:g}", then, target.reached(results))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _loads(loads: Mapping[str, Numbers]) -> str:
    """Seconds, and CPU seconds per GB of both sides."""
    return _by_contestant(
        loads,
        lambda one: (
            f"{one['seconds']['median']:.2f} s, {one['mb_per_second']['median']:.0f} MB/s, "
            f"{one['cpu_seconds_per_gb']['client'] + one['cpu_seconds_per_gb']['server']:.1f}"
        ),
        "seconds, MB/s, CPU seconds per GB of both sides",
    )


def _lines(lines: Mapping[str, Mapping[str, Numbers]]) -> str:
    """Speed over the emulated lines."""
    parts = {f"{weather}, {load}": one for weather, loads in lines.items() for load, one in loads.items()}
    return _by_contestant(parts, lambda one: f"{one['mb_per_second']['median']:.2f}", "MB/s", across=True)


def _by_contestant(
    parts: Mapping[str, Numbers], cell: Callable[[Numbers], str], unit: str, *, across: bool = False
) -> str:
    """Contestants down and loads across, or the other way round."""
    names = list(dict.fromkeys(name for part in parts.values() for name in part["contestants"]))
    cells = {
        (part, name): cell(one["contestants"][name]) if name in one["contestants"] else "-"
        for part, one in parts.items()
        for name in names
    }
    down, heads = (list(parts), names) if across else (names, list(parts))
    lines = [f"| {' | '.join([unit, *heads])} |", "|---" * (len(heads) + 1) + "|"]
    for row_name in down:
        found = (cells[(row_name, head) if across else (head, row_name)] for head in heads)
        lines.append(f"| {' | '.join([row_name, *found])} |")
    return "\n".join(lines)
