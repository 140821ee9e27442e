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
from stagedoor.client.entities import KINDS, kind_of
from stagedoor.client.query import only, parse
from stagedoor.client.session import _job_filters


@pytest.mark.parametrize(
    ("text", "entity", "filters"),
    [
        ("job", "job", {}),
        (" Job ", "job", {}),
        ("Job WHERE status=failed", "job", {"status": "failed"}),
        ("job where STATUS = failed", "job", {"status": "failed"}),
        (
            "Job WHERE status=failed AND user=ann@vendor.example",
            "job",
            {"status": "failed", "user": "ann@vendor.example"},
        ),
        ("User WHERE name='Ann AND Bob'", "user", {"name": "Ann AND Bob"}),
        ('User WHERE name="it\'s"', "user", {"name": "it's"}),
        ("User WHERE name=''", "user", {"name": ""}),
        ("Job WHERE created >= 2026-03-01T10:00:00", "job", {"since": "2026-03-01T10:00:00"}),
        ("Job WHERE user=sandy\n and status=done", "job", {"user": "sandy", "status": "done"}),
    ],
)
def test_filters_are_joined_by_and(text, entity, filters):
    assert parse(text) == (entity, filters)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Job status=done",
        "Job WHERE",
        "Job WHERE ",
        "Job WHERE status",
        "Job WHERE status=",
        "Job WHERE status!=done",
        "Job WHERE status=done OR status=failed",
        "Job WHERE (status=done)",
        "Job WHERE status=done AND",
        "Job WHERE status=done ANDuser=x",
        "Job WHERE status in done,failed",
        "Job WHERE size >= 5",
        "Job WHERE name='open",
        "Job WHERE status=done AND status=failed",
        "Job WHERE status==done",
        "Job WHERE status=done user=x",
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(ValueError):
        parse(text)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text):
    with contextlib.suppress(ValueError):
        assert parse("Job WHERE " + text).filters


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]\w{0,5}", fullmatch=True, alphabet="abc_1"),
        st.text(max_size=9).filter(lambda text: '"' not in text),
        min_size=1,
    )
)
def test_quoted_values_come_back_as_they_are(filters):
    text = " AND ".join(f'{name} = "{value}"' for name, value in filters.items())

    assert parse(f"Volume WHERE {text}").filters == filters


def test_an_unknown_filter_of_jobs_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="job has no filter 'size'; there are: id, status, state, user, since"):
        _job_filters({"size": "1"})


def test_status_is_asked_under_the_name_the_server_knows():
    assert _job_filters({"status": "failed", "user": "ann"}) == {"state": "failed", "user": "ann"}


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
    assert _job_filters({"since": text}) == {"since": asked}


def test_what_is_no_time_is_refused():
    with pytest.raises(ValueError, match="'yesterday' is not a time"):
        _job_filters({"since": "yesterday"})


def test_entity_types_are_found_in_any_case_and_under_the_older_name():
    assert kind_of("Job") is kind_of("transfer") is KINDS["job"]


def test_an_unknown_entity_type_is_refused_with_those_there_are():
    with pytest.raises(
        ValueError, match=re.escape("hook, job, offer, queue, run, setting, transfer, user, volume, workspace")
    ):
        kind_of("delivery")


def test_known_filters_pass():
    assert only({"id": "1"}, ("id",), "job") == {"id": "1"}


def test_one_filter_has_one_value():
    with pytest.raises(ValueError, match="status and state are the same filter"):
        _job_filters({"status": "failed", "state": "done"})


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


def test_a_filter_that_there_is_not_is_refused_even_where_nothing_would_be_found(nowhere):
    with pytest.raises(ValueError, match="volume has no filter 'colour'; there are: id, code"):
        nowhere.find("Volume WHERE colour=red")


def test_keys_that_cannot_be_written_are_refused_with_those_that_can(nowhere):
    with pytest.raises(ValueError, match="job: 'priority' cannot be written; what can: code, status"):
        nowhere.update("job", "j1", {"code": "x", "priority": 5})


@pytest.mark.parametrize("data", [None, "x", [{"code": "x"}]])
def test_what_is_written_is_a_dict(nowhere, data):
    for write in (lambda: nowhere.create("job", data), lambda: nowhere.update("user", "u1", data)):
        with pytest.raises(ValueError, match="data must be a dict, not"):
            write()
