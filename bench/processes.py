"""Servers, each in a process group of its own, all ended with the bench."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .place import Place

PATIENCE_SECONDS = 10


class Unusable(Exception):
    """A contestant cannot take part; the reason is the message."""


class Server:
    """One server process and all it starts."""

    def __init__(
        self,
        place: Place,
        command: Sequence[str],
        port: int,
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                place.at_server(list(command)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(env) if env is not None else None,
                cwd=cwd,
                start_new_session=True,
            )
        try:
            place.wait_for(port, lambda: self._process.poll() is not None)
        except BaseException as error:
            self.stop()
            if isinstance(error, TimeoutError):
                raise Unusable(f"{Path(command[0]).name}: {error}\n{self.output()}") from None
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def output(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        end_group(self._process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, then kill what is left of its group."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
