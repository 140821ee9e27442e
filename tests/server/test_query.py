"""The query language from end to end: REST, Session and command line on a real server, and its page."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import warm
from rest import House, Person, file, fresh
from stagedoor import Session
from stagedoor.client.errors import QueryRefused

PAGE = Path(__file__).parents[2] / "docs" / "query-language.md"
EXAMPLES = [
    (entity, where)
    for entity, block in re.findall(r"```(\w+) where\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for where in block.strip().splitlines()
]


def find(person: Person, path: str, where: str, more: str = "") -> Any:
    answer = person.get(f"{path}?where={quote(where)}{more}")
    assert answer.status == 200, answer.body
    return answer.json


@pytest.fixture(scope="module")
def anna(house: House) -> Person:
    """With a job that waits and one that is done."""
    person = house.vendor()
    named(person, "Über_JÖNS_v001.mov", 9)
    plate = named(person, "plate_v002.exr")
    person.send_all(plate)
    assert person.ended(plate["id"])["status"] == "done"
    return person


def named(person: Person, name: str, size: int = 3) -> Any:
    """A job called like its entry, of which no byte has been sent."""
    entry = file(name, size)
    person.offered(entry)
    answer = person.submit(entry["id"], code=name)
    assert answer.status == 201, answer.body
    return answer.json


def session_of(person: Person) -> Session:
    return Session(person.house.studio.url, person.code, person.api_key)


def test_rest_finds_what_is_asked_for(house: House, anna: Person) -> None:
    for path, where, expected in (
        ("/jobs", "name = über_jöns*", ["Über_JÖNS_v001.mov"]),
        ("/jobs", "status = done or name contains jöns", ["plate_v002.exr", "Über_JÖNS_v001.mov"]),
        ("/jobs", r"finished != '' and name matches '_v\d{3}\.EXR$'", ["plate_v002.exr"]),
        ("/jobs", "size > 5", ["Über_JÖNS_v001.mov"]),
        ("/tasks", "status = done and filename not contains jöns", ["plate_v002.exr"]),
    ):
        found = find(anna, path, where)
        names = [item.get("name") or item.get("filename") for item in found["items"]]
        assert (names, found["total"]) == (expected, len(expected)), where
    every = find(house.admin, "/tasks", f"user = {anna.code} and volume = projects and path = in/*")
    assert [task["filename"] for task in every["items"]] == ["plate_v002.exr", "Über_JÖNS_v001.mov"]
    assert every["items"][0]["path"] == "volume=projects/in/plate_v002.exr"


def test_every_list_takes_an_expression(house: House) -> None:
    admin = house.admin
    for path, where, key in (
        ("/users", f"code = {admin.code.upper()}", "code"),
        ("/volumes", "default = true and code = PROJ*", "code"),
        ("/hooks", "name contains pre-publish", "name"),
        ("/settings", "name = offer_*es and value > 1", "name"),
        (f"/users/{admin.id}/keys", "label = FIRST and revoked = ''", "id"),
    ):
        found = find(admin, path, where)
        assert found["total"] == len(found["items"]) >= 1, path
        assert find(admin, path, where, "&limit=0") == {"total": found["total"], "items": []}
        assert find(admin, path, f"{key} = nothing")["total"] == 0
        assert admin.get(f"{path}?where=colour%3Dred").refusal == (400, "attribute_unknown")


def test_a_query_that_cannot_be_read_is_refused_at_its_column(anna: Person) -> None:
    answer = anna.get(f"/jobs?where={quote('status = done and (size >')}")
    assert answer.refusal == (400, "query_refused")
    assert answer.json["details"]["column"] == 26
    assert anna.get("/jobs?where=").refusal == (400, "query_refused")


def test_session_sends_the_expression(anna: Person) -> None:
    session = session_of(anna)
    names = [job["name"] for job in session.find("Job WHERE name contains JÖNS OR status in done, aborted")]
    assert names == ["plate_v002.exr", "Über_JÖNS_v001.mov"]
    assert [task["filename"] for task in session.find("Task WHERE filename = plate*", attributes=["filename"])] == [
        "plate_v002.exr"
    ]
    found = session.find_one("Job WHERE filename = plate_v002.exr")
    assert found is not None
    assert session.get_entity("task", found["tasks"][0]["id"])["job"] == found["id"]  # type: ignore[index]
    assert session.find(f"User WHERE code = {anna.code}", attributes=["id"]) == [{"id": anna.id}]
    assert len(session.find("Job WHERE status in done, waiting")) == 2
    with pytest.raises(QueryRefused, match="column 7") as refusal:
        session.find("Job WHERE size >")
    assert isinstance(refusal.value, ValueError)
    with pytest.raises(ValueError, match="job has no attribute 'volume'"):
        session.find("Job WHERE volume = projects")


def command(person: Person, *words: str) -> subprocess.CompletedProcess[str]:
    env = person.house.studio.env(person.account)
    return warm.run(words, env=env)


def test_the_command_line_takes_an_expression(house: House, anna: Person) -> None:
    done = command(anna, "jobs", "--since", "1d", "--where", "name = plate* or name = über*", "--finished", "--json")
    assert [job["name"] for job in json.loads(done.stdout)["jobs"]] == ["plate_v002.exr", "Über_JÖNS_v001.mov"]
    made = command(anna, "jobs", "--where", f"user = user:{anna.code}", "--json")
    assert len(json.loads(made.stdout)["jobs"]) == len(session_of(anna).find("Job")) > 0
    late = command(anna, "jobs", "--where", "created >= 2026-13-01")
    assert (late.returncode, "2026-13-01" in late.stderr, "Something went wrong" in late.stderr) == (2, True, False)
    refused = command(anna, "jobs", "--where", "size = many")
    assert (refused.returncode, "size is a whole number" in refused.stderr) == (2, True)
    studio = house.studio
    for words, key, expected in (
        (("user", "list", "--where", f"code = {anna.code}"), "users", 1),
        (("volume", "list", "--where", "code = nothing"), "volumes", 0),
        (("hook", "list", "--where", "name = publish*"), "hooks", 1),
        (("hook", "log", "--where", f"user = {anna.code} and hook = publish-server"), "runs", 1),
        (("settings", "list", "--where", "name = open_*"), "settings", 2),
    ):
        assert len(json.loads(studio.command(*words, "--json"))[key]) == expected, words


@pytest.mark.parametrize(("entity", "where"), EXAMPLES, ids=lambda value: str(value)[:40])
def test_every_example_of_the_page_can_be_asked(house: House, entity: str, where: str) -> None:
    find(house.admin, f"/{entity}", where)


def test_the_page_names_every_attribute() -> None:
    from stagedoor.lifecycle import shelf
    from stagedoor.records import attributes

    page = PAGE.read_text()
    for entity in (
        attributes.JOB,
        attributes.TASK,
        attributes.OFFER,
        attributes.USER,
        attributes.RUN,
        attributes.VOLUME,
    ):
        row = next(line for line in page.splitlines() if line.startswith(f"| `{entity.name}` |"))
        assert set(re.findall(r"`(\w+)`", row)) - {entity.name} == set(entity.attributes), entity.name
    for short in (shelf.HOOKS, shelf.QUEUES, shelf.SETTINGS, shelf.KEYS):
        row = next(line for line in page.splitlines() if line.startswith(f"| `{short.name}` |"))
        assert set(re.findall(r"`(\w+)`", row)) - {short.name} == set(short.attributes), short.name


def test_a_name_with_every_sign_is_found(anna: Person) -> None:
    name = fresh("it's_100%_(Ä)")
    named(anna, name)
    for where in (f"name = '{name.replace(chr(39), chr(39) * 2)}'", 'name contains "it\'s_100%_(ä"'):
        assert [job["name"] for job in find(anna, "/jobs", where)["items"]] == [name]
