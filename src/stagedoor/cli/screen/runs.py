"""Hook runs: a list, or everything about one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .numbers import duration, moment, size
from .page import Column, Page, console, indented

Run = Mapping[str, Any]
SPREAD_BELOW = 1_000_000
TITLES = ("RUN", "HOOK", "STATE", "STARTED", "TOOK", "EXIT", "JOB", "USER", "WHY")
TABLE_WIDTH = 160
"""a terminal that is narrower gets a few lines a run instead: an id that wraps cannot be copied"""
_SENTENCE = re.compile(r"(?<=[.!?])\s")


def listing(page: Page, runs: Sequence[Run], total: int, *, filtered: bool = False) -> None:
    if not runs:
        page.say("No run is like that." if filtered else "No hook has run yet.")
        return
    if console(error=False).width < TABLE_WIDTH:
        for run in runs:
            _lines(page, run)
    else:
        page.table([Column(title) for title in TITLES], [_row(run) for run in runs])
    if total > len(runs):
        page.note(f"{total - len(runs):,} more; see them with --limit.")


def _row(run: Run) -> tuple[str, ...]:
    return (
        str(run["id"]),
        str(run.get("hook", "")),
        str(run.get("state", "")),
        moment(run.get("started")),
        took(run),
        "" if run.get("exit_code") is None else str(run["exit_code"]),
        str(run.get("job") or ""),
        str(run.get("user_code") or run.get("user") or ""),
        why(run),
    )


def _lines(page: Page, run: Run) -> None:
    run_id, hook, state, started, took_, exit_code, job, user, reason = _row(run)
    page.say("  ".join(filter(None, (run_id, hook.removesuffix("-server"), state, started, took_))), "bold")
    for words in ((job and f"job {job}", exit_code and f"exit {exit_code}", user), (reason,)):
        if any(words):
            page.say("    " + "  ".join(filter(None, words)))


def why(run: Run) -> str:
    """The first sentence of why it failed; `show` tells all."""
    first = str(run.get("error") or "").strip().partition("\n")[0]
    return _SENTENCE.split(first)[0]


def took(run: Run) -> str:
    return duration(run["seconds"]) if run.get("seconds") is not None else ""


def show(page: Page, detail: Mapping[str, Any]) -> None:
    """One run in full. `detail` is a RunDetail as builtins."""
    run = detail["run"]
    page.say(f"{run.get('hook')}  run {run['id']}: {run.get('state')}", "bold")
    for label, words in (
        ("command", str(run.get("command") or "")),
        ("version", str(run.get("version") or "")),
        ("job", str(run.get("job") or "")),
        ("user", str(run.get("user_code") or run.get("user") or "")),
        ("attempt", str(run.get("attempt") or "")),
        ("started", moment(run.get("started"))),
        ("took", took(run)),
        ("exit code", "" if run.get("exit_code") is None else str(run["exit_code"])),
        ("why", str(run.get("error") or "")),
    ):
        if words:
            page.say(f"  {label + ':':<10} {indented(words, ' ' * 13).strip()}")
    for name in ("input", "output"):
        block(page, name, str(detail.get(name) or ""), as_json=True)
    for name in ("stdout", "stderr"):
        block(page, name, str(detail.get(name) or ""))


def block(page: Page, name: str, words: str, *, as_json: bool = False) -> None:
    """A foreign text under its name and size, moved in; JSON spread over lines where that is still readable."""
    bytes_ = len(words.encode("utf-8", "surrogatepass"))
    page.say(f"{name} ({size(bytes_)})" if bytes_ else f"{name}: nothing", "bold")
    if words.strip():
        page.say(indented(spread(words) if as_json and bytes_ < SPREAD_BELOW else words))


def spread(words: str) -> str:
    try:
        return json.dumps(json.loads(words), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return words
