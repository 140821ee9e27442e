"""The JSON Schemas of what hooks read and write."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stagedoor.wire import hookdata

ROOT = Path(__file__).parents[2]


def test_the_schemas_in_the_docs_are_up_to_date() -> None:
    """`.venv/bin/python scripts/make_schemas.py` writes them."""
    text_of = runpy.run_path(str(ROOT / "scripts/make_schemas.py"))["text_of"]
    written = {path.name: path.read_text() for path in (ROOT / "docs/schemas").iterdir()}
    assert written == {f"{name}.json": text_of(name) for name in hookdata.NAMES}


@pytest.mark.parametrize("name", hookdata.NAMES)
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(hookdata.schema(name))


def test_fields_are_described() -> None:
    definitions: Any = hookdata.schema("publish-server.input")["$defs"]
    assert definitions["PublishInput"]["properties"]["idempotency_key"]["description"] == ("the same in every attempt")
    assert definitions["PublishedEntry"]["description"].startswith("An entry of a job, with its place")


def test_an_answer_with_further_keys_is_as_the_schema_says() -> None:
    answer = {"files": [{"id": "a", "can_publish": True, "path": "x", "size": 3, "shotgun": 7}], "comment": True}
    jsonschema.validate(answer, hookdata.schema("pre-publish-server.output"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"files": [{"can_publish": "yes"}]}, hookdata.schema("pre-publish-server.output"))


@pytest.mark.parametrize(
    ("spelling", "kinds"),
    [
        ("pre-publish-server", ["input", "output"]),
        ("hook-job-pre-publish-server", ["input", "output"]),
        ("job-publish-server", ["input"]),
        ("publish-server", ["input"]),
        ("pre-submit", ["input", "output"]),
        ("hook-job-post-done-server", ["input"]),
    ],
)
def test_a_hook_may_be_named_in_any_spelling(spelling: str, kinds: list[str]) -> None:
    assert list(hookdata.schemas_of(spelling)) == kinds


@pytest.mark.parametrize("name", ["post-done-client", "x"])
def test_other_hooks_have_no_schema_and_it_is_said_which_have(name: str) -> None:
    with pytest.raises(ValueError, match="there are: pre-publish-server, pre-submit-server, post"):
        hookdata.schemas_of(name)
    with pytest.raises(ValueError, match=r"there are: pre-publish-server\.input"):
        hookdata.schema(name)
