"""What a pre-publish hook answered, read with suspicion.

Rules
1. All faults are found in one pass and told together (`BrokenAnswer`), to the studio; none of them is a refusal.
2. `null` counts as left out. Keys of the input in the answer are skipped, inner `files` without being decoded. Keys
   that are neither the input's nor ours are kept as they are (`extras`).
3. An offered entry without a verdict is refused, by us and not by the hook: code `no_verdict`.
4. What may be uploaded has a place, and no two entries the same or one within the other, however a disk compares names.
5. Findings advise: one that cannot be read is left out and told to the studio, and changes no verdict.
6. What was probably meant otherwise (`oddities`) is told to who writes a hook, and is no fault.
7. Guidelines are cleaned here, once, for all doors, and are HTML from here on. What is no element of HTML, such as
   `<project>_<shot>`, is text.
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec
import nh3
from msgspec import Raw

from ..model import names
from ..model.entities import Volume
from ..model.form import Form, Status
from ..model.notation import Place, resolve
from ..model.verdict import Kind, OnExists, Verdict, kind_of
from ..wire.hookdata import Finding, PrePublishInput, PrePublishOutput, StatusChoice

FAULTS_TOLD = 200
FINDINGS_KEPT = 100
_FINDINGS = "write a list of {code, title, files, fix}"
NO_VERDICT = "The studio's check gave no verdict for this entry; ask the studio."
_FLAGS = ("can_publish", "can_upload", "rejected")
_TEXTS = ("warning", "info", "ident", "comment_label")
_KNOWN = frozenset(
    ["id", "filename", "size", "is_dir", "files", "modified", "path", "findings", "on_exists", *_FLAGS, *_TEXTS]
)
_ASKED = tuple(sorted({*PrePublishOutput.__struct_fields__} - {"files"}))
_BESIDE_FILES = frozenset([*PrePublishInput.__struct_fields__, *PrePublishOutput.__struct_fields__])
_ALIKE = 0.75
"""so similar are two keys of which one may be meant for the other: `publish` and `can_publish`"""
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_TAG = re.compile(r"<(?=(/?)([A-Za-z][A-Za-z0-9]*)?)(?:[^<>]*>)?")
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_ELEMENT_NAMES = (
    "a abbr article aside b big blockquote body br button center code col colgroup dd del details div dl dt em font "
    "footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins kbd label li link main mark meta nav "
    "object ol option p pre q s samp script section select small span strike strong style sub summary sup svg table "
    "tbody td textarea tfoot th thead title tr tt u ul var video wbr"
)
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
T = TypeVar("T")


class BrokenAnswer(Exception):
    """The hook's answer cannot be used; `faults` are sentences for the studio, each naming entry and remedy."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


class Offered(Protocol):
    """What must be known of an offered entry."""

    @property
    def id(self) -> str: ...
    @property
    def filename(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedEntry:
    verdict: Verdict
    place: Place | None = None
    extras: bytes = b"{}"
    """further keys of the hook's answer, as JSON"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    form: Form
    entries: Mapping[str, JudgedEntry]
    """by id; exactly the offered ones"""
    remarks: tuple[str, ...] = ()
    """findings that were left out, and why: for the studio; the verdicts stand"""


def read_answer(output: bytes, offered: Sequence[Offered], volumes: Sequence[Volume]) -> Judged:
    """The verdicts and the form that a hook's answer comes to. Raises BrokenAnswer."""
    reader = _Reader(volumes)
    top = reader.decode(output.removeprefix(b"\xef\xbb\xbf"), dict[str, Raw], "the answer", "write one JSON object")
    if top is None:
        raise BrokenAnswer(reader.faults)
    answers = reader.entries(top, offered)
    judged = {entry.id: reader.entry(entry, answers.get(entry.id, {})) for entry in offered}
    form = reader.form(top)
    reader.faults.extend(_clashes(judged, offered))
    if reader.faults:
        raise BrokenAnswer(_bounded(reader.faults))
    return Judged(form=form, entries=judged, remarks=tuple(_bounded(reader.remarks)))


def oddities(output: bytes) -> list[str]:
    """Keys of an answer that were probably meant otherwise; none where it cannot be read at all."""
    try:
        top = msgspec.json.decode(output.removeprefix(b"\xef\xbb\xbf"), type=dict[str, Raw])
        entries = msgspec.json.decode(top.get("files", Raw(b"[]")), type=list[dict[str, Raw]])
    except _UNREADABLE:
        return []
    found = [_unknown_key(key) for key in top if key not in _BESIDE_FILES]
    further = [key for entry in entries for key in entry if key not in _KNOWN]
    for key in dict.fromkeys(further):
        meant = _meant(key, _KNOWN)
        if meant:
            found.append(
                f"key {key[:64]!r} of {further.count(key)} of the entries is only handed to the publish hook; "
                f"was {meant!r} meant?"
            )
    return _bounded(found)


def _unknown_key(key: str) -> str:
    meant = _meant(key, _ASKED)
    hint = f"; was {meant!r} meant?" if meant else ""
    return f"unknown key {key[:64]!r} beside `files`: ignored{hint}; known are {', '.join(_ASKED)}"


def _meant(key: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(key[:64].lower(), sorted(known), 1, _ALIKE)), "")


