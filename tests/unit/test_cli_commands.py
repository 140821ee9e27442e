"""The tree of commands: help, exit codes, what is imported when, how errors end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from stagedoor.cli import COMMANDS, cli, exits
from stagedoor.model import errors

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "command-line.md").read_text("utf-8")


def tree(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from tree(inner, (*path, name))


ALL = list(tree(cli))
LEAVES = [(path, command) for path, command in ALL if not isinstance(command, click.Group)]


@pytest.mark.parametrize("path", [path for path, _ in ALL], ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert (result.exit_code, "Usage:" in result.output) == (0, True)


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])
def test_every_command_and_option_is_in_the_manual(path: tuple[str, ...], command: click.Command) -> None:
    title = f"\n### `stagedoor {' '.join(path)}"
    assert title in MANUAL
    section = MANUAL.split(title, 1)[1].split("\n### ", 1)[0]
    shared = {"--url", "--user", "--api-key-file", "--tls-fingerprint", "--home", "--json"}
    names = {name for option in command.params if isinstance(option, click.Option) for name in option.opts}
    assert sorted(name for name in names - shared if f"`{name}" not in section) == []


@pytest.mark.parametrize("code", exits.MEANINGS)
def test_every_exit_code_is_in_the_manual_and_in_the_help(code: int) -> None:
    words = CliRunner().invoke(cli, ["--help"]).output
    assert f"\n| {code} | {exits.MEANINGS[code]}" in MANUAL
    assert f"\n  {code} " in words


def test_the_summary_in_the_help_names_every_command() -> None:
    assert sorted(COMMANDS) == sorted(path[0] for path, _ in ALL if len(path) == 1)


def below(kind: type[errors.StagedoorError]) -> Iterator[type[errors.StagedoorError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from below(inner)


def test_every_error_but_the_root_has_an_exit_code_of_its_own_or_of_a_parent() -> None:
    import stagedoor.client.errors  # noqa: F401 - hangs the errors of the client into the tree

    known = set(exits.BY_ERROR) - {errors.StagedoorError}
    tree = [kind for kind in below(errors.StagedoorError) if kind.__module__.startswith("stagedoor.")]
    assert [kind.__name__ for kind in tree[1:] if not known.intersection(kind.__mro__)] == []


def test_exit_codes_of_the_table_are_all_explained() -> None:
    assert set() == set(exits.BY_ERROR.values()) - set(exits.MEANINGS)


def test_the_nearest_error_decides() -> None:
    class Newer(errors.DestinationTaken):
        """Not known to the table."""

    assert (exits.of(Newer()), exits.of(errors.Conflict()), exits.of(errors.StagedoorError())) == (3, 2, 1)


def test_help_imports_nothing_of_the_server_and_vendor_commands_neither() -> None:
    program = """
import sys
from click.testing import CliRunner
from stagedoor.cli import cli
for command in (["--help"], ["publish", "--help"], ["check", "--help"], ["jobs", "--help"], ["job", "show", "--help"]):
    assert CliRunner().invoke(cli, command).exit_code == 0
heavy = {"litestar", "sqlalchemy", "dbos", "granian", "alembic"} & set(sys.modules)
heavy |= {name for name in sys.modules if name.startswith(("stagedoor.bootstrap", "stagedoor.lifecycle"))}
print(sorted(heavy))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


