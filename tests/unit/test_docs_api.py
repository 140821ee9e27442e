"""`docs/api.md` names every error code and every route, and none that there is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagedoor.api.status import BY_STATUS, STATUS
from stagedoor.model import errors
from stagedoor.model.states import OfferState
from stagedoor.wire.calls import TABLE

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "api.md").read_text()
SOURCES = [
    path
    for layer in ("model", "lifecycle", "api", "records", "volumes", "programs", "hooks", "wire", "credentials")
    for path in sorted((REPOSITORY / "src" / "stagedoor" / layer).rglob("*.py"))
]
# Told on the command line of the server, before or beside the door.
NOT_HERE = {
    "port_taken",
    "tls_unusable",
    "no_workspace",
    "workspace_exists",
    "database_newer",
    "rehearsal",
    "database_not_empty",
    "pg_dump_missing",
}
# Codes that are put together, and what comes of them.
PUT_TOGETHER = {
    "f'offer_{state}'": {
        f"offer_{state}" for state in OfferState if state not in (OfferState.OPEN, OfferState.CHECKED)
    },
    "f'{what}_exists'": {"user_exists", "volume_exists"},
}


def given_codes(path: Path) -> Iterator[ast.expr]:
    """What is given as `code=` or `error_code=`, third to `fail(job, sentence, code, ...)`, or as default of `code`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield from (word.value for word in node.keywords if word.arg in ("code", "error_code"))
            if isinstance(node.func, ast.Attribute) and node.func.attr == "fail":
                yield from node.args[2:3]
        if isinstance(node, ast.FunctionDef):
            defaults = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            yield from (value for argument, value in defaults if value is not None and argument.arg == "code")


def codes_of(value: ast.expr) -> set[str]:
    if isinstance(value, ast.JoinedStr):
        return PUT_TOGETHER[ast.unparse(value)]
    if isinstance(value, ast.Constant) and re.fullmatch(r"[a-z_]+", str(value.value)):
        return {str(value.value)}
    return set()


def tree(kind: type[errors.StagedoorError]) -> Iterator[type[errors.StagedoorError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from tree(below)


def in_the_source() -> set[str]:
    codes = {code for path in SOURCES for value in given_codes(path) for code in codes_of(value)}
    codes |= {kind.code for kind in tree(errors.StagedoorError)} | {code for code, _ in BY_STATUS.values()}
    return codes - NOT_HERE


def on_the_page() -> set[str]:
    codes = PAGE[PAGE.index("## Error codes") :]
    return set(re.findall(r"^\|(?: \d+ \|)? `([a-z_]+)` \|", codes, re.MULTILINE))


def test_every_error_code_is_documented_and_none_that_there_is_not() -> None:
    assert in_the_source() - on_the_page() == set(), "say in docs/api.md when these come"
    assert on_the_page() - in_the_source() == set(), "nothing in the source says these"


@pytest.mark.parametrize("kind", list(tree(errors.StagedoorError)), ids=lambda kind: str(kind.__name__))
def test_the_status_of_every_error_is_as_documented(kind: type[errors.StagedoorError]) -> None:
    status = next(STATUS[base] for base in kind.__mro__ if base in STATUS)
    assert f"| {status} | `{kind.code}` |" in PAGE


def test_routes_on_the_page_are_routes_of_the_server() -> None:
    known = {(call.method, call.path) for call in TABLE.values()}
    named = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^` ]+)`", PAGE))
    assert {route for route in named if "openapi" not in route[1]} <= known
    for method, path in known:
        if path.startswith(("/api/v1/offers", "/api/v1/jobs", "/api/v1/uploads")) and method != "GET":
            assert (method, path) in named, (method, path)
