"""Expressions of the query language as conditions of a list, the same for SQLite and PostgreSQL.

Rules
1. What SQL can decide it decides, on folded columns. Patterns, and text that has no folded column, are decided in
   Python, on rows that SQL has narrowed by everything else: one implementation, which no database can be attacked by.
2. `owned` are the conditions that confine who asks. They stand outside the expression; what is looked up beside the
   rows of the list is confined by them too, so that neither answer nor time tells of somebody else's.
3. A condition is true or false, never NULL: the opposite of a comparison holds for all other rows.
4. Rows are read in portions; of those that match only a count and the keys of the page are remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import and_ as both
from operator import or_ as either
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, exists, literal, not_, or_, select, true

from ..lifecycle.compare import Asked, Before, Fits, Holds, Like, OneOf, Patience, Test, Text, Within, unknown
from ..model.errors import BadRequest
from ..model.query import All, Comparison, Expression, Operator
from .attributes import Attribute, Entity, Own, Reference, Via
from .columns import KEY, batches
from .ids import may_be_id

MOST_PATTERNS = 5
PORTION = 1000
MOST_LOOKED_UP = 1000
"""things that names may mean before they are looked for by the database, as part of the query"""
Sql = ColumnElement[bool]
Many = Callable[[Sequence[Any]], list[bool]]
Scope = Callable[[ColumnElement[Any]], Select[Any]] | None
"""the values of a column over the rows that who asks may see; None: all of them"""


@dataclass(frozen=True, slots=True)
class Decided:
    """A condition on one column that Python decides."""

    column: ColumnElement[Any]
    many: Many


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions of which some are for Python to decide."""

    parts: tuple[Condition, ...]
    every: bool


Condition = Sql | Decided | Joined


