"""v002 shares nine frames of ten with v001, which the same user has published before. Bytes on the wire count.

The whole publish of v002 is timed. v001 is published from beside the server, so that it costs no time on the line.
Peers send v002 to an empty place: none of those here knows bytes again under another name. One that is cut off by the
limit shows the share of the bytes that it had sent by then.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio import STAGEDOOR

from .. import contest, figures, report
from ..contestant import Attempt, Contestant
from ..figures import Numbers, spread
from ..ground import Trash
from ..house import Whole
from ..loads import Load, write_random
from ..processes import Unusable
from ..report import row, say
from .line import Weather, bytes_sent, line

WEATHER = Weather(100, 0.1)
LOAD = Load("REPUBLISH", 200, 2 << 20)
NEW_EVERY = 10


class Republish(Whole):
    """Publishes v001 before each run."""

    def prepare(self, load: Load, source: Path) -> Attempt:
        attempt = super().prepare(load, source)
        earlier = [STAGEDOOR, "publish", str(source.with_name("shot_v001")), "--json"]
        command = self.place.at_server(earlier)
        done = subprocess.run(command, env=attempt.env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise Unusable(f"v001 was not published: {done.stdout}{done.stderr}")
        return attempt


def measure_republish(folder: Path, peers: Sequence[type[Contestant]], rules: contest.Rules, scale: float) -> Numbers:
    load = replace(LOAD, count=max(NEW_EVERY, int(LOAD.count * scale)))
    source = versions(load, folder / "loads")
    say(f"\nRe-publish over {WEATHER.name}: {load.words}, one frame of {NEW_EVERY} is new; {rules.runs} runs in turns")
    here, trash = folder / "run" / "republish", Trash(folder / "run" / "trash" / "republish")
    here.mkdir()
    runs: dict[str, list[contest.Run]] = {}
    wire: dict[str, list[float]] = {}
    with line(WEATHER, here / "line.log") as place, contest.taking_part([Republish, *peers], here, place) as started:
        for turn in range(rules.runs):
            for one in list(started):
                before = bytes_sent(place)
                try:
                    done = contest.once(one, versioned(load, "v002"), source, rules, trash, contents=not turn)
                except contest.FAILURES as error:
                    say(f"  {one.name} is left out: {error}")
                    started.remove(one)
                    one.stop()
                    runs.pop(one.name, None)
                    wire.pop(one.name, None)
                    continue
                runs.setdefault(one.name, []).append(done)
                wire.setdefault(one.name, []).append((bytes_sent(place) - before) / load.bytes)
    numbers = {name: figures.of_runs(load, found) for name, found in runs.items()}
    report.show(numbers)
    for name, shares in wire.items():
        row(name, f"{report.shown([100 * share for share in shares], '%')} of the bytes went over the wire")
    shares_of = {name: spread(shares) for name, shares in wire.items()}
    return {**figures.of_load(load, scale, numbers), "wire_share": shares_of}


def versioned(load: Load, version: str) -> Load:
    return replace(load, stem=f"shot_{version}")


def versions(load: Load, folder: Path) -> Path:
    """Makes shot_v001 and shot_v002 beside each other; the latter. Kept, like other loads."""
    here = folder / f"republish_{load.count}x{load.size}"
    done = here / ".made"
    if not done.exists():
        for version in ("v001", "v002"):
            frames = here / f"shot_{version}"
            frames.mkdir(parents=True, exist_ok=True)
            for number, path in enumerate(versioned(load, version).paths()):
                origin = version if number % NEW_EVERY == 0 else "v001"
                write_random(frames / path, load.size, f"republish/{origin}/{number}")
        done.touch()
    return here / "shot_v002"
