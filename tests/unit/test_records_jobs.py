"""Jobs and tasks: made once, moved by the tables, never half."""

from __future__ import annotations

from dataclasses import replace

import pytest
from some_records import HOUR, NOW, entry_of, job_of, keep, kept, kinds, offer_of, submitted, user_of

from stagedoor.model.entities import Job, Task
from stagedoor.model.errors import Conflict, NotFound, OfferClosed
from stagedoor.model.states import (
    JOB,
    TASK,
    JobFact,
    JobState,
    OfferFact,
    OfferState,
    TaskFact,
    TaskStatus,
    WrongMove,
)
from stagedoor.records import Records

# How to come to each state from the beginning.
_PROVED = [JobFact.RECEIVED, JobFact.STARTED, JobFact.PROVED]
WAYS = {
    JobState.AWAITING_BYTES: [],
    JobState.RECEIVING: [JobFact.BYTES],
    JobState.UPLOAD_PAUSED: [JobFact.PAUSED],
    JobState.PROVE_WAITING: [JobFact.RECEIVED],
    JobState.PROVING: [JobFact.RECEIVED, JobFact.STARTED],
    JobState.PROVE_PAUSED: [JobFact.RECEIVED, JobFact.PAUSED],
    JobState.PROVE_FAILED: [JobFact.RECEIVED, JobFact.STARTED, JobFact.FAILED],
    JobState.PLACING: [*_PROVED],
    JobState.PLACE_WAITING: [*_PROVED, JobFact.PAUSED, JobFact.RESUMED],
    JobState.PLACE_PAUSED: [*_PROVED, JobFact.PAUSED],
    JobState.PLACE_FAILED: [*_PROVED, JobFact.FAILED],
    JobState.INGESTING: [*_PROVED, JobFact.PLACED],
    JobState.INGEST_WAITING: [*_PROVED, JobFact.PLACED, JobFact.FAILED, JobFact.RETRIED],
    JobState.INGEST_PAUSED: [*_PROVED, JobFact.PLACED, JobFact.PAUSED],
    JobState.INGEST_FAILED: [*_PROVED, JobFact.PLACED, JobFact.FAILED],
    JobState.DONE: [*_PROVED, JobFact.PLACED, JobFact.INGESTED],
    JobState.ABORTED: [JobFact.ABORTED],
}


def job_in(records: Records, state: JobState, path: str = "/p/a") -> Job:
    job = submitted(records, user_of(records), path)
    for fact in WAYS[state]:
        records.jobs.move(job.id, fact, NOW)
    return stored(records, job)


def stored(records: Records, job: Job) -> Job:
    found = records.jobs.job(job.id)
    assert found
    return found


