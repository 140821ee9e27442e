"""What the work under way is about: which request, whose, which job. For the lines of the log.

Rules
1. Whoever begins a piece of work opens a `block`; whoever learns more within it says so with `also`.
2. Work that is handed to another thread takes it along with its context.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_known: ContextVar[dict[str, str] | None] = ContextVar("about", default=None)


@contextmanager
def block(**facts: str) -> Iterator[None]:
    token = _known.set(dict(facts))
    try:
        yield
    finally:
        _known.reset(token)


def also(**facts: str) -> None:
    """One more fact about the work under way, for all who share in it."""
    known = _known.get()
    if known is not None:
        known.update(facts)


def known() -> Mapping[str, str]:
    return _known.get() or {}