# --- how commands end ----------------------------------------------------------------------------------------------


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """A command `raise` in the real tree that raises what is in the list."""
    raised: list[BaseException] = []

    @click.command("raise")
    @click.option("--json", "as_json", is_flag=True)
    @click.pass_context
    def command(ctx: click.Context, as_json: bool) -> None:
        ctx.obj.json = as_json
        raise raised[0]

    usual = cli.get_command
    monkeypatch.setattr(cli, "get_command", lambda ctx, name: command if name == "raise" else usual(ctx, name))
    return raised


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (errors.SignInRefused(), 5, "Sign-in refused"),
        (errors.CheckFailed(), 7, "the reference"),
        (errors.Conflict("Not set up.", code="publishing_not_set_up"), 3, "Not set up."),
        (KeyboardInterrupt(), 130, "Stopped."),
        (click.Abort(), 130, "Stopped."),
        (ZeroDivisionError("by \x1b[2J"), 1, "by \\x1b[2J"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_end_in_a_sentence_and_an_exit_code(
    raising: list[BaseException], error: BaseException, code: int, words: str
) -> None:
    raising.append(error)
    result = CliRunner().invoke(cli, ["raise"])
    assert (code, "", True) == (result.exit_code, result.stdout, words in result.stderr)


def test_what_the_sentence_names_already_is_not_listed_once_more(raising: list[BaseException]) -> None:
    raising.append(errors.BadRequest("There is no colour; there are: red, blue.", details={"known": ["red", "blue"]}))
    assert CliRunner().invoke(cli, ["raise"]).stderr == "There is no colour; there are: red, blue.\n"


@pytest.mark.parametrize("name", ["settings", "hook", "job", "user", "volume", "queue"])
def test_help_cuts_no_sentence(name: str) -> None:
    assert "..." not in CliRunner().invoke(cli, [name, "--help"]).stdout.partition("Commands:")[2]


def test_a_failure_is_one_json_object_too(raising: list[BaseException]) -> None:
    raising.append(errors.NotFound(details={"id": "7"}))
    result = CliRunner().invoke(cli, ["raise", "--json"])
    assert json.loads(result.stdout) == {
        "error": {"code": "not_found", "message": "There is nothing here under that id.", "details": {"id": "7"}}
    }


def test_every_fault_is_listed_below_the_sentence(raising: list[BaseException]) -> None:
    faults = [{"path": "a/con", "reason": "is reserved"}, {"path": "b\x07", "reason": "is odd"}]
    raising.append(errors.ManifestRefused("Two names cannot travel:", details={"faults": faults}))
    result = CliRunner().invoke(cli, ["raise"])
    assert result.stderr == "Two names cannot travel:\n  a/con is reserved\n  b\\x07 is odd\n"


def test_the_faults_are_listed_without_a_pointer_to_the_list(raising: list[BaseException]) -> None:
    faults = [{"path": "a/con", "reason": "is reserved"}, {"path": "b", "reason": "is odd"}]
    message = "2 files cannot be offered. a/con is reserved. The others are listed in the details."
    raising.append(errors.ManifestRefused(message, details={"faults": faults}))
    stderr = CliRunner().invoke(cli, ["raise"]).stderr
    assert stderr == "2 files cannot be offered:\n  a/con is reserved\n  b is odd\n"


NOWHERE = {"STAGEDOOR_URL": "http://127.0.0.1:9", "STAGEDOOR_USER": "a@b.c", "STAGEDOOR_API_KEY": "key"}


@pytest.mark.parametrize("name", ["check", "publish"])
@pytest.mark.parametrize(("path", "told"), [("no/such", "no/such does not exist."), ("/", "/ is a whole disk:")])
def test_a_path_typed_wrongly_is_a_usage_error(name: str, path: str, told: str) -> None:
    result = CliRunner(env=NOWHERE).invoke(cli, [name, path])
    assert (result.exit_code, result.stderr[: len(told)]) == (2, told)


def test_every_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    result = CliRunner(env=NOWHERE).invoke(cli, ["check", "no-a", str(tmp_path), "no-b", "--json"])
    error = json.loads(result.stdout)["error"]
    assert (error["code"], [fault["path"] for fault in error["details"]["faults"]]) == (
        "path_unknown",
        ["no-a", "no-b"],
    )


def test_a_file_that_is_there_but_cannot_travel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    assert CliRunner(env=NOWHERE).invoke(cli, ["check", str(tmp_path / "dangling")]).exit_code == 3


def test_errors_that_are_none_of_usage_do_not_explain_the_usage() -> None:
    result = CliRunner().invoke(cli, ["settings", "set", "offer_files", "many", "--home", "x"])
    assert (result.exit_code, "Usage:" in result.stderr) == (2, False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["volume", "list"], "--home DIR, or set STAGEDOOR_HOME"),
        (["jobs"], "STAGEDOOR_URL); who you are (--user or STAGEDOOR_USER); your API key (--api-key-file"),
        (["settings", "set", "offer_files", "many", "--home", "x"], "whole number of at least 1"),
        (["serve", "--home", "x", "--tls-cert", __file__], "go together"),
        (["hook", "set", "no-such", "x", "--home", "x"], "is no hook"),
        (["jobs", "--since", "sometime"], "neither an age such as 2d"),
    ],
)
def test_wrong_usage_says_what_is_lacking(words: list[str], told: str) -> None:
    bare = dict.fromkeys(("STAGEDOOR_HOME", "STAGEDOOR_URL", "STAGEDOOR_USER", "STAGEDOOR_API_KEY"))
    result = CliRunner(env=bare).invoke(cli, words)
    assert (result.exit_code, told in " ".join(result.stderr.split())) == (2, True)
