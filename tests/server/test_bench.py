"""The bench works from end to end, at a scale where its numbers mean nothing."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench import report
from bench.wan import line

EVERYTHING = bool(os.environ.get("CI") or (os.environ.get("EVERY_TEST") and os.geteuid() == 0))
"""whether what a test needs of the system is to be there: namespaces and devices only root can make"""
ROOT = Path(__file__).resolve().parents[2]
RECEIVE = """
line, _ = server.accept()
while block := line.recv(1 << 20):
    sys.stdout.buffer.write(block)
"""
SEND = """
import socket, sys, time
for _ in range(100):
    try:
        line = socket.create_connection(("{host}", {port}))
        break
    except ConnectionRefusedError:
        time.sleep(0.1)
line.sendall(sys.stdin.buffer.read())
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are measured by /proc")
def test_the_bench_measures_stagedoor_beside_a_peer(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    where = ["--work", str(tmp_path / "work"), "--results", str(results)]
    what = ["--smoke", "--only", "loads", "--loads", "SEQ", "--ours", "stagedoor", "--peers", "nginx"]
    command = [sys.executable, "-m", "bench", *what, *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = json.loads(results.read_text())
    peers = {"nginx"} if shutil.which("nginx", path="/usr/sbin:/usr/bin") and shutil.which("curl") else set()
    assert numbers["loads"]["SEQ"]["contestants"].keys() == {"stagedoor", *peers}
    assert numbers["loads"]["SEQ"]["ratios"]["stagedoor"].keys() == peers
    assert not (tmp_path / "work" / "run").exists()


@pytest.mark.timeout(300)  # two studios, a PostgreSQL, and some hundreds of requests
def test_the_bench_asks_for_every_list_of_both_databases(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    where = ["--work", str(tmp_path / "work"), "--results", str(results)]
    command = [sys.executable, "-m", "bench", "--smoke", "--only", "lists", *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=290)
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: a limit was exceeded, which is no matter of a test
    numbers = json.loads(results.read_text())["lists"]
    assert numbers["databases"].keys() == {"SQLite", "PostgreSQL"}
    for measured in numbers["databases"].values():
        asked = {(one["who"], one["asked"]): one["total"] for one in measured["lists"]}
        assert asked[("admin", "/jobs?finished=true")] > asked[("vendor", "/jobs?finished=true")] >= numbers["jobs"] / 2
    table = report.tables(json.loads(results.read_text()))
    assert "| vendor: " in table
    assert "| submit | " in table


def test_the_emulated_line_loses_packets_and_tcp_makes_good_for_it(tmp_path: Path) -> None:
    """Bundles of packets with gaps in them are cut right: what arrives is what was sent."""
    unmade = line.possible()
    if unmade and EVERYTHING:
        pytest.fail(f"no line can be emulated, though everything for it is to be installed here: {unmade}")
    if unmade:
        pytest.skip(unmade)
    sent = random.Random(1).randbytes(3_000_000)
    with line.line(line.Weather(4, 0.5), tmp_path / "line.log") as place:
        port = place.free_port()
        receive = f"import socket, sys\nserver = socket.create_server(('{place.host}', {port}))\n" + RECEIVE
        with (tmp_path / "got").open("wb") as got:
            receiver = subprocess.Popen(place.at_server([sys.executable, "-c", receive]), stdout=got)
        send = SEND.format(host=place.host, port=port)
        subprocess.run(place.at_client([sys.executable, "-c", send]), input=sent, check=True, timeout=60)
        receiver.wait(30)
        assert line.bytes_sent(place) > len(sent)
    assert (tmp_path / "got").read_bytes() == sent
    assert re.search(r"direction 0: \d+ packets, [1-9]\d* lost", (tmp_path / "line.log").read_text())
