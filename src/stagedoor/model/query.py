"""What may be asked of a list: `status = failed and (user = ann@vendor.example or size > 1000000)`, as values.

Rules
1. An expression is a comparison, or several expressions of which all or any must hold. `text` writes it so that the
   grammar (`lifecycle.grammar`) reads back the same expression.
2. Its size is bounded here (`LONGEST`, `MOST_COMPARISONS`, `DEEPEST`), so that whoever walks it need not count.
3. What an attribute means, and whether there is one of that name, is not known here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

LONGEST = 200_000
"""characters of an expression: as long as a request may be"""
LONGEST_VALUE = 1000
MOST_VALUES = 5000
"""over all lists: databases bind some 30,000 in one statement"""
MOST_COMPARISONS = 100
DEEPEST = 20

_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_BARE = re.compile(r"""[^\s"'()=<>!,]+""")


class TooLarge(ValueError):
    """An expression that is longer, wider or deeper than this server reads."""


class Operator(str, Enum):
    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    GREATER = ">"
    AT_MOST = "<="
    AT_LEAST = ">="
    IN = "in"
    NOT_IN = "not in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not contains"
    MATCHES = "matches"
    NOT_MATCHES = "not matches"

    def __str__(self) -> str:
        return self.value

    @property
    def negated(self) -> bool:
        return self in _POSITIVE

    @property
    def positive(self) -> Operator:
        """The operator of which this one is the opposite; itself where it is none."""
        return _POSITIVE.get(self, self)


_POSITIVE = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_MATCHES: Operator.MATCHES,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`attribute operator value`; `values` are several for IN and NOT_IN alone."""

    attribute: str
    operator: Operator
    values: tuple[str, ...]
    depth: int = field(default=1, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.attribute):
            raise ValueError("an attribute is written in small Latin letters, digits and _")
        if self.operator.positive is Operator.IN:
            _check_list(self.values)
        elif len(self.values) != 1:
            raise ValueError(f"{self.operator} takes one value")
        if any(len(value) > LONGEST_VALUE for value in self.values):
            raise TooLarge(f"a value has at most {LONGEST_VALUE} characters")

    @property
    def value(self) -> str:
        return self.values[0]

    @property
    def count(self) -> int:
        return 1

    @property
    def size(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class _Several:
    parts: tuple[Expression, ...]
    depth: int = field(default=1, init=False, compare=False, repr=False)
    count: int = field(default=1, init=False, compare=False, repr=False)
    size: int = field(default=1, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise ValueError("AND and OR join at least two expressions")
        object.__setattr__(self, "depth", 1 + max(part.depth for part in self.parts))
        object.__setattr__(self, "count", sum(part.count for part in self.parts))
        object.__setattr__(self, "size", sum(part.size for part in self.parts))
        if self.depth > DEEPEST:
            raise TooLarge(f"parentheses nest at most {DEEPEST} deep")
        if self.count > MOST_COMPARISONS:
            raise TooLarge(f"an expression has at most {MOST_COMPARISONS} comparisons; a list after `in` counts as one")
        if self.size > MOST_VALUES:
            raise TooLarge(f"an expression has at most {MOST_VALUES} values")


@dataclass(frozen=True, slots=True)
class All(_Several):
    """Holds where every part does."""


@dataclass(frozen=True, slots=True)
class AnyOf(_Several):
    """Holds where one part does."""


Expression = Comparison | All | AnyOf


def folded(text: str) -> str:
    """Equal for what people take for the same text: NFC, case folded. Databases fold differently, each in its way."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """From left to right."""
    if isinstance(expression, Comparison):
        yield expression
    else:
        for part in expression.parts:
            yield from comparisons(part)


def split_list(text: str) -> tuple[str, ...]:
    """`a, b` as a and b: how a list is written within quotes."""
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def text(expression: Expression) -> str:
    """As it is written."""
    if isinstance(expression, Comparison):
        values = ", ".join(_written(value) for value in expression.values)
        return f"{expression.attribute} {expression.operator} {values}"
    word = " AND " if isinstance(expression, All) else " OR "
    return word.join(map(_part, expression.parts))


def _part(expression: Expression) -> str:
    return text(expression) if isinstance(expression, Comparison) else f"({text(expression)})"


def _written(value: str) -> str:
    if _BARE.fullmatch(value):
        return value
    return '"' + value.replace('"', '""') + '"'


def _check_list(values: tuple[str, ...]) -> None:
    if not values:
        raise ValueError("a list has at least one value")
    if len(values) > MOST_VALUES:
        raise TooLarge(f"a list has at most {MOST_VALUES} values")
    if any("," in value or value != value.strip() or not value for value in values):
        raise ValueError("a value in a list is not empty, holds no comma, and no blank at its ends")
