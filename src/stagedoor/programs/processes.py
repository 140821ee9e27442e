"""Which processes belong to a run, and ending them all.

Rules
1. A run's processes are those of its process group, of its session, and all that carry its mark in their environment:
   the mark finds those that left the group, also after the server that started them has died.
2. A process number alone proves nothing, since numbers come again: only with the start time it had is it the same.
3. Ending means: asked (SIGTERM), then made to (SIGKILL); it is over when none is left but zombies.

Without `/proc` (macOS) only the process group is known.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

MARK = "STAGEDOOR_RUN"
GRACE_SECONDS = 2.0
PATIENCE_SECONDS = 10.0
"""how long a killed process may take to vanish: one that waits for a dead disk cannot"""
_PROC = Path("/proc")
HAS_PROC = (_PROC / "self" / "stat").exists()


def started(pid: int) -> str:
    """When a process started, in clock ticks since boot, and the boot; empty where there is none of that number."""
    fields = _stat(pid)
    if fields is None:
        return ""
    boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{fields[19]}@{boot}"


def belonging(run_id: str, group: int | None) -> list[int]:
    """The living processes of a run. `group`: its process group, where that is certain to be its own."""
    if not HAS_PROC:
        return [-group] if group is not None and _group_lives(group) else []
    mark = f"{MARK}={run_id}".encode()
    return [pid for pid in _all() if pid != os.getpid() and _belongs(pid, mark, group)]


def end(
    run_id: str,
    group: int | None,
    *,
    grace: float = GRACE_SECONDS,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """End all processes of a run; returns when they are gone. Raises TimeoutError where one cannot be ended."""
    kill_at = time.monotonic() + grace
    asked: set[int] = set()
    while left := belonging(run_id, group):
        now = time.monotonic()
        if now > kill_at + PATIENCE_SECONDS:
            raise TimeoutError(f"processes of run {run_id} cannot be ended: {', '.join(map(str, left))}")
        if now >= kill_at:
            _send(left, signal.SIGKILL)
        else:
            _send([pid for pid in left if pid not in asked], signal.SIGTERM)
            asked.update(left)
        wait(0.01)


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _all() -> Iterator[int]:
    for name in os.listdir(_PROC):
        if name.isdigit():
            yield int(name)


def _belongs(pid: int, mark: bytes, group: int | None) -> bool:
    fields = _stat(pid)
    if fields is None or fields[0] in ("Z", "X"):
        return False
    if group is not None and str(group) in (fields[2], fields[3]):
        return True
    return mark in _environment(pid).split(b"\0")


def _stat(pid: int) -> list[str] | None:
    """Fields 3 and on of `/proc/<pid>/stat`: state, parent, process group, session, ..."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()  # the second field, the program's name, may hold anything


def _environment(pid: int) -> bytes:
    try:
        return (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return b""
