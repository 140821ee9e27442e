"""What pages do that no page of ours may."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Page, Request


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
