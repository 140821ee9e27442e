"""Queries say which entity type and which filters, or are refused with what there is."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor import Session
from stagedoor.client.entities import JOB_FILTERS, KINDS, kind_of
from stagedoor.client.filters import job_filters, to_send
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


@pytest.mark.parametrize(
    ("where", "filters"),
    [
        ("status=failed", {"status": "failed"}),
        ("STATUS = failed", {"status": "failed"}),
        ("status=failed AND user=ann@vendor.example", {"status": "failed", "user": "ann@vendor.example"}),
        ('status="failed,done"', {"status": "failed,done"}),
        ("created >= 2026-03-01T10:00:00", {"since": "2026-03-01T10:00:00"}),
        ("user=sandy\n and status=done", {"user": "sandy", "status": "done"}),
    ],
)
def test_simple_filters_of_jobs_are_asked_as_they_always_were(where, filters):
    assert filters_of(where, JOB_FILTERS) == filters


@pytest.mark.parametrize(
    "where",
    [
        "status!=done",
        "status=done OR status=failed",
        "(status=done)",
        "status=done AND",
        "status=done ANDuser=x",
        "status in done,failed",
        "size >= 5",
        "user='open",
        "status=done AND status=failed",
        "status==done",
        "user=ann*",
        "name=x",
    ],
)
def test_all_else_is_left_to_the_server(where):
    assert filters_of(where, JOB_FILTERS) is None
    assert to_send(KINDS["job"], where) == {"where": where}


@given(st.text(max_size=40))
def test_any_text_is_sent_in_one_way_or_the_other(text):
    with contextlib.suppress(ValueError):
        assert to_send(KINDS["job"], text)


@given(st.text(max_size=9))
def test_a_quoted_value_is_read_as_it_is(value):
    found = grammar.parse(f"name = {quoted(value)}")
    assert found.value == value.replace("\0", "\ufffd")


def test_status_is_asked_under_the_name_the_server_knows():
    assert job_filters({"status": "failed", "user": "ann"}) == {"state": "failed", "user": "ann"}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01t10:00:00z", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T10:00:00+02:00"),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text, asked):
    assert job_filters({"since": text}) == {"since": asked}


def test_what_is_no_time_is_refused():
    with pytest.raises(ValueError, match="'yesterday' is not a time"):
        job_filters({"since": "yesterday"})


def test_entity_types_are_found_in_any_case_and_under_the_older_name():
    assert kind_of("Job") is kind_of("transfer") is KINDS["job"]


def test_an_unknown_entity_type_is_refused_with_those_there_are():
    with pytest.raises(
        ValueError,
        match=re.escape("hook, job, log, offer, queue, run, setting, task, transfer, user, volume, workspace"),
    ):
        kind_of("delivery")


def test_one_filter_has_one_value():
    with pytest.raises(ValueError, match="status and state are the same filter"):
        job_filters({"status": "failed", "state": "done"})


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
