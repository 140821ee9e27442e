"""Looks at places without pause until SIGTERM, then says what was ever seen there. A program of its own.

What was whole is looked at ten times a second from then on: reading it takes the time that others need.

    python watcher.py '{"<place>": [<files>, <bytes>], ...}'

Prints `ready`, and at the end per place how often it was absent and whole, and the first other state (`torn`).
"""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import time
from typing import Any

Sum = tuple[int, int]
"""files, bytes"""


def look(place: str) -> Sum | None:
    """What lies at a place, all folders added up; None where nothing is."""
    try:
        found = os.lstat(place)
    except FileNotFoundError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        return 1, found.st_size
    files = size = 0
    waiting = [place]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    files += 1
                    size += entry.stat(follow_symlinks=False).st_size
    return files, size


def main() -> None:
    expected: dict[str, Sum] = {place: (files, size) for place, (files, size) in json.loads(sys.argv[1]).items()}
    seen: dict[str, dict[str, Any]] = {place: {"absent": 0, "whole": 0, "torn": None} for place in expected}
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
    again = dict.fromkeys(expected, 0.0)
    os.nice(10)  # what it watches comes first
    print("ready", flush=True)
    last = False
    while not last:
        last = bool(ended)  # one more look after the signal
        for place, whole in expected.items():
            if time.monotonic() < again[place] and not last:
                continue
            found = look(place)
            if found is None:
                seen[place]["absent"] += 1
            elif found == whole:
                seen[place]["whole"] += 1
                again[place] = time.monotonic() + 0.1
            else:
                seen[place]["torn"] = seen[place]["torn"] or found
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
