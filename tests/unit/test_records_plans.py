"""Lists where there is a lot: a page is read in its order, and a count from an index, however many rows match.

These are SQLite's plans, which do not depend on what is in the tables. PostgreSQL's do: see `bench/lists.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from some_records import NOW, entry_of, keep, offer_of, user_of
from sqlalchemy import event

from stagedoor.lifecycle.grammar import parse
from stagedoor.model.hooks import HookName
from stagedoor.model.slice import Slice
from stagedoor.model.states import JobState, OfferState
from stagedoor.records import Records
from stagedoor.records.lists import Lists

ME = "0" * 24
Asked = Callable[[Lists], Any]
Plan = Callable[[Callable[[], Any]], list[tuple[str, str]]]
LONG: dict[str, Asked] = {
    "jobs": lambda lists: lists.jobs(finished=True),
    "jobs of a user": lambda lists: lists.jobs(user_id=ME, finished=True),
    "jobs of a user and state": lambda lists: lists.jobs(user_id=ME, states=[JobState.DONE]),
    "jobs of a state": lambda lists: lists.jobs(states=[JobState.DONE]),
    "jobs of a state, since": lambda lists: lists.jobs(states=[JobState.DONE], since=NOW),
    "jobs of a user of a name": lambda lists: lists.jobs(user_id=ME, code="sq010", finished=True),
    "jobs of a user of an id": lambda lists: lists.jobs(finished=True, wanted=Slice(parse(f"user = {ME}"))),
    "tasks": lambda lists: lists.tasks(),
    "tasks of a user": lambda lists: lists.tasks(user_id=ME),
    "offers": lambda lists: lists.offers(),
    "offers of a user": lambda lists: lists.offers(user_id=ME),
    "offers of a user and state": lambda lists: lists.offers(user_id=ME, state=OfferState.OPEN),
    "runs": lambda lists: lists.runs(),
    "runs of a hook": lambda lists: lists.runs(hook=HookName.PUBLISH),
    "runs of a user": lambda lists: lists.runs(user_id=ME),
    "log": lambda lists: lists.log(),
    "refusals": lambda lists: lists.log(verb="refuse"),
    "log of a user": lambda lists: lists.log(user=ME),
    "log of an address": lambda lists: lists.log(user="anna@vendor.example"),
    "log of a type": lambda lists: lists.log(entity="job"),
}


@pytest.fixture
def plan(records: Records) -> Plan:
    """What SQLite does for each query: its words, and those of the plan."""

    def explained(ask: Callable[[], Any]) -> list[tuple[str, str]]:
        queries: list[tuple[str, Any]] = []

        def keep(_: Any, __: Any, statement: str, values: Any, *more: Any) -> None:
            queries.append((statement, values))

        event.listen(records.database.engine, "before_cursor_execute", keep)
        ask()
        event.remove(records.database.engine, "before_cursor_execute", keep)
        with records.database.read() as connection:
            return [
                (query, "\n".join(row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)))
                for query, values in queries
                if query.startswith("SELECT")
            ]

    return explained


@pytest.mark.parametrize("name", LONG)
def test_a_page_is_read_in_its_order_and_counted_in_an_index(name: str, records: Records, plan: Plan) -> None:
    queries = plan(lambda: LONG[name](records.lists))
    (count,) = (steps for query, steps in queries if query.startswith("SELECT count(*)"))
    (page,) = (steps for query, steps in queries if " ORDER BY " in query and " OFFSET " in query)
    assert "COVERING INDEX" in count
    assert "TEMP B-TREE FOR ORDER BY" not in page


def test_a_submit_looks_at_none_of_what_its_user_sent_before(records: Records, plan: Plan) -> None:
    (unfinished,) = plan(lambda: records.jobs.count_unfinished(ME))
    assert "(user_id=? AND state=?)" in unfinished[1]
    entry = entry_of("in/a")
    offer = keep(records, offer_of(user_of(records), entry))
    (_, holding), (_, newest), *_ = plan(lambda: records.offers.newest_with(offer.user_id, [entry.id]))
    assert "entries_by_id" in holding
    assert "(id=?)" in newest


def test_the_sweep_looks_at_none_of_the_runs_that_are_kept(records: Records, plan: Plan) -> None:
    ((_, old),) = plan(lambda: records.runs.ended_before(NOW))
    assert "runs_by_time (started<?)" in old
