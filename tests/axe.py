"""What axe-core finds on a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

_AT_REST = """() => Promise.allSettled(document.getAnimations()
    .filter(one => one.effect.getComputedTiming().endTime !== Infinity).map(one => one.finished))"""
_RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
AXE = Path(__file__).parents[1] / ".browser/node_modules/axe-core/axe.min.js"


def violations(page: Page) -> list[str]:
    """Of the page as it is now, one line each. axe runs beside the page's policy, which does not hold for it.

    Colours that are on their way from one theme to the other are neither's: they arrive first.
    """
    if not AXE.exists():
        pytest.fail("axe-core is not installed: run `sh scripts/browser-packages.sh`", pytrace=False)
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE.read_text())
    page.evaluate(_AT_REST)
    found = page.evaluate(_RUN)
    return [f"{item['id']}: {item['help']}: {node['html'][:200]}" for item in found for node in item["nodes"]]


def violations_in_both_themes(page: Page) -> dict[str, list[str]]:
    """By theme. The page stays light."""
    page.emulate_media(reduced_motion="reduce")
    found = {}
    for theme in ("dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        found[theme] = violations(page)
    return {theme: faults for theme, faults in found.items() if faults}
