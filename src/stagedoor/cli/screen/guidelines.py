"""A studio's guidelines, HTML or plain text, as readable plain text.

Sloppy HTML is usual (`&ht;`, tags that never close); nothing here raises.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_SPACED = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "blockquote", "table", "ul", "ol"))
_BREAKS = _SPACED | frozenset(
    ("address", "article", "br", "dd", "div", "dl", "dt", "footer", "header", "hr", "li", "main", "section", "tr")
)
_SILENT = frozenset(("script", "style", "head", "title", "template"))
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|&[a-zA-Z]{2,8};|&#\d+;")


def readable(source: str) -> str:
    """Plain text: paragraphs apart, list items with a dash, links with their address."""
    if not _TAG.search(source):
        return source.strip()
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.silent = 0
        self.verbatim = 0
        self.link = ""
        self.numbers: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._block(tag)
        if tag in _SILENT:
            self.silent += 1
        elif tag == "pre":
            self.verbatim += 1
        elif tag in ("ul", "ol"):
            self.numbers.append(0 if tag == "ol" else -1)
        elif tag == "li":
            self._item()
        elif tag in ("td", "th") and self.lines[-1]:
            self.lines[-1] += "  "
        elif tag == "a":
            self.link = next((value or "" for name, value in attrs if name == "href"), "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            if self.link and self.link not in self.lines[-1] and not self.link.startswith("#"):
                self.lines[-1] += f" ({self.link})"
            self.link = ""
        elif tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag == "pre":
            self.verbatim = max(0, self.verbatim - 1)
        elif tag in ("ul", "ol") and self.numbers:
            self.numbers.pop()
        if tag != "br":
            self._block(tag)

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        if self.verbatim:
            first, *rest = data.split("\n")
            self.lines[-1] += first
            self.lines += rest
            return
        words = re.sub(r"\s+", " ", data)
        self.lines[-1] += words.lstrip() if self.lines[-1].endswith(" ") or not self.lines[-1] else words

    def _block(self, tag: str) -> None:
        if tag in _BREAKS and (self.lines[-1] or tag == "br"):
            self.lines.append("")
        if tag in _SPACED and len(self.lines) > 1 and self.lines[-2]:
            self.lines.append("")

    def _item(self) -> None:
        mark = "- "
        if self.numbers and self.numbers[-1] >= 0:
            self.numbers[-1] += 1
            mark = f"{self.numbers[-1]}. "
        self.lines[-1] = "  " * max(0, len(self.numbers) - 1) + mark

    def text(self) -> str:
        kept: list[str] = []
        for line in (line.rstrip() for line in self.lines):
            if line or (kept and kept[-1]):
                kept.append(line)
        return "\n".join(kept).strip("\n")
