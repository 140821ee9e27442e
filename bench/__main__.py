"""Measures what was asked for, part by part; what is measured is kept at once."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import warm

from . import contest, crowd, figures, lists, offers, options, page, report
from .contestant import BENCH, ROOT, Contestant
from .facts import machine
from .figures import Numbers
from .ground import Trash
from .house import Stagedoor
from .loads import LOADS, WAN_LOADS, made
from .place import LOOPBACK
from .processes import Unusable
from .report import say
from .wan import line, republish, scenarios

NO_LINE = 3
"""exit code where an emulated line was asked for and cannot be had"""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = options.parse()
    if asked.smoke:
        warm.use()
    BENCH.mkdir(exist_ok=True)
    if asked.write_docs:
        report.write_docs(asked.results, ROOT / "docs" / "performance.md")
        return 0
    no_line = line.possible() if set(asked.only) & set(options.NEED_A_LINE) else ""
    failed = False
    with working_in(asked.work.absolute()) as folder:
        report.keep("machine", machine(folder), asked.results)
        for part, measure in PARTS.items():
            if part not in asked.only or (no_line and part in options.NEED_A_LINE):
                continue
            try:
                numbers = measure(folder, asked)
            except Unusable as error:
                say(f"  {part} was not measured: {error}")
                failed = True
                continue
            report.keep(part, numbers, asked.results)
            failed = failed or not numbers.get("within_limits", True)
    say(f"\nAll numbers: {asked.results}")
    if no_line:
        say(f"Left out, since no line can be emulated here (--no-wan: leave it out in peace): {no_line}")
        return NO_LINE
    return 1 if failed else 0


@contextmanager
def working_in(folder: Path) -> Iterator[Path]:
    """`loads` in it are kept, `run` is new and removed at the end."""
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(run, ignore_errors=True)


def measure_loads(folder: Path, asked: argparse.Namespace) -> Numbers:
    """Loopback: every load, every contestant."""
    kinds = [*options.chosen(options.OURS, asked.ours), *options.chosen(options.PEERS, asked.peers)]
    loads = [LOADS[name].scaled(asked.scale) for name in asked.loads]
    sources = [made(load, folder / "loads") for load in loads]
    results: Numbers = {}
    trash = Trash(folder / "run" / "trash")
    with contest.taking_part(kinds, folder / "run", LOOPBACK) as contestants:
        for load, source in zip(loads, sources, strict=True):
            say(f"\n{load.words}, {asked.runs} runs of each in turns")
            rules = contest.Rules(asked.runs, memory=folder / "run" / "memory")
            runs = contest.run(load, source, contestants, rules, trash)
            numbers = {name: figures.of_runs(load, found) for name, found in runs.items()}
            report.show(numbers)
            results[load.name] = figures.of_load(load, asked.scale, numbers)
    return results


def measure_offer(folder: Path, asked: argparse.Namespace) -> Numbers:
    return offers.measure_offers(folder / "run" / "offer", asked.runs, asked.scale)


def measure_crowd(folder: Path, asked: argparse.Namespace) -> Numbers:
    return crowd.measure_crowd(folder, asked.scale)


def measure_page(folder: Path, asked: argparse.Namespace) -> Numbers:
    return page.measure_page(folder / "run", asked.runs, asked.scale)


def measure_lists(folder: Path, asked: argparse.Namespace) -> Numbers:
    return lists.measure_lists(folder / "run", 2 * asked.runs + 1, asked.scale)


def measure_wan(folder: Path, asked: argparse.Namespace) -> Numbers:
    """Without warm-ups: the line takes far longer than what they are for."""
    rules = contest.Rules(asked.wan_runs, warm_up=False, limit=asked.wan_limit)
    ours = options.chosen(options.OURS, [name for name in asked.ours if name == Stagedoor.name])
    loads = [load.scaled(asked.scale) for load in WAN_LOADS.values()]
    plan = scenarios.Plan([*ours, *wan_peers(asked)], loads, asked.scale, rules)
    weathers = scenarios.WEATHERS if asked.no_bbr else (*scenarios.WEATHERS, *scenarios.BBR_WEATHERS)
    return scenarios.measure_weathers(folder, plan, weathers)


def measure_republish(folder: Path, asked: argparse.Namespace) -> Numbers:
    rules = contest.Rules(asked.wan_runs, warm_up=False, limit=asked.wan_limit)
    return republish.measure_republish(folder, wan_peers(asked), rules, asked.scale)


def wan_peers(asked: argparse.Namespace) -> list[type[Contestant]]:
    return options.chosen(options.PEERS, [name for name in asked.peers if name in options.WAN_PEERS])


PARTS = {
    "loads": measure_loads,
    "offer": measure_offer,
    "crowd": measure_crowd,
    "page": measure_page,
    "lists": measure_lists,
    "wan": measure_wan,
    "republish": measure_republish,
}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
