"""What a submit sends back of the studio's decision, compared with what is kept here.

Rules
1. Only `id` and answers are read. Keys of the decision may be there, since scripts send back what they were given;
   where they are, they must say what was decided.
2. Names are compared after normalising, trees as a whole, places after resolving their notation.
3. Unknown keys are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from ..model import errors, form, manifest, names, notation
from ..model.entities import OfferEntry, Volume
from ..model.verdict import OnExists
from ..wire.tree import Entry, Node
from .views import flags

Raw = Mapping[str, msgspec.Raw]


def answers_given(echoed: Raw) -> dict[str, Any]:
    """The answer fields of an echoed entry, decoded."""
    return {key: _decode(echoed[key], Any) for key in form.FIELDS if key in echoed}


def compare(entry: OfferEntry, tree: Callable[[], bytes], echoed: Raw, volumes: Iterable[Volume]) -> None:
    """Raise DecisionChanged where what came back is not what was decided; `tree` fetches the kept JSON of `files`."""
    _compare_plain(entry, echoed)
    if "files" in echoed:
        _compare_tree(entry, tree(), echoed["files"])
    if "path" in echoed:
        _compare_place(entry, echoed["path"], volumes)


def _compare_plain(entry: OfferEntry, echoed: Raw) -> None:
    decided: dict[str, Any] = {
        "filename": entry.filename,
        "is_dir": entry.is_dir,
        "size": entry.size,
        "modified": entry.modified,
        "on_exists": (entry.verdict.on_exists or OnExists.REFUSE).value,
        **flags(entry.verdict),
    }
    for key, expected in decided.items():
        if key not in echoed:
            continue
        value = _decode(echoed[key], Any)
        if key == "filename" and isinstance(value, str):
            value = names.normal(value)
        if value is None or (key == "modified" and expected is None):
            continue
        if type(value) is not type(expected) or value != expected:
            raise _changed(entry, key)


def _compare_tree(entry: OfferEntry, kept: bytes, echoed: msgspec.Raw) -> None:
    files = _decode(echoed, list[Node] | None)
    if files is None and not entry.is_dir:
        return
    again = Entry(id=entry.id, filename=entry.filename, is_dir=entry.is_dir, files=files)
    manifest.read(again, windows_names=False)
    if not entry.is_dir or msgspec.json.encode(again.files or []) != kept:
        raise _changed(entry, "files")


def _compare_place(entry: OfferEntry, echoed: msgspec.Raw, volumes: Iterable[Volume]) -> None:
    value = _decode(echoed, Any)
    if value in (None, ""):
        return
    try:
        same = isinstance(value, str) and notation.resolve(value, entry.filename, volumes) == entry.place
    except ValueError:
        same = False
    if not same:
        raise _changed(entry, "path")


def _decode(raw: msgspec.Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise errors.BadRequest(f"The submitted data cannot be read: {error}") from None


def _changed(entry: OfferEntry, key: str) -> errors.DecisionChanged:
    return errors.DecisionChanged(
        f"{names.printable(entry.filename)}: {key} differs from what the studio decided; offer the files again.",
        details={"id": entry.id, "key": key},
    )
