"""The query language: text becomes an expression (`model.query`), or a refusal that points at a column.

Rules
1. AND binds closer than OR; parentheses nest. Words of the language and names of attributes are read in any case.
2. A value is bare (no blank, quote, parenthesis, comma, or `=<>!`) or quoted; a quote within its own kind is doubled.
   A backslash means nothing here, so that patterns stand as they are.
3. A list after `in` is separated by commas, with or without parentheses; commas within quotes separate as well.
4. The parser is a table (LALR): its time grows with the text, whatever stands in it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ..model.errors import BadRequest
from ..model.query import LONGEST, All, AnyOf, Comparison, Expression, Operator, TooLarge, split_list

_GRAMMAR = r"""
?start: any
?any: all (_OR all)*
?all: term (_AND term)*
?term: comparison | _OPEN any _CLOSE
?comparison: NAME SIGN _value      -> one
           | NAME IN _list         -> one_of
           | NAME NOT IN _list     -> none_of
           | NAME CONTAINS _value  -> one
           | NAME NOT CONTAINS _value -> opposite
           | NAME MATCHES _value   -> one
           | NAME NOT MATCHES _value -> opposite
_list: _values | _OPEN _values _CLOSE
_values: _value (_COMMA _value)*
_value: BARE | QUOTED

NAME: /[A-Za-z_][A-Za-z0-9_]*/
SIGN: "=" | "!=" | "<>" | "<=" | ">=" | "<" | ">"
IN.2: /in\b/i
NOT.2: /not\b/i
CONTAINS.2: /contains\b/i
MATCHES.2: /matches\b/i
_AND: /and\b/i
_OR: /or\b/i
_OPEN: "("
_CLOSE: ")"
_COMMA: ","
BARE: /[^\s"'()=<>!,]+/
QUOTED: /"(?:[^"]|"")*"/ | /'(?:[^']|'')*'/
%ignore /\s+/
"""

_WORDS = {
    "NAME": "the name of an attribute",
    "SIGN": "a comparison (= != < > <= >= in, not in, contains, not contains, matches, not matches)",
    "NOT": "",
    "IN": "in",
    "CONTAINS": "contains",
    "MATCHES": "matches",
    "_AND": "AND",
    "_OR": "OR",
    "_OPEN": "(",
    "_CLOSE": ")",
    "_COMMA": "a comma",
    "BARE": "a value (in quotes where it holds blanks)",
    "$END": "the end",
}


def parse(text: str) -> Expression:
    """Raises BadRequest (`query_refused`); `details` hold the column, counted from 1, and what was expected there."""
    if len(text) > LONGEST:
        raise _too_large(f"an expression has at most {LONGEST} characters")
    try:
        found: Any = _parser().parse(_storable(text))
    except UnexpectedInput as error:
        raise _refused(text, error) from None
    except TooLarge as error:
        raise _too_large(str(error)) from None
    except ValueError as error:
        raise BadRequest(f"The query cannot be read: {error}.", code="query_refused") from None
    return found  # type: ignore[no-any-return]


def _storable(text: str) -> str:
    """Without what no database takes: NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@v_args(inline=True)
class _Build(Transformer[Token, Expression]):
    """Bottom up, while the text is read: nothing here calls itself."""

    def any(self, *parts: Expression) -> Expression:
        return AnyOf(parts)

    def all(self, *parts: Expression) -> Expression:
        return All(parts)

    def one(self, name: Token, operator: Token, value: Token) -> Expression:
        sign = "!=" if operator == "<>" else str(operator).lower()
        return Comparison(_name(name), Operator(sign), (_plain(value),))

    def opposite(self, name: Token, _not: Token, operator: Token, value: Token) -> Expression:
        return Comparison(_name(name), Operator(f"not {operator.lower()}"), (_plain(value),))

    def one_of(self, name: Token, _in: Token, *values: Token) -> Expression:
        return _listed(name, Operator.IN, values)

    def none_of(self, name: Token, _not: Token, _in: Token, *values: Token) -> Expression:
        return _listed(name, Operator.NOT_IN, values)


def _name(token: Token) -> str:
    return str(token).lower()


def _plain(token: Token) -> str:
    quote = token[0]
    if quote not in "\"'":
        return str(token)
    return str(token[1:-1]).replace(quote * 2, quote)


def _listed(name: Token, operator: Operator, tokens: tuple[Token, ...]) -> Expression:
    values = tuple(value for token in tokens for value in split_list(_plain(token)))
    if not values:
        raise ValueError(f"the list after {name} {operator} has no value")
    return Comparison(_name(name), operator, values)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="contextual", transformer=_Build(), propagate_positions=False)


def _too_large(reason: str) -> BadRequest:
    return BadRequest(f"The query is too large: {reason}.", code="query_refused")


def _refused(text: str, error: UnexpectedInput) -> BadRequest:
    position = error.pos_in_stream
    column = (len(text.rstrip()) if _at_end(error) or position is None else position) + 1
    wanted = _wanted(error)
    expected = [words for name, words in _WORDS.items() if name in wanted and words]
    rest = text[column - 1 :].split(maxsplit=1)
    if rest and rest[0][0] in "\"'" and "BARE" in wanted:
        sentence = f"at column {column} a quote is opened, but not closed"
    else:
        found = repr(rest[0][:20]) if rest else "nothing"
        sentence = f"at column {column} there is {found} instead of {' or '.join(expected)}"
    details = {"column": column, "expected": expected}
    return BadRequest(f"The query cannot be read: {sentence}.", code="query_refused", details=details)


def _at_end(error: UnexpectedInput) -> bool:
    return isinstance(error, UnexpectedToken) and error.token.type == "$END"


def _wanted(error: UnexpectedInput) -> set[str]:
    if isinstance(error, UnexpectedCharacters):
        wanted = set(error.allowed or ())
    else:
        assert isinstance(error, UnexpectedToken)
        wanted = set(error.accepts or error.expected)
    return wanted - {"IN", "CONTAINS", "MATCHES"} if "SIGN" in wanted else wanted
