"""Where words go: the result, the notes beside it, one JSON object for scripts.

Rules
1. A result goes to stdout; notes, questions, progress and complaints go to stderr.
2. With `--json` stdout holds exactly one JSON object, and everything else goes to stderr.
3. Every word is printed as it is: no markup, no emoji codes, control characters escaped line by line.
4. A terminal gets colours (unless NO_COLOR is set); anything else gets plain lines, never cut.
5. On a terminal only the last column of a table, and those that are `long`, give way. Where that does not suffice,
   every row becomes a few lines. Ids are always whole.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from ...model.names import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

PLAIN_WIDTH = 100_000
GAP = 2
NARROWEST = 20
"""a column that gives way keeps at least so many characters, or all it has"""


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    style: str = ""
    long: bool = False
    """gives way where the terminal is narrow"""


class Lines:
    """What stands in for a console where no terminal is: lines as they are, never cut. Rich takes its time to load."""

    width = PLAIN_WIDTH

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def print(self, words: str) -> None:
        self._file.write(f"{words}\n")
        self._file.flush()


class Page:
    """One command's output. `interactive` says whether questions may be asked."""

    def __init__(self, *, interactive: bool | None = None) -> None:
        self.json = False
        self.context: dict[str, Any] = {}
        """what a JSON answer holds even when the command fails"""
        self._interactive = interactive
        self._answered = False

    @property
    def interactive(self) -> bool:
        if self.json:
            return False
        if self._interactive is None:
            return sys.stdin.isatty() and sys.stderr.isatty()
        return self._interactive

    def say(self, words: str = "", style: str = "") -> None:
        """A line of the result."""
        put(self._result(), words, style)

    def note(self, words: str = "", style: str = "") -> None:
        """A line beside the result."""
        put(console(error=True), words, style)

    def complain(self, words: str) -> None:
        """What went wrong."""
        put(console(error=True), words, "bold red")

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        out = self._result()
        if isinstance(out, Lines):
            for line in aligned(columns, rows):
                out.print(line)
            return
        if not fits(columns, rows, out.width):
            for line in stacked(columns, rows, out.width):
                out.print(line, soft_wrap=True)
            return
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
        for column in columns:
            table.add_column(
                column.title,
                justify="right" if column.right else "left",
                style=column.style,
                overflow="fold",
                no_wrap=not _gives_way(column, columns),
            )
        for row in rows:
            table.add_row(*(text(cell) for cell in row))
        out.print(table)

    def answer(self, value: Any) -> None:
        """The one JSON object. Does nothing unless `--json` was given."""
        if self.json and not self._answered:
            self._answered = True
            sys.stdout.write(json.dumps(value, indent=2, default=as_builtins, ensure_ascii=True) + "\n")
            sys.stdout.flush()

    def done(self, value: Any, sentence: str) -> None:
        """What a command did: an object for scripts, else a sentence."""
        self.answer(value)
        if not self.json:
            self.say(sentence)

    def listed(self, value: Any, titles: Sequence[str], rows: Sequence[Sequence[str]], *, long: str = "") -> None:
        """What a command found: an object for scripts, else a table, whose column `long` gives way."""
        self.answer(value)
        if not self.json:
            self.table([Column(title, long=title == long) for title in titles], rows)

    def failed(self, error: dict[str, Any]) -> None:
        """The JSON object of a command that failed: what was known by then, and the error."""
        self.answer({**self.context, "error": error})

    def _result(self) -> Console | Lines:
        return console(error=self.json)


def console(*, error: bool) -> Console | Lines:
    """What stdout or stderr is now."""
    file = sys.stderr if error else sys.stdout
    if not file.isatty():
        return Lines(file)
    from rich.console import Console

    return Console(file=file, markup=False, emoji=False, highlight=False)


def put(out: Console | Lines, words: str, style: str = "", *, soft_wrap: bool = False) -> None:
    """Words on a line of their own, harmless."""
    if isinstance(out, Lines):
        out.print(harmless(words))
    else:
        out.print(text(words, style), soft_wrap=soft_wrap)


def text(words: str, style: str = "") -> Text:
    """Words for a terminal, harmless."""
    from rich.text import Text

    return Text(harmless(words), style=style)


def harmless(words: str) -> str:
    """Lines are kept; everything else that is not print is escaped."""
    return "\n".join(printable(line.expandtabs(4)) for line in words.split("\n"))


def indented(words: str, by: str = "    ") -> str:
    """The lines of a foreign text, each moved in: no line can pass for one of ours."""
    lines = words.replace("\r\n", "\n").strip("\n").split("\n")
    return "\n".join(by + line if line.strip() else "" for line in lines)


def _gives_way(column: Column, columns: Sequence[Column]) -> bool:
    return column.long or column is columns[-1]


def fits(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether a table is readable in `width` characters: nothing but columns that give way is narrowed."""
    needed = GAP * (len(columns) - 1)
    for index, column in enumerate(columns):
        widest = max(len(printable(cell)) for cell in (column.title, *(row[index] for row in rows)))
        needed += min(widest, NARROWEST) if _gives_way(column, columns) else widest
    return needed <= width


def stacked(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Rows for a narrow terminal: the first cell, and below it the others, each with its title."""
    lines = []
    for first, *rest in rows:
        lines.append(printable(first))
        line = ""
        for column, cell in zip(columns[1:], rest, strict=True):
            piece = f"{column.title.lower()}: {printable(cell)}" if cell else ""
            if line and piece and len(line) + GAP + len(piece) > width:
                lines.append(line)
                line = ""
            if piece:
                line += (" " * GAP if line else "    ") + piece
        lines += [line] if line else []
    return lines


def aligned(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns for a file or a pipe: two blanks between, nothing cut, one line a row."""
    cells = [[column.title for column in columns], *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def as_builtins(value: Any) -> Any:
    """A wire type as plain JSON values."""
    import msgspec

    return msgspec.to_builtins(value)
