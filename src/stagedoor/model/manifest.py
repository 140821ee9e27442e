"""Everything in one entry: folders and files with relative paths, sizes and times.

Rules
1. A manifest exists only when every name in it may travel and no two names in a folder are twins.
2. All faults are found in one pass and told together.
3. The order of `files` is the order in which they were offered, folders entered where they stand (depth first). This
   order is the order of the tape.
4. Times are integer milliseconds since 1970 UTC, or None where the offer gave none.
5. `read` also puts the offered tree itself into its one spelling (NFC names, `is_dir` and sizes filled in), so that
   what the hook sees, what is kept and what is compared later is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from . import names

MAX_DEPTH = 64
MAX_SIZE = 2**53 - 1  # what JSON readers in browsers can hold
FAULTS_TOLD = 1000


class Offered(Protocol):
    """A file or folder as it is offered; `files` of a folder nest."""

    filename: str
    size: int | None
    is_dir: bool | None
    modified: int | None

    @property
    def files(self) -> Sequence[Any] | None: ...


class File(NamedTuple):
    path: str
    """relative to the entry, `/` between names; `""` for an entry that is itself a file"""
    size: int
    modified: int | None


class Folder(NamedTuple):
    path: str
    """relative to the entry; `""` for the entry itself"""
    modified: int | None


class Fault(NamedTuple):
    path: str
    """the path from the entry's own name on, as offered"""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The contract of one entry: these files and folders, these sizes, nothing more."""

    name: str
    is_dir: bool
    files: tuple[File, ...]
    folders: tuple[Folder, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read(entry: Offered, *, windows_names: bool = True) -> tuple[Manifest, list[Fault]]:
    """Check an offered entry and put it into its one spelling.

    Returns the manifest and every fault found; the manifest counts only when there are no faults.
    """
    reader = _Reader(windows_names)
    reader.name(entry, "")
    if _is_folder(entry):
        reader.folder(entry, "", names.printable(entry.filename), 1)
    else:
        reader.file(entry, "", names.printable(entry.filename))
    manifest = Manifest(
        name=entry.filename,
        is_dir=bool(entry.is_dir),
        files=tuple(reader.files),
        folders=tuple(reader.folders),
    )
    return manifest, reader.faults


def _is_folder(entry: Offered) -> bool:
    return entry.is_dir if entry.is_dir is not None else entry.files is not None


class _Reader:
    def __init__(self, windows_names: bool) -> None:
        self.windows_names = windows_names
        self.files: list[File] = []
        self.folders: list[Folder] = []
        self.faults: list[Fault] = []

    def fault(self, path: str, reason: str) -> None:
        if len(self.faults) < FAULTS_TOLD:
            self.faults.append(Fault(path, reason))

    def name(self, node: Offered, above: str) -> None:
        reason = names.fault(node.filename, windows=self.windows_names)
        if reason:
            self.fault(above + names.printable(node.filename), reason)
        node.filename = names.normal(node.filename)

    def file(self, node: Offered, path: str, shown: str) -> None:
        node.is_dir = False
        size = node.size = node.size or 0
        if node.files:
            self.fault(shown, "is offered as a file but holds files: set is_dir")
        if not 0 <= size <= MAX_SIZE:
            self.fault(shown, f"has the impossible size {size}")
        self.files.append(File(path, size, node.modified))

    def folder(self, node: Offered, path: str, shown: str, depth: int) -> int:
        node.is_dir = True
        self.folders.append(Folder(path, node.modified))
        if depth > MAX_DEPTH:
            self.fault(shown, f"lies more than {MAX_DEPTH} folders deep: flatten it")
            return 0
        total = 0
        seen: dict[str, str] = {}
        prefix = f"{path}/" if path else ""
        for child in node.files or ():
            self.name(child, shown + "/")
            total += self._child(child, prefix + child.filename, shown, depth)
            self._twin(child.filename, seen, shown)
        node.size = total
        return total

    def _child(self, child: Offered, path: str, above: str, depth: int) -> int:
        if len(path) > 340 and len(path.encode("utf-8", "surrogatepass")) > names.MAX_PATH_BYTES:
            shown = f"{above}/{names.printable(child.filename)}"
            self.fault(shown, f"has a path of more than {names.MAX_PATH_BYTES} bytes: shorten it")
        if _is_folder(child):
            return self.folder(child, path, f"{above}/{names.printable(child.filename)}", depth + 1)
        if child.files or child.is_dir is None or not child.size or not 0 <= child.size <= MAX_SIZE:
            self.file(child, path, f"{above}/{names.printable(child.filename)}")
        else:  # the common case, kept free of calls: 100,000 frames in one folder
            self.files.append(File(path, child.size, child.modified))
        return child.size or 0

    def _twin(self, name: str, seen: dict[str, str], above: str) -> None:
        key = names.fold(name)
        other = seen.get(key)
        if other is None:
            seen[key] = name
        else:
            pair = f"is the same name as {names.printable(other)} on some disks: rename one"
            self.fault(f"{above}/{names.printable(name)}", pair)
