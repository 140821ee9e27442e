"""Expressions over all entities: what SQL and patterns find is what one finds by looking at every record."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from some_records import HOUR, NOW, entry_of, job_of, keep, kept, offer_of, run_of, submitted, user_of

from stagedoor.lifecycle.grammar import parse
from stagedoor.model.entities import Job, Role, User, Volume
from stagedoor.model.errors import BadRequest
from stagedoor.model.hooks import HookName
from stagedoor.model.notation import Place
from stagedoor.model.query import All, Comparison, Expression, comparisons
from stagedoor.model.query import text as written_as
from stagedoor.model.slice import Slice
from stagedoor.model.states import JobFact, JobState
from stagedoor.records import Records

TEXTS = [
    "SQ010_sh020",
    "sq010_SH020",
    "Jöns",
    "JO\u0308NS",
    "straße",
    "STRASSE",
    "50%_off",
    "a\\b",
    "x y",
    "ß*",
    "Ωmega",
    "",
]
PATTERNS = ["^sq", "j.ns", r"\d+", "o|e", "^$", r"\\", "x y", "[%_]"]
SIZES = [0, 1, 1000, 2**40]


def fold(value: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", value.strip()).casefold())


# --- looking at every record ---------------------------------------------------------------------------------------


def holds(expression: Expression, job: Job, people: dict[str, User]) -> bool:
    if isinstance(expression, Comparison):
        found = any(_compare(expression, value) for value in _values(expression.attribute, job, people))
        return found is not expression.operator.negated
    join = all if isinstance(expression, All) else any
    return join(holds(part, job, people) for part in expression.parts)


def _values(attribute: str, job: Job, people: dict[str, User]) -> list[Any]:
    return {
        "name": lambda: [job.code],
        "hostname": lambda: [job.hostname],
        "error": lambda: [job.error],
        "size": lambda: [job.size],
        "created": lambda: [job.created],
        "finished": lambda: [job.finished],
        "status": lambda: [job.state.value, job.state.status, job.state.phase],
        "user": lambda: [job.user_id, people[job.user_id].code],
        "filename": lambda: [task.filename for task in job.tasks],
    }[attribute]()


def _compare(comparison: Comparison, value: Any) -> bool:
    operator = comparison.operator.positive.value
    if comparison.attribute == "user":
        comparison = replace(comparison, values=tuple(given.removeprefix("user:") for given in comparison.values))
    if operator == "in":
        return any(_equal(value, given) for given in comparison.values)
    given = comparison.value
    if operator == "=":
        return _equal(value, given)
    if operator == "contains":
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", given).casefold())
        return folded in fold(value)
    if operator == "matches":
        pattern = unicodedata.normalize("NFC", given)
        return re.search(pattern, unicodedata.normalize("NFC", value), re.IGNORECASE) is not None
    if value is None:
        return False
    left, right = (fold(value), fold(given)) if isinstance(value, str) else (value, _number(given))
    ordered: dict[str, Callable[[], bool]] = {
        "<": lambda: left < right,
        ">": lambda: left > right,
        "<=": lambda: left <= right,
        ">=": lambda: left >= right,
    }
    return ordered[operator]()


def _equal(value: Any, given: str) -> bool:
    if isinstance(value, str):
        pattern = ".*".join(map(re.escape, fold(given).split("*")))
        return re.fullmatch(pattern, fold(value), re.DOTALL) is not None
    return value is None if not given.strip() else value == _number(given)


def _number(given: str) -> int:
    if "t" not in given:
        return int(given)
    return int(datetime.fromisoformat(given.upper()).replace(tzinfo=timezone.utc).timestamp() * 1000)


# --- expressions ---------------------------------------------------------------------------------------------------


def _times() -> list[str]:
    return [
        datetime.fromtimestamp((NOW + hours * HOUR) / 1000, timezone.utc).strftime("%Y-%m-%dt%H:%M:%S.000")
        for hours in (0, 1, 2)
    ]


_WORDS = st.sampled_from(TEXTS)
_WILD = st.sampled_from(["sq*", "*s", "*o*n*", "*", "s*0_*", "50%*", "j_ns"])
_LISTED = _WORDS.map(lambda value: value.replace(",", "").strip()).filter(bool)


def _some(attributes: list[str], operators: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def write(attribute: str, operator: str, value: str) -> str:
        return f'{attribute} {operator} "{value}"'

    return st.builds(write, st.sampled_from(attributes), st.sampled_from(operators), values)


_TEXT_ATTRIBUTES = ["name", "hostname", "error", "filename", "user"]
_LEAVES = st.one_of(
    _some(_TEXT_ATTRIBUTES, ["=", "!="], st.one_of(_WORDS, _WILD)),
    _some(
        _TEXT_ATTRIBUTES,
        ["contains", "not contains"],
        st.one_of(_WORDS, st.sampled_from(["s", "ö", "%", "_", "*", "\\"])),
    ),
    _some(_TEXT_ATTRIBUTES, ["matches", "not matches"], st.sampled_from(PATTERNS)),
    _some(_TEXT_ATTRIBUTES, ["in", "not in"], st.lists(_LISTED, min_size=1, max_size=3).map(", ".join)),
    _some(["name", "hostname", "error", "filename"], ["<", ">", "<=", ">="], _WORDS),
    _some(["user"], ["=", "in"], st.sampled_from(["jöns@x.se", "user:JÖNS@x.se", "ANNA@*", "nobody"])),
    _some(["size"], ["=", "!=", "<", ">", "<=", ">="], st.sampled_from(["0", "1", "999", "1000"])),
    _some(["size"], ["in", "not in"], st.just("0, 1000")),
    _some(["created"], ["=", "!=", "<", ">", "<=", ">="], st.sampled_from(_times())),
    _some(["finished"], ["=", "!=", "<", ">="], st.sampled_from(_times())),
    _some(["finished"], ["=", "!="], st.just("")),
    _some(["status"], ["=", "!=", "in"], st.sampled_from(["failed", "waiting", "done", "upload", "aw*", "ended"])),
    _some(["status"], ["matches", "not contains"], st.sampled_from(["fail", "ing"])),
)
_EXPRESSIONS = st.recursive(
    _LEAVES,
    lambda inner: st.builds(
        lambda word, parts: "(" + f" {word} ".join(parts) + ")",
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=5,
).filter(lambda written: written.count("matches") <= 5)


def generated(records: Records, seed: int) -> tuple[list[Job], dict[str, User]]:
    chance = random.Random(seed)
    people = [user_of(records, code) for code in ("anna@vendor.example", "jöns@x.se", "bo@x.se")]
    jobs = []
    for number in range(25):
        owner = chance.choice(people)
        entries = [
            entry_of(f"/p/{number}/{place}", filename=chance.choice(TEXTS), number=place)
            for place in range(chance.randrange(1, 3))
        ]
        offer = keep(records, offer_of(owner, *entries))
        job = job_of(
            offer,
            code=chance.choice(TEXTS),
            hostname=chance.choice(TEXTS),
            size=chance.choice(SIZES),
            created=NOW + chance.randrange(3) * HOUR,
            state=chance.choice(list(JobState)),
            error=chance.choice(TEXTS),
            finished=chance.choice([None, NOW, NOW + HOUR]),
        )
        jobs.append(records.jobs.submit(job, NOW))
    return jobs, {user.id: user for user in people}


class Full:
    """A database with generated jobs."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.jobs, self.people = generated(records, 1)


