"""Contestants in turns on one load."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stagedoor.model.errors import StagedoorError

from . import ground
from .contestant import Contestant, end
from .loads import Load
from .meter import Measured, measure
from .place import Place
from .processes import Unusable
from .report import say

FAILURES = (Unusable, StagedoorError, OSError, subprocess.SubprocessError)
"""what ends the part of a contestant, and not the bench"""


@dataclass(frozen=True)
class Run:
    """`seconds` until the client ended, `flushed` until what it had sent was on the device, `bytes` that arrived."""

    seconds: float
    flushed: float
    bytes: int
    measured: Measured
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """`warm_up` is a turn that does not count, `limit` how many seconds a run may take, `memory` a folder by which the
    memory is touched that a run will fill."""

    runs: int
    warm_up: bool = True
    limit: float | None = None
    memory: Path | None = None


@contextmanager
def taking_part(kinds: Sequence[type[Contestant]], folder: Path, place: Place) -> Iterator[list[Contestant]]:
    """Started contestants; those that cannot take part are named and left out."""
    started: list[Contestant] = []
    try:
        for kind in kinds:
            try:
                one = kind(folder / kind.name, place)
                started.append(one)
                one.start()
            except Unusable as error:
                say(f"  {kind.name} is left out: {error}")
                started.remove(one)
        yield started
    finally:
        end(started)


def run(
    load: Load, source: Path, contestants: list[Contestant], rules: Rules, trash: ground.Trash
) -> dict[str, list[Run]]:
    """Runs by contestant, each the same number; whose run fails is left out. Every turn has an order of its own."""
    runs: dict[str, list[Run]] = {one.name: [] for one in contestants}
    still = list(contestants)
    for turn in range(-1 if rules.warm_up else 0, rules.runs):
        for one in random.Random(turn).sample(still, len(still)):
            try:
                done = once(one, load, source, rules, trash, contents=turn <= 0)
            except FAILURES as error:
                say(f"  {one.name} is left out: {error}")
                still.remove(one)
                del runs[one.name]
                continue
            if turn >= 0:
                runs[one.name].append(done)
    return runs


def once(one: Contestant, load: Load, source: Path, rules: Rules, trash: ground.Trash, *, contents: bool) -> Run:
    """One run, and the ground cleared behind it."""
    attempt = one.prepare(load, source)
    ground.sync(one.folder)
    if rules.memory:
        ground.touch_memory(rules.memory, load.bytes)
    began = time.time()
    measured = measure(
        one.place.at_client(attempt.command),
        one.servers,
        one.folder / "client.log",
        env=attempt.env,
        cwd=attempt.cwd,
        limit=rules.limit,
    )
    flushed = measured.seconds + ground.sync(one.folder)
    try:
        if measured.cut_off:
            return Run(measured.seconds, flushed, one.arrived(), measured)
        if measured.exit_code:
            raise Unusable(f"its client ended with exit code {measured.exit_code}:\n{measured.output[-2000:]}")
        if not one.landed(source).exists():
            raise Unusable(f"nothing arrived at {one.landed(source)}:\n{measured.output[-2000:]}")
        wrong = ground.differences(source, one.landed(source), contents=contents, names=one.keeps_names)
        if wrong:
            raise Unusable(f"what arrived is not what was sent: {wrong}")
        return Run(measured.seconds, flushed, load.bytes, measured, {"began": began, **one.facts()})
    finally:
        one.clear(trash)
