"""What the studio said about each entry, so that an artist understands it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .guidelines import readable
from .numbers import count, size, spoken
from .page import Page, indented
from .sequences import contents, files_of, named

ACCEPTED, UPLOAD_ONLY, REFUSED = "accepted", "upload only", "refused"
_STYLE = {ACCEPTED: "green", UPLOAD_ONLY: "yellow", REFUSED: "bold red"}
FILES_NAMED = 5


def kind(entry: Mapping[str, Any]) -> str:
    """The verdict in words; what is not said is a refusal, and the stricter wins."""
    if entry.get("rejected"):
        return REFUSED
    if entry.get("can_upload"):
        return UPLOAD_ONLY
    return ACCEPTED if entry.get("can_publish") else REFUSED


def of_kind(answer: Mapping[str, Any], *wanted: str) -> list[dict[str, Any]]:
    return [entry for entry in answer.get("files") or () if kind(entry) in wanted]


def show(page: Page, answer: Mapping[str, Any], offered: Sequence[Any] = ()) -> None:
    """Guidelines, then entry by entry, then what it comes to. `offered` are the entries with their files."""
    guidelines = readable(str(answer.get("guidelines") or ""))
    if guidelines:
        page.say("The studio's guidelines", "bold")
        page.say(indented(guidelines, "  "))
        page.say()
    trees = {_id(entry): entry for entry in offered}
    for entry in answer.get("files") or ():
        _entry(page, entry, trees.get(entry.get("id"), entry))
    page.say(total(answer))
    wanted = asked_for(answer)
    if wanted:
        page.say(f"The studio asks you for {spoken(wanted)}.")


def _id(entry: Any) -> Any:
    return entry.get("id") if isinstance(entry, Mapping) else getattr(entry, "id", None)


def _entry(page: Page, entry: Mapping[str, Any], tree: Any) -> None:
    verdict = kind(entry)
    name = str(entry.get("filename", "")) + ("/" if entry.get("is_dir") else "")
    page.say(f"{verdict.upper():<11}  {name.replace(chr(10), ' ')}  ({_amount(entry, tree)})", _STYLE[verdict])
    if entry.get("is_dir"):
        page.say(indented("\n".join(line.replace("\n", " ") for line in contents(tree)), " " * 13))
    for label, key in (("is", "ident"), ("why", "warning"), ("note", "info"), ("goes to", "path")):
        if entry.get(key):
            _labelled(page, label, str(entry[key]))
    findings(page, entry)
    page.say()


def _amount(entry: Mapping[str, Any], tree: Any) -> str:
    bytes_ = size(int(entry.get("size") or 0))
    if not entry.get("is_dir"):
        return bytes_
    files = sum(1 for _ in files_of(tree))
    return f"{count(files, 'file')}, {bytes_}"


def _labelled(page: Page, label: str, words: str) -> None:
    first, *rest = words.replace("\r\n", "\n").strip().split("\n")
    page.say(f"  {label:>9}: {first}")
    if rest:
        page.say(indented("\n".join(rest), " " * 13))


def findings(page: Page, entry: Mapping[str, Any]) -> None:
    """What was found about an entry, or a task of a job: what, where, and what to do about it."""
    for finding in entry.get("findings") or ():
        _finding(page, finding)


def _finding(page: Page, finding: Any) -> None:
    if not isinstance(finding, Mapping):
        _labelled(page, "found", str(finding))
        return
    title = str(finding.get("title") or finding.get("code") or "")
    code = str(finding.get("code") or "")
    _labelled(page, "found", f"{title} [{code}]" if code and code != title else title)
    files = finding.get("files")
    if isinstance(files, (list, tuple)) and files:
        _labelled(page, "in", spoken(named([str(file) for file in files]), FILES_NAMED))
    if finding.get("fix"):
        _labelled(page, "to fix it", str(finding["fix"]))


def refusal(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The error of an answer of which nothing can be sent, for `--json`."""
    refused = of_kind(answer, REFUSED)
    if not refused:
        return {"code": "nothing_to_send", "message": "No entry is left to send.", "details": {}}
    names = spoken([str(entry.get("filename")) for entry in refused], FILES_NAMED)
    return {
        "code": "entries_refused",
        "message": f"{count(len(refused), 'entry', 'entries')} refused: {names}.",
        "details": {
            "entries": [{"filename": entry.get("filename"), "reason": entry.get("warning") or ""} for entry in refused]
        },
    }


def total(answer: Mapping[str, Any]) -> str:
    """`2 accepted, 1 refused, 3.1 GB in all.`"""
    files = answer.get("files") or ()
    counts = [
        f"{len(of_kind(answer, verdict))} {verdict}"
        for verdict in (ACCEPTED, UPLOAD_ONLY, REFUSED)
        if of_kind(answer, verdict)
    ]
    return f"{', '.join(counts)}; {size(sum(int(entry.get('size') or 0) for entry in files))} in all."


def asked_for(answer: Mapping[str, Any]) -> list[str]:
    """What the form requires or offers, in words."""
    wanted = []
    if answer.get("comment") is True:
        wanted.append("a comment")
    if answer.get("time_report") is True:
        wanted.append("the time spent")
    if answer.get("statuses"):
        labels = [str(status.get("label")) for status in answer["statuses"]]
        wanted.append(f"a status ({', '.join(labels)})")
    if answer.get("tasks") and any(not entry.get("ident") for entry in of_kind(answer, ACCEPTED)):
        wanted.append("a production task, if one fits")
    if answer.get("metadata") is True:
        wanted.append("metadata, if you have any")
    return wanted
