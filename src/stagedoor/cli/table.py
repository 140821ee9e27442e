"""Tables for other programs: CSV that a spreadsheet can open without harm.

Rules
1. RFC 4180: a header, commas, CR LF at the end of every record, quotes around what needs them, quotes doubled.
2. A cell that a spreadsheet would take for a formula gets an apostrophe in front: it begins with `=`, `+`, `-`, `@`
   (also the full-width ones), a tab or a carriage return, blanks before them not counted.
3. Control characters are escaped as everywhere: a record is one line.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import IO, Any

from ..model.names import printable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_csv(out: IO[str], columns: Sequence[str], rows: Iterable[Any]) -> int:
    """Write the attributes `columns` of each row; how many rows."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\r\n")
    count = 0
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(getattr(row, column)) for column in columns])
        _pass_on(lines, out)
        count += 1
    _pass_on(lines, out)
    return count


def _pass_on(lines: io.StringIO, out: IO[str]) -> None:
    """As bytes where that is possible: a text file of some systems makes two ends of one."""
    text = lines.getvalue()
    lines.seek(0)
    lines.truncate()
    raw = getattr(out, "buffer", None)
    if raw is None:
        out.write(text)
    else:
        raw.write(text.encode("utf-8", "backslashreplace"))


def cell(value: Any) -> str:
    """A value as it stands in a cell."""
    text = _words(value)
    guard = "'" if text.startswith(_FORMULA) or text.lstrip(" \u00a0\n").startswith(_FORMULA) else ""
    return guard + printable(text)


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str) if value else ""
    return str(value)
