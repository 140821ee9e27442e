"""Several threads on one database at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from some_records import NOW, entry_of, job_of, keep, kept, kinds, offer_of, submitted, user_of

from stagedoor.model.states import JobFact, WrongMove
from stagedoor.records import Records


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """The results (or errors) of calls that begin together."""
    start = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(number: int, call: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[number] = call()
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_two_threads_that_submit_the_same_offer_get_one_job(records: Records) -> None:
    user = user_of(records)
    for number in range(5):
        offer = kept(records, user, f"/p/{number}")
        jobs = [job_of(offer) for _ in range(4)]
        results = at_once(*[lambda job=job: records.jobs.submit(job, NOW).id for job in jobs])
        assert len(set(results)) == 1, results
        assert records.lists.jobs()[0] == number + 1


def test_of_two_users_who_want_one_place_at_once_one_gets_it(records: Records) -> None:
    users = [user_of(records, f"{name}@x.example") for name in "ab"]
    for number in range(5):
        offers = [offer_of(user, entry_of(f"/p/{number}")) for user in users]
        results = at_once(*[lambda offer=offer: kinds(keep(records, offer)) for offer in offers])
        assert sorted(results) == [["accepted"], ["refused"]]


def test_of_two_moves_at_once_one_is_made(records: Records) -> None:
    job = submitted(records, user_of(records), "/p/a")
    records.jobs.move(job.id, JobFact.RECEIVED, NOW)
    records.jobs.move(job.id, JobFact.STARTED, NOW)
    results = at_once(*[lambda: records.jobs.move(job.id, JobFact.PROVED, NOW)] * 4)
    assert sorted(type(result).__name__ for result in results) == ["Job", *["WrongMove"] * 3], results
    assert any(isinstance(result, WrongMove) for result in results)


def test_attempts_and_notes_counted_at_once_are_all_counted(records: Records) -> None:
    job = submitted(records, user_of(records), "/p/a")

    def work() -> list[int]:
        numbers = []
        for _ in range(10):
            numbers.append(records.jobs.begin_attempt(job.id))
            records.jobs.note(job.id, "x", NOW)
        return numbers

    results = at_once(*[work] * 4)
    assert sorted(number for numbers in results for number in numbers) == list(range(1, 41))
    after = records.jobs.job(job.id)
    assert after
    assert len(after.notes) == 41


def test_readers_do_not_wait_for_a_writer(records: Records) -> None:
    user = user_of(records)
    with records.database.write():
        assert at_once(lambda: records.house.user(user.id)) == [user]


def test_what_fails_in_a_transaction_leaves_nothing_behind(records: Records) -> None:
    """The last task of the job cannot be stored: its upload has the id of another."""
    user = user_of(records)
    taken = submitted(records, user, "/p/a").tasks[0].upload_id
    offer = kept(records, user, "/p/b", "/p/c")
    job = job_of(offer)
    broken = replace(job, tasks=(job.tasks[0], replace(job.tasks[1], upload_id=taken)))
    with pytest.raises(Exception, match="database"):
        records.jobs.submit(broken, NOW)
    assert records.jobs.job(job.id) is None
    assert records.offers.offer(offer.id) == offer
    assert records.jobs.submit(job, NOW) == job
