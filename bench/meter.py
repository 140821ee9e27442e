"""One client process, measured from its start to its end, with the servers behind it.

1. CPU of the client is what the kernel says of the process and all it waited for (wait4).
2. CPU of a server is that of its living tree and of all children that were waited for, now less before.
3. A client that takes longer than its limit is killed; how far it came is for others to find out.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .memory import Memory, forget_peaks, high_water, tree

LOOK_SECONDS = 0.1
"""between two looks at memory: seldom enough to cost nothing that could be measured"""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    seconds: float
    client_cpu: float
    server_cpu: float
    client_peak: int
    server_peak: int
    exit_code: int
    cut_off: bool
    output: str


def measure(
    command: Sequence[str],
    servers: Iterable[int],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    limit: float | None = None,
) -> Measured:
    roots = list(servers)
    forget_peaks(roots)
    before = cpu_of(roots)
    with log.open("wb") as output, Memory(roots, LOOK_SECONDS) as at_server:
        began = time.perf_counter()
        client = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
        )
        with Memory([client.pid], LOOK_SECONDS) as at_client, _Limit(client.pid, limit) as bound:
            usage = _wait(client)
            seconds = time.perf_counter() - began
            client_peak = max(at_client.peak(), _own_peak(usage))
        server_peak = at_server.peak()
    return Measured(
        seconds=seconds,
        client_cpu=usage.ru_utime + usage.ru_stime,
        server_cpu=max(0.0, cpu_of(roots) - before),
        client_peak=client_peak,
        server_peak=server_peak,
        exit_code=client.returncode,
        cut_off=bound.reached,
        output=log.read_text(errors="replace"),
    )


class _Limit:
    """Kills a process group after so many seconds."""

    def __init__(self, group: int, seconds: float | None) -> None:
        self.reached = False
        self._group = group
        self._timer = threading.Timer(seconds, self._kill) if seconds else None

    def __enter__(self) -> _Limit:
        if self._timer:
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer.join()

    def _kill(self) -> None:
        self.reached = True
        with suppress(ProcessLookupError):
            os.killpg(self._group, signal.SIGKILL)


def _wait(client: subprocess.Popen[bytes]) -> resource.struct_rusage:
    """Until the client ends; it does not outlive this call."""
    try:
        _, status, usage = os.wait4(client.pid, 0)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(client.pid, signal.SIGKILL)
        client.wait()
        raise
    client.returncode = os.waitstatus_to_exitcode(status)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(client.pid, signal.SIGKILL)
    return usage


def _own_peak(usage: resource.struct_rusage) -> int:
    """Of the largest process, by the kernel. It begins with what the bench had when it forked: no news up to that."""
    return usage.ru_maxrss * 1024 if usage.ru_maxrss * 1024 > high_water(os.getpid()) else 0


def cpu_of(roots: Iterable[int]) -> float:
    """Seconds that trees have used so far, with children that have ended."""
    total = 0
    for pid in tree(roots):
        with suppress(OSError):
            # The name may hold spaces; behind its bracket come the state and then numbers: 11 to 14 of them are times.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / _TICKS
