"""What tests of the publish page share: a studio whose hooks say every kind of thing, and how a vendor acts there."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from axe import violations_in_both_themes
from dropping import DROP
from studio import Account, Studio

HOOK = """
import json, pathlib, sys
data = json.load(open(sys.argv[1]))
for entry in data["files"]:
    name = entry["filename"]
    if "refused" in name:
        entry["warning"] = "<img src=x onerror='window.hacked = 1'>\\nFrames are missing."
        entry["findings"] = [{"code": "gaps", "title": "Missing frames", "files": ["shot.0002.exr", "shot.0003.exr"],
                              "fix": "Render them <script>window.hacked = 1</script>."}]
        if len(entry["files"]) < 4:
            entry["rejected"] = True
            continue
    if "loose" in name:
        entry["can_upload"] = True
        entry["warning"] = "Not a name of a publish."
    else:
        entry["can_publish"] = True
        entry["ident"] = "" if "unknown" in name else "Shot " + name
    if "_for_" in name:
        entry["comment_label"] = "Note for " + name.split("_")[2]
    entry["path"] = "volume=projects/in/" + name
form = pathlib.Path(__file__).with_name("form.json")
answer = {"files": data["files"], **(json.loads(form.read_text()) if form.exists() else {})}
json.dump(answer, open(sys.argv[2], "w"))
"""
INGEST = """
import json, sys
if "fails" in json.load(open(sys.argv[1]))["files"][0]["filename"]:
    sys.exit("the tracker knows no such shot")
"""
ALL = {
    "comment": True,
    "time_report": True,
    "metadata": True,
    "statuses": [{"label": "In review", "value": "rev", "default": True}, {"label": "Final", "value": "fin"}],
    "tasks": ["comp", "anim"],
    "guidelines": "<h3>Rules</h3><p onclick='window.hacked = 1'>Be <b>nice</b>."
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'></p>",
}
"""a form that asks for everything"""

HANDLES = """
globalThis.showDirectoryPicker = async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("held_v001", {create: true});
    const file = await folder.getFileHandle("shot.1001.exr", {create: true});
    if (!(await file.getFile()).size) {
        const out = await file.createWritable();
        await out.write(new Uint8Array(6_000_000).map((_, index) => (index >> 8) % 251));
        await out.close();
    }
    return folder;
};
"""
"""picks a folder as a real handle, of the browser's own file system, since a test cannot use the system's dialogue"""


def furnish(studio: Studio) -> Studio:
    studio.hook("pre-publish-server", HOOK)
    studio.hook("publish-server", INGEST)
    return studio


def headers(who: Account) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{who.code}:{who.api_key}".encode()).decode()}


class Vendor:
    """A vendor at the publish page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.status = page.locator(".status")
        self.submit = page.locator("#submit")
        self.card = page.locator(".transfer-card")

    def arrive(self) -> Vendor:
        self.page.goto("/publish")
        expect(self.page.get_by_role("heading", name="Publish", exact=True)).to_be_visible()
        return self

    def pick_folder(self, folder: Path) -> None:
        self.page.locator(".drop .pick-folder").set_input_files(folder)

    def pick_files(self, *files: Path) -> None:
        self.page.locator(".drop .pick-files").set_input_files(list(files))

    def drop(self, name: str, files: list[str], empty: list[str] | None = None) -> None:
        self.page.evaluate(DROP, [name, files, empty or []])

    def drop_really(self, path: Path) -> None:
        """By the browser itself, as if from a file manager: what the page gets is real."""
        devtools = self.page.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 200, "data": data})

    def is_told(self, words: str) -> None:
        expect(self.status).to_have_text(re.compile(words), timeout=30_000)

    def entry(self, name: str) -> Locator:
        return self.page.locator(".entry").filter(has=self.page.get_by_role("heading", name=name, exact=True))

    def comes_to(self, badge: str) -> None:
        expect(self.card.locator(".badge")).to_have_text(badge, timeout=30_000)

    def publishes(self) -> None:
        self.submit.click()
        self.comes_to("Published")

    def has_sent(self, least: int) -> None:
        """Wait until so many bytes have been acknowledged or are on their way."""
        self.page.wait_for_function(
            "least => +document.querySelector('.transfer-card [role=progressbar]')?.ariaValueNow >= least", arg=least
        )

    def is_accessible(self) -> None:
        """axe finds nothing, in both themes."""
        assert violations_in_both_themes(self.page) == {}


Arrive = Callable[..., Vendor]


def limited(rate: int) -> str:
    """A script that sets the page's speed limit, unless one is set."""
    return f"localStorage.getItem('upload-limit') ?? localStorage.setItem('upload-limit', '{rate}')"


class Wire:
    """Counts what parts a page sends."""

    def __init__(self, page: Page) -> None:
        self.parts: list[tuple[int, int]] = []
        page.on("request", self._seen)

    def _seen(self, request: Any) -> None:
        if request.method == "PUT" and "/uploads/" in request.url:
            first, last = re.findall(r"\d+", request.headers["content-range"])[:2]
            self.parts.append((int(first), int(last) + 1))

    @property
    def bytes(self) -> int:
        return sum(end - start for start, end in self.parts)

    @property
    def largest(self) -> int:
        return max(end - start for start, end in self.parts)
