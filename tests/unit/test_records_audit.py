"""The audit log in the database: in the transaction of the change, in order, found again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from some_records import NOW, entry_of, keep, kept, offer_of, run_of, submitted, user_of

from stagedoor.lifecycle.acting import acting
from stagedoor.model.audit import Actor, Door, LogLine
from stagedoor.model.entities import OfferEntry, Queue, Role
from stagedoor.model.errors import Conflict, NoSpace
from stagedoor.model.metadata import Metadata
from stagedoor.model.settings import Level
from stagedoor.model.slice import ONE
from stagedoor.model.states import JobFact, TaskFact
from stagedoor.model.verdict import Kind, Verdict
from stagedoor.records import Records

ANNA = Actor(user_id="u1", code="JÖNS@x.se", role="admin", ip="10.0.0.1", client="c", request_id="r1", door=Door.REST)


def newest(records: Records) -> LogLine:
    return records.lists.log(wanted=ONE)[1][0]


def verbs(records: Records, **filters: str) -> list[str]:
    return [line.verb for line in reversed(records.lists.log(**filters)[1])]


def test_who_acts_is_in_the_line_and_is_found_as_people_write_names(records: Records) -> None:
    with acting(ANNA):
        user = records.house.add_user("new@x.se", Role.STANDARD, "", NOW)
    line = newest(records)
    assert (line.user_id, line.user, line.role, line.ip, line.client, line.request_id, line.door) == (
        "u1",
        "JÖNS@x.se",
        "admin",
        "10.0.0.1",
        "c",
        "r1",
        Door.REST,
    )
    for who in ("u1", "jöns@X.SE", "JO\u0308NS@x.se"):
        assert records.lists.log(user=who)[1] == [line]
    for thing in (user.id, "NEW@x.se"):
        assert records.lists.log(thing=thing)[1] == [line]
    assert records.lists.log(user="somebody")[0] == 0


def test_where_nobody_acts_it_is_the_server(records: Records) -> None:
    records.house.add_user("new@x.se", Role.STANDARD, "", NOW)
    assert (newest(records).user, newest(records).door) == ("system", Door.SYSTEM)


def test_a_change_that_is_refused_leaves_no_line(records: Records) -> None:
    user_of(records, "one@x.se")
    before = records.lists.log()
    with pytest.raises(Conflict):
        records.house.add_user("ONE@x.se", Role.ADMIN, "", NOW)
    assert records.lists.log() == before


def test_what_changes_nothing_leaves_no_line(records: Records) -> None:
    user = user_of(records, "one@x.se")
    before = records.lists.log()
    records.house.update_user(user.id, NOW + 5, name=user.name)
    assert records.lists.log() == before
    records.house.update_user(user.id, NOW + 6, name="One")
    assert records.lists.log()[0] == before[0] + 1


def test_lines_are_in_the_order_of_the_changes(records: Records) -> None:
    job = submitted(records, user_of(records), "a/b")
    for fact in (JobFact.BYTES, JobFact.BYTES, JobFact.RECEIVED, JobFact.STARTED):
        records.jobs.move(job.id, fact, NOW)
    for fact in (JobFact.PROVED, JobFact.FAILED, JobFact.RETRIED):
        records.jobs.move(job.id, fact, NOW)
    told = ["create", "receive", "prove", "fail", "retry"]
    assert verbs(records, thing=job.id) == told
    ids = [line.id for line in records.lists.log()[1]]
    assert ids == sorted(ids, reverse=True)


def test_offers_that_close_say_how(records: Records) -> None:
    user = user_of(records)
    first, second = kept(records, user, "a/b"), kept(records, user, "a/b")
    records.offers.expire(second.expires)
    assert verbs(records, thing=first.id) == ["create", "supersede"]
    assert verbs(records, thing=second.id) == ["create", "expire"]


def test_every_refused_entry_has_a_line_and_no_other(records: Records) -> None:
    verdict = Verdict(kind=Kind.REFUSED, warning="no", detail="/srv/x exists")
    one, other = entry_of("a/one"), replace(entry_of("a/two"), verdict=verdict, place=None)
    offer = keep(records, offer_of(user_of(records), one, other))
    (line,) = records.lists.log(verb="refuse")[1]
    assert (line.entity, line.entity_id, line.entity_code, line.message) == ("entry", other.id, "two", "no")
    assert line.details == {"offer": offer.id, "detail": "/srv/x exists"}


def test_reasons_that_come_together_are_summed_up_each_for_itself(records: Records) -> None:
    """Whoever met a reason first comes first, and its sentence is that of the last one."""
    user, other = user_of(records), user_of(records, "b@x.se")
    for who, warnings in ((other, ["a"]), (user, ["a", "b"]), (other, ["c"])):
        refused = [
            replace(entry_of(f"a/{word}"), verdict=Verdict(kind=Kind.REFUSED, warning=word), place=None)
            for word in warnings
        ]
        with acting(replace(ANNA, code=who.code)):
            keep(records, offer_of(who, *refused))
    (one,) = records.audit.stumbles()
    assert (one.count, one.users, one.example) == (4, (other.code, user.code), "c")


def test_what_is_checked_again_and_still_wrong_counts_once(records: Records) -> None:
    """By user and name, also where there are other reasons beside; each reason has the title of its own finding."""
    user, other = user_of(records), user_of(records, "b@x.se")

    def refused(name: str, *codes: str) -> OfferEntry:
        findings = [{"code": code, "title": f"It is {code}."} for code in codes]
        verdict = Verdict(kind=Kind.REFUSED, warning="Not like this.", findings=tuple(findings))
        return replace(entry_of(f"a/{name}"), filename=name, verdict=verdict, place=None)

    checks = [
        (user, [refused("one", "gaps", "name")]),
        (user, [refused("One", "gaps"), refused("two", "gaps")]),
        (user, [refused("one", "gaps"), refused("two", "gaps"), refused("three", "name")]),
        (other, [refused("one", "gaps")]),
    ]
    for who, entries in checks:
        with acting(replace(ANNA, code=who.code)):
            keep(records, offer_of(who, *entries))
    gaps, name = records.audit.stumbles()
    assert (gaps.reason, gaps.count, gaps.times, gaps.users) == ("gaps", 3, 6, (user.code, other.code))
    assert (name.reason, name.count, name.times, name.users) == ("name", 2, 2, (user.code,))
    assert (gaps.example, name.example) == ("It is gaps.", "It is name.")


def test_refusals_are_summed_up(records: Records) -> None:
    for who in ("a@x.se", "b@x.se", "a@x.se"):
        with acting(replace(ANNA, code=who)):
            records.audit.refused("offer", NoSpace(detail="/srv is full"))
    (one,) = records.audit.stumbles()
    assert (one.reason, one.count, one.times, one.users) == ("no_space", 3, 3, ("a@x.se", "b@x.se"))
    assert one.last == newest(records).created
    assert records.audit.stumbles(since=one.last + 1) == []
    assert newest(records).details == {"detail": "/srv is full"}


def test_of_hook_runs_those_are_told_that_a_person_asked_for(records: Records) -> None:
    before = records.lists.log()
    records.runs.begin(run_of())
    assert records.lists.log() == before
    records.runs.begin(run_of(replay=True, job_id="j"))
    assert (newest(records).verb, newest(records).entity, newest(records).details["job"]) == ("replay", "run", "j")


def test_old_lines_are_forgotten_and_no_others(records: Records) -> None:
    user_of(records)
    moment = newest(records).created
    assert records.audit.forget(moment) == 0
    assert records.audit.forget(moment + 1) == 1
    assert records.lists.log() == (0, [])


def test_a_line_with_text_that_databases_do_not_take_is_kept_all_the_same(records: Records) -> None:
    with acting(replace(ANNA, client="a\0b\ud800")):
        records.audit.refused("offer", NoSpace("x\0\ud800", details={"\ud800": "\0"}))
    assert newest(records).client == "a\ufffdb\ufffd"


def test_settings_and_metadata_are_told_where_they_are_set(records: Records) -> None:
    workspace, _ = records.house.found("studio", "admin@studio.example", NOW)
    queue = records.queues.queues()[0]
    records.levels.change_setting(Level.WORKSPACE, workspace.id, "offer_hours", 5)
    assert (newest(records).entity, newest(records).entity_id) == ("setting", "offer_hours")
    assert newest(records).changes == {"value": [24, 5]}
    records.levels.change_setting(Level.QUEUE, queue.id, "upload_rate", 7)
    assert (newest(records).verb, newest(records).entity, newest(records).entity_code) == ("set", "queue", queue.code)
    assert newest(records).changes == {"settings.upload_rate": [None, 7]}
    records.levels.change_setting(Level.QUEUE, queue.id, "upload_rate", None)
    assert (newest(records).verb, newest(records).changes) == ("unset", {"settings.upload_rate": [7, None]})
    records.levels.change_setting(Level.QUEUE, queue.id, "upload_rate", 0)
    assert newest(records).changes == {"settings.upload_rate": [None, 0]}, "0 is no limit, not nothing"
    records.levels.change_setting(Level.QUEUE, queue.id, "upload_rate", None)
    before = records.lists.log()
    records.levels.change_setting(Level.QUEUE, queue.id, "upload_rate", None)
    assert records.lists.log() == before
    kept = Metadata(internal={"lens": "50", "sg_token": "hush"})
    records.levels.change_metadata(Level.USER, records.house.users()[0].id, lambda _: kept)
    assert newest(records).changes == {"internal.lens": [None, "50"], "internal.sg_token": [None, "***"]}


def test_queues_and_held_entries_are_told(records: Records) -> None:
    records.house.found("studio", "admin@studio.example", NOW)
    queue = records.queues.add_queue(Queue(id="", code="dailies", priority=7, created=NOW, modified=NOW))
    records.queues.update_queue(queue.id, NOW, priority=9)
    assert newest(records).changes == {"priority": [7, 9]}
    records.queues.remove_queue(queue.id)
    assert verbs(records, entity="queue", thing="DAILIES") == ["create", "change", "remove"]
    job = submitted(records, user_of(records), "a/b")
    records.jobs.change_tasks(job.id, [job.tasks[0].id], TaskFact.HELD, NOW)
    assert (newest(records).verb, newest(records).details) == ("hold", {"entries": [job.tasks[0].id]})
