"""Whether a hook's line could run here, found out without running it.

Rules
1. Only words that name a file by an absolute path are looked at, also inside of `bash -c '...'`.
2. A fault is what keeps the hook from running; whatever else looks odd is nobody's business here.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

_SHEBANG_BYTES = 256


def faults(command: str) -> list[str]:
    """What keeps the line from running, a sentence each without its point."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        return [f"its line cannot be split into words: {error}"]
    if not words:
        return ["its line is empty"]
    program = shutil.which(words[0])
    if program is None:
        reason = "is not executable" if Path(words[0]).is_file() else "is not there"
        return [f"the program {words[0]} {reason}"]
    return [*_interpreter_faults(Path(program)), *_script_faults(words[1:])]


def _interpreter_faults(program: Path) -> Iterator[str]:
    """A script that is run by itself needs the program that its first line names."""
    try:
        with program.open("rb") as stream:
            first = stream.read(_SHEBANG_BYTES).split(b"\n", 1)[0]
    except OSError as error:
        yield f"{program} cannot be read: {error.strerror}"
        return
    if not first.startswith(b"#!"):
        return
    words = first[2:].decode(errors="replace").split()
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    if not words:
        yield f"the first line of {program} names no interpreter"
    elif shutil.which(words[0]) is None:
        yield f"the interpreter {words[0]} of {program} is not there"


def _script_faults(words: list[str]) -> Iterator[str]:
    for word in words:
        for part in dict.fromkeys((word, *word.split())):
            path = Path(part.strip("'\";"))
            if not path.is_absolute() or "$" in part or len(part.split()) > 1:
                continue
            if not path.exists():
                if path.suffix in _SCRIPTS:
                    yield f"{path} is not there"
            elif path.is_file() and not os.access(path, os.R_OK):
                yield f"{path} cannot be read by {_me()}"


_SCRIPTS = (".py", ".sh", ".bash", ".pl", ".rb", ".js")


def _me() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
