"""What a comparison asks of one value: text of the query becomes a test, by the kind of the attribute.

Rules
1. A test is positive; `Asked.negated` turns it round. So `!=` holds exactly where `=` does not, missing values
   included.
2. Text is compared folded (`model.query.folded`). `*` in `=`, `!=` and lists stands for any text; `contains` takes it
   as it is.
3. A time is as long as it is written: `created = 2026-03-01` is that day. UTC unless it says otherwise.
4. `= ""` asks for what has no value.
5. Patterns are RE2: their time is linear in the text. A pattern that would be large is refused, and `Patience` ends
   what takes long all the same.
6. `records` asks databases the same by SQL; a test holds the two against each other.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import re2

from ..model.errors import BadRequest
from ..model.query import Comparison, Operator, folded

MOST_STARS = 10
MOST_WILD = 100
PATTERN_BYTES = 128 << 10
"""memory of a compiled pattern: what needs more is as slow as it is large"""
PATIENCE_SECONDS = 0.07
"""beyond what is ordinary; with the compiling of the largest pattern a tenth of a second"""
SECONDS_PER_VALUE = 3e-6
"""what an ordinary pattern takes for an ordinary name"""
_CLOCK_EVERY = 8
_ORDER = (Operator.LESS, Operator.GREATER, Operator.AT_MOST, Operator.AT_LEAST)
_EQUAL = (Operator.EQUAL, Operator.IN)
_LARGEST = 18


class Patience:
    """How long one query may spend on patterns: an ordinary time for every value, and a moment."""

    def __init__(self) -> None:
        self._left = PATIENCE_SECONDS

    def spent(self, seconds: float, values: int) -> None:
        self._left = min(self._left - seconds + values * SECONDS_PER_VALUE, PATIENCE_SECONDS)  # nothing is saved up
        if self._left < 0:
            raise BadRequest(
                "The pattern takes too long; make it simpler, or narrow the query by other conditions.",
                code="query_too_slow",
            )


# --- tests ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Like:
    """Text equal to one of these, or to the pieces of one of `wild` with any text between them; all folded."""

    exact: frozenset[str]
    wild: tuple[tuple[str, ...], ...] = ()

    def holds(self, value: Any) -> bool:
        found = folded(str(value or "").strip())
        return found in self.exact or any(_like(found, pieces) for pieces in self.wild)


@dataclass(frozen=True, slots=True)
class Holds:
    """Text that contains this, folded."""

    piece: str

    def holds(self, value: Any) -> bool:
        return self.piece in folded(str(value or "").strip())


@dataclass(frozen=True, slots=True)
class Before:
    """Text that sorts before this, folded; or after."""

    operator: Operator
    bound: str

    def holds(self, value: Any) -> bool:
        found = folded(str(value or "").strip())
        if self.operator in (Operator.LESS, Operator.AT_MOST):
            return found < self.bound or (self.operator is Operator.AT_MOST and found == self.bound)
        return found > self.bound or (self.operator is Operator.AT_LEAST and found == self.bound)


@dataclass(frozen=True, slots=True)
class Fits:
    """Text in which a pattern is found, whatever the case."""

    pattern: str
    _set: Any = field(compare=False, repr=False)

    def holds(self, value: Any) -> bool:
        text = str(value or "")
        return bool(self._set.Match(text if text.isascii() else unicodedata.normalize("NFC", text)))

    def many(self, values: Sequence[Any], patience: Patience) -> list[bool]:
        found: list[bool] = []
        for start in range(0, len(values), _CLOCK_EVERY):
            block = values[start : start + _CLOCK_EVERY]
            began = time.thread_time()
            found.extend(map(self.holds, block))
            patience.spent(time.thread_time() - began, len(block))
        return found


@dataclass(frozen=True, slots=True)
class Within:
    """A number or a time (milliseconds) in one of these ranges, the end left out; None: without end."""

    ranges: tuple[tuple[int | None, int | None], ...]
    or_missing: bool = False

    def holds(self, value: Any) -> bool:
        if value is None:
            return self.or_missing
        return any((low is None or value >= low) and (high is None or value < high) for low, high in self.ranges)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these members of something that can be counted."""

    members: frozenset[Any]

    def holds(self, value: Any) -> bool:
        return value in self.members


Test = Like | Holds | Before | Fits | Within | OneOf


@dataclass(frozen=True, slots=True)
class Asked:
    test: Test
    negated: bool = False

    def holds(self, value: Any) -> bool:
        return self.test.holds(value) is not self.negated


# --- kinds ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """Free text, a name or an id. `prefix`: a type that may stand before the value, as in `queue:high`."""

    prefix: str = ""

    def asked(self, comparison: Comparison) -> Asked:
        operator = comparison.operator.positive
        values = [_without(self.prefix, value) for value in comparison.values]
        return Asked(_text_test(operator, values), comparison.operator.negated)


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""

    def asked(self, comparison: Comparison) -> Asked:
        return Asked(_within(comparison, "a whole number", _number), comparison.operator.negated)


@dataclass(frozen=True, slots=True)
class Time:
    """A moment, in milliseconds."""

    def asked(self, comparison: Comparison) -> Asked:
        return Asked(_within(comparison, "a time", _period), comparison.operator.negated)


@dataclass(frozen=True, slots=True)
class Words:
    """One of a few words; each stands for some members."""

    words: Mapping[str, frozenset[Any]]

    def asked(self, comparison: Comparison) -> Asked:
        operator = comparison.operator.positive
        if operator in _ORDER:
            raise _refused(comparison, "can be compared with = != in, not in, contains, matches")
        if operator in _EQUAL:
            self._check(comparison)
        test = _text_test(operator, comparison.values)
        members = (members for word, members in self.words.items() if test.holds(word))
        return Asked(OneOf(frozenset().union(*members)), comparison.operator.negated)

    def _check(self, comparison: Comparison) -> None:
        for value in comparison.values:
            if "*" not in value and folded(value.strip()) not in self.words:
                there = ", ".join(sorted(self.words))
                raise BadRequest(
                    f"There is no {comparison.attribute} {value!r}; there are: {there}.", code="state_unknown"
                )


