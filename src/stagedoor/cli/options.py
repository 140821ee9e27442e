"""Options that commands share: where the home is, how to sign in, JSON, answers."""

from __future__ import annotations

import functools
import getpass
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..model.errors import BadRequest
from ..version import __version__
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session

Function = TypeVar("Function", bound=Callable[..., Any])
pass_page = click.make_pass_decorator(Page, ensure=True)


class Group(click.Group):
    """A command of commands; its help tells the whole first sentence of each."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            named = [(name, self.commands[name]) for name in self.list_commands(ctx)]
            formatter.write_dl([(name, command.get_short_help_str(limit=1000)) for name, command in named])


def as_json(function: Function) -> Function:
    """`--json`: turns the page over before the command begins."""

    def turn(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.ensure_object(Page).json = True

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=turn,
        help="Print one JSON object on stdout; everything else goes to stderr.",
    )(function)


EVERY = 10_000_000
"""as many as there are"""

where = click.option(
    "--where", metavar="EXPRESSION", help="Only those for which this holds: 'name = sq010* and size > 1000000'."
)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since_option(words: str) -> Callable[[Function], Function]:
    """`--since`, as a datetime."""
    return click.option("--since", callback=_since, metavar="AGE", help=words)


def _since(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """A date, or how long ago: `2d`, `12h`, `2026-03-01`."""
    if value is None:
        return None
    ago = re.fullmatch(r"(\d{1,5})\s*([mhdw])", value.strip())
    try:
        if ago:
            return datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(value.strip()).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is neither an age such as 2d or 12h nor a date such as 2026-03-01."
        ) from None


def limit(function: Function) -> Function:
    """`--limit`, as bytes per second in the argument `limit`; 0 where it is not given."""

    def read(_: click.Context, __: click.Parameter, value: str | None) -> float:
        match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*([kMG]?)B?(?:/s)?", value.strip()) if value else None
        if value and (match is None or not float(match[1])):
            raise click.BadParameter(f"{value!r} is not a speed such as 500k, 5M or 1.5M (bytes per second).")
        return float(match[1]) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[match[2]] if match else 0.0

    return click.option(
        "--limit",
        metavar="SPEED",
        callback=read,
        help="Send at most so many bytes per second: 500k, 5M.",
    )(function)


def no_reuse(function: Function) -> Function:
    """`--no-reuse`, as the argument `reuse`."""
    return click.option(
        "--no-reuse",
        "reuse",
        is_flag=True,
        flag_value=False,
        default=True,
        help="Send also what the studio has already from an earlier publish of yours.",
    )(function)


# --- the studio's side ---------------------------------------------------------------------------------------------


def home(function: Function) -> Function:
    """`--home`, as a Path; a usage error where it is nowhere."""

    def found(_: click.Context, __: click.Parameter, value: Path | None) -> Path:
        if value is None:
            raise click.UsageError("Say where the server's home is: --home DIR, or set STAGEDOOR_HOME.")
        return value.expanduser().absolute()

    return click.option(
        "--home",
        envvar="STAGEDOOR_HOME",
        type=click.Path(file_okay=False, path_type=Path),
        callback=found,
        help="The server's home: configuration, database, logs. Or STAGEDOOR_HOME.",
    )(function)


def at_home(function: Function) -> Function:
    """A command of whoever has an account on the server's machine: `page`, `home`, `--json`."""
    return home(as_json(pass_page(function)))  # type: ignore[return-value]


def wanted(where: str | None, limit: int = EVERY) -> Any:
    """Which items of a list; a `where` that cannot be asked raises BadRequest when it is read."""
    with server_parts():
        from ..lifecycle.wanted import Wanted
    return Wanted(where, limit)


@contextmanager
def server_parts() -> Iterator[None]:
    """Around an import of the server: a usage error where only the client is installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("stagedoor"):
            raise
        raise BadRequest(
            f"This command needs the server ({error.name} is not installed): pip install 'stagedoor[server]'",
            code="server_not_installed",
        ) from None


def bootstrap() -> Any:
    """The wiring of the server."""
    with server_parts():
        from .. import bootstrap as wiring
    return wiring


@contextmanager
def open_home(path: Path) -> Iterator[Any]:
    """The home, open for somebody who has an account on this machine."""
    wiring = bootstrap()
    with on_this_machine(), wiring.open_home(path) as server:
        yield server


@contextmanager
def on_this_machine() -> Iterator[None]:
    """What is changed within was changed by the account that runs this command."""
    from ..lifecycle.acting import acting
    from ..model.audit import Actor, Door

    with acting(Actor(code=_account(), client=f"stagedoor {__version__}", door=Door.HOME)):
        yield


def _account() -> str:
    """Who sits there, also behind sudo."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as containers have
        return f"uid {os.getuid()}"


# --- the vendor's side ---------------------------------------------------------------------------------------------


def sign_in(function: Function) -> Function:
    """Where the server is and who asks; hands the command a `Session` as its argument `session`."""

    @click.option("--url", envvar="STAGEDOOR_URL", help="Where the server is: https://host:8181. Or STAGEDOOR_URL.")
    @click.option("--user", envvar="STAGEDOOR_USER", help="Your e-mail address. Or STAGEDOOR_USER.")
    @click.option(
        "--api-key-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A file that holds your API key. Or STAGEDOOR_API_KEY with the key itself.",
    )
    @click.option(
        "--tls-fingerprint",
        envvar="STAGEDOOR_TLS_FINGERPRINT",
        help="SHA-256 of the server's self-signed certificate. Or STAGEDOOR_TLS_FINGERPRINT.",
    )
    @functools.wraps(function)
    def signed_in(
        *args: Any,
        url: str | None,
        user: str | None,
        api_key_file: Path | None,
        tls_fingerprint: str | None,
        **more: Any,
    ) -> Any:
        session = _session(url, user, _api_key(api_key_file), tls_fingerprint)
        return function(*args, session=session, **more)

    return signed_in  # type: ignore[return-value]


def with_session(function: Function) -> Function:
    """A command of whoever signs in: `page`, `session`, `--json`."""
    return sign_in(as_json(pass_page(function)))  # type: ignore[return-value]


def _api_key(file: Path | None) -> str:
    if file is None:
        return os.environ.get("STAGEDOOR_API_KEY", "").strip()
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadRequest(f"The API key cannot be read from {file}: {reason}.", code="api_key_unreadable") from None


def _session(url: str | None, user: str | None, api_key: str, fingerprint: str | None) -> Session:
    lacking = [
        words
        for given, words in (
            (url, "where the server is (--url or STAGEDOOR_URL)"),
            (user, "who you are (--user or STAGEDOOR_USER)"),
            (api_key, "your API key (--api-key-file or STAGEDOOR_API_KEY)"),
        )
        if not given
    ]
    if lacking:
        raise click.UsageError(f"Not known: {'; '.join(lacking)}.")
    from .. import Session

    try:
        return Session(url=url, username=user, api_key=api_key, fingerprint=fingerprint or None)
    except ValueError as error:
        raise click.UsageError(f"Signing in is not possible: {error}.") from None