@pytest.fixture
def full(records: Records) -> Full:
    return Full(records)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=_EXPRESSIONS, page=st.tuples(st.integers(0, 30), st.integers(0, 12)), mine=st.booleans())
def test_a_query_finds_what_one_finds_by_looking(full: Full, written: str, page: tuple[int, int], mine: bool) -> None:
    records, jobs, people = full.records, full.jobs, full.people
    limit, skip = page
    expression = parse(written)
    owner = next(iter(people)) if mine else None
    expected = [job.id for job in reversed(jobs) if holds(expression, job, people) and owner in (None, job.user_id)]
    total, found = records.lists.jobs(user_id=owner, finished=True, wanted=Slice(expression, limit=limit, skip=skip))
    assert (total, [job.id for job in found]) == (len(expected), expected[skip : skip + limit]), written_as(expression)


# --- every entity --------------------------------------------------------------------------------------------------


def asked(listing: Callable[..., tuple[int, Any]], written: str, *, inside: bool = True, **more: Any) -> list[str]:
    total, found = listing(wanted=Slice(parse(written), inside), **more)
    assert total == len(found)
    return [item.id for item in found]


def test_tasks_are_found_by_their_own_and_by_their_jobs_attributes(records: Records) -> None:
    anna, bo = user_of(records), user_of(records, "bo@x.se")
    first, second = submitted(records, anna, "/p/Über.mov", "/p/b.exr"), submitted(records, bo, "/p/c.exr")
    one, two, three = (*first.tasks, *second.tasks)
    for written, expected in (
        ("filename = ÜBER.MOV", [one.id]),
        ("filename matches 'exr$'", [three.id, two.id]),
        (f"job = {first.id}", [one.id, two.id]),
        (f"parent = job:{first.id} and uri > 0", [two.id]),
        ("user = bo@x.se", [three.id]),
        ("user matches ^anna", [one.id, two.id]),
        ("path contains p/b", [two.id]),
        ("volume = volume", [three.id, one.id, two.id]),
        ("status = pending and size >= 100 and created <= 2030-01-01 and is_dir = true", [three.id, one.id, two.id]),
    ):
        assert asked(records.lists.tasks, written) == expected, written
    assert asked(records.lists.tasks, "filename matches 'exr$'", user_id=anna.id) == [two.id]


