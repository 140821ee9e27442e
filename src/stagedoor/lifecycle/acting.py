"""Who acts right now, for the audit log: set by the doors, read where something is changed.

Rules
1. Where nobody is named it is the server by itself.
2. It goes with the context: into the threads that a request's work is handed to, never into another request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..model.audit import SYSTEM, Actor

_ACTOR: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def actor() -> Actor:
    return _ACTOR.get()


@contextmanager
def acting(who: Actor) -> Iterator[None]:
    token = _ACTOR.set(who)
    try:
        yield
    finally:
        _ACTOR.reset(token)
