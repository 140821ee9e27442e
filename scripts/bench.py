"""`make bench`: what a large offer costs, and how long a whole publish takes beside `cp -r`.

1. An offer of 100,000 files in one folder, from the first byte of the request to the last byte of the answer, and the
   peak memory of all processes of the server together; both beside their limits.
2. `stagedoor publish` of 1000 x 2 MiB and of 10,000 x 16 KiB, from the scan to the end of the publish hook, beside
   `cp -r` of the same tree in the same run.
3. With `--large`, one publish of 100,000 small files: what grows faster than it should shows there.

Everything is real: a server process, a socket, hooks, the command line. The limits of 1. decide about the exit code.
Results go to `.bench/results.json`, a short table to the screen.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from studio import STAGEDOOR, Account, Studio  # noqa: E402

BENCH = ROOT / ".bench"
WORK = BENCH / "work"
MB = 1_000_000
FILES = 100_000
OFFER_SECONDS = 3.0
OFFER_MB = 300.0
HOOK_MARK = b"STAGEDOOR_RUN="
Numbers = dict[str, Any]

COPYING_HOOK = """
import json, sys
with open(sys.argv[1]) as stream:
    data = json.load(stream)
for entry in data["files"]:
    entry["can_publish"] = True
    entry["path"] = "volume=projects/in/" + entry["filename"]
with open(sys.argv[2], "w") as stream:
    json.dump({"files": data["files"]}, stream)
