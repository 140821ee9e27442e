"""The journal: what was half written or damaged costs itself and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stagedoor.volumes.journal import Journal, line, parse

texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=8)
records = st.lists(st.dictionaries(texts, st.integers(0, 2**60) | texts, max_size=3), min_size=1, max_size=6)


def values(data: bytes) -> list[dict[str, Any]]:
    return [record.value for record in parse(data)[0]]


@given(records, st.data())
def test_a_journal_cut_anywhere_keeps_every_whole_record_and_no_other(
    written: list[dict[str, Any]], data: st.DataObject
) -> None:
    lines = [line(value) for value in written]
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    kept, end = 0, 0
    while kept < len(lines) and end + len(lines[kept]) <= cut:
        end += len(lines[kept])
        kept += 1
    found, length = parse(whole[:cut])
    assert [record.value for record in found] == written[:kept]
    assert length == end


@given(records, st.data())
def test_a_damaged_byte_costs_at_most_its_own_record(written: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = [line(value) for value in written]
    whole = bytearray(b"".join(lines))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    hit = next(index for index in range(len(lines)) if at < sum(map(len, lines[: index + 1])))
    assert values(bytes(whole)) in (written, written[:hit] + written[hit + 1 :])


def test_what_is_appended_after_a_torn_tail_does_not_merge_with_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(line({"a": 1}) + line({"b": 2})[:-3])
    journal = Journal(path)
    assert [record.value for record in journal.read()] == [{"a": 1}]
    journal.append({"c": 3})
    assert [record.value for record in Journal(path).read()] == [{"a": 1}, {"c": 3}]


def test_an_append_says_where_its_record_begins(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.touch()
    journal = Journal(path)
    begun = [journal.append({"n": number}) for number in range(3)]
    assert begun == [record.at for record in journal.read()]


def test_zeros_that_a_power_cut_left_at_the_end_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(line({"a": 1}) + bytes(512))
    assert len(Journal(path).read()) == 1
    assert path.read_bytes() == line({"a": 1})
