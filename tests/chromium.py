"""The browser of tests, benchmarks and screenshots: Debian's chromium, without a window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    # The list below the address bar is two pages of the browser itself, loaded for each context.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
)
Launch = Callable[..., Browser]


class Missing(Exception):
    """Chromium is not installed: run `sh scripts/browser-packages.sh`."""

    def __str__(self) -> str:
        return str(self.__doc__)


@contextmanager
def launching() -> Iterator[Launch]:
    """Starts browsers, with arguments beside the usual ones; they end with it. Raises Missing."""
    program = shutil.which("chromium")
    if not program:
        raise Missing
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *sandbox, *more])
