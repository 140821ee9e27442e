"""A real browser (Debian's chromium, built without windows: half the work of one that draws them) on a real server.

`page` fails its test where the page logged an error, threw one, broke its policy, or asked anything of another origin.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from studio import Studio, running

ARGUMENTS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)


Launch = Callable[..., Browser]


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    """Starts a browser, with arguments beside the usual ones."""
    program = shutil.which("chromium-headless-shell")
    if not program:
        pytest.fail("chromium-headless-shell is not installed: run `sh scripts/browser-packages.sh`", pytrace=False)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *sandbox, *more])


@pytest.fixture(scope="session")
def browser(launch: Launch) -> Iterator[Browser]:
    started = launch()
    yield started
    started.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with a running server that accepts everything; the tests of a module share it."""
    with running(tmp_path_factory.mktemp("browser")) as made:
        yield made


class Watched:
    """What went wrong in the pages of a test. `expected` are parts of messages that a test brings about."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.wrong: list[str] = []
        self.expected: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"thrown: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # What the server refuses is logged by the browser as well; the page has its own words for that.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "blob:", "data:")):
            self.wrong.append(f"asked of another origin: {request.url}")

    def assert_clean(self) -> None:
        left = [text for text in self.wrong if not any(part in text for part in self.expected)]
        assert not left, left


@pytest.fixture
def watched(studio: Studio) -> Iterator[Watched]:
    made = Watched(studio.url)
    yield made
    made.assert_clean()


@pytest.fixture
def new_page(browser: Browser, studio: Studio, watched: Watched) -> Iterator[Callable[..., Page]]:
    """Makes pages of browsers that have never been here; options are those of Playwright's `new_context`."""
    opened: list[BrowserContext] = []

    def make(**options: object) -> Page:
        context = browser.new_context(base_url=studio.url, **{"viewport": {"width": 1440, "height": 900}, **options})
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        watched.watch(page)
        return page

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()
