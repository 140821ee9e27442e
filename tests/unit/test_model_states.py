"""States as tables: what is not in them cannot happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.model.states import (
    JOB,
    OFFER,
    RUNNING,
    TASK,
    WAITING,
    JobFact,
    JobState,
    OfferFact,
    OfferState,
    TaskFact,
    TaskStatus,
    WrongMove,
    after,
    before,
)

TABLES: list[tuple[Mapping[Any, Any], type[Enum], type[Enum]]] = [
    (JOB, JobState, JobFact),
    (TASK, TaskStatus, TaskFact),
    (OFFER, OfferState, OfferFact),
]
MOVES = [(table, state, fact) for table, states, facts in TABLES for state in states for fact in facts]


@pytest.mark.parametrize(("table", "state", "fact"), MOVES, ids=str)
def test_a_fact_is_in_the_table_or_a_wrong_move(table: Mapping[Any, Any], state: Any, fact: Any) -> None:
    if (state, fact) in table:
        assert after(table, state, fact) is table[state, fact]
        assert state in before(table, fact)
    else:
        with pytest.raises(WrongMove, match=str(state)):
            after(table, state, fact)
        assert state not in before(table, fact)


def test_a_job_is_done_by_its_ingest_and_by_nothing_else() -> None:
    """A job that was paused or waits again may have a hook that had begun before."""
    begun = (JobState.INGEST_WAITING, JobState.INGESTING, JobState.INGEST_PAUSED)
    assert [move for move, end in JOB.items() if end is JobState.DONE] == [(state, JobFact.INGESTED) for state in begun]


def test_what_has_ended_stays_as_it_is() -> None:
    ended = [state for state in JobState if state.ended]
    assert ended == [JobState.DONE, JobState.ABORTED]
    assert not [state for state, _ in JOB if state in ended]
    assert {state for state, _ in OFFER} == {OfferState.OPEN}
    assert not [state for state, _ in TASK if state is TaskStatus.DONE]


def test_every_job_that_has_not_ended_can_be_aborted() -> None:
    assert set(before(JOB, JobFact.ABORTED)) == {state for state in JobState if not state.ended}


def test_every_failure_goes_on_where_it_happened() -> None:
    for (state, fact), failed in JOB.items():
        if fact is JobFact.FAILED:
            assert failed.status == "failed"
            waits = after(JOB, failed, JobFact.RETRIED)
            assert (waits in WAITING, waits.phase) == (True, state.phase)


def test_what_waits_is_begun_in_its_own_step_and_by_its_turn_alone() -> None:
    for state in WAITING:
        begun = after(JOB, state, JobFact.STARTED)
        assert (begun in RUNNING, begun.phase) == (True, state.phase)
    assert {state for (_, fact), state in JOB.items() if state in RUNNING and fact is not JobFact.STARTED} == {
        JobState.PLACING,
        JobState.INGESTING,
    }


def test_a_pause_ends_where_it_began() -> None:
    for (state, fact), paused in JOB.items():
        if fact is JobFact.PAUSED:
            assert (paused.status, paused.phase) == ("paused", state.phase)
            assert after(JOB, paused, JobFact.RESUMED).phase == state.phase


def test_every_state_can_be_reached() -> None:
    for table, states, start in ((JOB, JobState, JobState.AWAITING_BYTES), (TASK, TaskStatus, TaskStatus.PENDING)):
        reached = {start}
        for _ in states:
            reached |= {end for (state, _), end in table.items() if state in reached}
        assert reached == set(states)


PHASES = ["upload", "prove", "place", "ingest", "ended"]


@given(st.lists(st.sampled_from(list(JobFact)), max_size=40))
def test_phases_go_forward_and_only_damage_and_other_entries_lead_back_to_the_upload(facts: list[JobFact]) -> None:
    state = JobState.AWAITING_BYTES
    for fact in facts:
        try:
            following = after(JOB, state, fact)
        except WrongMove:
            continue
        forward = PHASES.index(following.phase) >= PHASES.index(state.phase)
        assert forward or (fact in (JobFact.DAMAGED, JobFact.CHANGED) and following.phase == "upload")
        state = following


@given(st.lists(st.sampled_from(list(JobFact)), max_size=40))
def test_no_job_is_done_that_was_not_received_proved_and_placed(facts: list[JobFact]) -> None:
    state, seen = JobState.AWAITING_BYTES, []
    for fact in facts:
        if (state, fact) in JOB:
            state = JOB[state, fact]
            seen.append(fact)
    if state is JobState.DONE:
        needed = [JobFact.RECEIVED, JobFact.PROVED, JobFact.PLACED, JobFact.INGESTED]
        assert [fact for fact in seen if fact in needed][-4:] == needed


def test_people_read_the_words_that_scripts_know() -> None:
    assert {state.status for state in JobState} == {"waiting", "running", "paused", "failed", "aborted", "done"}
    assert {state.phase for state in JobState} == set(PHASES)
