"""20,000 files given to the publish page: how soon their entry is on the screen, and how long the page is ever busy.

Picked, by the browser's own input with real files; dropped, by script, as the tree that a browser gives with a hundred
entries at a time. Measured in the page: from the event to the first entry in the document and the next frame, and the
longest task of the main thread (PerformanceObserver) from the event until everything is published, with the list of all
files opened in between. Both have limits. Told beside them, without one: how long the browser itself is busy before the
page hears of picked files (Chromium makes its 20,000 objects in one task; its folder dialogue, which the page uses
where it can, does not).
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

from dropping import DROP
from studio import Account

from .figures import Numbers, spread
from .house import COPYING_HOOK, House
from .place import LOOPBACK
from .processes import Unusable
from .report import row, say, shown

FILES = 20_000
IN_A_FOLDER = 1_000
LIMIT_FIRST_MS = 1000.0
LIMIT_TASK_MS = 200.0

APART_HOOK = COPYING_HOOK.replace('/in/" + ', '/in/" + entry["id"] + "/" + ')
"""the same folder is published again and again"""
WATCH = """() => {
    const seen = (window.seen = { began: 0, first: 0, longest: 0, before: 0 });
    const begin = () => { seen.began = performance.now(); };
    document.addEventListener("change", begin, { capture: true, once: true });
    document.addEventListener("drop", begin, { capture: true, once: true });
    new MutationObserver((_, observer) => {
        if (!document.querySelector(".entry")) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => { seen.first = performance.now(); }));
    }).observe(document.body, { childList: true, subtree: true });
    new PerformanceObserver((list) => {
        for (const task of list.getEntries()) {
            const which = task.startTime >= seen.began ? "longest" : "before";
            seen[which] = Math.max(seen[which], task.duration);
        }
    }).observe({ type: "longtask" });
}"""


def measure_page(folder: Path, runs: int, scale: float) -> Numbers:
    files = max(10, int(FILES * scale))
    say(f"\n{files:,} files given to the publish page, {runs} runs of each way")
    house = House(folder / "page", LOOPBACK)
    house.studio.hook("pre-publish-server", APART_HOOK)
    house.start()
    try:
        picked = _tree(folder / "page" / "picked_v001", files)
        found = _in_a_browser(house, house.vendor(), picked, files, runs)
    finally:
        house.stop()
    for way, seen in found.items():
        row(f"{way}, first entry", f"{shown(seen['first_ms']['values'], 'ms')}   limit {LIMIT_FIRST_MS:g} ms")
        row(f"{way}, browser before", shown(seen["before_ms"]["values"], "ms"))
        row(f"{way}, longest task", f"{shown(seen['task_ms']['values'], 'ms')}   limit {LIMIT_TASK_MS:g} ms")
    within = all(
        seen["first_ms"]["most"] < LIMIT_FIRST_MS and seen["task_ms"]["most"] < LIMIT_TASK_MS for seen in found.values()
    )
    return {
        "files": files,
        **found,
        "limit_first_ms": LIMIT_FIRST_MS,
        "limit_task_ms": LIMIT_TASK_MS,
        "within_limits": within,
    }


def _tree(folder: Path, files: int) -> Path:
    for number in range(files):
        path = folder / _path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    return folder


def _path(number: int) -> str:
    return f"layer{number // IN_A_FOLDER}/shot.{1001 + number % IN_A_FOLDER}.exr"


def _in_a_browser(house: House, vendor: Account, picked: Path, files: int, runs: int) -> Numbers:
    from chromium import Missing, launching

    basic = b64encode(f"{vendor.code}:{vendor.api_key}".encode()).decode()
    dropped = ["dropped_v001", [_path(number) for number in range(files)], []]
    ways = {"picked": lambda page: _pick(page, picked), "dropped": lambda page: page.evaluate(DROP, dropped)}
    headers = {"Authorization": f"Basic {basic}"}
    try:
        with launching() as launch:
            context = launch().new_context(base_url=house.url, extra_http_headers=headers)
            found = {way: [_once(context.new_page(), give) for _ in range(runs)] for way, give in ways.items()}
    except Missing as error:
        raise Unusable(str(error)) from None
    return {
        way: {f"{name}_ms": spread([one[name] for one in seen]) for name in ("first", "task", "before")}
        for way, seen in found.items()
    }


def _pick(page: Any, folder: Path) -> None:
    page.locator(".drop .pick-folder").set_input_files(folder)


def _once(page: Any, give: Any) -> dict[str, float]:
    page.goto("/publish")
    page.locator(".drop").wait_for()
    page.evaluate(WATCH)
    give(page)
    page.locator(".status", has_text="1 accepted").wait_for(timeout=120_000)
    page.get_by_text("All files").click()
    page.locator("#submit").click()
    page.locator(".transfer-card .badge", has_text="Published").wait_for(timeout=300_000)
    page.wait_for_timeout(300)
    seen: dict[str, float] = page.evaluate("window.seen")
    page.close()
    return {"first": seen["first"] - seen["began"], "task": seen["longest"], "before": seen["before"]}