class _Reader:
    """Reads parts of the answer and collects their faults."""

    def __init__(self, volumes: Sequence[Volume]) -> None:
        self.volumes = volumes
        self.faults: list[str] = []
        self.remarks: list[str] = []

    def decode(self, raw: bytes | Raw, kind: type[T], where: str, remedy: str) -> T | None:
        try:
            return msgspec.json.decode(raw, type=kind)
        except _UNREADABLE as error:
            self.faults.append(f"{where} cannot be read ({_reason(error)}): {remedy}")
            return None

    def value(self, keys: Mapping[str, Raw], key: str, kind: type[T], where: str, remedy: str) -> T | None:
        """A key's value; None where it is left out, null or wrong."""
        if key not in keys or bytes(keys[key]) == b"null":
            return None
        return self.decode(keys[key], kind, f"{where}: {key}", remedy)

    def entries(self, top: Mapping[str, Raw], offered: Sequence[Offered]) -> dict[str, dict[str, Raw]]:
        """The answer's entries by id, as far as they are known."""
        if "files" not in top:
            self.faults.append("the answer has no `files`: write the input's list of entries, each with a verdict")
            return {}
        shown = {entry.id: _shown(entry) for entry in offered}
        found: dict[str, dict[str, Raw]] = {}
        items = self.decode(top["files"], list[Raw], "the answer's `files`", "write a list of entries")
        for number, item in enumerate(items or ()):
            where = f"entry {number + 1} of the answer's `files`"
            entry = self.decode(item, dict[str, Raw], where, "write a JSON object")
            if entry is None:
                continue
            entry_id = self.value(entry, "id", str, where, "write the id that the input has")
            if entry_id in shown and entry_id not in found:
                found[entry_id] = entry
            elif entry_id in shown:
                self.faults.append(f"{shown[entry_id]}: is answered twice: write one entry for each id")
            elif entry_id is not None:
                self.faults.append(f"{where} has the id {entry_id[:64]!r}, which was not offered: keep the input's id")
            elif "id" not in entry or bytes(entry["id"]) == b"null":
                self.faults.append(f"{where} has no id: write the id that the input has")
        return found

    def entry(self, offered: Offered, keys: Mapping[str, Raw]) -> JudgedEntry:
        where = _shown(offered)
        flags = {flag: bool(self.value(keys, flag, bool, where, "write true or false")) for flag in _FLAGS}
        texts: dict[str, Any] = {key: self.value(keys, key, str, where, "write text") or "" for key in _TEXTS}
        kind = kind_of(**flags)
        if kind is None:
            texts["warning"] = texts["warning"] or NO_VERDICT
        verdict = Verdict(
            kind=kind or Kind.REFUSED,
            code="" if kind else "no_verdict",
            findings=self.findings(keys, where),
            on_exists=self.on_exists(keys, where),
            **texts,
        )
        return JudgedEntry(
            verdict=verdict,
            place=self.place(offered, keys, where, needed=verdict.kind is not Kind.REFUSED),
            extras=self.extras(keys, where),
        )

    def place(self, offered: Offered, keys: Mapping[str, Raw], where: str, *, needed: bool) -> Place | None:
        faults = len(self.faults)
        path = self.value(keys, "path", str, where, "write text such as volume=<code>/<path>")
        if not needed or len(self.faults) > faults:
            return None
        if path is None:
            self.faults.append(f"{where}: may be uploaded but has no path: say where it goes, or reject it")
            return None
        try:
            return resolve(path, offered.filename, self.volumes)
        except ValueError as error:
            self.faults.append(f"{where}: {error}")
            return None

    def on_exists(self, keys: Mapping[str, Raw], where: str) -> OnExists | None:
        said = self.value(keys, "on_exists", str, where, "write refuse or replace, or leave it out")
        if said is None:
            return None
        try:
            return OnExists(said)
        except ValueError:
            self.faults.append(f"{where}: on_exists is {said[:32]!r}: write refuse or replace, or leave it out")
            return None

    def findings(self, keys: Mapping[str, Raw], where: str) -> tuple[dict[str, Any], ...]:
        """Those that can be read. A verdict does not fall over the advice that comes with it."""
        if "findings" not in keys:
            return ()
        kept: list[dict[str, Any]] = []
        try:
            items = msgspec.json.decode(keys["findings"], type=list[Raw] | None) or []
        except _UNREADABLE as error:
            self.remarks.append(f"{where}: findings are left out ({_reason(error)}): {_FINDINGS}")
            return ()
        for number, item in enumerate(items[:FINDINGS_KEPT], 1):
            try:
                found = msgspec.structs.asdict(msgspec.json.decode(item, type=Finding))
                kept.append({key: value for key, value in found.items() if value is not None})
            except _UNREADABLE as error:
                self.remarks.append(f"{where}: finding {number} is left out ({_reason(error)}): {_FINDINGS}")
        if len(items) > FINDINGS_KEPT:
            self.remarks.append(f"{where}: only the first {FINDINGS_KEPT} of {len(items)} findings are kept")
        return tuple(kept)

    def extras(self, keys: Mapping[str, Raw], where: str) -> bytes:
        further = {key: raw for key, raw in keys.items() if key not in _KNOWN}
        for key in further:
            self.value(further, key, object, where, "write proper JSON")
        return msgspec.json.encode(further)

    def form(self, top: Mapping[str, Raw]) -> Form:
        where = "the answer"
        if bytes(top.get("metadata", Raw(b""))).lstrip().startswith(b"{"):
            # Many hooks mend their input and write it back: that is the user's metadata, not the wish for some.
            top = {**top, "metadata": Raw(b"false")}
        comment, time_report, metadata = (
            bool(self.value(top, key, bool, where, "write true or false"))
            for key in ("comment", "time_report", "metadata")
        )
        remedy = "write a list of {label, value}"
        statuses = self.value(top, "statuses", list[StatusChoice], where, remedy) or []
        if any(not item.value.strip() or not item.label.strip() for item in statuses):
            self.faults.append(f"{where}: statuses: a label or value is empty: fill it in")
        guidelines = self.value(top, "guidelines", str, where, "write text") or ""
        return Form(
            comment=comment,
            time_report=time_report,
            metadata=metadata,
            statuses=tuple(Status(label=item.label, value=item.value, default=bool(item.default)) for item in statuses),
            tasks=tuple(self.value(top, "tasks", list[str], where, "write a list of names") or ()),
            guidelines=clean_guidelines(guidelines),
        )


