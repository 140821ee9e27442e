"""The command `stagedoor`: one module a command, loaded when it is called.

Rules
1. `stagedoor --help` and the vendor's commands import nothing of the server.
2. Every error ends in one sentence on stderr and an exit code from `exits`; a traceback is shown only with
   `STAGEDOOR_DEBUG=1`.
3. `--json` puts exactly one JSON object on stdout, also when the command fails.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from ..model.errors import StagedoorError, SubmitRefused
from ..version import __version__
from . import exits
from .screen.page import Page

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("check", "Ask the studio whether files and folders would be accepted; nothing is sent."),
    "publish": ("publish", "Have files and folders validated, fill in what is asked, send them."),
    "jobs": ("jobs", "List jobs."),
    "job": ("job", "Show, retry, pause, resume, move or abort one job; hold and exclude its entries."),
    "receipt": ("receipt", "What arrived: fetch it as JSON or ASC MHL, verify it."),
    "init": ("init", "Make a new server: its home, first administrator and API key."),
    "serve": ("serve", "Run the server."),
    "workspace": ("workspace", "What the studio keeps about itself."),
    "volume": ("volume", "Storage roots that publishes go to."),
    "queue": ("queue", "Lines in which jobs wait for their turn."),
    "user": ("user", "Users, their invitations, sessions and API keys."),
    "hook": ("hook", "The studio's own programs: set, test, explain."),
    "settings": ("settings", "Limits and behaviour of workspace, volumes, queues and jobs."),
    "doctor": ("doctor", "What is wrong with a server, and what to do about it."),
    "gc": ("gc", "Remove what nobody needs any more."),
    "backup": ("backup", "Put everything that the home holds into one file."),
    "restore": ("restore", "Make a new home from a backup."),
    "upgrade": ("upgrade", "Bring a home to this version of Stagedoor."),
    "log": ("log", "Who did what, and what vendors stumble over."),
}


ELSEWHERE = "The others are listed in the details."
"""how a message of many faults ends"""


class Commands(click.Group):
    """Finds its commands in `COMMANDS` and ends every error in words and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[cmd_name][0]}", __name__)
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), words) for code, words in exits.MEANINGS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        page = ctx.ensure_object(Page)
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, BrokenPipeError):
            raise
        except click.ClickException as error:
            page.failed({"code": "usage", "message": error.format_message(), "details": {}})
            raise
        except (KeyboardInterrupt, click.Abort):
            page.complain("Stopped.")
            page.failed({"code": "stopped", "message": "Stopped.", "details": {}})
            ctx.exit(exits.STOPPED)
        except StagedoorError as error:
            _tell(page, error)
            ctx.exit(exits.of(error))
        except Exception as error:
            if os.environ.get("STAGEDOOR_DEBUG"):
                raise
            words = f"Something went wrong inside Stagedoor: {type(error).__name__}: {error}"
            page.complain(f"{words}\nRun it again with STAGEDOOR_DEBUG=1 for the whole story.")
            page.failed({"code": "internal", "message": words, "details": {}})
            ctx.exit(exits.INTERNAL)


def _tell(page: Page, error: StagedoorError) -> None:
    lines = _fault_lines(error.details)
    page.complain(_sentence(error.message, lines))
    if error.message.endswith(ELSEWHERE) or any(line not in error.message for line in lines):
        for line in lines:
            page.note(f"  {line}")
    if isinstance(error, SubmitRefused):
        page.note("The studio did not let the job be made; nothing was sent.")
    if error.detail:
        page.note(error.detail, "dim")
    if exits.of(error) == exits.INTERNAL and error.details.get("request_id"):
        page.note(f"The studio finds it in its log by {error.details['request_id']}.")
    page.failed({"code": error.error_code, "message": error.message, "details": error.details})


def _sentence(message: str, lines: list[str]) -> str:
    """The message, without the example and the pointer to the others where all of them are listed below it."""
    if len(lines) > 1 and message.endswith(ELSEWHERE):
        return message.split(". ", 1)[0] + ":"
    return message


def _fault_lines(details: dict[str, Any]) -> list[str]:
    """Faults and the like among the facts behind an error, a line each."""
    lines = []
    for value in details.values():
        for item in value if isinstance(value, (list, tuple)) else ():
            if isinstance(item, dict):
                lines.append(_fault_line(item))
            else:
                lines.append(str(item))
    return lines


def _fault_line(item: dict[str, Any]) -> str:
    """`sh010/a?.exr holds ?` of a name, `sh010, comment: enter one` of an answer."""
    where = ", ".join(str(item[key]) for key in ("entry", "filename", "path", "field") if item.get(key))
    what = str(item.get("reason") or item.get("message") or "")
    return f"{where}{':' if item.get('field') else ''} {what}".strip() or str(item)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Stagedoor: the publish gateway for media production.

    A vendor checks and publishes; a studio runs the server and writes the hooks.
    """


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name that the terminal's encoding lacks must not end the command
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="stagedoor")
