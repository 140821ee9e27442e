"""CSV: read back by a strict reader, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.cli.table import cell, write_csv
from stagedoor.model.names import printable

FORMULAS = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", "\n=1", "\u00a0@x", "＝1", "＋1", "－1", "＠x"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_takes_for_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert cell(text) == "'" + printable(text)


@pytest.mark.parametrize("text", ["x", "1", "a=1", "'=1", ""])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_what_is_written_is_read_back_cell_by_cell(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO(newline="")
    assert write_csv(out, ("a", "b"), [SimpleNamespace(a=a, b=b) for a, b in rows]) == len(rows)
    text = out.getvalue()
    assert text.count("\r\n") == text.count("\n") == text.count("\r") == len(rows) + 1
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert read == [["a", "b"], *([cell(a), cell(b)] for a, b in rows)]
    for record in read:
        assert not any(value.lstrip().startswith(("=", "+", "-", "@")) for value in record)