def test_jobs_are_found_by_what_is_in_them(records: Records) -> None:
    anna = user_of(records)
    shows = records.house.add_volume(Volume(id="", code="Shows", root="/mnt/shows"))
    entry = replace(entry_of("/p/a.exr"), place=Place(shows.id, "sq/A.exr"))
    there = records.jobs.submit(job_of(keep(records, offer_of(anna, entry))), NOW)
    elsewhere = submitted(records, anna, "/p/b.mov")
    for written, expected in (
        ("volume = shows", [there.id]),
        (f"volume = volume:{shows.id}", [there.id]),
        ("volume matches ^sh", [there.id]),
        ("volume != shows", [elsewhere.id]),
        ("path = SQ/*", [there.id]),
        ("source contains B.MOV", [elsewhere.id]),
        ("filename not matches mov", [there.id]),
    ):
        assert asked(records.lists.jobs, written) == expected, written


def test_offers_users_runs_and_volumes_are_found(records: Records) -> None:
    anna = user_of(records, "Anna@X.se")
    records.house.update_user(anna.id, NOW, name="Anna Öberg")
    admin = records.house.add_user("boss@x.se", Role.ADMIN, "", NOW)
    offer = kept(records, anna, "/p/Ö.mov", hostname="WS-Ä")
    check = run_of(hook=HookName.PRE_PUBLISH, offer_id=offer.id, user_id=anna.id, exit_code=1, ended=NOW + HOUR)
    job = submitted(records, anna, "/p/a")
    ingest = run_of(job_id=job.id, error="No Space left")
    for run in (check, ingest):
        records.runs.begin(run)
    volume = records.house.add_volume(Volume(id="", code="Projects", root="/mnt/Projects"))
    lists = records.lists
    for listing, written, expected in (
        (lists.offers, "filename = ö.MOV and hostname = ws-ä and state = open", [offer.id]),
        (lists.offers, "volume = volume and filename matches '^ö'", [offer.id]),
        (lists.users, "name contains öberg and role != admin", [anna.id]),
        (lists.users, "status = enabled and code matches ^boss", [admin.id]),
        (lists.runs, "hook = pre-publish* and exit_code > 0 and user = anna@x.se", [check.id]),
        (lists.runs, "error contains 'no space' and ended = ''", [ingest.id]),
        (lists.runs, f"job = {job.code}", [ingest.id]),
        (lists.volumes, "path = /mnt/proj* and default = true and status = enabled", [volume.id]),
    ):
        assert asked(listing, written) == expected, written


