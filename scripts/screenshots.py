"""Screenshots of every page into `docs/images`, in both themes, 1440 and 390 pixels wide.

A studio with the example hooks is filled with publishes that went well, one whose publish hook failed, and some
refusals; then a real browser looks at every page, and last at uploads that it makes itself.
`sh scripts/browser-packages.sh` installs it.

    .venv/bin/python scripts/screenshots.py [--out FOLDER] [--only NAME]...
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "scripts"))

from demo import frame  # noqa: E402

from chromium import launching  # noqa: E402
from studio import STAGEDOOR, Account, Studio  # noqa: E402

WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
THEMES = ("dark", "light")
PASSWORD = "a long walk home"
HOOKS = ROOT / "examples" / "hooks"
FAILS = """
import json, sys
data = json.load(open(sys.argv[1]))
print("ingest of", data["code"])
if "sh0090" in json.dumps(data["tasks"]):
    print("ShotGrid: no such shot: sq010_sh0090", file=sys.stderr)
    sys.exit(1)
"""


@dataclass
class Scene:
    """What the pages have to show, and the vendor who looks."""

    studio: Studio
    vendor: Account
    invitation: str
    done: str
    failed: str
    run: str
    folder: Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--only", action="append", default=[], help="names of pages; all where left out")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with scene() as made, launching() as launch:
        browser = launch()
        for name, (who, show) in SHOTS.items():
            if not options.only or name in options.only:
                take(browser, made, name, who, show, options.out)


# --- what is shown


@contextmanager
def scene() -> Iterator[Scene]:
    folder = place()
    folder.mkdir()
    try:
        studio = Studio(folder)
        try:
            yield filled(studio, folder / "vendor")
        finally:
            studio.stop()
    finally:
        shutil.rmtree(folder)


def place() -> Path:
    """Pages show where a studio lies: somewhere that could be anybody's."""
    for above in (Path("/srv"), Path(tempfile.gettempdir())):
        if os.access(above, os.W_OK) and not (above / "studio").exists():
            return above / "studio"
    sys.exit(
        "Neither /srv/studio nor a folder `studio` among temporary files can be made: remove the one that is there."
    )


def set_hooks(studio: Studio) -> None:
    """Copies beside the home, run by a Python that has Stagedoor, under a name that could be anybody's."""
    hooks, python = studio.folder / "hooks", studio.folder / "bin" / "python3"
    for made in (hooks, python.parent):
        made.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    check, ingest = hooks / "naming_convention.py", hooks / "ingest.py"
    shutil.copy(HOOKS / check.name, check)
    ingest.write_text(FAILS)
    studio.command("hook", "set", "pre-publish-server", f"{python} {check} ${{PATH_JSON_INPUT}} ${{PATH_JSON_OUTPUT}}")
    studio.command("hook", "set", "publish-server", f"{python} {ingest} ${{PATH_JSON_INPUT}}")


def filled(studio: Studio, folder: Path) -> Scene:
    set_hooks(studio)
    studio.start()
    vendor = studio.user("ada@vendor.example")
    other = studio.user("jonas@freelance.example")
    invitation = studio.command("user", "invite", "grace@vendor.example").split()
    link = next(word for word in invitation if "/invitation#" in word)
    for name, lacking in SEQUENCES.items():
        sequence(folder / name, lacking)
    publish(studio, vendor, folder / "demo_sq010_sh0010_comp_v001", "Roto fixed in the last ten frames")
    publish(studio, other, folder / "demo_sq010_sh0040_anim_v003", "Second pass on the hands")
    publish(studio, other, folder / "demo_sq010_sh0090_comp_v001", "First version", expect=7)
    publish(studio, vendor, folder / "demo_sq010_sh0020_comp_v002", "", expect=3)
    publish(studio, other, folder / "reference photos", "Photographs of the set")
    admin = studio.session(studio.admin)
    jobs = admin.find("Job", finished=True)
    failed = next(job["id"] for job in jobs if job["status"] == "failed")
    own = studio.session(vendor).find("Job", finished=True)
    done = next(job["id"] for job in own if job["status"] == "done")
    run = next(run["id"] for run in admin.find("Run") if run["state"] == "failed")
    return Scene(studio, vendor, link, done, failed, run, folder)


SEQUENCES = {
    "demo_sq010_sh0010_comp_v001": (),
    "demo_sq010_sh0020_comp_v002": (1007, 1012, 1013, 1014),
    "demo_sq010_sh0030_comp_v001": (),
    "demo_sq010_sh0040_anim_v003": (),
    "demo_sq010_sh0090_comp_v001": (),
    "reference photos": (),
}


def sequence(folder: Path, lacking: tuple[int, ...]) -> None:
    folder.mkdir(parents=True)
    for number in range(1001, 1025):
        if number not in lacking:
            frame(folder / f"{folder.name.replace(' ', '_')}.{number}.png", folder.name, number)


