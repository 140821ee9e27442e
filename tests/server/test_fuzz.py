"""Every door is asked what nobody would ask: nothing comes back but success and clean refusals.

The requests are made by schemathesis from the server's own OpenAPI document, the same ones at each run;
`STAGEDOOR_FUZZ=500` asks each route so many others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, assume
from hypothesis import strategies as st

from rest import V1, House, basic, fresh
from stagedoor.wire.calls import TABLE
from stagedoor.wire.house import ErrorAnswer
from stagedoor.wire.jobs import Page
from studio import Studio

MORE = int(os.environ.get("STAGEDOOR_FUZZ", "0"))


def fuzz(most: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=MORE or most,
        derandomize=not MORE,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[hypothesis.Phase.generate],
    )


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A studio of our own: its administrator asks, and may change everything."""
    studio = Studio(tmp_path_factory.mktemp("fuzz") / "studio")
    studio.start()
    yield House(studio)
    studio.end()


@pytest.fixture(scope="module")
def document(asked: House) -> Any:
    credentials = basic(asked.admin.code, asked.admin.api_key)
    return schemathesis.openapi.from_url(f"{asked.studio.url}{V1}/openapi/openapi.json", headers=credentials)


def check(status: int, content_type: str, body: bytes) -> None:
    assert status != 500, body
    if status >= 400:
        assert content_type.startswith("application/json")
        refusal = msgspec.json.decode(body, type=ErrorAnswer)
        assert refusal.code != "internal"
        assert "Traceback" not in refusal.message


@pytest.mark.parametrize("name", [name for name in TABLE if name not in ("HEALTH", "EVENTS")])
def test_a_route_answers_anything_cleanly(asked: House, document: Any, name: str) -> None:
    call = TABLE[name]
    operation = document[call.path][call.method]
    credentials = {**basic(asked.admin.code, asked.admin.api_key), "X-Stagedoor-Page": "1"}

    @fuzz(12)
    @hypothesis.given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        if name == "ADD_VOLUME" and isinstance(case.body, dict):  # nothing is made outside of the studio's folder
            assume(not Path(str(case.body.get("path", "")).strip().split("\0")[0] or ".").exists())
        answer = case.call(headers=credentials, timeout=30)
        check(answer.status_code, answer.headers.get("content-type", [""])[0], answer.content)

    ask()


WRITTEN = st.one_of(
    st.text(max_size=40),
    st.text("abc=<>!()'\", *andortsicmx.\\", max_size=40),
    st.builds(
        lambda name, operator, value: f"{name} {operator} {value}",
        st.sampled_from(
            ["id", "user", "created", "size", "status", "error", "filename", "volume", "name", "value", "path"]
        ),
        st.sampled_from(["=", "!=", "<", ">=", "in", "not in", "contains", "matches"]),
        st.one_of(
            st.sampled_from(["'(a+)+$'", "'('", "*", "''", "2026-01-02t03:04:05", "9" * 30, "-1", "user:x", "%_\\"]),
            st.text(max_size=8).map(lambda text: "'" + text.replace("'", "''") + "'"),
        ),
    ),
)
LISTS = [call.path.removeprefix(V1) for call in TABLE.values() if call.answer is Page and "{" not in call.path]


@pytest.mark.parametrize("path", LISTS)
def test_any_expression_is_answered_or_refused_cleanly(asked: House, path: str) -> None:
    @fuzz(50)
    @hypothesis.given(WRITTEN)
    def ask(written: str) -> None:
        answer = asked.pool.request(
            "GET", f"{asked.studio.url}{V1}{path}", fields={"where": written}, headers=asked.admin.credentials
        )
        check(answer.status, answer.headers["content-type"], answer.data)
        assert answer.status in (200, 400)

    ask()


BODIES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "files",
                    "id",
                    "filename",
                    "size",
                    "is_dir",
                    "tasks",
                    "hooks",
                    "data",
                    "when",
                    "source",
                    "code",
                    "path",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", [name for name, call in TABLE.items() if call.body and "{" not in call.path])
def test_any_json_is_answered_or_refused_cleanly(asked: House, name: str) -> None:
    call = TABLE[name]

    @fuzz(50)
    @hypothesis.given(BODIES, st.booleans())
    def ask(body: Any, nested: bool) -> None:
        if name == "ADD_VOLUME" and isinstance(body, dict):
            body.pop("path", None)
        sent, page = {"files": [body]} if nested else body, {"X-Stagedoor-Page": "1"}
        answer = asked.admin.ask(call.method, call.path.removeprefix(V1), sent, headers=page)
        check(answer.status, answer.headers["content-type"], answer.body)

    ask()


def test_the_studio_works_all_the_same(asked: House) -> None:
    assert asked.admin.get("/me").status == 200
    assert asked.admin.post("/users", {"code": f"{fresh('v')}@example.com"}).status in (200, 201)
