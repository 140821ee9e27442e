"""What the steps ask of running programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ...model.entities import (
    HookRun,
    RunState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """A hook to be run."""

    run: HookRun
    """as recorded by RunBook.begin; state RUNNING"""
    environment: Mapping[str, str] = field(default_factory=dict)
    run_as: str = ""
    """name of the system user; empty: the server's own"""
    input: bytes
    """JSON"""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """further files beside the input, by name (the hashes of a publish)"""
    wants_output: bool = False
    """without an answer it has failed"""
    may_answer: bool = False
    """an answer that cannot be read is a fault; none is not"""
    seconds: float
    answer_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    state: RunState
    exit_code: int | None
    error: str
    """for the studio's log; empty where the hook exited 0 and left what was wanted"""
    output: bytes | None
    """what it wrote to `${PATH_JSON_OUTPUT}`"""


class Programs(Protocol):
    def version(self, command: str) -> str: ...

    def run(self, order: RunOrder) -> Outcome:
        """Run to the end, or to its deadline; its process group is gone when this returns. Keeps input, output,
        stdout and stderr under the run's id, and pid and end in the RunBook. `${PATH_FILE_<NAME>}`-like names in the
        input are not known: paths of `files` are `folder(run_id) / name`."""
        ...

    def try_out(self, order: RunOrder) -> Outcome:
        """The same, and nothing is recorded or kept. The run's id is one that no record has."""
        ...

    def folder(self, run_id: str) -> Path:
        """The absolute path of a run's folder: input, output and `files` lie in it while it runs."""
        ...

    def end(self, run: HookRun) -> None:
        """End what is left of a run, its process group and whatever carries its mark."""
        ...

    def read_record(self, run_id: str, most: int = -1) -> dict[str, str]:
        """What is kept of a run: `input`, `output`, `stdout`, `stderr`, as text, of each the first `most` bytes; empty
        where there is nothing."""
        ...

    def remove(self, run_id: str) -> None:
        """Remove what is kept of a run."""
        ...

    def end_job(self, job_id: str) -> None:
        """End the publish hook of a job that is under way in this process, if any (abort)."""
        ...

    def shutdown(self) -> None:
        """End all runs under way without recording an outcome: they will be repeated."""
        ...