FLAG = Words({"true": frozenset({True}), "false": frozenset({False})})
Kind = Text | Number | Time | Words


def members(kind: Iterable[Any], *words: Callable[[Any], str]) -> Words:
    """The members of an enumeration, each known by some words."""
    found: dict[str, frozenset[Any]] = {}
    for member in kind:
        for word in words or (lambda member: str(member.value),):
            found[word(member)] = found.get(word(member), frozenset()) | {member}
    return Words(found)


def unknown(name: str, entity: str, known: Iterable[str]) -> BadRequest:
    """An attribute that there is not, or not for who asks."""
    there = sorted(known)
    return BadRequest(
        f"{entity} has no attribute {name!r} to ask for; there are: {', '.join(there)}.",
        code="attribute_unknown",
        details={"attribute": name, "known": there},
    )


# --- reading values ------------------------------------------------------------------------------------------------


def _text_test(operator: Operator, values: Sequence[str]) -> Like | Holds | Before | Fits:
    if operator in _EQUAL:
        return _like_one_of([folded(value.strip()) for value in values])
    if operator is Operator.CONTAINS:
        return Holds(folded(values[0]))
    if operator is Operator.MATCHES:
        return _fits(values[0])
    return Before(operator, folded(values[0].strip()))


def _like_one_of(values: Sequence[str]) -> Like:
    wild = [tuple(re.sub(r"\*+", "*", value).split("*")) for value in values if "*" in value]
    if len(wild) > MOST_WILD or any(len(pieces) > MOST_STARS + 1 for pieces in wild):
        raise BadRequest(
            f"The query cannot be asked: a value has at most {MOST_STARS} *, a list at most {MOST_WILD} values with *.",
            code="query_refused",
        )
    return Like(frozenset(value for value in values if "*" not in value), tuple(wild))


def _like(text: str, pieces: Sequence[str]) -> bool:
    first, *middle, last = pieces
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def _fits(pattern: str) -> Fits:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True
    options.max_mem = PATTERN_BYTES
    pattern = unicodedata.normalize("NFC", pattern)
    try:
        re2.compile(pattern, options)
        found = re2.Set.SearchSet(options)  # the only one of its engines that never falls back to a slow one
        found.Add(pattern)
        found.Compile()
    except re2.error as error:
        words = error.args[0] if error.args else ""
        reason = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
        if "too large" in reason or "Set" in reason:
            reason = "it is too large"
        raise BadRequest(
            f"The query cannot be asked: {pattern!r:.100} is no pattern that this server runs: {reason}.",
            code="query_refused",
        ) from None
    return Fits(pattern, found)


def _without(prefix: str, value: str) -> str:
    head, colon, rest = value.partition(":")
    return rest if prefix and colon and head.strip().casefold() == prefix else value


def _refused(comparison: Comparison, why: str) -> BadRequest:
    sentence = f"The query cannot be asked: {comparison.attribute} {why}."
    return BadRequest(sentence, code="query_refused", details={"attribute": comparison.attribute})


def _within(comparison: Comparison, what: str, read: Callable[[str], tuple[int, int]]) -> Within:
    operator = comparison.operator.positive
    if operator in (Operator.CONTAINS, Operator.MATCHES):
        raise _refused(comparison, f"is {what}: it can be compared with = != < > <= >= in, not in")
    given = [value for value in comparison.values if value.strip()]
    if not given and operator not in _EQUAL:
        raise _refused(comparison, f"is {what}: nothing is neither more nor less")
    try:
        ranges = tuple(_range(operator, *read(value.strip())) for value in given)
    except (ValueError, OverflowError):
        raise _refused(comparison, f"is {what}; {', '.join(map(repr, given))[:100]} is none{_EXAMPLE[what]}") from None
    return Within(ranges, or_missing=len(given) < len(comparison.values))


_EXAMPLE = {"a whole number": "", "a time": ": write 2026-03-01 or 2026-03-01T10:00:00"}


def _range(operator: Operator, low: int, high: int) -> tuple[int | None, int | None]:
    if operator is Operator.LESS:
        return None, low
    if operator is Operator.AT_MOST:
        return None, high
    if operator is Operator.GREATER:
        return high, None
    return (low, None) if operator is Operator.AT_LEAST else (low, high)


def _number(text: str) -> tuple[int, int]:
    if not re.fullmatch(rf"[+-]?[0-9]{{1,{_LARGEST}}}", text):
        raise ValueError
    return int(text), int(text) + 1


_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[t ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?\s*(z|[+-]\d\d:?\d\d)?", re.IGNORECASE | re.ASCII
)


def _period(text: str) -> tuple[int, int]:
    """When it begins and ends: a day, a minute, a second or a millisecond."""
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError
    day, minute, second, fraction, zone = match.groups()
    length = 1 if fraction else 1000 if second else 60_000 if minute else 86_400_000
    written = f"{day}T{minute or '00:00'}:{second or '00'}.{(fraction or '0')[:3]:0<3}"
    moment = datetime.fromisoformat(written).replace(tzinfo=timezone.utc) - _offset(zone)
    begin = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    return begin, begin + length


def _offset(zone: str | None) -> timedelta:
    if zone in (None, "z", "Z"):
        return timedelta()
    assert zone
    digits = zone[1:].replace(":", "")
    length = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -length if zone[0] == "-" else length
