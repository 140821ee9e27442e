"""Where a server keeps its things: the home folder.

stagedoor.toml   what is set by hand: where the database is, how the log is written
stagedoor.db     the database, where none is set
engine.db        what the engine remembers of steps under way
runs/            recorded hook runs
tls/             the self-signed certificate
keys/            the key that receipts are signed with
logs/server.log  what the server has to say
backups/         made by `upgrade` before it changes the database
serve.lock       held by the server that runs on this home; tells how it was started, also afterwards
"""

from __future__ import annotations

import fcntl
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import tomllib

from .model.errors import BadRequest, Conflict

TEMPLATE = """\
# Stagedoor server. Where nothing is set, the database is a file in this folder.
# database = "postgresql://stagedoor@localhost/stagedoor"

# Where people reach this server: what invitations and mails point to.
# public_url = "https://publish.studio.example"

# Invitations and sign-in links are mailed where this is set; it needs public_url.
# [mail]
# host = "mail.studio.example"
# port = 587
# security = "starttls"  # or "tls", or "none"
# user = "stagedoor"     # left out: without signing in there
# password = "..."
# sender = "Stagedoor <publish@studio.example>"

# How the server writes its log; what is given to `stagedoor serve` counts more.
# [log]
# format = "text"        # or "json": one JSON object a line
# access = false         # a line for every request
# file_bytes = 20000000  # at this size a new file is begun,
# files = 5              # and so many older ones are kept
"""
_PUBLIC_URL = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?")
LOCK_SECONDS = 1.0
"""how long a server waits for the lock of its home: `doctor` holds it for an instant to see whether one runs"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChoice:
    """How the log is written."""

    format: str = "text"
    access: bool = False
    file_bytes: int = 20_000_000
    files: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MailChoice:
    """Where mails are handed over."""

    host: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How the server of a home runs, or ran last."""

    pid: int
    host: str
    port: int
    certificate: str = ""
    """path of its certificate; empty without TLS"""
    key: str = ""

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"{'https' if self.certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of a home."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "stagedoor.toml"

    @property
    def tls(self) -> Path:
        return self.folder / "tls"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def log(self) -> Path:
        return self.folder / "logs" / "server.log"

    @property
    def lock(self) -> Path:
        return self.folder / "serve.lock"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    @property
    def given(self) -> Mapping[str, Any]:
        """What is set by hand. Raises BadRequest."""
        try:
            return tomllib.loads(self.config.read_text())
        except (tomllib.TOMLDecodeError, OSError, UnicodeError) as error:
            raise BadRequest(f"{self.config} cannot be read: {error}.", code="config_wrong") from None

    @property
    def database(self) -> str:
        """URL of the database."""
        given = self.given.get("database")
        return str(given) if given else f"sqlite:///{self.folder / 'stagedoor.db'}"

    @property
    def public_url(self) -> str:
        """Where people reach the server, without a slash at the end; empty where that is not set. Raises BadRequest."""
        given = self.given.get("public_url", "")
        if given and not (isinstance(given, str) and _PUBLIC_URL.fullmatch(given)):
            raise BadRequest(
                f'{self.config}: public_url is written like "https://publish.studio.example", not {given!r}.',
                code="config_wrong",
            )
        return str(given).rstrip("/").lower()

    def mail_choice(self) -> MailChoice | None:
        """How mails are sent; None where they are not. Raises BadRequest."""
        table = self.given.get("mail")
        if table is None:
            return None
        known = asdict(MailChoice())
        wrong = [("mail", table)] if not isinstance(table, dict) else table.items()
        for name, value in wrong:
            if name not in known or type(value) is not type(known[name]):
                raise BadRequest(
                    f"{self.config}: [mail] takes host, port (a number), security, user, password and sender, "
                    f"not {name}.",
                    code="config_wrong",
                )
        choice = MailChoice(**table)
        if not choice.host or "@" not in choice.sender or choice.security not in ("starttls", "tls", "none"):
            raise BadRequest(
                f'{self.config}: [mail] needs host and sender; security is "starttls", "tls" or "none".',
                code="config_wrong",
            )
        if not self.public_url:
            raise BadRequest(f"{self.config}: [mail] needs public_url, which mails point to.", code="config_wrong")
        return choice

    def log_choice(self, **given: Any) -> LogChoice:
        """How the log is to be written: what is given (and not None), else what is set, else the defaults."""
        table = self.given.get("log", {})
        known = asdict(LogChoice())
        for name, value in table.items() if isinstance(table, dict) else [("log", table)]:
            if name not in known or type(value) is not type(known[name]):
                raise BadRequest(
                    f"{self.config}: [log] takes format, access (true or false), file_bytes and files (numbers), "
                    f"not {name} = {value!r}.",
                    code="config_wrong",
                )
        choice = LogChoice(**{**known, **table, **{name: value for name, value in given.items() if value is not None}})
        if choice.format not in ("text", "json") or choice.file_bytes < 1 or choice.files < 0:
            raise BadRequest(f'{self.config}: the log\'s format is "text" or "json", its sizes are positive numbers.')
        return choice

    @contextmanager
    def locked(self) -> Iterator[IO[str]]:
        """Hold the home, as its one server. Raises Conflict where another does."""
        with self.lock.open("a+") as lock:
            if not _taken(lock, fcntl.LOCK_EX, LOCK_SECONDS):
                raise Conflict("A server is running on this home already.", code="home_in_use")
            yield lock

    @property
    def is_served(self) -> bool:
        """Whether a server runs on this home now."""
        try:
            with self.lock.open() as lock:
                return not _taken(lock, fcntl.LOCK_SH, 0)
        except FileNotFoundError:
            return False

    def serving(self) -> Serving | None:
        """How the server runs, or ran last."""
        with suppress(OSError, ValueError, TypeError):
            return Serving(**json.loads(self.lock.read_text()))
        return None

    @property
    def engine(self) -> str:
        """URL of the engine's own database; never in one file with ours."""
        ours = self.database
        return f"sqlite:///{self.folder / 'engine.db'}" if ours.startswith("sqlite") else ours

    def make(self, database: str = "") -> None:
        """`database`: the URL of another one than a file in the home. Raises Conflict where there is a home already."""
        if self.config.exists():
            raise Conflict(f"{self.folder} is a home already; choose another folder.", code="home_exists")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        line = f"database = {json.dumps(database)}\n" if database else ""
        self.config.write_text(TEMPLATE + line)
        self.config.chmod(0o600)  # the URL may hold a password
        self.log.parent.mkdir(exist_ok=True)

    def check(self) -> None:
        """Raises BadRequest where there is no home."""
        if not self.config.is_file():
            raise BadRequest(
                f"{self.folder} is no home of a server; make one with `stagedoor init --home {self.folder} "
                "--admin EMAIL`.",
                code="home_missing",
            )


def note_serving(lock: IO[str], serving: Serving) -> None:
    """Write into the lock how its holder serves."""
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps(asdict(serving)) + "\n")
    lock.flush()


def _taken(lock: IO[str], kind: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.05)
