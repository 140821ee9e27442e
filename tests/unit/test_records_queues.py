"""Queues, and whose turn it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from some_records import NOW, submitted, user_of

from stagedoor.lifecycle.queues import Queues
from stagedoor.model.entities import Job, QueueStatus
from stagedoor.model.errors import BadRequest, Conflict, NotFound, StagedoorError
from stagedoor.model.settings import Level
from stagedoor.model.states import JobFact, JobState
from stagedoor.records import Records


@pytest.fixture
def queues(records: Records) -> Queues:
    records.house.found("acme", "boss@acme.example", NOW)
    return Queues(records.queues, lambda: NOW)


def limit(records: Records, name: str, value: int, queue: str = "") -> None:
    on = {queue.code: (Level.QUEUE, queue.id) for queue in records.queues.queues()}
    level, id_ = on.get(queue, (Level.WORKSPACE, records.house.workspace().id))
    records.levels.change_setting(level, id_, name, value)


class Line:
    """Jobs that wait for their turn, by a name of their own."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.names: dict[str, str] = {}

    def add(self, name: str, queue: str = "medium", user: str = "anna@vendor.example") -> Job:
        job = submitted(self.records, user_of(self.records, user), f"/p/{name}")
        queue_id = next(item.id for item in self.records.queues.queues() if item.code == queue)
        self.records.jobs.set(job.id, NOW, queue_id=queue_id)
        self.records.jobs.move(job.id, JobFact.RECEIVED, NOW)
        self.names[job.id] = name
        return job

    def next(self) -> str:
        """Names of those whose turn has come."""
        return "".join(self.names[job_id] for job_id in self.records.queues.begin_next(NOW))

    def leave(self, name: str) -> None:
        job_id = next(job_id for job_id, its_name in self.names.items() if its_name == name)
        self.records.jobs.move(job_id, JobFact.FAILED, NOW)


@pytest.fixture
def line(records: Records, queues: Queues) -> Line:
    return Line(records)


def state(records: Records, job: Job) -> JobState:
    return records.jobs.state(job.id)


# --- queues


def test_a_workspace_begins_with_three_queues(queues: Queues) -> None:
    assert [(queue.code, queue.priority, queue.default) for queue in queues.all()] == [
        ("high", 999, False),
        ("medium", 500, True),
        ("low", 1, False),
    ]


def test_a_queue_is_added_found_changed_and_removed(queues: Queues) -> None:
    made = queues.add("Rush", 1000, description="overnight")
    assert queues.find("rush") == queues.find(made.id) == made
    changed = queues.update("rush", priority=0, status="paused", description="")
    assert (changed.priority, changed.status, changed.description) == (0, QueueStatus.PAUSED, "")
    assert queues.find("Rush") == changed
    queues.remove("RUSH")
    with pytest.raises(NotFound):
        queues.find("Rush")


def test_exactly_one_queue_is_the_default(queues: Queues) -> None:
    queues.add("rush", 700, default=True)
    assert [queue.code for queue in queues.all() if queue.default] == ["rush"]
    queues.update("low", default=True)
    assert [queue.code for queue in queues.all() if queue.default] == ["low"]
    for call in (lambda: queues.update("low", default=False), lambda: queues.remove("low")):
        with pytest.raises(Conflict) as refusal:
            call()
        assert refusal.value.error_code == "default_queue"


@pytest.mark.parametrize(
    "call",
    [
        lambda queues: queues.add("rush", 1001),
        lambda queues: queues.add("rush", -1),
        lambda queues: queues.add("a b", 1),
        lambda queues: queues.add("..", 1),
        lambda queues: queues.add("x", 1, description="a\x1b"),
        lambda queues: queues.update("low", status="done"),
        lambda queues: queues.add("HIGH", 1),
    ],
)
def test_what_no_queue_can_be_is_refused(queues: Queues, call: Callable[[Queues], object]) -> None:
    before = queues.all()
    with pytest.raises((BadRequest, Conflict)) as refusal:
        call(queues)
    assert refusal.value.message.isprintable()
    assert queues.all() == before


def test_a_queue_with_unfinished_jobs_stays(records: Records, queues: Queues, line: Line) -> None:
    job = line.add("a", "low")
    with pytest.raises(Conflict) as refusal:
        queues.remove("low")
    assert refusal.value.error_code == "queue_in_use"
    records.jobs.move(job.id, JobFact.ABORTED, NOW)
    queues.remove("low")


# --- turns


