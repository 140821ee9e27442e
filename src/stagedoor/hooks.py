"""For who writes hooks in Python: typed input, verdicts without spelling mistakes, gaps in sequences.

    from stagedoor.hooks import accept, answer, main, missing_frames, refuse

    def check(offer):
        return answer([look(entry) for entry in offer.files], comment=True)

    def look(entry):
        gaps = missing_frames(entry)
        if gaps:
            return refuse(entry, "Frames are missing.", findings=gaps)
        return accept(entry, f"volume=projects/in/{entry.filename}")

    if __name__ == "__main__":
        main(check)

Rules
1. The client install suffices, and Python 3.10. Plain scripts that read and write JSON are just as good.
2. Verdicts are plain dicts, as they go into the answer; a hook may add keys of its own to them.
3. Nothing here decides anything: the server judges every answer, wherever it comes from.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from .frames import sequences_among
from .model.hooks import ANSWERING, HookName, canonical
from .wire.hookdata import (
    Finding,
    InnerFile,
    JobInput,
    OfferedEntry,
    PostDoneInput,
    PostFailedInput,
    PostSubmitInput,
    PrePublishInput,
    PreSubmitInput,
    PublishedEntry,
    PublishInput,
)

__all__ = [
    "Finding",
    "Frames",
    "InnerFile",
    "JobInput",
    "OfferedEntry",
    "PostDoneInput",
    "PostFailedInput",
    "PostSubmitInput",
    "PrePublishInput",
    "PreSubmitInput",
    "PublishInput",
    "PublishedEntry",
    "accept",
    "answer",
    "files_of",
    "finding",
    "further",
    "main",
    "missing_frames",
    "read",
    "refuse",
    "refuse_job",
    "sequences",
    "status",
    "upload_only",
]

Entry = OfferedEntry | PublishedEntry
Verdict = dict[str, Any]
Found = dict[str, Any]
_KINDS: dict[HookName, type[msgspec.Struct]] = {
    HookName.PRE_PUBLISH: PrePublishInput,
    HookName.PRE_SUBMIT: PreSubmitInput,
    HookName.POST_SUBMIT: PostSubmitInput,
    HookName.PUBLISH: PublishInput,
    HookName.POST_FAILED: PostFailedInput,
    HookName.POST_DONE: PostDoneInput,
}

# --- verdicts --------------------------------------------------------------------------------------------------------


def accept(
    entry: OfferedEntry,
    path: str,
    *,
    ident: str = "",
    info: str = "",
    comment_label: str = "",
    findings: Iterable[Found] = (),
    **more: Any,
) -> Verdict:
    """The entry is a publish and goes to `path`. `more`: keys of your own; the publish hook is given them back."""
    said = {"ident": ident, "info": info, "comment_label": comment_label, "findings": list(findings)}
    return {"id": entry.id, "can_publish": True, "path": path, **_without_empty(said), **more}


def upload_only(
    entry: OfferedEntry, path: str, warning: str, *, info: str = "", findings: Iterable[Found] = (), **more: Any
) -> Verdict:
    """The entry is no publish, which `warning` explains, but may be sent to `path`."""
    said = {"warning": warning, "info": info, "findings": list(findings)}
    return {"id": entry.id, "can_upload": True, "path": path, **_without_empty(said), **more}


def refuse(
    entry: OfferedEntry, warning: str, *, info: str = "", findings: Iterable[Found] = (), **more: Any
) -> Verdict:
    """The entry may not be sent. `warning`: why, and what to do about it."""
    said = {"warning": warning, "info": info, "findings": list(findings)}
    return {"id": entry.id, "rejected": True, **_without_empty(said), **more}


def finding(code: str, title: str, *, files: Iterable[str] = (), fix: str = "") -> Found:
    """One thing that was found: a short stable code, a sentence, the names it is about, what to do."""
    return {"code": code, "title": title, **_without_empty({"files": list(files), "fix": fix})}


def answer(
    files: Iterable[Verdict],
    *,
    guidelines: str = "",
    comment: bool = False,
    time_report: bool = False,
    metadata: bool = False,
    statuses: Sequence[dict[str, Any]] = (),
    tasks: Sequence[str] = (),
) -> dict[str, Any]:
    """What a pre-publish hook returns: the verdicts, and what the user is asked for."""
    asked = {
        "guidelines": guidelines,
        "comment": comment,
        "time_report": time_report,
        "metadata": metadata,
        "statuses": list(statuses),
        "tasks": list(tasks),
    }
    return {"files": list(files), **_without_empty(asked)}


def status(label: str, value: str, *, default: bool = False) -> dict[str, Any]:
    """A status that the user may choose."""
    return {"label": label, "value": value, "default": default}


def refuse_job(warning: str) -> dict[str, Any]:
    """What a pre-submit hook returns where no job is to be made; None lets it be made."""
    return {"rejected": True, "warning": warning}


def _without_empty(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value}


# --- what is in an entry ---------------------------------------------------------------------------------------------


class Frames(NamedTuple):
    """Files of one folder that differ in a frame number."""

    name: str
    """`left/shot.#.exr`"""
    frames: tuple[int, ...]
    missing: tuple[int, ...]
    """what lies between the first and the last; frames on twos lack none"""
    missing_files: tuple[str, ...]


def files_of(entry: Entry | InnerFile) -> Iterator[tuple[str, int]]:
    """Relative path and size of every file within; an entry that is a file is its own, under its name."""
    if not entry.is_dir:
        yield entry.filename, entry.size
        return
    for child in entry.files or ():
        for path, size in files_of(child):
            yield (f"{child.filename}/{path}" if child.is_dir else path), size


def sequences(entry: Entry | InnerFile) -> list[Frames]:
    """The sequences of two and more frames; version numbers (`_v002`) are no frames."""
    folders: dict[str, list[str]] = defaultdict(list)
    for path, _ in files_of(entry):
        folder, _, name = path.rpartition("/")
        folders[f"{folder}/" if folder else ""].append(name)
    return [_frames(folder, found) for folder, names in folders.items() for found in sequences_among(names)]


def _frames(folder: str, found: Any) -> Frames:
    frames = sorted(int(frame) for frame in found.frameSet())
    step = math.gcd(*(after - before for before, after in pairwise(frames)))
    missing = sorted(set(range(frames[0], frames[-1], step)) - set(frames))
    return Frames(
        name=f"{folder}{found.basename()}{found.padding()}{found.extension()}",
        frames=tuple(frames),
        missing=tuple(missing),
        missing_files=tuple(folder + Path(found.frame(frame)).name for frame in missing),
    )


def missing_frames(entry: Entry | InnerFile, *, fix: str = "Add what is missing and publish again.") -> list[Found]:
    """A finding for each sequence that has gaps."""
    import fileseq

    found = []
    for item in sequences(entry):
        if item.missing:
            numbers = fileseq.framesToFrameRange(item.missing)
            word = "frame" if len(item.missing) == 1 else "frames"
            title = f"{item.name} lacks {word} {numbers}."
            found.append(finding("missing_frames", title, files=item.missing_files, fix=fix))
    return found


# --- reading and answering -------------------------------------------------------------------------------------------


class _Named(msgspec.Struct):
    hook: str


class _Further(msgspec.Struct):
    files: list[dict[str, Any]]


def read(path: str | Path) -> Any:
    """The input of any hook, typed: `PrePublishInput`, `PublishInput`, ... Raises ValueError for what is none."""
    data = Path(path).read_bytes()
    name = canonical(msgspec.json.decode(data, type=_Named).hook)
    if name not in _KINDS:
        raise ValueError(f"{path} is not the input of a hook that is known here")
    return msgspec.json.decode(data, type=_KINDS[name])


def further(path: str | Path) -> dict[str, dict[str, Any]]:
    """By entry id, the keys that your pre-publish hook added and that a hook of the job is given back."""
    known = set(PublishedEntry.__struct_fields__)
    entries = msgspec.json.decode(Path(path).read_bytes(), type=_Further).files
    return {entry["id"]: {key: value for key, value in entry.items() if key not in known} for entry in entries}


def main(function: Callable[[Any], Any], arguments: Sequence[str] | None = None) -> None:
    """Read the input that the command line names, call `function` with it, write what it returns.

    A pre-publish hook returns `answer(...)`, or the verdicts alone; a pre-submit hook `refuse_job(...)` or None; the
    others nothing. What it raises ends the program with exit code 1 and a traceback on stderr.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        sys.exit("The command line of the hook lacks ${PATH_JSON_INPUT}.")
    data = read(given[0])
    returned = function(data)
    name = canonical(data.hook)
    if name is HookName.PRE_PUBLISH and not isinstance(returned, dict):
        if returned is None:
            sys.exit(f"{getattr(function, '__name__', 'the function')} returned nothing: return answer([...]).")
        returned = answer(returned)
    if returned is None or name not in ANSWERING:
        return
    if len(given) < 2:
        sys.exit("The command line of the hook lacks ${PATH_JSON_OUTPUT}.")
    Path(given[1]).write_bytes(msgspec.json.encode(returned))