class Compiler:
    """For one query, within one transaction."""

    def __init__(self, connection: Connection, entity: Entity, owned: Sequence[Sql], *, inside: bool) -> None:
        self._connection = connection
        self._entity = entity
        self._owned = owned
        self._inside = inside
        self._patience = Patience()
        self._patterns = 0

    def condition(self, expression: Expression) -> Condition:
        """Raises BadRequest for an attribute or a value that cannot be asked for."""
        if isinstance(expression, Comparison):
            return self._comparison(expression)
        return _joined([self.condition(part) for part in expression.parts], isinstance(expression, All))

    def select(self, condition: Condition, limit: int, skip: int) -> tuple[int, list[Any]]:
        """How many rows match, and the keys of those on the page."""
        needed = list(_needed(condition))
        query = select(self._entity.key, *(column.label(f"c{number}") for number, column in enumerate(needed)))
        query = query.select_from(self._entity.table).where(*self._owned, _superset(condition))
        total, page = 0, []
        for rows in self._portions(query.order_by(*self._entity.order)):
            keys, *values = zip(*rows, strict=True)
            matching = _decide(condition, iter(values))
            found = [key for key, yes in zip(keys, matching, strict=True) if yes]
            page += found[max(skip - total, 0) : max(skip + limit - total, 0)]
            total += len(found)
        return total, page

    # --- one comparison

    def _comparison(self, comparison: Comparison) -> Condition:
        attribute = self._entity.attributes.get(comparison.attribute)
        if attribute is None or (attribute.inside and not self._inside):
            raise unknown(comparison.attribute, self._entity.name, self._known())
        if comparison.operator.positive is Operator.MATCHES:
            self._patterns += 1
            if self._patterns > MOST_PATTERNS:
                reason = f"The query cannot be asked: it has more than {MOST_PATTERNS} patterns."
                raise BadRequest(reason, code="query_refused")
        found = self._positive(attribute, comparison, self._own_rows if self._owned else None)
        return _opposite(found) if comparison.operator.negated else found

    def _known(self) -> Iterable[str]:
        return [name for name, attribute in self._entity.attributes.items() if self._inside or not attribute.inside]

    def _own_rows(self, column: ColumnElement[Any]) -> Select[Any]:
        return _among(column, *self._owned)

    def _positive(self, attribute: Attribute, comparison: Comparison, scope: Scope) -> Condition:
        if isinstance(attribute, Own):
            return self._own(attribute, attribute.kind.asked(comparison))
        if isinstance(attribute, Via):
            inner = self._positive(attribute.attribute, comparison, _seen_from(attribute, scope))
            return self._referring(attribute, inner, scope)
        return self._reference(attribute, comparison, scope)

    def _own(self, attribute: Own, asked: Asked) -> Condition:
        test = asked.test
        if isinstance(test, Fits):
            return Decided(attribute.column, lambda values: test.many(values, self._patience))
        if isinstance(test, (Like, Holds, Before)) and attribute.folded is None:
            return Decided(attribute.column, lambda values: [test.holds(value) for value in values])
        return _sql(attribute.column if attribute.folded is None else attribute.folded, test)

    def _reference(self, attribute: Reference, comparison: Comparison, scope: Scope) -> Condition:
        if comparison.operator in (Operator.LESS, Operator.GREATER, Operator.AT_MOST, Operator.AT_LEAST):
            sentence = f"The query cannot be asked: {comparison.attribute} can be compared with = != in, not in, "
            raise BadRequest(f"{sentence}contains, matches.", code="query_refused")
        asked = Text(prefix=attribute.type).asked(comparison)
        inner = self._own(attribute.code, asked)
        if isinstance(asked.test, Like) and not asked.test.wild and isinstance(inner, ColumnElement):
            ids = self._meant(attribute, inner, asked.test.exact, scope)
            if len(ids) <= MOST_LOOKED_UP:
                return _never_null(attribute.here, attribute.here.in_(sorted(ids)))
        by_code = self._referring(attribute, inner, scope)
        by_id = self._own(Own(kind=Text(), column=attribute.here, folded=attribute.here), asked)
        return _joined([by_id, by_code], False)

    def _meant(self, attribute: Reference, inner: Sql, texts: Iterable[str], scope: Scope) -> set[str]:
        """Ids of what has one of these codes, and the texts that may be ids: looked up, since no database plans well
        for an id that it has yet to find."""
        code = attribute.code.column if attribute.code.folded is None else attribute.code.folded
        query = select(attribute.there, code).where(inner)
        if scope:
            seen = scope(attribute.here).where(attribute.here == attribute.there).correlate(attribute.there.table)
            query = query.where(seen.exists())
        found = self._connection.execute(query.limit(MOST_LOOKED_UP + 1)).all()
        codes = {code for _, code in found}
        return {id for id, _ in found}.union(text for text in texts if may_be_id(text) or text not in codes)

    def _referring(self, attribute: Via | Reference, inner: Condition, scope: Scope) -> Condition:
        """Rows that refer to one of those for which `inner` holds."""
        here = attribute.here
        if isinstance(inner, ColumnElement):
            if isinstance(attribute, Via) and attribute.shared:
                return exists().where(attribute.there == here, inner).correlate(self._entity.table)
            return _never_null(here, here.in_(_among(attribute.there, inner)))
        found = self._matching(attribute, inner, scope)
        return Decided(here, lambda values: [value in found for value in values])

    def _matching(self, attribute: Via | Reference, inner: Condition, scope: Scope) -> set[Any]:
        needed = (column.label(f"c{number}") for number, column in enumerate(_needed(inner)))
        query = select(attribute.there, *needed).where(_superset(inner))
        if scope:
            query = query.where(attribute.there.in_(scope(attribute.here)))
        found: set[Any] = set()
        for rows in self._portions(query):
            keys, *values = zip(*rows, strict=True)
            found.update(key for key, yes in zip(keys, _decide(inner, iter(values)), strict=True) if yes)
        return found

    def _portions(self, query: Any) -> Iterable[Sequence[Any]]:
        streaming = self._connection.execute(
            query, execution_options={"stream_results": True, "max_row_buffer": PORTION}
        )
        with streaming:
            yield from streaming.partitions(PORTION)


def rows_of(connection: Connection, columns: Sequence[Column[Any]], entity: Entity, keys: Sequence[Any]) -> list[Any]:
    """The rows of a page, in order."""
    query = select(*columns).order_by(*entity.order)
    return [row for batch in batches(keys) for row in connection.execute(query.where(entity.key.in_(batch)))]


def _among(column: ColumnElement[Any], *conditions: Sql) -> Select[Any]:
    return select(column).where(*conditions).correlate(None)


