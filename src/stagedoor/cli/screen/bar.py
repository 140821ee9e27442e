"""How far a transfer is: a bar on a terminal, a line every ten percent elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from . import numbers
from .page import console, harmless, text

if TYPE_CHECKING:
    import rich.progress

    from ...client.progress import Progress


def told(progress: Progress) -> str:
    """`1.2 GB of 3.1 GB, 240 files, 84 MB/s, 23 s left`."""
    words = [f"{numbers.size(progress.sent)} of {numbers.size(progress.total)}", numbers.count(progress.files, "file")]
    if progress.speed >= 1:
        words.append(f"{numbers.size(int(progress.speed))}/s")
    if progress.eta_seconds:
        words.append(f"{numbers.duration(progress.eta_seconds)} left")
    return ", ".join(words)


class Bar:
    """Draws on stderr."""

    def __init__(self, title: str) -> None:
        self._title = harmless(title).replace("\n", " ")
        self._told = -1
        self._message = ""
        self._bars: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None
        self._out = console(error=True)

    def __enter__(self) -> Bar:
        if self._out.is_terminal:
            from rich.progress import BarColumn, Progress, TextColumn

            self._bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%", markup=False),
                TextColumn("{task.fields[told]}", markup=False),
                console=self._out,
                transient=True,
            )
            self._task = self._bars.add_task(self._title, total=None, told="")
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def show(self, progress: Progress) -> None:
        if progress.message and progress.message != self._message:
            self._out.print(text(progress.message, "yellow"), soft_wrap=True)
        self._message = progress.message
        words = told(progress)
        if self._bars and self._task is not None:
            self._bars.update(self._task, completed=progress.sent, total=max(progress.total, 1), told=words)
            return
        tenth = 10 if progress.sent >= progress.total else progress.sent * 10 // progress.total
        if tenth > self._told:
            self._told = tenth
            self._out.print(f"{self._title}: {tenth * 10:>3} %, {words}", soft_wrap=True)
