"""Runs of hooks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from some_records import NOW, run_of

from stagedoor.model.entities import RunState
from stagedoor.model.errors import NotFound
from stagedoor.records import Records


def test_a_run_comes_back_as_it_began_and_as_it_ended(records: Records) -> None:
    run = run_of(job_id="j", user_id="u", attempt=2, pid_started="123 boot")
    records.runs.begin(run)
    assert records.runs.run(run.id) == run
    records.runs.update(run.id, state=RunState.FAILED, ended=NOW + 5, exit_code=-9, pid=2**31, error="killed")
    ended = replace(run, state=RunState.FAILED, ended=NOW + 5, exit_code=-9, pid=2**31, error="killed")
    assert records.runs.run(run.id) == ended


def test_what_a_run_was_cannot_be_changed(records: Records) -> None:
    run = run_of()
    records.runs.begin(run)
    with pytest.raises(TypeError):
        records.runs.update(run.id, command="x")
    with pytest.raises(TypeError):
        records.runs.update(run.id, colour="x")
    with pytest.raises(NotFound):
        records.runs.update("f" * 24, error="x")
    assert records.runs.run("f" * 24) is None


def test_unfinished_runs_are_those_recorded_as_running(records: Records) -> None:
    runs = [run_of(state=state) for state in RunState]
    for run in runs:
        records.runs.begin(run)
    assert records.runs.unfinished() == [run for run in runs if run.state is RunState.RUNNING]


def test_runs_of_a_job_are_in_order(records: Records) -> None:
    runs = [run_of(job_id="a"), run_of(job_id="b"), run_of(job_id="a", attempt=2)]
    for run in reversed(runs):
        records.runs.begin(run)
    assert records.runs.runs_of_job("a") == [runs[0], runs[2]]


def test_old_runs_are_found_and_forgotten(records: Records) -> None:
    old, new, running = run_of(ended=NOW + 1), run_of(ended=NOW + 9), run_of()
    for run in (old, new, running):
        records.runs.begin(run)
    assert records.runs.ended_before(NOW + 9) == [old.id]
    records.runs.forget([old.id])
    assert records.runs.run(old.id) is None
    assert records.runs.run(new.id) == new
