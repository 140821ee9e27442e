"""Ids of entities."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from stagedoor.records import ids, new_id


def test_an_id_is_24_lower_case_hexadecimal_characters() -> None:
    assert re.fullmatch("[0-9a-f]{24}", new_id())


def test_ids_of_one_process_strictly_increase() -> None:
    made = [new_id() for _ in range(70_000)]
    assert all(one < other for one, other in pairwise(made))


def test_ids_of_many_threads_differ_and_each_thread_sees_them_increase() -> None:
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [new_id() for _ in range(500)], range(8)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({id for batch in batches for id in batch}) == 4000


def test_an_id_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = int(new_id()[:12], 16)
    assert before <= made <= before + 60_000


def test_ids_increase_though_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000_000)
    assert new_id() > before


def test_ids_increase_when_a_millisecond_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time_ns() // 1_000_000 + 60_000
    monkeypatch.setattr(ids, "_last", (later, 0xFFFE))
    made = [new_id() for _ in range(3)]
    assert [id[:16] for id in made] == [f"{later:012x}ffff", f"{later + 1:012x}0000", f"{later + 1:012x}0001"]