def clean_guidelines(text: str) -> str:
    """Harmless HTML that reads as `text` does, whether that is plain text or HTML."""
    text = text.strip()
    tagged = any((match[2] or "").lower() in _ELEMENTS for match in _TAG.finditer(text))
    if not tagged and not _ENTITY.search(text):
        return html.escape(text, quote=False).replace("\n", "<br>\n")
    text = _TAG.sub(_text_unless_element, text)
    return nh3.clean(text, url_schemes={"http", "https", "mailto"})


def _text_unless_element(match: re.Match[str]) -> str:
    if (match[2] or "").lower() in _ELEMENTS or match[0].startswith("<!"):
        return match[0]
    return html.escape(match[0], quote=False)


def _clashes(judged: Mapping[str, JudgedEntry], offered: Sequence[Offered]) -> Iterator[str]:
    placed = sorted((_key(place), _shown(entry)) for entry in offered if (place := judged[entry.id].place) is not None)
    upper: tuple[str, ...] = ()
    above = ""
    for key, shown in placed:
        if above and key[: len(upper)] == upper:
            yield f"{shown}: goes to the same place as {above}, or into it: give each a path of its own"
        else:
            upper, above = key, shown


def _key(place: Place) -> tuple[str, ...]:
    return (place.volume_id, *(names.fold(name) for name in place.path.split("/")))


def _shown(entry: Offered) -> str:
    return names.printable(entry.filename)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _bounded(faults: list[str]) -> list[str]:
    more = len(faults) - FAULTS_TOLD
    return faults if more <= 0 else [*faults[:FAULTS_TOLD], f"and {more} more"]
