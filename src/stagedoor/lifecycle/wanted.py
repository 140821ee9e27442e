"""Which items of a list somebody asks for, in their words."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.slice import Slice
from .grammar import parse


@dataclass(frozen=True, slots=True)
class Wanted:
    where: str | None = None
    """an expression of the query language"""
    limit: int = 50
    skip: int = 0

    def slice(self, *, inside: bool = True) -> Slice:
        """`inside`: whether the expression may name what is not for everybody who may ask. Raises BadRequest."""
        where = None if self.where is None else parse(self.where)
        return Slice(where, inside, self.limit, self.skip)