"""
READING_HOOK = "import json, sys\njson.load(open(sys.argv[1]))\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="of every measurement (default 5)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the files of the publishes, such as 0.1")
    parser.add_argument("--large", action="store_true", help="publish 100,000 small files as well, once")
    parser.add_argument("--only", choices=("offer", "publish", "large"), help="this part alone")
    options = parser.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    results: Numbers = {"machine": machine(), "began": now(), "runs": options.runs, "scale": options.scale}
    try:
        if options.only in (None, "offer"):
            results["offer"] = measure_offers(options.runs)
        if options.only in (None, "publish"):
            results["publish"] = measure_publishes(options.runs, options.scale)
        if options.large or options.only == "large":
            results["large"] = measure_large()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    (BENCH / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nAll numbers: {(BENCH / 'results.json').relative_to(ROOT)}")
    sys.exit(0 if results.get("offer", {}).get("within_limits", True) else 1)


# --- 1. a large offer


def measure_offers(runs: int) -> Numbers:
    """Every second run packs its body as our client does; each server takes offers until `runs` are done."""
    say(f"An offer of {FILES:,} files in one folder, {runs} runs on one server")
    with studio("offer") as (house, vendor), Memory(house) as memory:
        idle = memory.peak()
        seconds = {kind: [offer_once(house, vendor, kind == "gzip") for _ in range(runs)] for kind in ("plain", "gzip")}
        peak = memory.peak()
    numbers = {
        "files": FILES,
        "seconds": {kind: spread(values) for kind, values in seconds.items()},
        "idle_mb": idle / MB,
        "peak_mb": peak / MB,
        "limit_seconds": OFFER_SECONDS,
        "limit_mb": OFFER_MB,
    }
    slowest = max(max(values) for values in seconds.values())
    numbers["within_limits"] = slowest < OFFER_SECONDS and peak / MB < OFFER_MB
    for kind, values in seconds.items():
        row(f"offer, body {kind}", f"{shown(values, 's')}   limit {OFFER_SECONDS:g} s")
    row("peak memory, server", f"{peak / MB:.0f} MB (idle {idle / MB:.0f})   limit {OFFER_MB:.0f} MB")
    return numbers


def offer_once(house: Studio, vendor: Account, packed: bool) -> float:
    """Seconds from the first byte of the request to the last byte of the answer."""
    body = offer_body(FILES)
    headers = {
        "Authorization": "Basic " + b64encode(f"{vendor.code}:{vendor.api_key}".encode()).decode(),
        "Content-Type": "application/json",
        "Accept-Encoding": "gzip",
    }
    if packed:
        body, headers["Content-Encoding"] = gzip.compress(body, 3), "gzip"
    line = http.client.HTTPConnection("127.0.0.1", house.port, timeout=120)
    line.connect()
    began = time.perf_counter()
    line.request("POST", "/api/v1/offers", body, headers)
    answer = line.getresponse()
    content = answer.read()
    took = time.perf_counter() - began
    line.close()
    accepted = answer.status == 201 and json.loads(content)["files"][0]["can_publish"]
    if not accepted:
        sys.exit(f"The offer was not accepted ({answer.status}): {content[:2000]!r}")
    return took


def offer_body(files: int) -> bytes:
    """A folder of frames, with sizes and times."""
    frames = [
        {"filename": f"sq010_sh0010_comp_v001.{n:07}.exr", "size": 12_582_912 + n, "modified": 1_700_000_000_000 + n}
        for n in range(files)
    ]
    entry = {"id": str(uuid.uuid4()), "filename": "sq010_sh0010_comp_v001", "is_dir": True, "files": frames}
    for frame in frames:
        frame["size"] = 4096  # small enough for any disk to have room for all of them
    return json.dumps({"files": [entry], "hostname": "bench", "client": "bench"}).encode()


# --- 2. the whole publish beside cp -r


def measure_publishes(runs: int, scale: float) -> Numbers:
    return {
        name: measure_publish(name, max(1, int(count * scale)), size, runs)
        for name, count, size in (("1000 x 2 MiB", 1000, 2 << 20), ("10,000 x 16 KiB", 10_000, 16 << 10))
    }


def measure_publish(name: str, count: int, size: int, runs: int) -> Numbers:
    say(f"stagedoor publish of {count:,} files of {size >> 10:,} KiB beside cp -r, {runs} runs in turns")
    source = make_tree(WORK / "source", count, size)
    copies: list[float] = []
    publishes: list[Numbers] = []
    with studio("publish") as (house, vendor), Memory(house) as memory:
        for _ in range(runs):
            copies.append(copy_once(source))
            publishes.append(publish_once(house, vendor, source))
        peak = memory.peak()
    shutil.rmtree(source)
    seconds = [one["seconds"] for one in publishes]
    ratios = [mine / theirs for mine, theirs in zip(seconds, copies, strict=True)]
    row("stagedoor publish", shown(seconds, "s"))
    row("cp -r", shown(copies, "s"))
    row("publish / cp -r", shown(ratios, "times"))
    row("peak memory", f"server {peak / MB:.0f} MB, client {max(one['client_mb'] for one in publishes):.0f} MB")
    phases = {key: statistics.median(one["phases"][key] for one in publishes) for key in publishes[0]["phases"]}
    row("where the time went", ", ".join(f"{key} {value:.2f} s" for key, value in phases.items()))
    return {
        "files": count,
        "file_bytes": size,
        "publish": spread(seconds),
        "cp": spread(copies),
        "ratio": spread(ratios),
        "phases": phases,
        "server_peak_mb": peak / MB,
        "client_peak_mb": max(one["client_mb"] for one in publishes),
        "name": name,
    }


def copy_once(source: Path) -> float:
    target = WORK / "copy"
    settle()
    began = time.perf_counter()
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    took = time.perf_counter() - began
    shutil.rmtree(target)
    return took


def publish_once(house: Studio, vendor: Account, source: Path) -> Numbers:
    """One publish by the command line; what it made is removed again."""
    settle()
    began = time.time()
    process = subprocess.Popen(
        [STAGEDOOR, "publish", str(source), "--json"],
        env=house.env(vendor),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=(WORK / "publish.err").open("wb"),
    )
    assert process.stdout
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    ended = time.time()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"The publish failed:\n{(WORK / 'publish.err').read_text()}\n{house.output()}")
    job = json.loads(printed)["job"]
    moments = [began, *moments_of(house, vendor, job), ended]
    names = ("scan, check, submit", "upload, proof", "place, hook", "end noticed")
    phases = {name: later - earlier for name, earlier, later in zip(names, moments, moments[1:], strict=False)}
    shutil.rmtree(house.volume / "in")
    return {"seconds": ended - began, "client_mb": usage.ru_maxrss * 1024 / MB, "phases": phases}


def moments_of(house: Studio, vendor: Account, job: Numbers) -> list[float]:
    """When the job was made, when everything was proved, when it was done; from the records of the server."""
    with house.session(vendor) as session:
        proved = session.receipt(job)["proved"]
    return [datetime.fromisoformat(text).timestamp() for text in (job["created"], proved, job["finished"])]


def make_tree(folder: Path, count: int, size: int) -> Path:
    """Files whose bytes cannot be packed, different in each."""
    folder.mkdir()
    block = bytearray(os.urandom(size))
    for number in range(count):
        block[:8] = number.to_bytes(8, "big")
        (folder / f"shot.{number:06}.exr").write_bytes(block)
    return folder


def settle() -> None:
    """What is still to be written belongs to whoever wrote it, not to the one measured next."""
    os.sync()
    time.sleep(0.2)


# --- 3. a hundred thousand small files


def measure_large() -> Numbers:
    say(f"stagedoor publish of {FILES:,} files of 100 bytes, once")
    source = make_tree(WORK / "source", FILES, 100)
    copied = copy_once(source)
    with studio("large") as (house, vendor), Memory(house) as memory:
        one = publish_once(house, vendor, source)
        peak = memory.peak()
    row("stagedoor publish", f"{one['seconds']:.1f} s; cp -r {copied:.1f} s")
    row("peak memory", f"server {peak / MB:.0f} MB, client {one['client_mb']:.0f} MB")
    row("where the time went", ", ".join(f"{key} {value:.1f} s" for key, value in one["phases"].items()))
    return {**one, "cp_seconds": copied, "server_peak_mb": peak / MB}


# --- a studio, and the memory of its server


@contextmanager
def studio(name: str) -> Iterator[tuple[Studio, Account]]:
    house = Studio(WORK / name)
    vendor = house.user("vendor@example.com")
    house.hook("pre-publish-server", COPYING_HOOK)
    house.hook("publish-server", READING_HOOK)
    house.start()
    try:
        yield house, vendor
    finally:
        house.stop()
        shutil.rmtree(WORK / name)


class Memory:
    """The largest resident memory (VmHWM) of every process of a server, added up; hooks are not the server's.

    The kernel keeps the peak of a process as long as that lives. Processes below the server are looked for all the
    time; one that was seen once only was about to become another program.
    """

    def __init__(self, house: Studio) -> None:
        assert house.process
        self._server = house.process.pid
        self._peaks: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def peak(self) -> int:
        """Bytes."""
        self._look()
        return sum(peak for pid, peak in self._peaks.items() if pid == self._server or self._seen[pid] > 2)

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self._look()

    def _look(self) -> None:
        for pid in [self._server, *children(self._server)]:
            with suppress(OSError):
                if pid != self._server and HOOK_MARK in Path(f"/proc/{pid}/environ").read_bytes():
                    continue
                self._peaks[pid] = max(self._peaks.get(pid, 0), high_water(pid))
                self._seen[pid] = self._seen.get(pid, 0) + 1


def children(pid: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, tasks.read_text().split()):
                found += [child, *children(child)]
    return found


def high_water(pid: int) -> int:
    """VmHWM in bytes; 0 where the process has gone."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


# --- what is told


def machine() -> Numbers:
    """What the numbers depend on."""
    cpu = next(
        (line.partition(":")[2].strip() for line in lines_of("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    memory = next((int(line.split()[1]) * 1024 for line in lines_of("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "load_before": os.getloadavg(),
        "file_system": subprocess.run(
            ["stat", "-f", "-c", "%T", str(ROOT)], capture_output=True, text=True, check=False
        ).stdout.strip(),
    }


def lines_of(path: str) -> list[str]:
    with suppress(OSError):
        return Path(path).read_text().splitlines()
    return []


def spread(values: Sequence[float]) -> Numbers:
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
        "values": [round(value, 4) for value in values],
    }


def shown(values: Sequence[float], unit: str) -> str:
    return f"{statistics.median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f})"


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


def row(name: str, value: str) -> None:
    print(f"  {name:<22}{value}", flush=True)


_: Callable[..., object] = now

if __name__ == "__main__":
    main()