def publish(studio: Studio, who: Account, path: Path, comment: str, expect: int = 0) -> None:
    answers = ["--comment", comment, "--time-report", "3:30"] if comment else []
    done = subprocess.run(
        [STAGEDOOR, "publish", str(path), *answers],
        env=studio.env(who),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != expect:
        sys.exit(f"{path.name}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")


# --- pages


def sign_in(page: Page, made: Scene, who: str) -> None:
    """`admin`, `vendor`; empty for nobody."""
    if not who:
        return
    account = made.studio.admin if who == "admin" else made.vendor
    invited = made.studio.command("user", "invite", account.code).split()
    page.goto(next(word for word in invited if "/invitation#" in word))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Set the password and go on").click()
    page.wait_for_url(lambda url: "/invitation" not in url)


def at(path: str) -> Callable[[Page, Scene], None]:
    def show(page: Page, made: Scene) -> None:
        page.goto(path.format(done=made.done, failed=made.failed, run=made.run))

    return show


def invitation(page: Page, made: Scene) -> None:
    page.goto(made.invitation)


def offered(*names: str) -> Callable[[Page, Scene], None]:
    def show(page: Page, made: Scene) -> None:
        page.goto("/publish")
        for name in names:
            page.locator("input[type=file][webkitdirectory]").set_input_files(made.folder / name)
            page.get_by_text(name).first.wait_for()
        page.get_by_text("Not complete.").first.wait_for()

    return show


LOOKS_LARGE = 4_000_000
"""bytes of a frame of what is seen on its way"""
SLOW = 6_000_000
"""bytes per second: long enough on its way for two pictures"""
versions = itertools.count(1)
"""nothing is published twice"""


def begins(page: Page, made: Scene, shot: str, *others: str, limit: int = 0) -> None:
    """Publishes a new version of a shot, with others beside it."""
    end_open(made)
    folder = made.folder / f"demo_sq010_{shot}_comp_v{next(versions):03}"
    sequence(folder, ())
    if limit:
        for path in folder.iterdir():
            with path.open("ab") as held:
                held.truncate(LOOKS_LARGE)
    page.goto("/publish")
    page.evaluate("limit => localStorage.setItem('upload-limit', String(limit))", limit)
    page.reload()
    for path in (folder, *(made.folder / other for other in others)):
        page.locator(".drop .pick-folder").set_input_files(path)
    page.get_by_label("What changed since the last version?").fill("Edges of the matte")
    page.get_by_label("Time spent").fill("2:15")
    page.locator("#submit").click()
    if limit:
        page.wait_for_function("() => +document.querySelector('.transfer-card [role=progressbar]')?.ariaValueNow >= 15")


def end_open(made: Scene) -> None:
    """What an earlier picture has left on its way."""
    session = made.studio.session(made.vendor)
    for job in session.find("Job WHERE phase = upload"):
        session.update("Job", job["id"], {"status": "aborted"})


def sending(page: Page, made: Scene) -> None:
    begins(page, made, "sh0050", limit=SLOW)


def unfinished(page: Page, made: Scene) -> None:
    begins(page, made, "sh0060", limit=SLOW)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.locator(".unfinished-card").wait_for()


def published(page: Page, made: Scene) -> None:
    begins(page, made, "sh0070", "reference photos")
    page.locator(".transfer-card .badge").get_by_text("Published", exact=True).wait_for()


def ingest_failed(page: Page, made: Scene) -> None:
    begins(page, made, "sh0090")
    page.locator(".transfer-card .badge").get_by_text("Ingest failed", exact=True).wait_for()


SHOTS: dict[str, tuple[str, Callable[[Page, Scene], None]]] = {
    "sign-in": ("", at("/sign-in")),
    "invitation": ("", invitation),
    "account": ("vendor", at("/account")),
    "publish-empty": ("vendor", at("/publish")),
    "publish": ("vendor", offered("demo_sq010_sh0030_comp_v001", "demo_sq010_sh0020_comp_v002")),
    "vendor-jobs": ("vendor", at("/jobs?show=all")),
    "vendor-job": ("vendor", at("/jobs/{done}")),
    "jobs": ("admin", at("/jobs?show=all")),
    "job": ("admin", at("/jobs/{done}")),
    "job-failed": ("admin", at("/jobs/{failed}")),
    "today": ("admin", at("/today")),
    "refused": ("admin", at("/refused")),
    "hooks": ("admin", at("/hooks")),
    "run": ("admin", at("/runs/{run}")),
    "people": ("admin", at("/people")),
    "volumes": ("admin", at("/volumes")),
    "queues": ("admin", at("/queues")),
    "settings": ("admin", at("/settings")),
    "log": ("admin", at("/log")),
    "upload-sending": ("vendor", sending),
    "upload-unfinished": ("vendor", unfinished),
    "upload-published": ("vendor", published),
    "upload-failed": ("vendor", ingest_failed),
}

_signed_in: dict[str, object] = {}


def take(browser: Browser, made: Scene, name: str, who: str, show: Callable[[Page, Scene], None], out: Path) -> None:
    for size, (width, height) in WIDTHS.items():
        with signed_in(browser, made, who, width, height) as context:
            page = context.new_page()
            show(page, made)
            for theme in THEMES:
                page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
                settle(page)
                # As high as the page: a picture beyond the window is drawn as if there were no fingers.
                whole = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": max(height, whole)})
                save(page.screenshot(), out / f"{name}-{size}-{theme}.png")
    print(name, flush=True)


@contextmanager
def signed_in(browser: Browser, made: Scene, who: str, width: int, height: int) -> Iterator[BrowserContext]:
    """Each person signs in once; later browsers have their cookies."""
    phone = width < 500
    context = browser.new_context(
        base_url=made.studio.url,
        viewport={"width": width, "height": height},
        has_touch=phone,
        is_mobile=phone,
        storage_state=_signed_in.get(who),  # type: ignore[arg-type]
    )
    if who and who not in _signed_in:
        page = context.new_page()
        sign_in(page, made, who)
        _signed_in[who] = context.storage_state()
        page.close()
    yield context
    context.close()


def settle(page: Page) -> None:
    """Until what the page asked for has come and is drawn."""
    time.sleep(1.5)  # a page that listens to events is never without requests
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def save(png: bytes, path: Path) -> None:
    """With a palette: a third of the size, and nothing to be seen of it on flat surfaces."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
