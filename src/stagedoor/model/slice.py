"""Which items of a list somebody wants."""

from __future__ import annotations

from dataclasses import dataclass

from .query import Expression


@dataclass(frozen=True, slots=True)
class Slice:
    """Those that match, so many of them, from there on."""

    where: Expression | None = None
    inside: bool = True
    """whether `where` may name attributes that a standard user is not shown"""
    limit: int = 50
    skip: int = 0


FIRST = Slice()
"""a first page of everything"""
ONE = Slice(limit=1)
