"""Filters and pages, newest first."""

from __future__ import annotations

from dataclasses import replace

from some_records import HOUR, NOW, job_of, kept, run_of, submitted, user_of

from stagedoor.model.entities import Concern, Role, RunState, Sums, Volume
from stagedoor.model.hooks import HookName
from stagedoor.model.slice import Slice
from stagedoor.model.states import JobFact, JobState, OfferFact, OfferState
from stagedoor.records import Records


def test_jobs_come_newest_first_without_tasks(records: Records) -> None:
    made = [submitted(records, user_of(records), f"/p/{number}") for number in range(3)]
    total, found = records.lists.jobs()
    assert total == 3
    assert found == [replace(job, tasks=()) for job in reversed(made)]


def test_pages_follow_one_another_and_the_total_stays(records: Records) -> None:
    made = [submitted(records, user_of(records), f"/p/{number}").id for number in range(5)]
    pages = [records.lists.jobs(wanted=Slice(limit=2, skip=skip)) for skip in (0, 2, 4, 6)]
    assert [total for total, _ in pages] == [5] * 4
    assert [job.id for _, page in pages for job in page] == made[::-1]


def test_ended_jobs_are_hidden_unless_asked_for(records: Records) -> None:
    user = user_of(records)
    ended, going = submitted(records, user, "/p/a"), submitted(records, user, "/p/b")
    records.jobs.move(ended.id, JobFact.ABORTED, NOW)

    def ids(**filters: object) -> list[str]:
        total, found = records.lists.jobs(**filters)  # type: ignore[arg-type]
        assert total == len(found)
        return [job.id for job in found]

    assert ids() == [going.id]
    assert ids(finished=True) == [going.id, ended.id]
    assert ids(id=ended.id) == [ended.id]
    assert ids(states=[JobState.ABORTED]) == [ended.id]
    assert ids(states=[]) == []


def test_jobs_are_filtered_by_user_time_and_code(records: Records) -> None:
    user, other = user_of(records), user_of(records, "b@x.example")
    mine = submitted(records, user, "/p/a")
    theirs = records.jobs.submit(job_of(kept(records, other, "/p/b"), created=NOW + HOUR, code="Sq020"), NOW)
    for filters, expected in (
        ({"user_id": user.id}, [mine.id]),
        ({"since": NOW + HOUR}, [theirs.id]),
        ({"since": NOW}, [theirs.id, mine.id]),
        ({"code": "SQ020"}, [theirs.id]),
        ({"code": "nothing"}, []),
        ({"id": mine.id, "user_id": other.id}, []),
    ):
        assert [job.id for job in records.lists.jobs(**filters)[1]] == expected


def test_received_bytes_are_summed_per_job(records: Records) -> None:
    job = submitted(records, user_of(records), "/p/a", "/p/b")
    for number, task in enumerate(job.tasks):
        records.jobs.set_received(job.id, task.id, 10 + number)
    assert records.lists.sums([job.id, "f" * 24]) == {job.id: Sums(2, 2, 21)}
    assert records.lists.sums([]) == {}
    without = records.lists.jobs(finished=True)[1]
    assert records.lists.with_tasks(without) == [records.jobs.job(job.id) for job in without]
    assert records.lists.with_tasks([]) == []


def test_offers_come_with_their_entries(records: Records) -> None:
    user = user_of(records)
    first = kept(records, user, "/p/a", "/p/b")
    second = kept(records, user, "/p/c", created=NOW + HOUR)
    theirs = kept(records, user_of(records, "b@x.example"), "/p/d")
    records.offers.close(theirs.id, OfferFact.WITHDRAWN, NOW)
    assert records.lists.offers(user_id=user.id) == (2, [second, first])
    assert records.lists.offers(since=NOW + HOUR) == (1, [second])
    assert records.lists.offers(state=OfferState.WITHDRAWN)[1][0].id == theirs.id


def test_runs_are_filtered(records: Records) -> None:
    check = run_of(hook=HookName.PRE_PUBLISH, offer_id="o", user_id="u", state=RunState.FAILED)
    ingest = run_of(job_id="j", started=NOW + HOUR)
    for run in (check, ingest):
        records.runs.begin(run)
    assert records.lists.runs() == (2, [ingest, check])
    for filters in ({"hook": HookName.PRE_PUBLISH}, {"offer_id": "o"}, {"user_id": "u"}, {"state": RunState.FAILED}):
        assert records.lists.runs(**filters) == (1, [check])
    assert records.lists.runs(job_id="j") == (1, [ingest])
    assert records.lists.runs(since=NOW + HOUR) == (1, [ingest])


def test_runs_tell_whom_and_what_they_are_about_as_far_as_it_is_known(records: Records) -> None:
    user = user_of(records)
    offer, job = kept(records, user, "/p/a", "/p/b"), submitted(records, user, "/p/c")
    check = run_of(user_id=user.id, offer_id=offer.id)
    ingest = run_of(user_id=user.id, offer_id=job.offer_id, job_id=job.id)
    unknown = run_of(user_id="gone", offer_id="gone", job_id="gone")
    assert records.lists.concerns([check, ingest, unknown, run_of(id="none")]) == {
        check.id: Concern(user=user.code, name="a", entries=2),
        ingest.id: Concern(user=user.code, name=job.code, entries=1),
        unknown.id: Concern(),
        "none": Concern(),
    }
    assert records.lists.concerns([]) == {}


def test_users_are_filtered(records: Records) -> None:
    anna, boss = user_of(records, "Anna@x.se"), records.house.add_user("boss@x.se", Role.ADMIN, "", NOW)
    anna = records.house.update_user(anna.id, NOW, enabled=False)
    assert records.lists.users() == (2, [boss, anna])
    for filters in ({"code": "ANNA@x.se"}, {"role": Role.STANDARD}, {"enabled": False}):
        assert records.lists.users(**filters) == (1, [anna])


def test_volumes_are_filtered(records: Records) -> None:
    one, two = (records.house.add_volume(Volume(id="", code=code, root=f"/mnt/{code}")) for code in ("one", "two"))
    two = records.house.update_volume(two.id, NOW, enabled=False)
    assert records.lists.volumes() == (2, [two, one])
    assert records.lists.volumes(code="ONE") == (1, [one])
    assert records.lists.volumes(enabled=False) == (1, [two])
