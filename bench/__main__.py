"""Measures what was asked for, part by part; what is measured is kept at once."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import contest, figures, options, report
from .contestant import BENCH
from .facts import machine
from .figures import Numbers
from .ground import Trash, touch_memory
from .loads import LOADS, made
from .offers import measure_offers
from .place import LOOPBACK
from .report import say


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = options.parse()
    BENCH.mkdir(exist_ok=True)
    within_limits = True
    with working_in(asked.work.absolute()) as folder:
        report.keep({"machine": machine(folder)}, asked.results)
        if "loads" in asked.only:
            report.keep({"loads": measure_loads(folder, asked)}, asked.results)
        if "offer" in asked.only:
            offer = measure_offers(folder / "run" / "offer", asked.runs, asked.scale)
            report.keep({"offer": offer}, asked.results)
            within_limits = offer["within_limits"]
    say(f"\nAll numbers: {asked.results}")
    return 0 if within_limits else 1


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
    touch_memory(2 * max(load.bytes for load in loads))
    results: Numbers = {}
    trash = Trash(folder / "run" / "trash")
    with contest.taking_part(kinds, folder / "run", LOOPBACK) as contestants:
        for load, source in zip(loads, sources, strict=True):
            say(f"\n{load.words}, {asked.runs} runs of each in turns")
            runs = contest.run(load, source, contestants, contest.Rules(asked.runs), trash)
            numbers = {name: figures.of_runs(load, found) for name, found in runs.items()}
            ratios = figures.compared(numbers)
            report.show_load(numbers)
            report.show_ratios(ratios)
            results[load.name] = {"files": load.count, "bytes": load.bytes, "contestants": numbers, "ratios": ratios}
    return results


if __name__ == "__main__":
    sys.exit(main())
