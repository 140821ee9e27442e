"""The database, the engine's memory, and jobs that stand still."""

from __future__ import annotations

from collections.abc import Iterator

from ...config import Home
from ...model.errors import StagedoorError
from ...records import Schema, schema_of
from ...records.health import Health
from ..homes import now
from .diagnosis import Diagnosis, fault, ok, warning

STILL_MILLISECONDS = 3_600_000
AHEAD_SECONDS = 2.0
MANY = 1000
_FEW_NAMED = 3


def schema(paths: Home) -> tuple[Schema | None, list[Diagnosis]]:
    try:
        found = schema_of(paths.database)
    except StagedoorError as error:
        reason = f"{error.message} {error.detail}".strip().splitlines()[0]
        return None, [fault("database", "", f"It cannot be reached: {reason}", "Look at `database` in stagedoor.toml.")]
    if found is Schema.CURRENT:
        return found, [ok("database", "tables", "They are those of this version.")]
    if found is Schema.OLDER:
        advice = f"Stop the server, then: stagedoor upgrade --home {paths.folder}"
        return found, [fault("database", "tables", "They are those of an earlier version.", advice)]
    if found is Schema.NEWER:
        return found, [
            fault("database", "tables", "They are those of a newer version.", "Install that version of Stagedoor.")
        ]
    return found, [
        fault("database", "tables", "It is empty or gone.", "Restore a backup: stagedoor restore FILE --home NEW")
    ]


def examine(health: Health) -> Iterator[Diagnosis]:
    damaged = health.faults()
    if damaged:
        yield fault("database", "file", f"It is damaged: {damaged[0]}", "Stop the server and restore a backup.")
    else:
        yield ok("database", "file", "Nothing in it is damaged.")
    ahead = health.ahead()
    if abs(ahead) > AHEAD_SECONDS:
        yield warning("clock", "database", f"Its clock differs from ours by {ahead:+.0f} s.", "Set both by NTP.")


def engine(paths: Home) -> Iterator[Diagnosis]:
    from ...engine import ALIVE, remembered

    try:
        found = remembered(paths.engine)
    except Exception as error:  # a foreign library's errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        yield fault(
            "engine",
            "",
            f"Its database cannot be used: {reason}",
            "Stop the server, remove engine.db from the home and start again: jobs go on without it.",
        )
        return
    alive = sum(status in ALIVE for status in found.values())
    if len(found) - alive > MANY:
        yield warning("engine", "", f"It remembers {len(found) - alive} ended runs.", "stagedoor gc")
    else:
        yield ok("engine", "", f"Its database can be used; {alive} jobs run or wait for their turn.")


def jobs(health: Health) -> Iterator[Diagnosis]:
    still = health.still_since(now() - STILL_MILLISECONDS)
    if still:
        yield warning(
            "jobs",
            "under way",
            f"{_several(still, 'has', 'have')} been in one step for over an hour: {_named(still)}.",
            "Look at `stagedoor hook log --job ID` and the server's log; is the server running?",
        )
    else:
        yield ok("jobs", "under way", "None has been in one step for over an hour.")
    waiting = health.waiting_for_a_person()
    if waiting:
        yield warning(
            "jobs",
            "failed",
            f"{_several(waiting, 'has failed and waits', 'have failed and wait')} for a person: {_named(waiting)}.",
            "See `stagedoor job show ID`, mend the cause, then `stagedoor job retry ID` or `abort`.",
        )


def _several(ids: list[str], one: str, more: str) -> str:
    return f"{len(ids)} jobs {more}" if len(ids) > 1 else f"One job {one}"


def _named(ids: list[str]) -> str:
    return ", ".join(ids[:_FEW_NAMED]) + (" and others" if len(ids) > _FEW_NAMED else "")
