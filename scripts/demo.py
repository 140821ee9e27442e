"""`make demo`: a studio, a vendor and three publishes, with everything real, in the folder `.demo`.

A studio is set up with embedded defaults, a server started, and a vendor offers real frames (PNG): a complete
sequence, one with a missing frame, and a folder that is no publish. Then it is told what happened and where to look.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / ".demo"
HOME = DEMO / "home"
PROJECTS = DEMO / "studio" / "projects"
VENDOR = DEMO / "vendor"
STAGEDOOR = str(Path(sys.executable).parent / "stagedoor")
HOOKS = ROOT / "examples" / "hooks"
FRAMES = range(1001, 1025)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the server running")
    parser.add_argument("--port", type=int, default=usual_port())
    options = parser.parse_args()
    started = time.monotonic()
    shutil.rmtree(DEMO, ignore_errors=True)
    PROJECTS.mkdir(parents=True)

    say("1. The studio sets up its server")
    vendor = set_up()
    server = serve(options.port)
    try:
        wait_ready(options.port)
        say("2. The vendor's artist has three folders to send")
        make_frames()
        env = environment(options.port, vendor)
        say("3. Check first: what would the studio say?")
        stagedoor("check", *names(), env=env, expect=3)
        say("4. One refusal stops all, unless told otherwise. Send what was accepted:")
        answers = ["--comment", "First version, ready for review", "--time-report", "3:30"]
        stagedoor("publish", *names(), "--allow-partial", *answers, env=env)
        report(env, time.monotonic() - started)
        if options.keep:
            keep(options.port, vendor, server)
        else:
            say("The same in the browser: make demo KEEP=1 leaves the server running and prints links to its pages.")
    finally:
        if not options.keep:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def usual_port() -> int:
    """8181, or a free port where somebody listens there."""
    for port in (8181, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    sys.exit("No port is free on 127.0.0.1.")


def set_up() -> dict[str, str]:
    """A home, a volume, both example hooks, a vendor."""
    print(f"   in {DEMO}")
    run("init", "--admin", "admin@studio.example", "--workspace", "demo")
    run("volume", "add", "projects", str(PROJECTS), "--default", "--alias", "/Volumes/projects")
    python = sys.executable
    check = HOOKS / "naming_convention.py"
    ingest = HOOKS / "ingest_sidecar.py"
    run("hook", "set", "pre-publish-server", f"{python} {check} ${{PATH_JSON_INPUT}} ${{PATH_JSON_OUTPUT}}")
    run("hook", "set", "publish-server", f"{python} {ingest} ${{PATH_JSON_INPUT}}")
    made: dict[str, str] = json.loads(run("user", "add", "artist@vendor.example", "--role", "standard", "--json"))
    print("   a volume, two hooks (examples/hooks) and a vendor: artist@vendor.example")
    return made


def run(*words: str) -> str:
    """An administrator's command; what it printed."""
    done = subprocess.run([STAGEDOOR, *words, "--home", str(HOME)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"stagedoor {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def serve(port: int) -> subprocess.Popen[bytes]:
    with (DEMO / "server.out").open("wb") as output:
        return subprocess.Popen(
            [STAGEDOOR, "serve", "--home", str(HOME), "--port", str(port)],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def wait_ready(port: int) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"The server did not start:\n{(DEMO / 'server.out').read_text()}")


def make_frames() -> None:
    """Real frames, 640 x 360; the second folder lacks one."""
    for name, numbers in {
        "demo_sq010_sh0010_comp_v001": FRAMES,
        "demo_sq010_sh0020_comp_v001": [number for number in FRAMES if number != 1007],
        "reference photos": range(1, 4),
    }.items():
        folder = VENDOR / name
        folder.mkdir(parents=True)
        stem = name.replace(" ", "_")
        for number in numbers:
            frame(folder / f"{stem}.{number:04}.png", name, number)
        print(f"   {folder.relative_to(ROOT)}: {len(list(folder.iterdir()))} frames")


def frame(path: Path, title: str, number: int) -> None:
    image = Image.linear_gradient("L").resize((640, 360)).convert("RGB")
    draw = ImageDraw.Draw(image)
    x = 40 + (number * 23) % 520
    draw.ellipse((x, 140, x + 80, 220), fill=(230, 120, 40))
    draw.text((20, 20), f"{title}   {number}", fill=(255, 255, 255))
    image.save(path)


def names() -> list[str]:
    return sorted(str(path) for path in VENDOR.iterdir())


def environment(port: int, vendor: dict[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "STAGEDOOR_URL": f"http://127.0.0.1:{port}",
        "STAGEDOOR_USER": vendor["user"],
        "STAGEDOOR_API_KEY": vendor["api_key"],
        "COLUMNS": os.environ.get("COLUMNS", "110"),
    }


def stagedoor(*words: str, env: dict[str, str], expect: int = 0) -> None:
    """A vendor's command, shown as it is typed, with its output."""
    typed = " ".join(f"'{word}'" if " " in word else word for word in words)
    print(f"$ stagedoor {typed.replace(str(VENDOR) + '/', '')}", flush=True)
    done = subprocess.run([STAGEDOOR, *words], env=env, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False)
    if done.returncode != expect:
        sys.exit(f"exit code {done.returncode} where {expect} was expected; see {DEMO / 'server.out'}")


def report(env: dict[str, str], seconds: float) -> None:
    say("5. What happened, and where to look")
    listed = subprocess.run([STAGEDOOR, "jobs", "--finished", "--json"], env=env, capture_output=True, check=True)
    job = json.loads(listed.stdout)["jobs"][0]
    receipt = DEMO / "receipt.json"
    subprocess.run([STAGEDOOR, "job", "show", job["id"], "--receipt", str(receipt)], env=env, check=True)
    placed = sorted(path for path in PROJECTS.rglob("*") if path.is_dir() and any(path.glob("*.png")))
    sidecars = sorted(path for path in PROJECTS.rglob("*.json") if ".stagedoor" not in path.parts)
    print()
    for folder in placed:
        print(f"   files      {folder.relative_to(ROOT)}  ({len(list(folder.glob('*.png')))} frames)")
    for sidecar in sidecars:
        print(f"   metadata   {sidecar.relative_to(ROOT)}")
    print(f"   receipt    {receipt.relative_to(ROOT)}")
    print(f"   hook runs  {os.path.relpath(STAGEDOOR, ROOT)} hook log --home {HOME.relative_to(ROOT)}")
    print(f"   server log {(HOME / 'logs' / 'server.log').relative_to(ROOT)}")
    print(f"\nDone in {seconds:.0f} s.")
    if len(placed) != 2 or not sidecars:
        sys.exit("The demo did not end as it should: two folders and their metadata were expected.")


def keep(port: int, vendor: dict[str, str], server: subprocess.Popen[bytes]) -> None:
    base = f"http://localhost:{port}"
    for whose, code in (("the vendor", vendor["user"]), ("the studio", "admin@studio.example")):
        invited = json.loads(run("user", "invite", code, "--json"))["url"]
        print(f"   the pages, as {whose}: {base}/invitation#{invited.partition('#')[2]}")
    print(
        f"\nThe server goes on (process {server.pid}); end it with: kill {server.pid}\n"
        f"  export STAGEDOOR_URL=http://127.0.0.1:{port} STAGEDOOR_USER={vendor['user']} "
        f"STAGEDOOR_API_KEY={vendor['api_key']}"
    )


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    main()
