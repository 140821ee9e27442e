"""What today's script would say otherwise than an earlier run did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .numbers import count, moment
from .page import Page, indented

FAILED = ("fails_now", "fails_still")
_SAID = {"accepted": "accepted", "upload_only": "upload only", "refused": "refused"}


def one(page: Page, replay: Mapping[str, Any]) -> None:
    page.say(f"run {replay['run']}  {moment(replay['started'])}  {replay['user']}", "bold")
    if replay["state"] == "gone":
        page.say("  What this run had read is not kept any more.")
        return
    for key, words in (("error_before", "It could not say yes or no then"), ("error", "Today's script cannot")):
        if replay[key]:
            page.say(indented(f"{words}: {replay[key]}", "  "), "yellow")
    for entry in replay["entries"]:
        _entry(page, entry)
    for key, (then, now) in replay["form"].items():
        page.say(f"  {key}: {_short(then)} -> {_short(now)}")
    if replay["verdicts"]:
        page.say(_counted(replay))


def _entry(page: Page, entry: Mapping[str, Any]) -> None:
    then, now = _SAID[entry["before"]], _SAID[entry["now"]]
    verdict = then if then == now else f"{then} -> {now}"
    page.say(f"  {str(entry['filename']).replace(chr(10), ' ')}: {verdict}", "" if then == now else "bold yellow")
    for key, (before, after) in entry["changes"].items():
        if key != "verdict":
            page.say(indented(f"{key}: {_short(before)} -> {_short(after)}", "    "))


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _counted(found: Mapping[str, Any]) -> str:
    """`12 of 840 verdicts change; 3 more have another path or other words.`"""
    more = f"; {found['reworded']:,} more have another path or other words" if found["reworded"] else ""
    change = "changes" if 1 in (found["changed"], found["verdicts"]) else "change"
    return f"{found['changed']:,} of {count(found['verdicts'], 'verdict')} {change}{more}."


def summary(page: Page, found: Mapping[str, Any], *, listed: bool) -> None:
    if listed:
        for item in found["items"]:
            one(page, item)
    page.say(_counted(found), "bold")
    states = found["states"]
    for state, words in (
        ("fails_now", "could say yes or no then, and cannot now"),
        ("failed_before", "could not then, and can now"),
        ("fails_still", "could not then, and cannot now"),
        ("gone", "cannot be replayed: what was read is not kept any more"),
    ):
        if states.get(state):
            page.say(f"{count(states[state], 'run')} {words}.")
    page.say(f"{count(found['runs'], 'run')} of {found['total']:,} replayed.")
    if found["items"] and not listed:
        page.note("See which with --list.")