def test_a_job_comes_back_as_it_was_submitted(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a", "/p/b")
    job = job_of(offer)
    assert records.jobs.submit(job, NOW) == job
    assert records.jobs.job(job.id) == job
    assert records.jobs.job_of_offer(offer.id) == job


def test_unknown_jobs_are_none(records: Records) -> None:
    assert records.jobs.job("f" * 24) is None
    assert records.jobs.job_of_offer("f" * 24) is None
    assert records.jobs.task_of_upload("f" * 24) is None
    assert records.jobs.receipt("f" * 24) is None


def test_submitting_uses_the_offer_up(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a")
    records.jobs.submit(job_of(offer), NOW)
    after = records.offers.offer(offer.id)
    assert after
    assert after.state is OfferState.SUBMITTED


def test_places_of_submitted_entries_pass_to_the_job_and_the_others_are_freed(records: Records) -> None:
    user, other = user_of(records), user_of(records, "b@x.example")
    offer = kept(records, user, "/p/a", "/p/b")
    records.jobs.submit(job_of(offer, offer.entries[0]), NOW)
    assert kinds(kept(records, other, "/p/a", "/p/b")) == ["refused", "accepted"]


def test_the_same_submit_again_gives_the_same_job(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a", "/p/b")
    first = records.jobs.submit(job_of(offer), NOW)
    records.jobs.note(first.id, "later", NOW)
    again = records.jobs.submit(job_of(offer, *reversed(offer.entries)), NOW + HOUR)
    assert again == stored(records, first)


def test_a_submit_of_other_entries_of_a_used_offer_is_refused(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a", "/p/b")
    records.jobs.submit(job_of(offer), NOW)
    with pytest.raises(OfferClosed) as refusal:
        records.jobs.submit(job_of(offer, offer.entries[0]), NOW)
    assert refusal.value.error_code == "offer_submitted"


@pytest.mark.parametrize("fact", [OfferFact.WITHDRAWN, OfferFact.EXPIRED, OfferFact.SUPERSEDED])
def test_a_closed_offer_cannot_be_submitted_and_says_why(records: Records, fact: OfferFact) -> None:
    offer = kept(records, user_of(records), "/p/a")
    records.offers.close(offer.id, fact, NOW)
    with pytest.raises(OfferClosed) as refusal:
        records.jobs.submit(job_of(offer), NOW)
    assert refusal.value.error_code == f"offer_{fact.value}"
    assert records.jobs.job_of_offer(offer.id) is None


def test_a_checked_offer_cannot_be_submitted(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a", state=OfferState.CHECKED)
    with pytest.raises(OfferClosed):
        records.jobs.submit(job_of(offer), NOW)


def test_an_offer_past_its_time_cannot_be_submitted_and_is_expired_by_it(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a", expires=NOW + HOUR)
    with pytest.raises(OfferClosed) as refusal:
        records.jobs.submit(job_of(offer), NOW + HOUR)
    assert refusal.value.error_code == "offer_expired"
    after = records.offers.offer(offer.id)
    assert after
    assert after.state is OfferState.EXPIRED


def test_anothers_offer_is_not_found(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a")
    with pytest.raises(NotFound):
        records.jobs.submit(replace(job_of(offer), user_id=user_of(records, "b@x.example").id), NOW)


@pytest.mark.parametrize("state", JobState)
def test_jobs_move_by_the_table_and_a_wrong_move_changes_nothing(records: Records, state: JobState) -> None:
    job = job_in(records, state)
    assert job.state is state
    for fact in JobFact:
        if (state, fact) not in JOB:
            with pytest.raises(WrongMove):
                records.jobs.move(job.id, fact, NOW + HOUR, error="no")
            assert stored(records, job) == job
    for number, fact in enumerate(fact for fact in JobFact if (state, fact) in JOB):
        job = job_in(records, state, f"/p/{number}")
        moved = records.jobs.move(job.id, fact, NOW + HOUR)
        assert (moved.state, moved.modified) == (JOB[state, fact], NOW + HOUR)
        assert moved == replace(stored(records, job), tasks=())
        assert records.jobs.state(job.id) is moved.state


def test_a_move_sets_further_columns_with_it(records: Records) -> None:
    job = job_in(records, JobState.PROVING)
    changes = {
        "error_code": "no_space",
        "error": "Full.",
        "error_detail": "/mnt: ENOSPC",
        "reference": "r",
        "due": NOW + HOUR,
        "failures": 2,
    }
    moved = records.jobs.move(job.id, JobFact.FAILED, NOW, **changes)
    assert {name: getattr(moved, name) for name in changes} == changes


def test_columns_that_a_move_may_not_set_are_refused(records: Records) -> None:
    job = job_in(records, JobState.PROVING)
    with pytest.raises(TypeError):
        records.jobs.move(job.id, JobFact.FAILED, NOW, user_id="x")
    with pytest.raises(TypeError):
        records.jobs.set(job.id, NOW, state=JobState.DONE)


@pytest.mark.parametrize("state", [JobState.DONE, JobState.ABORTED])
def test_a_job_that_ends_is_finished_and_gives_its_places_back(records: Records, state: JobState) -> None:
    job = job_in(records, state)
    assert job.finished == NOW
    assert records.offers.reserved(1) == 0


def test_a_failed_job_keeps_its_places(records: Records) -> None:
    job_in(records, JobState.INGEST_FAILED)
    assert records.offers.reserved(1) == 100


def test_unknown_ids_are_not_found(records: Records) -> None:
    job = job_in(records, JobState.AWAITING_BYTES)
    for call in (
        lambda: records.jobs.move("f" * 24, JobFact.BYTES, NOW),
        lambda: records.jobs.set("f" * 24, NOW, error="x"),
        lambda: records.jobs.note("f" * 24, "x", NOW),
        lambda: records.jobs.begin_attempt("f" * 24),
        lambda: records.jobs.cleared("f" * 24),
        lambda: records.jobs.move_task(job.id, "x", TaskFact.BYTES),
    ):
        with pytest.raises(NotFound):
            call()


def test_columns_are_set_without_a_move(records: Records) -> None:
    job = job_in(records, JobState.AWAITING_BYTES)
    records.jobs.set(job.id, NOW + 1, expires=NOW + HOUR, error="Disk full.", code="Ödla")
    expected = replace(job, modified=NOW + 1, expires=NOW + HOUR, error="Disk full.", code="Ödla")
    assert stored(records, job) == expected
    assert records.lists.jobs(code="ÖDLA")[0] == 1


def test_the_log_of_a_job_grows_at_its_end(records: Records) -> None:
    job = job_in(records, JobState.AWAITING_BYTES)
    records.jobs.note(job.id, "second", NOW)
    records.jobs.note(job.id, "third", NOW)
    assert stored(records, job).notes == ("made", "second", "third")


@pytest.mark.parametrize("status", TaskStatus)
def test_tasks_move_by_the_table(records: Records, status: TaskStatus) -> None:
    ways = {
        TaskStatus.PENDING: [],
        TaskStatus.EXECUTING: [TaskFact.BYTES],
        TaskStatus.QUEUED: [TaskFact.RECEIVED],
        TaskStatus.ONHOLD: [TaskFact.HELD],
        TaskStatus.EXCLUDED: [TaskFact.EXCLUDED],
        TaskStatus.FAILED: [TaskFact.RECEIVED, TaskFact.FAILED],
        TaskStatus.DONE: [TaskFact.RECEIVED, TaskFact.PLACED],
    }

    def task_in(path: str) -> tuple[Job, Task]:
        job = job_in(records, JobState.AWAITING_BYTES, path)
        task = job.tasks[0]
        for step in ways[status]:
            task = records.jobs.move_task(job.id, task.id, step)
        return job, task

    job, task = task_in("/p/a")
    for fact in TaskFact:
        if (status, fact) not in TASK:
            with pytest.raises(WrongMove):
                records.jobs.move_task(job.id, task.id, fact, received=7)
            assert stored(records, job).tasks == (task,)
    for number, fact in enumerate(fact for fact in TaskFact if (status, fact) in TASK):
        job, task = task_in(f"/p/{number}")
        moved = records.jobs.move_task(job.id, task.id, fact, received=7, error="x")
        assert moved == replace(task, status=TASK[status, fact], received=7, error="x")
        assert stored(records, job).tasks == (moved,)


def test_entry_ids_may_repeat_over_jobs(records: Records) -> None:
    """Scripts hold literal ids and run more than once."""
    user = user_of(records)
    entry = entry_of("/p/a")
    first = records.jobs.submit(job_of(keep(records, offer_of(user, entry))), NOW)
    second = records.jobs.submit(job_of(keep(records, offer_of(user, entry_of("/p/b", id=entry.id)))), NOW)
    records.jobs.set_received(second.id, entry.id, 9)
    assert (stored(records, first).tasks[0].received, stored(records, second).tasks[0].received) == (0, 9)


def test_a_task_is_found_by_its_upload_with_its_job(records: Records) -> None:
    job = submitted(records, user_of(records), "/p/a", "/p/b")
    found = records.jobs.task_of_upload(job.tasks[1].upload_id)
    assert found == (replace(job, tasks=job.tasks[1:]), job.tasks[1])


def test_attempts_count_from_one(records: Records) -> None:
    job = job_in(records, JobState.INGESTING)
    assert [records.jobs.begin_attempt(job.id) for _ in range(3)] == [1, 2, 3]
    assert stored(records, job).attempts == 3


def test_unfinished_jobs_are_counted_per_user(records: Records) -> None:
    for number, state in enumerate(JobState):
        job_in(records, state, f"/p/{number}")
    submitted(records, user_of(records, "b@x.example"), "/q")
    assert records.jobs.count_unfinished(user_of(records).id) == 15


def test_sweeps_find_the_jobs_they_are_for(records: Records) -> None:
    by_state = {state: job_in(records, state, f"/p/{number}").id for number, state in enumerate(JobState)}

    def ids(*states: JobState) -> list[str]:
        return sorted(by_state[state] for state in states)

    assert records.jobs.working() == ids(JobState.PROVING, JobState.PLACING, JobState.INGESTING)
    ended = max(records.jobs.job(id_).finished or 0 for id_ in ids(JobState.ABORTED))
    assert records.jobs.uncleared(ended) == ids(JobState.DONE, JobState.ABORTED)
    assert records.jobs.uncleared(ended - 1) == ids(JobState.DONE)
    records.jobs.cleared(by_state[JobState.DONE])
    assert records.jobs.uncleared(ended) == ids(JobState.ABORTED)
    late = NOW + 14 * 24 * HOUR
    assert records.jobs.idle(late - 1) == []
    assert records.jobs.idle(late) == ids(JobState.AWAITING_BYTES, JobState.RECEIVING)
    assert records.jobs.due(late) == []
    for state in (JobState.PROVE_FAILED, JobState.INGEST_FAILED, JobState.PLACING):
        records.jobs.set(by_state[state], NOW, due=NOW + HOUR)
    assert records.jobs.due(NOW + HOUR - 1) == []
    assert records.jobs.due(NOW + HOUR) == ids(JobState.PROVE_FAILED, JobState.INGEST_FAILED)


def test_a_job_without_a_time_to_expire_is_never_idle(records: Records) -> None:
    job = job_in(records, JobState.RECEIVING)
    records.jobs.set(job.id, NOW, expires=0)
    assert records.jobs.idle(NOW) == []


def test_a_job_goes_on_with_the_receipt_of_just_its_entries(records: Records) -> None:
    job = submitted(records, user_of(records), "/p/a", "/p/b")
    one, other = job.tasks
    for fact in (JobFact.RECEIVED, JobFact.STARTED):
        records.jobs.move(job.id, fact, NOW)
    with pytest.raises(WrongMove):
        records.jobs.proved(job.id, [one.id], b"{}", NOW)
    assert records.jobs.receipt(job.id) is None
    records.jobs.proved(job.id, [other.id, one.id], b'{"job":1}', NOW)
    assert (stored(records, job).state, records.jobs.receipt(job.id)) == (JobState.PLACING, b'{"job":1}')
    with pytest.raises(WrongMove):
        records.jobs.proved(job.id, [other.id, one.id], b"{}", NOW)


def test_what_tasks_lack_is_told_and_what_is_left_out_lacks_nothing(records: Records) -> None:
    job = submitted(records, user_of(records), "/p/a", "/p/b", "/p/c")
    one, two, three = (task.id for task in job.tasks)
    assert records.jobs.lacking(job.id) == {TaskStatus.PENDING}
    records.jobs.move_task(job.id, one, TaskFact.RECEIVED)
    records.jobs.change_tasks(job.id, [two], TaskFact.HELD, NOW)
    assert records.jobs.lacking(job.id) == {TaskStatus.PENDING, TaskStatus.ONHOLD}
    records.jobs.change_tasks(job.id, [two, three], TaskFact.EXCLUDED, NOW)
    assert records.jobs.lacking(job.id) == frozenset()


def test_the_size_of_a_job_is_that_of_the_entries_that_belong_to_it(records: Records) -> None:
    job = submitted(records, user_of(records), "/p/a", "/p/b")
    one, other = (task.id for task in job.tasks)
    records.jobs.set_received(job.id, one, 7)
    records.jobs.change_tasks(job.id, [one], TaskFact.EXCLUDED, NOW)
    assert (stored(records, job).size, records.lists.sums([job.id])[job.id].received) == (100, 0)
    with pytest.raises(Conflict) as refusal:
        records.jobs.change_tasks(job.id, [other], TaskFact.EXCLUDED, NOW)
    assert refusal.value.error_code == "last_entry"
    records.jobs.change_tasks(job.id, [one], TaskFact.RELEASED, NOW)
    assert (stored(records, job).size, records.lists.sums([job.id])[job.id].received) == (200, 7)


@pytest.mark.parametrize("state", JobState)
def test_entries_change_before_the_placing_and_bring_the_job_back_to_its_upload(
    records: Records, state: JobState
) -> None:
    job = job_in(records, state)
    if state.phase in ("upload", "prove"):
        records.jobs.change_tasks(job.id, [job.tasks[0].id], TaskFact.HELD, NOW)
        after = stored(records, job)
        assert (after.state.phase, after.state.status == "paused") == ("upload", job.state.status == "paused")
        assert after.tasks[0].status is TaskStatus.ONHOLD
    else:
        with pytest.raises(WrongMove):
            records.jobs.change_tasks(job.id, [job.tasks[0].id], TaskFact.HELD, NOW)
        assert stored(records, job) == job


def test_earlier_entries_are_those_of_the_same_user_that_may_still_be_somewhere(records: Records) -> None:
    """Placed ones for ever, others until their staging is cleared; the newest first, never those of the job itself."""
    user = user_of(records)
    placed, cleared, waiting, own = (submitted(records, user, f"/p/{name}") for name in "abcd")
    submitted(records, user_of(records, "b@x.example"), "/q")
    for job in (placed, cleared):
        records.jobs.move(job.id, JobFact.ABORTED, NOW)
        records.jobs.cleared(job.id)
    for fact in (TaskFact.RECEIVED, TaskFact.PLACED):
        records.jobs.move_task(placed.id, placed.tasks[0].id, fact)

    found = records.jobs.earlier(user.id, own.id, 10)

    assert [(entry.job_id, entry.placed) for entry in found] == [(waiting.id, False), (placed.id, True)]
    assert found[1].place == placed.tasks[0].place
    assert records.jobs.earlier(user.id, own.id, 1) == found[:1]
