"""Loads over three lines, and again over those that lose with BBR instead of CUBIC.

A run that takes longer than its limit is cut off, and its speed is that of the bytes that had arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import contest, figures, report
from ..contestant import Contestant
from ..figures import Numbers
from ..ground import Trash
from ..loads import Load, made
from ..report import say
from .line import Weather, line

WEATHERS = (Weather(40, 0), Weather(100, 0.1), Weather(100, 1))
BBR_WEATHERS = (Weather(100, 0.1, "bbr"), Weather(100, 1, "bbr"))


@dataclass(frozen=True)
class Plan:
    kinds: Sequence[type[Contestant]]
    loads: Sequence[Load]
    scale: float
    rules: contest.Rules


def measure_weathers(folder: Path, plan: Plan, weathers: Sequence[Weather]) -> Numbers:
    sources = [made(load, folder / "loads") for load in plan.loads]
    return {weather.name: _one(folder / "run", plan, sources, weather) for weather in weathers}


def _one(folder: Path, plan: Plan, sources: Sequence[Path], weather: Weather) -> Numbers:
    found: Numbers = {}
    here = folder / weather.name.replace(" ", "_").replace("%", "percent")
    trash = Trash(folder / "trash" / here.name)
    here.mkdir()
    with line(weather, here / "line.log") as place, contest.taking_part(plan.kinds, here, place) as contestants:
        for load, source in zip(plan.loads, sources, strict=True):
            say(f"\n{weather.name}, {load.words}: {plan.rules.runs} runs in turns, {plan.rules.limit:g} s at most")
            runs = contest.run(load, source, contestants, plan.rules, trash)
            numbers = {name: figures.of_runs(load, done) for name, done in runs.items()}
            report.show(numbers)
            found[load.name] = figures.of_load(load, plan.scale, numbers)
    return found
