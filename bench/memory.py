"""The peak memory of process trees.

1. What counts is VmHWM, the largest resident memory that a process has had; the kernel keeps it as long as that lives.
2. Hooks are not the server: they are recognised by their mark, with everything they start.
3. Processes below a root are looked for all the time. One that was seen once or twice only was about to become
   another program and still shared its parent's memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

HOOK_MARK = b"STAGEDOOR_RUN="


class Memory:
    """Watches the trees below `roots`; looks again after `every` seconds."""

    def __init__(self, roots: Iterable[int], every: float = 0.05) -> None:
        self._roots = list(roots)
        self._every = every
        self._peaks: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def peak(self) -> int:
        """Bytes, all processes added up."""
        self._look()
        return sum(peak for pid, peak in dict(self._peaks).items() if pid in self._roots or self._seen[pid] > 2)

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            self._look()

    def _look(self) -> None:
        for pid in tree(self._roots):
            with suppress(OSError):
                if pid not in self._roots and HOOK_MARK in Path(f"/proc/{pid}/environ").read_bytes():
                    continue
                self._peaks[pid] = max(self._peaks.get(pid, 0), high_water(pid))
                self._seen[pid] = self._seen.get(pid, 0) + 1


def forget_peaks(roots: Iterable[int]) -> None:
    """Let peaks begin anew at what is resident now."""
    for pid in tree(roots):
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")


def tree(roots: Iterable[int]) -> list[int]:
    """Processes, with all that they started and that still live below them."""
    return [pid for root in roots for pid in (root, *children(root))]


def children(pid: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, tasks.read_text().split()):
                found += [child, *children(child)]
    return found


def high_water(pid: int) -> int:
    """VmHWM in bytes; 0 where the process has gone."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