def _seen_from(attribute: Via, scope: Scope) -> Scope:
    if scope is None:
        return None
    return lambda column: _among(column, attribute.there.in_(scope(attribute.here)))


# --- joining -------------------------------------------------------------------------------------------------------


def _joined(parts: Sequence[Condition], every: bool) -> Condition:
    sql = [part for part in parts if isinstance(part, ColumnElement)]
    rest = [part for part in parts if not isinstance(part, ColumnElement)]
    together = [and_(*sql) if every else or_(*sql)] if sql else []
    return Joined((*together, *rest), every) if rest else together[0]


def _opposite(condition: Condition) -> Condition:
    if isinstance(condition, Decided):
        return Decided(condition.column, lambda values: [not yes for yes in condition.many(values)])
    if isinstance(condition, Joined):
        return Joined(tuple(map(_opposite, condition.parts)), not condition.every)
    return not_(condition)


def _superset(condition: Condition) -> Sql:
    """What SQL can say beforehand: holds wherever the condition does."""
    if isinstance(condition, Decided):
        return true()
    if isinstance(condition, Joined):
        parts = [_superset(part) for part in condition.parts]
        return and_(*parts) if condition.every else or_(*parts)
    return condition


def _needed(condition: Condition) -> Iterable[ColumnElement[Any]]:
    """What is selected for `_decide`, in its order."""
    if isinstance(condition, Joined):
        for part in condition.parts:
            yield from _needed(part)
    else:
        yield condition.column if isinstance(condition, Decided) else condition


def _decide(condition: Condition, values: Iterable[Sequence[Any]]) -> list[bool]:
    """`values`: an iterator over what `_needed` selected, column by column."""
    source = iter(values)
    if isinstance(condition, Joined):
        join = both if condition.every else either
        first, *rest = [_decide(part, source) for part in condition.parts]
        for more in rest:
            first = list(map(join, first, more))
        return first
    column = next(source)
    return condition.many(column) if isinstance(condition, Decided) else [bool(value) for value in column]


# --- SQL -----------------------------------------------------------------------------------------------------------


def _sql(column: ColumnElement[Any], test: Test) -> Sql:
    if isinstance(test, Within):
        return _within(column, test)
    if isinstance(test, OneOf):
        return column.in_(list(test.members))
    if isinstance(test, Like):
        return _never_null(column, _like(column, test))
    if isinstance(test, Holds):
        return _never_null(column, column.like(_text(f"%{_escaped(test.piece)}%"), escape="\\"))
    assert isinstance(test, Before)
    return _never_null(column, _compared(column, test))


def _within(column: ColumnElement[Any], test: Within) -> Sql:
    parts: list[Sql] = [column.is_(None)] if test.or_missing else []
    for low, high in test.ranges:
        bounds = [*([] if low is None else [column >= low]), *([] if high is None else [column < high])]
        parts.append(_never_null(column, and_(*bounds)))
    return or_(*parts)


def _like(column: ColumnElement[Any], test: Like) -> Sql:
    parts: list[Sql] = [column.in_(sorted(test.exact))] if test.exact else []
    return or_(*parts, *(_wild(column, pieces) for pieces in test.wild))


def _wild(column: ColumnElement[Any], pieces: Sequence[str]) -> Sql:
    """With the range of its beginning, for which there may be an index."""
    like = column.like(_text("%".join(map(_escaped, pieces))), escape="\\")
    first = pieces[0]
    if not first:
        return like
    return and_(column >= _text(first), column < _text(first + _LAST), like)


_LAST = "\U0010ffff"
"""sorts after all that follows a beginning"""


def _compared(column: ColumnElement[Any], test: Before) -> Sql:
    bound = _text(test.bound)
    found: Sql = {
        Operator.LESS: column < bound,
        Operator.AT_MOST: column <= bound,
        Operator.GREATER: column > bound,
        Operator.AT_LEAST: column >= bound,
    }[test.operator]
    return found


def _never_null(column: ColumnElement[Any], condition: Sql) -> Sql:
    return and_(column.is_not(None), condition) if getattr(column, "nullable", False) else condition


def _text(value: str) -> ColumnElement[str]:
    return literal(value, KEY)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
