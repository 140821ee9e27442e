"""The query language: what is written, what is meant, and what is said of what cannot be read."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.lifecycle.compare import FLAG, SECONDS_PER_VALUE, Asked, Number, Patience, Text, Time, Words
from stagedoor.lifecycle.grammar import parse
from stagedoor.model.errors import BadRequest
from stagedoor.model.query import All, AnyOf, Comparison, Expression, Operator, TooLarge, text

EQUAL, IN = Operator.EQUAL, Operator.IN


def is_(attribute: str, value: str) -> Comparison:
    return Comparison(attribute, EQUAL, (value,))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("status=failed", is_("status", "failed")),
        ("STATUS = Failed", is_("status", "Failed")),
        ("a=1 and b=2 AND c=3", All((is_("a", "1"), is_("b", "2"), is_("c", "3")))),
        ("a=1 or b=2 and c=3", AnyOf((is_("a", "1"), All((is_("b", "2"), is_("c", "3")))))),
        ("(a=1 or b=2)and(c=3)", All((AnyOf((is_("a", "1"), is_("b", "2"))), is_("c", "3")))),
        ("a<>1", Comparison("a", Operator.NOT_EQUAL, ("1",))),
        ("a >= 2026-01-02t03:04:05", Comparison("a", Operator.AT_LEAST, ("2026-01-02t03:04:05",))),
        ("type in 0,2", Comparison("type", IN, ("0", "2"))),
        ("type IN (0, 2)", Comparison("type", IN, ("0", "2"))),
        ('a not in "x, y z" or b=1', AnyOf((Comparison("a", Operator.NOT_IN, ("x", "y z")), is_("b", "1")))),
        ("a contains or", Comparison("a", Operator.CONTAINS, ("or",))),
        ("a NOT  Contains 'b c'", Comparison("a", Operator.NOT_CONTAINS, ("b c",))),
        (r'a matches "^\d+(x|y)$"', Comparison("a", Operator.MATCHES, (r"^\d+(x|y)$",))),
        ("in in in", Comparison("in", IN, ("in",))),
        ('a=\'it\'\'s\' or a="say ""x"""', AnyOf((is_("a", "it's"), is_("a", 'say "x"')))),
        ("user=user:ann+x@vendor.example", is_("user", "user:ann+x@vendor.example")),
        ("path=/Volumes/nas-01_*.exr", is_("path", "/Volumes/nas-01_*.exr")),
        ("name=JÖNS", is_("name", "JÖNS")),
        ("name=''", is_("name", "")),
        ("name='a\0'", is_("name", "a\ufffd")),
    ],
)
def test_what_is_written_is_read(written: str, meant: Expression) -> None:
    assert parse(written) == meant


