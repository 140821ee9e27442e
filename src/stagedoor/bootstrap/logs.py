"""How the log is written: lines for people, or one JSON object a line.

Rules
1. Both say the same: time in UTC, level, logger, message, and which request, user and job the line is about.
2. What is logged cannot begin a new line and pass for another. Only a traceback takes several, as text.
3. What is set in `stagedoor.toml` holds, unless `serve` is told otherwise.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
import time
from collections.abc import Mapping
from typing import Any

from ..config import Home, LogChoice
from ..lifecycle import about
from ..model.names import printable

NOISY = ("alembic", "dbos", "_granian", "granian")


def start(paths: Home, choice: LogChoice) -> None:
    """To the file in the home, and to stderr."""
    paths.log.parent.mkdir(exist_ok=True)
    file = logging.handlers.RotatingFileHandler(paths.log, maxBytes=choice.file_bytes, backupCount=choice.files)
    screen = logging.StreamHandler(sys.stderr)
    for handler in (file, screen):
        handler.setFormatter(JsonLines() if choice.format == "json" else TextLines())
        handler.addFilter(_add_facts)
    logging.basicConfig(level=logging.INFO, handlers=[file, screen], force=True)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("stagedoor.access").setLevel(logging.INFO if choice.access else logging.WARNING)


def _add_facts(record: logging.LogRecord) -> bool:
    record.about = dict(about.known())
    return True


def _facts(record: logging.LogRecord) -> Mapping[str, Any]:
    more = getattr(record, "facts", {})
    return {**getattr(record, "about", {}), **more}


class TextLines(logging.Formatter):
    """`2026-03-01T14:05:00.123Z INFO stagedoor.job job 65f… done: … [request=… user=…]`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable(record.message.replace("\n", " | "))
        facts = " ".join(f"{name}={printable(str(value))}" for name, value in _facts(record).items())
        return super().formatMessage(record) + (f" [{facts}]" if facts else "")


class JsonLines(logging.Formatter):
    """`{"time", "level", "logger", "message", "request", "user", "job", "exception"}`, each where there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        stamp = self.formatTime(record, "%Y-%m-%dT%H:%M:%S")
        line = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=True)
