"""Queries say which entity type and which filters, or are refused with what there is."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor import Session
from stagedoor.client.entities import KINDS, kind_of
from stagedoor.client.filters import to_send
from stagedoor.client.query import filters_of, parse, quoted
from stagedoor.lifecycle import grammar


@pytest.mark.parametrize(
    ("text", "entity", "where"),
    [
        ("job", "job", None),
        (" Job ", "job", None),
        ("Job WHERE status=failed", "job", "status=failed"),
        ("job where STATUS = failed", "job", "STATUS = failed"),
        ("Job WHERE(a=1 or b=2)", "job", "(a=1 or b=2)"),
        ("User WHERE name='x WHERE y'\n", "user", "name='x WHERE y'"),
    ],
)
def test_a_query_is_an_entity_type_and_an_expression(text, entity, where):
    assert parse(text) == (entity, where)


@pytest.mark.parametrize("text", ["", "Job status=done", "Job WHERE", "Job WHERE "])
def test_what_is_no_query_is_refused(text):
    with pytest.raises(ValueError, match="is not a query"):
        parse(text)


KEYS = ("id", "code", "name")


@pytest.mark.parametrize(
    ("where", "filters"),
    [
        ("code=studio", {"code": "studio"}),
        ("CODE = studio", {"code": "studio"}),
        ("code=studio AND name='The studio'", {"code": "studio", "name": "The studio"}),
        ("name=x\n and code=studio", {"name": "x", "code": "studio"}),
    ],
)
def test_what_there_is_one_of_is_asked_by_name_and_value(where, filters):
    assert filters_of(where, KEYS) == filters


@pytest.mark.parametrize(
    "where",
    [
        "name!=x",
        "name=x OR name=y",
        "(name=x)",
        "name=x AND",
        "name=x ANDcode=y",
        "name in x,y",
        "name >= x",
        "name='open",
        "name=x AND name=y",
        "name==x",
        "name=x*",
        "colour=red",
    ],
)
def test_and_by_nothing_else(where):
    assert filters_of(where, KEYS) is None
    with pytest.raises(ValueError, match="there is one workspace: it can be asked by name=value"):
        to_send(KINDS["workspace"], where)


@pytest.mark.parametrize("where", ["status=done", "user = user:ann@vendor.example", "created >= 2026-13-01", "(a", ""])
def test_of_everything_else_the_server_reads_the_expression(where):
    assert to_send(KINDS["job"], where) == to_send(KINDS["user"], where) == {"where": where}


@given(st.text(max_size=9))
def test_a_quoted_value_is_read_as_it_is(value):
    found = grammar.parse(f"name = {quoted(value)}")
    assert found.value == value.replace("\0", "\ufffd")


def test_entity_types_are_found_in_any_case_and_under_the_older_name():
    assert kind_of("Job") is kind_of("transfer") is KINDS["job"]


def test_an_unknown_entity_type_is_refused_with_those_there_are():
    with pytest.raises(
        ValueError,
        match=re.escape("hook, job, log, offer, queue, run, setting, task, transfer, user, volume, workspace"),
    ):
        kind_of("delivery")


# --- against a peer that has one workspace and one volume ------------------------------------------------------------

WORKSPACE = {"id": "w1", "code": "studio", "name": "", "metadata": {}}
VOLUME = {"id": "v1", "code": "projects"}


@pytest.fixture
def session() -> Iterator[Session]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = WORKSPACE if "/workspace" in self.path else {"total": 1, "items": [VOLUME]}
            content = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(0.01))
        thread.start()
        with Session(f"http://127.0.0.1:{server.server_port}", "ann", "key") as made:
            yield made
        server.shutdown()
        thread.join()


def test_the_workspace_is_found_like_anything_else(session):
    assert session.find("Workspace") == session.find("workspace WHERE code=Studio") == [WORKSPACE]
    assert session.find("workspace WHERE code=other") == []
    assert session.find_one("Workspace", ["code"]) == {"code": "studio"}
    assert session.get_entity("workspace", "w1") == WORKSPACE
    assert session.get_entity("workspace", "w2") is None


def test_attributes_pick_keys(session):
    assert session.find("Volume WHERE code=projects", attributes=["code"]) == [{"code": "projects"}]


# --- refused before anything is asked --------------------------------------------------------------------------------


@pytest.fixture
def nowhere() -> Session:
    return Session("http://127.0.0.1:1", "ann", "key")


@pytest.mark.parametrize("query", ["Job", "User WHERE code=a", "Workspace", "Offer"])
def test_attributes_that_there_are_not_are_refused_with_those_there_are(nowhere, query):
    for ask in (nowhere.find, nowhere.find_one):
        with pytest.raises(ValueError, match="there is no attribute 'colour'; there are: id"):
            ask(query, attributes=["id", "colour"])


@pytest.mark.parametrize("page", [{"limit": -1}, {"skip": -1}])
def test_a_page_is_not_negative(nowhere, page):
    with pytest.raises(ValueError, match=f"{next(iter(page))} must not be negative: -1"):
        nowhere.find("Job", **page)


def test_of_what_there_is_one_of_it_is_said_how_it_can_beasked(nowhere):
    for where in ("colour=red", "code != studio", "code=a or code=b"):
        with pytest.raises(
            ValueError, match="there is one workspace: it can be asked by name=value; names are: id, code"
        ):
            nowhere.find(f"Workspace WHERE {where}")


def test_keys_that_cannot_be_written_are_refused_with_those_that_can(nowhere):
    with pytest.raises(ValueError, match="job: 'priority' cannot be written; what can: code, status"):
        nowhere.update("job", "j1", {"code": "x", "priority": 5})


@pytest.mark.parametrize("data", [None, "x", [{"code": "x"}]])
def test_what_is_written_is_a_dict(nowhere, data):
    for write in (lambda: nowhere.create("job", data), lambda: nowhere.update("user", "u1", data)):
        with pytest.raises(ValueError, match="data must be a dict, not"):
            write()
