"""What an administrator sets as a hook, judged before it is kept.

Rules
1. What cannot run is refused; what may be wrong, though it need not be, is told.
2. A hook of a queue stands for the jobs of that queue. An offer is in no queue yet: the pre-publish hook is the
   workspace's alone.
3. Only a server that runs as root can become somebody else.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from ..model.errors import BadRequest
from ..model.hooks import RUN_NOW, HookName, canonical
from ..model.names import printable

INPUT = "${PATH_JSON_INPUT}"
OUTPUT = "${PATH_JSON_OUTPUT}"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_PATH = re.compile(r"[\s$={}:]")
_SCRIPT = re.compile(r"\.(?:py|sh|bash|pl|rb|js)$")
_QUEUE = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def check_environment(environment: Mapping[str, str]) -> None:
    for variable, value in environment.items():
        if not _VARIABLE.fullmatch(variable):
            raise BadRequest(f"{printable(variable)!r} cannot be the name of an environment variable.")
        if "\0" in value:
            raise BadRequest(f"The value of {variable} holds a NUL character, which no environment takes.")


def check_queue(name: HookName, queue: str) -> None:
    if queue and name is HookName.PRE_PUBLISH:
        raise BadRequest(
            f"{name} cannot be set for a queue: what is offered is in none yet. Set it without one.", code="hook_queue"
        )


def check_person(name: str) -> None:
    """That this server can run a program as that user of the system."""
    if not name:
        return
    try:
        number = pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        raise BadRequest(f"This machine has no system user {printable(name)!r}.", code="hook_user") from None
    if os.geteuid() not in (0, number):
        raise BadRequest(
            f"Only a server that runs as root can run a hook as {name}; leave the user out, or run the server as root.",
            code="hook_user",
        )


def hook_name(text: str) -> HookName:
    name = canonical(text)
    runs = " and ".join(sorted(str(hook) for hook in RUN_NOW))
    if name is None:
        raise BadRequest(f"There is no hook {printable(text)!r}; there are {runs}.", code="hook_unknown")
    if name not in RUN_NOW:
        raise BadRequest(f"The hook {name} is not run by this version; it runs {runs}.", code="hook_not_run")
    return name


def check_command(name: HookName, command: str) -> list[str]:
    """Refuse a line that cannot run; return what may be wrong about it."""
    words = _words(command)
    program = words[0]
    if "/" in program and not Path(program).is_absolute():
        raise BadRequest(f"Give the whole path of {printable(program)}: the server runs in a folder of its own.")
    if shutil.which(program) is None:
        raise BadRequest(f"{printable(program)} is not a program that this machine can run.", code="hook_program")
    needed = [INPUT, OUTPUT] if name is HookName.PRE_PUBLISH else [INPUT]
    for placeholder in needed:
        if not any(placeholder in word for word in words):
            raise BadRequest(
                f"The command line of {name} needs {placeholder}; put the line into single quotes, "
                "or the shell takes it out.",
                code="hook_placeholder",
            )
    return [warning for word in words[1:] if (warning := _warning(word))]


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BadRequest(f"The command line cannot be split into words: {error}.", code="hook_line") from None
    if not words or "\0" in command:
        raise BadRequest("The command line is empty or holds a NUL character.", code="hook_line")
    return words


def _warning(word: str) -> str:
    """What may be wrong about a word that looks like the path of a script; empty where nothing is."""
    if word.startswith("-") or _NO_PATH.search(word) or not ("/" in word or _SCRIPT.search(word)):
        return ""
    if not Path(word).is_absolute():
        return f"{printable(word)} will be looked for in the run's own folder; give its whole path."
    return "" if Path(word).exists() else f"{printable(word)} does not exist on this machine."
