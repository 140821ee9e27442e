"""`make bench`: what a large offer costs, and how long a whole publish takes beside `cp -r`.

1. An offer of 100,000 files in one folder, from the first byte of the request to the last byte of the answer, and the
   peak memory of all processes of the server together; both beside their limits.
2. `stagedoor publish` of 1000 x 2 MiB and of 10,000 x 16 KiB, from the scan to the end of the publish hook, beside
   `cp -r` of the same tree in the same run: `cp` alone, which ends when the bytes are in memory, and `cp` until they
   are on the device, as a publish leaves them.
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
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from server_memory import Memory  # noqa: E402

from studio import STAGEDOOR, Account, Studio  # noqa: E402

BENCH = ROOT / ".bench"
WORK = BENCH / "work"
MB = 1_000_000
FILES = 100_000
OFFER_SECONDS = 3.0
OFFER_MB = 300.0
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
    parser.add_argument("--work", type=Path, default=WORK, help="folder to work in; it decides about the disk")
    parser.add_argument("--only", choices=("offer", "publish", "large"), help="this part alone")
    options = parser.parse_args()
    BENCH.mkdir(exist_ok=True)
    results: Numbers = {"machine": machine(), "began": now(), "runs": options.runs, "scale": options.scale}
    with working_in(options.work.absolute()) as work:
        if options.only in (None, "offer"):
            results["offer"] = measure_offers(work, options.runs)
        if options.only in (None, "publish"):
            results["publish"] = measure_publishes(work, options.runs, options.scale)
        if options.large or options.only == "large":
            results["large"] = measure_large(work)
    (BENCH / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nAll numbers: {(BENCH / 'results.json').relative_to(ROOT)}")
    sys.exit(0 if results.get("offer", {}).get("within_limits", True) else 1)


@contextmanager
def working_in(folder: Path) -> Iterator[Path]:
    """A new folder, removed at the end."""
    if folder == WORK:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- 1. a large offer


def measure_offers(work: Path, runs: int) -> Numbers:
    """Bodies as they are, then packed as our client does; all on one server, whose peak counts."""
    say(f"An offer of {FILES:,} files in one folder, {runs} runs of each kind on one server")
    with studio(work / "offer") as (house, vendor), Memory(house.process.pid) as memory:
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
        {"filename": f"sq010_sh0010_comp_v001.{n:07}.exr", "size": 4096, "modified": 1_700_000_000_000 + n}
        for n in range(files)
    ]
    entry = {"id": str(uuid.uuid4()), "filename": "sq010_sh0010_comp_v001", "is_dir": True, "files": frames}
    return json.dumps({"files": [entry], "hostname": "bench", "client": "bench"}).encode()


# --- 2. the whole publish beside cp -r


def measure_publishes(work: Path, runs: int, scale: float) -> Numbers:
    return {
        name: measure_publish(work / str(size), max(1, int(count * scale)), size, runs)
        for name, count, size in (("1000 x 2 MiB", 1000, 2 << 20), ("10,000 x 16 KiB", 10_000, 16 << 10))
    }


def measure_publish(work: Path, count: int, size: int, runs: int) -> Numbers:
    """In turns, after one of each that does not count.

    Nothing is removed in between: ext4 makes a new file slowly for minutes after many others were removed.
    """
    say(f"stagedoor publish of {count:,} files of {size >> 10:,} KiB beside cp -r, {runs} runs in turns")
    source = make_tree(work / "source", count, size)
    copies: list[tuple[float, float]] = []
    publishes: list[Numbers] = []
    with studio(work / "studio") as (house, vendor), Memory(house.process.pid) as memory:
        for run in range(runs + 1):
            copies.append(copy_once(source, work / f"copy{run}"))
            publishes.append(publish_once(house, vendor, source, run))
        peak = memory.peak() / MB
    shutil.rmtree(work)
    seconds = [one["seconds"] for one in publishes[1:]]
    alone, synced = ([copy[kind] for copy in copies[1:]] for kind in (0, 1))
    phases = {key: statistics.median(one["phases"][key] for one in publishes[1:]) for key in publishes[0]["phases"]}
    client = max(one["client_mb"] for one in publishes)
    row("stagedoor publish", shown(seconds, "s"))
    row("cp -r", f"{shown(alone, 's')}; to the device {shown(synced, 's')}")
    row("publish / cp -r", f"{shown(ratios(seconds, alone), 'times')}; to the device {shown(ratios(seconds, synced))}")
    row("peak memory", f"server {peak:.0f} MB, client {client:.0f} MB")
    row("where the time went", ", ".join(f"{key} {value:.2f} s" for key, value in phases.items()))
    return {
        "files": count,
        "file_bytes": size,
        "publish": spread(seconds),
        "cp": spread(alone),
        "cp_to_device": spread(synced),
        "ratio": spread(ratios(seconds, alone)),
        "ratio_to_device": spread(ratios(seconds, synced)),
        "phases": phases,
        "server_peak_mb": peak,
        "client_peak_mb": client,
    }


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def copy_once(source: Path, target: Path) -> tuple[float, float]:
    """Seconds until `cp -r` ends, and until what it wrote is on the device."""
    settle()
    began = time.perf_counter()
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    copied = time.perf_counter()
    os.sync()
    return copied - began, time.perf_counter() - began


def publish_once(house: Studio, vendor: Account, source: Path, run: int) -> Numbers:
    """One publish by the command line, to a place of its own."""
    settle()
    errors = house.folder / "publish.err"
    began = time.time()
    process = subprocess.Popen(
        [STAGEDOOR, "publish", str(source), "--json"],
        env=house.env(vendor),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors.open("wb"),
    )
    assert process.stdout
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    ended = time.time()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"The publish failed:\n{errors.read_text()}\n{house.output()}")
    moments = [began, *moments_of(house, vendor, json.loads(printed)["job"]), ended]
    names = ("scan, check, submit", "upload, proof", "place, hook", "end noticed")
    phases = {name: later - earlier for name, earlier, later in zip(names, moments, moments[1:], strict=False)}
    (house.volume / "in").rename(house.volume / f"run{run}")
    return {"seconds": ended - began, "client_mb": usage.ru_maxrss * 1024 / MB, "phases": phases}


def moments_of(house: Studio, vendor: Account, job: Numbers) -> list[float]:
    """When the job was made, when everything was proved, when it was done; from the records of the server."""
    with house.session(vendor) as session:
        proved = session.receipt(job)["proved"]
    return [datetime.fromisoformat(text).timestamp() for text in (job["created"], proved, job["finished"])]


def make_tree(folder: Path, count: int, size: int) -> Path:
    """Files whose bytes cannot be packed, different in each."""
    folder.mkdir(parents=True)
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


def measure_large(work: Path) -> Numbers:
    say(f"stagedoor publish of {FILES:,} files of 100 bytes, once")
    source = make_tree(work / "source", FILES, 100)
    copied, synced = copy_once(source, work / "copy")
    with studio(work / "large") as (house, vendor), Memory(house.process.pid) as memory:
        one = publish_once(house, vendor, source, 0)
        peak = memory.peak() / MB
    row("stagedoor publish", f"{one['seconds']:.1f} s; cp -r {copied:.1f} s, to the device {synced:.1f} s")
    row("peak memory", f"server {peak:.0f} MB, client {one['client_mb']:.0f} MB")
    row("where the time went", ", ".join(f"{key} {value:.1f} s" for key, value in one["phases"].items()))
    return {**one, "cp_seconds": copied, "cp_to_device_seconds": synced, "server_peak_mb": peak}


# --- a studio


@contextmanager
def studio(folder: Path) -> Iterator[tuple[Studio, Account]]:
    house = Studio(folder)
    vendor = house.user("vendor@example.com")
    house.hook("pre-publish-server", COPYING_HOOK)
    house.hook("publish-server", READING_HOOK)
    house.start()
    try:
        yield house, vendor
    finally:
        house.stop()


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


def shown(values: Sequence[float], unit: str = "times") -> str:
    return f"{statistics.median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f})"


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


def row(name: str, value: str) -> None:
    print(f"  {name:<22}{value}", flush=True)


if __name__ == "__main__":
    main()
