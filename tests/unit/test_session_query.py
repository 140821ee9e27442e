"""Queries say which entity type and which filters, or are refused with what there is."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    with pytest.raises(ValueError, match=re.escape("there are: hook, job, offer, run, setting, user, volume")):
        kind_of("delivery")


def test_known_filters_pass():
    assert only({"id": "1"}, ("id",), "job") == {"id": "1"}
