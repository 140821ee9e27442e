"""Where a server keeps its things: the home folder.

stagedoor.toml   what is set by hand: `database = "postgresql://..."`
stagedoor.db     the database, where none is set
engine.db        what the engine remembers of steps under way
runs/            recorded hook runs
tls/             the self-signed certificate
keys/            the key that receipts are signed with
logs/server.log  what the server has to say
serve.lock       held by the server that runs on this home
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import tomllib

from .model.errors import BadRequest, Conflict

TEMPLATE = """\
# Stagedoor server. Where nothing is set, the database is a file in this folder.
# database = "postgresql://stagedoor@localhost/stagedoor"
"""


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
    def database(self) -> str:
        """URL of the database."""
        try:
            given = tomllib.loads(self.config.read_text()).get("database")
        except tomllib.TOMLDecodeError as error:
            raise BadRequest(f"{self.config} cannot be read: {error}.", code="config_wrong") from None
        return str(given) if given else f"sqlite:///{self.folder / 'stagedoor.db'}"

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
