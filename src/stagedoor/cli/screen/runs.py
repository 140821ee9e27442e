"""Hook runs: a list, or everything about one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .numbers import duration, moment, size
from .page import Column, Page, indented

Run = Mapping[str, Any]
SPREAD_BELOW = 1_000_000


def listing(page: Page, runs: Sequence[Run], total: int) -> None:
    if not runs:
        page.say("No hook has run yet.")
        return
    columns = [Column(title) for title in ("RUN", "HOOK", "STATE", "STARTED", "TOOK", "EXIT", "JOB", "WHY")]
    page.table(columns, [_row(run) for run in runs])
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
        str(run.get("error") or "").replace("\n", " "),
    )


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