def test_what_was_changed_is_found_as_it_is_now(records: Records) -> None:
    job = submitted(records, user_of(records), "/p/a")
    records.jobs.set(job.id, NOW, code="Neu", hostname="RENDER-Ü")
    assert asked(records.lists.jobs, "name = NEU and hostname = render-ü") == [job.id]


def test_attributes_that_there_are_not_are_refused_with_those_there_are(records: Records) -> None:
    with pytest.raises(BadRequest) as refusal:
        records.lists.jobs(wanted=Slice(parse("colour = red")))
    assert refusal.value.error_code == "attribute_unknown"
    assert "volume" in refusal.value.details["known"]


INSIDE = {
    "jobs": ("detail", "path", "volume"),
    "tasks": ("path", "volume"),
    "offers": ("run", "volume"),
    "users": (),
}


@pytest.mark.parametrize("name", INSIDE)
def test_for_a_vendor_there_is_no_attribute_that_they_are_not_shown(records: Records, name: str) -> None:
    listing = getattr(records.lists, name)
    for attribute in (*INSIDE[name], "password"):
        with pytest.raises(BadRequest) as refusal:
            listing(wanted=Slice(parse(f"id = x or {attribute} matches x"), inside=False))
        known = refusal.value.details["known"]
        assert not {attribute, *INSIDE[name]} & set(known)
        for allowed in known:
            operator = "=" if allowed != "error" else "contains"
            value = {"status": "*", "state": "*", "phase": "*", "role": "*", "is_dir": "*"}.get(allowed, "''")
            listing(wanted=Slice(parse(f"{allowed} {operator} {value}"), inside=False))


def test_what_confines_a_user_is_no_part_of_the_expression(records: Records) -> None:
    anna, bo = user_of(records), user_of(records, "bo@x.se")
    mine, theirs = submitted(records, anna, "/p/a"), submitted(records, bo, "/p/b")
    records.jobs.move(theirs.id, JobFact.ABORTED, NOW)
    for written in (
        "id = x or id != x",
        f"id in {mine.id}, {theirs.id}",
        "user = bo@x.se or user matches .",
        "filename matches .",
    ):
        assert asked(records.lists.jobs, written, user_id=anna.id, finished=True, inside=False) == [mine.id]


def test_a_long_list_is_one_statement(records: Records) -> None:
    job = submitted(records, user_of(records), "/p/a")
    ids = ", ".join(f"{number:024x}" for number in range(4800))
    assert asked(records.lists.jobs, f"user in {ids} or id in {job.id}") == [job.id]


def test_patterns_are_few(records: Records) -> None:
    with pytest.raises(BadRequest) as refusal:
        records.lists.jobs(wanted=Slice(parse(" or ".join(["name matches x"] * 6))))
    assert "more than 5 patterns" in refusal.value.message


def test_names_of_the_language_are_those_of_the_views() -> None:
    """Every attribute is a key of what the list shows, so that what one reads can be asked for."""
    from stagedoor.records import attributes
    from stagedoor.wire.house import RunView, UserView, VolumeView
    from stagedoor.wire.jobs import JobView, TaskView
    from stagedoor.wire.offers import OfferAnswer

    more = {
        "state",
        "status",
        "filename",
        "source",
        "path",
        "volume",
        "created",
        "modified",
        "parent",
        "name",
        "hostname",
    }
    for entity, view in (
        (attributes.JOB, JobView),
        (attributes.TASK, TaskView),
        (attributes.OFFER, OfferAnswer),
        (attributes.USER, UserView),
        (attributes.RUN, RunView),
        (attributes.VOLUME, VolumeView),
    ):
        shown: Iterable[str] = view.__struct_fields__
        assert set(entity.attributes) - set(shown) <= more | {"user"}, entity.name


def test_comparisons_are_listed_from_left_to_right() -> None:
    assert [part.attribute for part in comparisons(parse("a=1 and (b=2 or c=3) and d=4"))] == ["a", "b", "c", "d"]