def test_the_higher_queue_goes_first_and_within_one_the_older_job(records: Records, line: Line, queues: Queues) -> None:
    limit(records, "jobs_at_once", 1)
    queues.add("rush", 600)
    for name, queue in (("a", "low"), ("b", "medium"), ("c", "medium"), ("d", "high"), ("e", "rush")):
        line.add(name, queue)
    order = ""
    while name := line.next():
        order += name
        line.leave(name)
    assert order == "debca"


def test_no_more_are_begun_than_may_run_at_once(records: Records, line: Line) -> None:
    jobs = [line.add(name) for name in "abcd"]
    assert [line.next(), line.next()] == ["ab", ""]
    assert [state(records, job) for job in jobs[1:3]] == [JobState.PROVING, JobState.PROVE_WAITING]
    line.leave("a")
    assert line.next() == "c"
    limit(records, "jobs_at_once", 9)
    assert line.next() == "d"


def test_a_queue_and_a_user_have_limits_of_their_own(records: Records, line: Line) -> None:
    limit(records, "jobs_at_once", 10)
    limit(records, "jobs_at_once", 1, "low")
    limit(records, "user_jobs_at_once", 2)
    for name, queue, user in (
        ("a", "medium", "x@v.example"),
        ("b", "medium", "x@v.example"),
        ("c", "medium", "x@v.example"),
        ("d", "low", "y@v.example"),
        ("e", "low", "y@v.example"),
        ("f", "medium", "y@v.example"),
    ):
        line.add(name, queue, user)
    assert sorted(line.next()) == ["a", "b", "d", "f"]
    line.leave("f")
    assert line.next() == ""
    line.leave("d")
    assert line.next() == "e"


def test_a_paused_queue_begins_nothing_and_keeps_nobody_else_waiting(line: Line, queues: Queues) -> None:
    queues.update("high", status="paused")
    line.add("a", "high")
    line.add("b", "low")
    assert line.next() == "b"
    queues.update("high", status="waiting")
    assert line.next() == "a"


def test_a_job_goes_on_where_it_waits(records: Records, line: Line) -> None:
    job = line.add("a")
    steps = [JobFact.PROVED, JobFact.PLACED]
    for number, waits in enumerate([JobState.PROVE_WAITING, JobState.PLACE_WAITING, JobState.INGEST_WAITING]):
        assert state(records, job) is waits
        assert line.next() == "a"
        for fact in (*steps[number : number + 1], JobFact.FAILED, JobFact.RETRIED):
            records.jobs.move(job.id, fact, NOW)


def test_a_job_whose_queue_is_gone_is_begun_all_the_same(records: Records, line: Line) -> None:
    job = line.add("a")
    records.jobs.set(job.id, NOW, queue_id="gone")
    assert line.next() == "a"


def test_why_a_job_waits_is_told(records: Records, line: Line, queues: Queues) -> None:
    limit(records, "jobs_at_once", 2, "low")
    limit(records, "jobs_at_once", 3)
    limit(records, "user_jobs_at_once", 2)
    for number, name in enumerate("abc"):
        line.add(name, "low", f"{number}@v.example")
    assert line.next() == "ab"

    def reason(job: Job) -> str:
        found = records.jobs.job(job.id)
        assert found
        return records.queues.reasons([found]).get(job.id, "")

    low = line.add("d", "low", "d@v.example")
    assert reason(low) == "2 jobs of the queue low are under way; it takes 2."
    moment = line.add("e", "high", "e@v.example")
    assert reason(moment) == "It begins in a moment."
    assert line.next() == "e"
    assert reason(low) == "3 jobs are under way; jobs_at_once is 3."
    queues.update("low", status="paused")
    assert reason(low) == "The queue low is paused."
    assert reason(moment) == ""
    limit(records, "jobs_at_once", 9)
    limit(records, "user_jobs_at_once", 1)
    again = line.add("f", "medium", "e@v.example")
    assert reason(again) == "1 jobs of this user are under way; user_jobs_at_once is 1."


def test_how_many_jobs_a_queue_has_is_told(line: Line, queues: Queues) -> None:
    for name in "abc":
        line.add(name)
    line.next()
    assert queues.busy() == {queues.find("medium").id: (2, 1)}


def test_unknown_queues_are_not_found(records: Records, queues: Queues) -> None:
    for call in (
        lambda: queues.update("gone", priority=1),
        lambda: queues.remove("gone"),
        lambda: records.queues.remove_queue("gone"),
        lambda: records.queues.update_queue("gone", NOW, priority=1),
    ):
        with pytest.raises(NotFound) as refusal:
            call()
        assert isinstance(refusal.value, StagedoorError)
