"""A script on this machine: the line that runs it, and which hook it is."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

from ..model.hooks import HookName
from .record import OUTPUT_PLACEHOLDER

INPUT_PLACEHOLDER = "${PATH_JSON_INPUT}"
_OTHERS = {
    HookName.PRE_SUBMIT: re.compile(r"pre[-_ ]?submit"),
    HookName.POST_SUBMIT: re.compile(r"post[-_ ]?submit"),
    HookName.POST_FAILED: re.compile(r"post[-_ ]?fail"),
    HookName.POST_DONE: re.compile(r"post[-_ ]?done"),
}
_PRE_PUBLISH = re.compile(r"(?<![a-z])pre[-_ ]?publish(?![a-z])")
_PUBLISH = re.compile(r"(?<![a-z])(publish|ingest)(?![a-z])")
_CHECKS = re.compile(r"pre(?!v)|check|valid|verif|naming")
"""what names of pre-publish hooks hold, and publish hooks seldom do"""


def command_line(script: str) -> str:
    """The line that a server would be given for this script. Raises ValueError with the way out."""
    path = Path(script).expanduser()
    if path.is_file():
        file = shlex.quote(str(path.absolute()))
        arguments = f"{INPUT_PLACEHOLDER} {OUTPUT_PLACEHOLDER}"
        if os.access(path, os.X_OK):
            return f"{file} {arguments}"
        if path.suffix == ".py":
            return f"{shlex.quote(sys.executable)} {file} {arguments}"
        raise ValueError(f"{script} is neither executable nor a .py file: make it so, or give a whole command line")
    if INPUT_PLACEHOLDER in script:
        return script
    raise ValueError(f"{script!r} is no file, and no command line that names {INPUT_PLACEHOLDER}")


def guess_hook(script: str) -> HookName:
    """Which hook a script is by its file's name: `publish.py` and `ingest_x.py` are publish hooks, `post_done.py` is
    a post-done hook."""
    return guess(script)[0]


def guess(script: str) -> tuple[HookName, bool]:
    """The hook, and whether the name leaves no doubt."""
    names = [Path(word).name.lower() for word in script.split() if not word.startswith("${")]
    others = [hook for hook, named in _OTHERS.items() if any(map(named.search, names))]
    if others:
        return others[0], len(others) == 1
    before = any(_PRE_PUBLISH.search(name) for name in names)
    after = [name for name in names if _PUBLISH.search(_PRE_PUBLISH.sub("", name))]
    if before:
        return HookName.PRE_PUBLISH, not after
    return (HookName.PUBLISH, not any(map(_CHECKS.search, after))) if after else (HookName.PRE_PUBLISH, False)
