"""How far a transfer is: a bar on a terminal, a line every ten percent elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from . import numbers
from .page import console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

WINDOW_SECONDS = 10.0


class Speed:
    """Bytes per second over the last seconds, from running totals."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, int]] = []

    def at(self, now: float, done: int) -> float:
        self._samples = [sample for sample in self._samples if now - sample[0] <= WINDOW_SECONDS]
        self._samples.append((now, done))
        (began, before), (_, last) = self._samples[0], self._samples[-1]
        return (last - before) / (now - began) if now > began else 0.0


def told(done: int, total: int, speed: float, files: int = 0) -> str:
    """`1.2 GB of 3.1 GB, 84 MB/s, 23 s left`."""
    words = [f"{numbers.size(done)} of {numbers.size(total)}"]
    if files:
        words.append(numbers.count(files, "file"))
    if speed >= 1:
        words.append(f"{numbers.size(int(speed))}/s")
        if total > done:
            words.append(f"{numbers.duration((total - done) / speed)} left")
    return ", ".join(words)


class Bar:
    """Told running totals by any thread; draws on stderr."""

    def __init__(self, title: str, files: int = 0) -> None:
        self._title = title
        self._files = files
        self._speed = Speed()
        self._told = -1
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._out = console(error=True)

    def __enter__(self) -> Bar:
        if self._out.is_terminal:
            from rich.progress import BarColumn, Progress, TextColumn

            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%", markup=False),
                TextColumn("{task.fields[told]}", markup=False),
                console=self._out,
                transient=True,
            )
            self._task = self._progress.add_task(self._title, total=None, told="")
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def show(self, done: int, total: int) -> None:
        speed = self._speed.at(time.monotonic(), done)
        words = told(done, total, speed, self._files)
        if self._progress and self._task is not None:
            self._progress.update(self._task, completed=done, total=max(total, 1), told=words)
            return
        tenth = 10 if done >= total else done * 10 // total
        if tenth > self._told:
            self._told = tenth
            self._out.print(f"{self._title}: {tenth * 10:>3} %, {words}", soft_wrap=True)
