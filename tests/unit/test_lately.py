"""Answers that may be a moment old."""

from __future__ import annotations

import pytest

from stagedoor.lifecycle.lately import Lately


def refuse(key: str) -> str:
    raise LookupError(key)


def test_nothing_is_kept_of_a_question_that_was_refused() -> None:
    """Keys come from whoever asks: what stayed of each would fill the memory."""
    lately = Lately(refuse)
    for number in range(100):
        with pytest.raises(LookupError):
            lately(f"key {number}")
    assert not lately._asking
    assert not lately._known


def test_an_answer_is_remembered_until_it_is_to_be_forgotten() -> None:
    asked: list[str] = []
    lately = Lately(lambda key: asked.append(key) or len(asked), seconds=60)  # type: ignore[func-returns-value]
    assert [lately("a"), lately("a"), lately("b")] == [1, 1, 2]
    lately.forget("a")
    assert [lately("a"), lately("b")] == [3, 2]