@pytest.mark.parametrize(
    ("written", "column", "words"),
    [
        ("", 1, "nothing instead of the name of an attribute"),
        ("status", 7, "nothing instead of a comparison"),
        ("status=", 8, "nothing instead of a value"),
        ("status==done", 8, "'=done' instead of a value"),
        ("size ~ 5", 6, "'~' instead of a comparison"),
        ("a=1 b=2", 5, "'b=2' instead of AND or OR or the end"),
        ("a=1 and", 8, "nothing instead of the name of an attribute"),
        ("a=1 ANDb=2", 5, "'ANDb=2' instead of AND"),
        ("(a=1", 5, "nothing instead of )"),
        ("a=1)", 4, "')' instead of the end"),
        ("a not like b", 7, "'like' instead of in or contains or matches"),
        ("a = 'x", 5, "a quote is opened, but not closed"),
        ("a in 1,", 8, "nothing instead of a value"),
        ("größe = 1", 3, "'öße' instead of a comparison"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(written: str, column: int, words: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse(written)
    assert refusal.value.error_code == "query_refused"
    assert refusal.value.details["column"] == column
    assert words in refusal.value.message


@pytest.mark.parametrize(
    "written",
    [
        "a = 1 and " * 100 + "a = 1",
        "(a=1 or (b=1 and " * 20 + "c=1" + "))" * 20,
        "a = " + "x" * 1001,
        "a in " + ",".join(["x"] * 5001),
        " " * 200_001,
        "(" * 100_000,
    ],
)
def test_what_is_too_large_is_refused(written: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse(written)
    assert refusal.value.error_code == "query_refused"


_ALPHABET = st.one_of(
    st.characters(codec="utf-8", exclude_characters="\0"),
    st.sampled_from("'\"()=<>!, *\\:-.@andorinot"),
)
_VALUES = st.text(_ALPHABET, max_size=12)
_NAMES = st.one_of(st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True), st.sampled_from(["and", "or", "not", "in"]))
_LISTED = _VALUES.map(lambda value: value.replace(",", "").strip()).filter(bool)
_COMPARISONS = st.sampled_from(Operator).flatmap(
    lambda operator: st.builds(
        Comparison,
        _NAMES,
        st.just(operator),
        st.lists(_LISTED, min_size=1, max_size=3).map(tuple) if operator.positive is IN else st.tuples(_VALUES),
    )
)
EXPRESSIONS = st.recursive(
    _COMPARISONS,
    lambda inner: st.builds(
        lambda kind, parts: kind(tuple(parts)), st.sampled_from([All, AnyOf]), st.lists(inner, min_size=2, max_size=3)
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_an_expression_is_written_so_that_it_is_read_again(expression: Expression) -> None:
    assert parse(text(expression)) == expression


@given(
    st.one_of(st.text(max_size=60), st.text("ab12 =<>!()'\",andortsicm", max_size=60), EXPRESSIONS.map(text)), st.data()
)
def test_any_text_is_an_expression_or_a_clean_refusal(written: str, data: st.DataObject) -> None:
    cut = written[: data.draw(st.integers(0, len(written)))]
    for given_text in (written, cut):
        with contextlib.suppress(BadRequest):
            assert text(parse(given_text))


def test_values_that_a_list_cannot_hold_are_none_of_an_expression() -> None:
    for values in ((), ("a,b",), (" a",), ("",)):
        with pytest.raises(ValueError):
            Comparison("a", IN, values)
    with pytest.raises(TooLarge):
        Comparison("a", EQUAL, ("x" * 1001,))


# --- what a comparison asks of a value -----------------------------------------------------------------------------

STATUS = Words({"failed": frozenset({1, 2}), "done": frozenset({3})})


def asks(kind: Text | Number | Time | Words, written: str) -> Asked:
    found = parse(written)
    assert isinstance(found, Comparison)
    return kind.asked(found)


@pytest.mark.parametrize(
    ("kind", "written", "holds", "not_for"),
    [
        (Text(), "a = jöns", ["JÖNS", "jo\u0308ns", " Jöns "], ["jons", ""]),
        (Text(), "a != strasse", ["", None], ["Straße"]),
        (Text(), "a = sq*_v00*1", ["SQ010_v001", "sq_v001"], ["sq010_v002", "xsq_v001"]),
        (Text(), "a = *", ["", "x"], []),
        (Text(), "a in x*, y", ["X1", "y"], ["z"]),
        (Text(), "a contains '*'", ["a*b"], ["ab"]),
        (Text(), "a > b", ["c", "Ba"], ["b", "a"]),
        (Text(), r"a matches '^J.NS\d$'", ["jöns1"], ["jöns"]),
        (Text(prefix="queue"), "a = queue:high", ["High"], ["queue:high"]),
        (Number(), "a >= 5", [5, 6], [4, None]),
        (Number(), "a in 1, -2", [1, -2], [2]),
        (Number(), "a = ''", [None], [0]),
        (Number(), "a != 3", [None, 4], [3]),
        (Time(), "a = 2023-11-14", [1_699_920_000_000, 1_700_006_399_999], [1_700_006_400_000, None]),
        (Time(), "a > 2023-11-14t22:13:20", [1_700_000_001_000], [1_700_000_000_999]),
        (Time(), "a <= '2023-11-14 23:13:20.5+01:00'", [1_700_000_000_500], [1_700_000_000_501]),
        (STATUS, "a = Failed", [1, 2], [3]),
        (STATUS, "a not in failed, done", [], [1, 2, 3]),
        (STATUS, "a matches ^d", [3], [1]),
        (STATUS, "a = f*", [1, 2], [3]),
        (FLAG, "a = true", [True], [False]),
    ],
)
def test_a_comparison_holds_for_these_and_not_for_those(
    kind: Text | Number | Time | Words, written: str, holds: list[object], not_for: list[object]
) -> None:
    asked = asks(kind, written)
    assert [value for value in holds if not asked.holds(value)] == []
    assert [value for value in not_for if asked.holds(value)] == []


@pytest.mark.parametrize(
    ("kind", "written", "words"),
    [
        (Number(), "a > many", "'many' is none"),
        (Number(), "a = 9999999999999999999", "is none"),
        (Number(), "a contains 1", "it can be compared with"),
        (Number(), "a < ''", "nothing is neither more nor less"),
        (Time(), "a > yesterday", "write 2026-03-01"),
        (Time(), "a > 2026-02-30", "is none"),
        (Time(), "a > '0001-01-01 00:00+23:59'", "is none"),
        (STATUS, "a = finished", "there are: done, failed"),
        (STATUS, "a > done", "can be compared with"),
        (Text(), "a matches '(?=x)'", "invalid perl operator"),
        (Text(), "a matches '(a?){1000}a{1000}'", "too large"),
        (Text(), "a = " + "x*" * 11, "at most 10 *"),
    ],
)
def test_a_value_that_cannot_be_compared_is_refused_with_the_way_out(
    kind: Text | Number | Time | Words, written: str, words: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        asks(kind, written)
    assert words in refusal.value.message


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+b", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_pattern_that_others_choke_on_takes_the_time_of_a_moment(pattern: str) -> None:
    """Elsewhere these take longer than the universe has."""
    asked = asks(Text(), f'a matches "{pattern}"')
    assert asked.test.holds("a" * 100_000 + "!") in (True, False)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+b", "(.*)*x", "([a-z]*[0-9]?){30}!", "(x|y|a{1,30}){20}$"])
def test_a_pattern_that_takes_long_is_given_up_after_a_moment_of_a_processor(pattern: str) -> None:
    """After a tenth of a second beyond what is ordinary; twice that here, since processors are shared."""
    values = ["shot_" + "a" * 20_000] * 20_000
    seen = 0
    began = time.thread_time()
    asked, patience = asks(Text(), f'a matches "{pattern}"'), Patience()
    with pytest.raises(BadRequest) as refusal:  # noqa: PT012
        for start in range(0, len(values), 100):
            asked.test.many(values[start : start + 100], patience)  # type: ignore[union-attr]
            seen += 100
    assert time.thread_time() - began - seen * SECONDS_PER_VALUE < 0.2
    assert refusal.value.error_code == "query_too_slow"


def test_patience_ends() -> None:
    patience = Patience()
    patience.spent(1.0, 1_000_000)
    with pytest.raises(BadRequest) as refusal:
        patience.spent(0.5, 1)
    assert refusal.value.error_code == "query_too_slow"


def test_a_pattern_spends_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(time, "thread_time", lambda: float(next(ticks)))
    test = asks(Text(), "a matches b").test
    with pytest.raises(BadRequest):
        test.many(["x"] * 20, Patience())  # type: ignore[union-attr]
