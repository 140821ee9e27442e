"""Files laid end to end, and sets of their bytes; compared with lists of bytes and sets of integers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.model import tape as tape_module
from stagedoor.model.tape import Range, Ranges, Tape

SIZES = st.lists(st.integers(0, 7), max_size=12)
BYTES = st.sets(st.integers(0, 40))
SPAN = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: (min(pair), max(pair)))
SPANS = st.lists(SPAN, max_size=8)


def as_set(ranges: object) -> set[int]:
    return {number for start, end in ranges for number in range(start, end)}  # type: ignore[attr-defined]


def of_set(numbers: set[int]) -> Ranges:
    return Ranges((number, number + 1) for number in numbers)


@given(SIZES, st.data())
def test_pieces_cover_a_range_exactly_and_in_order(sizes: list[int], data: st.DataObject) -> None:
    """Byte by byte: the pieces of a range are the bytes of the files, one after the other."""
    tape = Tape(sizes)
    every_byte = [(index, offset) for index, size in enumerate(sizes) for offset in range(size)]
    start = data.draw(st.integers(0, tape.size))
    end = data.draw(st.integers(start, tape.size))
    pieces = list(tape.pieces(start, end))
    assert [(p.file, p.offset + n) for p in pieces for n in range(p.size)] == every_byte[start:end]
    assert all(piece.size > 0 for piece in pieces)
    assert len({piece.file for piece in pieces}) == len(pieces)


@given(SIZES, st.integers(1, 8), st.data())
def test_runs_cover_a_range_and_are_cut_around_large_files_that_lie_whole_in_it(
    sizes: list[int], large: int, data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape_module, "LARGE", large)
        tape = Tape(sizes)
    start = data.draw(st.integers(0, tape.size))
    end = data.draw(st.integers(start, tape.size))
    files = [tape.range_of(index) for index, size in enumerate(sizes) if size >= large]
    runs = tape.runs(start, end)
    assert [Range(run.start, run.end) for run in runs if run.file] == [
        file for file in files if start <= file.start and file.end <= end
    ]
    assert [number for run in runs for number in range(run.start, run.end)] == list(range(start, end))
    assert all(run.start < run.end for run in runs)
    assert not any(one.file == other.file == False for one, other in itertools.pairwise(runs))  # noqa: E712


@given(SIZES, st.data())
def test_where_the_last_file_ends_within_a_range(sizes: list[int], data: st.DataObject) -> None:
    tape = Tape(sizes)
    start = data.draw(st.integers(0, tape.size))
    until = data.draw(st.integers(start, tape.size))
    ends = {tape.range_of(index).end for index in range(len(sizes))}
    assert tape.file_end(start, until) == max((end for end in ends if start < end <= until), default=until)


@given(SIZES)
def test_each_file_has_its_place_on_the_tape(sizes: list[int]) -> None:
    tape = Tape(sizes)
    assert tape.size == sum(sizes)
    for index, size in enumerate(sizes):
        assert tape.range_of(index) == Range(sum(sizes[:index]), sum(sizes[: index + 1]))
        assert tape.range_of(index).size == size


@pytest.mark.parametrize("span", [(-1, 2), (2, 1), (0, 11), (11, 11)])
def test_what_is_not_on_the_tape_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not within"):
        list(Tape([4, 0, 6]).pieces(*span))


@given(SPANS)
def test_ranges_are_sorted_disjoint_apart_and_never_empty(spans: list[tuple[int, int]]) -> None:
    ranges = Ranges(spans)
    assert as_set(ranges) == as_set(spans)
    assert all(item.start < item.end for item in ranges)
    items = list(ranges)
    assert all(one.end < other.start for one, other in itertools.pairwise(items))
    assert ranges.size == len(as_set(spans))
    assert bool(ranges) == bool(as_set(spans))


@given(BYTES, BYTES, SPAN)
def test_ranges_compute_as_sets_of_bytes_do(one: set[int], other: set[int], span: tuple[int, int]) -> None:
    a, b, window = of_set(one), of_set(other), set(range(*span))
    assert as_set(a.union(b)) == one | other
    assert as_set(a.without(b)) == one - other
    assert as_set(a.within(*span)) == one & window
    assert as_set(a.missing(*span)) == window - one
    assert (a == b) == (one == other)
    assert a.union(list(b)) == a.union(b)
    assert a.without(list(b)) == a.without(b)


@given(BYTES, BYTES)
def test_ranges_never_change(one: set[int], other: set[int]) -> None:
    a = of_set(one)
    before = list(a)
    a.union(of_set(other)), a.without(of_set(other)), a.missing(0, 40)
    assert list(a) == before


@given(BYTES)
def test_equal_ranges_have_one_hash_and_one_spelling(numbers: set[int]) -> None:
    again = Ranges(list(of_set(numbers))[::-1])
    assert again == of_set(numbers)
    assert hash(again) == hash(of_set(numbers))
    assert eval(repr(again)) == again


@pytest.mark.parametrize("span", [(-1, 3), (3, 2)])
def test_what_is_no_range_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not a range"):
        Ranges([span])
