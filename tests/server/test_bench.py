"""The bench works from end to end, at a scale where its numbers mean nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are measured by /proc")
def test_the_bench_measures_stagedoor_beside_a_peer(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    where = ["--work", str(tmp_path / "work"), "--results", str(results)]
    what = [
        "--only",
        "loads",
        "offer",
        "--loads",
        "SEQ",
        "--ours",
        "stagedoor",
        "stagedoor-publish",
        "--peers",
        "nginx",
    ]
    command = [sys.executable, "-m", "bench", "--smoke", *what, *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = json.loads(results.read_text())
    peers = {"nginx"} if shutil.which("nginx", path="/usr/sbin:/usr/bin") and shutil.which("curl") else set()
    assert numbers["loads"]["SEQ"]["contestants"].keys() == {"stagedoor", *peers}
    assert numbers["loads"]["SEQ"]["ratios"]["stagedoor"].keys() == peers
    assert numbers["offer"]["within_limits"]
    assert not (tmp_path / "work" / "run").exists()
