"""How far a transfer is: a bar on a terminal, a line every ten percent elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from . import numbers
from .page import Lines, console, harmless, put

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


def fitted(progress: Progress, room: int) -> str:
    """As much of it as `room` characters hold; what matters most goes last."""
    words = told(progress).split(", ")
    amount, files, *pace = words
    for choice in ([amount, files, *pace], [amount, *pace], pace, pace[-1:], [amount]):
        if choice and len(", ".join(choice)) <= room:
            return ", ".join(choice)
    return ""


def shortened(title: str, room: int) -> str:
    return title if len(title) <= room else f"{title[: room - 3]}..."


class Bar:
    """Draws on stderr."""

    def __init__(self, title: str) -> None:
        self._title = harmless(title).replace("\n", " ")
        self.reused = 0
        """bytes that need not be sent"""
        self._told = -1
        self._message = ""
        self._bars: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None
        self._out = console(error=True)

    def __enter__(self) -> Bar:
        if not isinstance(self._out, Lines):
            from rich.progress import BarColumn, Progress, TextColumn
            from rich.table import Column

            def words(template: str) -> TextColumn:
                return TextColumn(template, markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))

            self._bars = Progress(
                words("{task.description}"),
                BarColumn(self._bar_width()),
                words("{task.percentage:>3.0f}%"),
                words("{task.fields[told]}"),
                console=self._out,
                transient=True,
            )
            self._task = self._bars.add_task(self._shown_title(), total=None, told="")
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def show(self, progress: Progress) -> None:
        if progress.message and progress.message != self._message:
            put(self._out, progress.message, "yellow", soft_wrap=True)
        self._message = progress.message
        self.reused = progress.reused
        if self._bars and self._task is not None:
            title = self._shown_title()
            words = fitted(progress, self._out.width - len(title) - self._bar_width() - len("  100%  "))
            self._bars.update(
                self._task, completed=progress.sent, total=max(progress.total, 1), description=title, told=words
            )
            return
        words = told(progress)
        tenth = 10 if progress.sent >= progress.total else progress.sent * 10 // progress.total
        if tenth > self._told:
            self._told = tenth
            put(self._out, f"{self._title}: {tenth * 10:>3} %, {words}")

    def _bar_width(self) -> int:
        return 40 if self._out.width >= 120 else 10

    def _shown_title(self) -> str:
        return shortened(self._title, max(12, self._out.width // 3))
