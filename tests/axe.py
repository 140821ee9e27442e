"""What axe-core finds on a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

_AT_REST = """() => Promise.allSettled(document.getAnimations()
    .filter(one => one.effect.getComputedTiming().endTime !== Infinity).map(one => one.finished))"""
AXE = Path(__file__).parents[1] / ".browser/node_modules/axe-core/axe.min.js"


def violations(page: Page) -> list[str]:
    """Of the page as it is now, one line each. axe runs beside the page's policy, which does not hold for it.

    Colours that are on their way from one theme to the other are neither's: they arrive first.
    """
    if not AXE.exists():
        pytest.fail("axe-core is not installed: run `sh scripts/browser-packages.sh`", pytrace=False)
    page.evaluate(AXE.read_text())
    page.evaluate(_AT_REST)
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [f"{item['id']}: {item['help']}: {node['html'][:200]}" for item in found for node in item["nodes"]]
