"""The machine that the numbers are from."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from .figures import Numbers


def machine(folder: Path) -> Numbers:
    """What the numbers depend on; `folder` lies on the disk that is measured."""
    kinds = ["findmnt", "--noheadings", "--output", "FSTYPE,OPTIONS", "--target", str(folder)]
    memory = _first("/proc/meminfo", "MemTotal").split()
    return {
        "cpu": _first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gb": round(int(memory[0]) * 1024 / 1e9, 1) if memory else 0,
        "kernel": platform.platform(),
        "python": platform.python_version(),
        "file_system": subprocess.run(kinds, capture_output=True, text=True, check=False).stdout.strip(),
        "congestion_control": _whole("/proc/sys/net/ipv4/tcp_congestion_control"),
        "load_before": os.getloadavg(),
        "began": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _first(file: str, key: str) -> str:
    lines = (line.partition(":") for line in _whole(file).splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == key), "")


def _whole(file: str) -> str:
    with suppress(OSError):
        return Path(file).read_text().strip()
    return ""
