"""What post hooks are still to be told, as the database keeps it."""

from __future__ import annotations

from typing import Any

import pytest
from some_records import NOW, submitted, user_of

from stagedoor.model.entities import Hook, Job, Notice
from stagedoor.model.hooks import AFTERWARDS, HookName
from stagedoor.model.states import JobFact, WrongMove
from stagedoor.records import Records


@pytest.fixture
def hooks(records: Records) -> None:
    for name in AFTERWARDS:
        records.house.set_hook(Hook(name=name, command="x"))


def move(records: Records, job: Job, *facts: JobFact, **changes: Any) -> None:
    for fact in facts[:-1]:
        records.jobs.move(job.id, fact, NOW)
    records.jobs.move(job.id, facts[-1], NOW + 1, **changes)


def told(records: Records) -> list[tuple[HookName, str]]:
    return [(notice.hook, notice.status) for notice in records.notices.waiting(100)]


TO_THE_HOOK = (JobFact.RECEIVED, JobFact.STARTED, JobFact.PROVED, JobFact.PLACED)


def test_a_job_that_is_made_and_done_leaves_two_notices_in_order(records: Records, hooks: None) -> None:
    job = submitted(records, user_of(records), "/p/a")
    move(records, job, *TO_THE_HOOK, JobFact.INGESTED)
    assert told(records) == [(HookName.POST_SUBMIT, "waiting"), (HookName.POST_DONE, "done")]


def test_without_a_hook_there_is_nobody_to_tell(records: Records) -> None:
    records.house.set_hook(Hook(name=HookName.POST_DONE, queue="other", command="x"))
    job = submitted(records, user_of(records), "/p/a")
    move(records, job, *TO_THE_HOOK, JobFact.INGESTED)
    assert told(records) == []


def test_a_notice_says_how_the_job_stood_at_that_moment(records: Records, hooks: None) -> None:
    job = submitted(records, user_of(records), "/p/a")
    wrong = {"error": "Failed.", "error_code": "hook_failed", "error_detail": "exit 1", "reference": "r", "failures": 1}
    move(records, job, *TO_THE_HOOK, JobFact.FAILED, **wrong)
    records.jobs.move(job.id, JobFact.RETRIED, NOW)
    _, failed = records.notices.waiting(100)
    assert failed == Notice(
        id=failed.id,
        hook=HookName.POST_FAILED,
        job_id=job.id,
        created=NOW + 1,
        status="failed",
        error="Failed.",
        error_code="hook_failed",
        error_detail="exit 1",
        reference="r",
    )


def test_of_failures_in_a_row_the_first_is_told_and_that_after_which_a_person_must_act(
    records: Records, hooks: None
) -> None:
    job = submitted(records, user_of(records), "/p/a")
    move(records, job, JobFact.RECEIVED, JobFact.STARTED, JobFact.FAILED, failures=1, due=NOW + 10)
    for failures, due in ((2, NOW + 20), (3, NOW + 30), (4, None)):
        move(records, job, JobFact.RETRIED, JobFact.STARTED, JobFact.FAILED, failures=failures, due=due)
    assert [notice.due for notice in records.notices.waiting(100)[1:]] == [NOW + 10, None]


def test_a_move_that_is_refused_tells_nobody(records: Records, hooks: None) -> None:
    job = submitted(records, user_of(records), "/p/a")
    with pytest.raises(WrongMove):
        records.jobs.move(job.id, JobFact.INGESTED, NOW)
    assert told(records) == [(HookName.POST_SUBMIT, "waiting")]


def test_attempts_are_counted_until_the_notice_is_settled(records: Records, hooks: None) -> None:
    submitted(records, user_of(records), "/p/a")
    (notice,) = records.notices.waiting(100)
    assert [records.notices.begin(notice.id), records.notices.begin(notice.id)] == [1, 2]
    records.notices.settle(notice.id)
    assert records.notices.begin(notice.id) == 0
    assert records.notices.waiting(100) == []


def test_the_oldest_are_seen_first_and_no_more_than_asked_for(records: Records, hooks: None) -> None:
    jobs = [submitted(records, user_of(records), f"/p/{name}") for name in "abc"]
    assert [notice.job_id for notice in records.notices.waiting(2)] == [job.id for job in jobs[:2]]
