"""The environment of a hook: little, and nothing of the server's that was not named."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from contextlib import suppress

from ..lifecycle.needs import RunOrder
from . import processes
from .person import Person

_PASSED = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ")


def environment(order: RunOrder, somebody: Person | None) -> Mapping[str, str]:
    given = {name: os.environ[name] for name in _PASSED if name in os.environ}
    if somebody is not None:
        given |= {"HOME": somebody.home, "USER": somebody.name}
    given.setdefault("PATH", os.defpath)
    given.setdefault("LANG", "C.UTF-8")
    with suppress(KeyError):
        person = pwd.getpwuid(os.getuid())
        given.setdefault("HOME", person.pw_dir)
        given.setdefault("USER", person.pw_name)
    return {**given, **order.environment, processes.MARK: order.run.id}
