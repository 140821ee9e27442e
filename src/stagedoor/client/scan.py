"""Files and folders of this machine as the entries of an offer.

Rules
1. Names travel in NFC; `source` and the survey keep the local spelling, by which files are opened.
2. Order is that of people: digits count as numbers (`f.2` before `f.10`). It is the order of the tape.
3. Empty files and empty folders are kept. Junk that desktop systems leave is left out and counted.
4. Links to files are followed, links to folders only to within the offered folder. Loops, dangling links, devices,
   sockets, pipes and what cannot be read are faults.
5. All faults are found in one pass and raised together.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..model import names
from ..model.manifest import FAULTS_TOLD, MAX_DEPTH
from .errors import ScanFault

log = logging.getLogger(__name__)

Anyhow = str | os.PathLike[str]
Node = dict[str, Any]
_DIGITS = re.compile(r"([0-9]+)")
_EFFECTIVE = os.access in os.supports_effective_ids


class Local(NamedTuple):
    """A file of this machine."""

    path: str
    """absolute, as spelled on this disk"""
    size: int
    mtime_ns: int

    @property
    def modified(self) -> int:
        return milliseconds(self.mtime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was found."""

    entries: list[Node]
    """as `Session.publish` takes them; `source` is the absolute local path"""
    files: int
    size: int
    """bytes"""
    junk: int
    """files that were left out"""

    @property
    def sources(self) -> dict[str, str]:
        """Local path by the id of the entry."""
        return {entry["id"]: entry["source"] for entry in self.entries}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The files of one source, for sending them."""

    files: dict[str, Local]
    """by relative path, as it travels; `""` for a source that is itself a file"""
    folders: set[str]
    """relative paths of the folders below a source that is one"""
    faults: dict[str, str]
    """relative path -> why it cannot be read"""


def scan(paths: Anyhow | Iterable[Anyhow]) -> list[Node]:
    """The entries of an offer, one for each path.

    Each is `{"id", "filename", "is_dir", "size", "modified", "files"?, "source"}`: a new uuid4, the name, bytes,
    milliseconds since 1970 UTC, what the folder holds, and the absolute local path. Raises ScanFault with everything
    that cannot be offered. Junk (`.DS_Store`, `Thumbs.db`, ...) is left out, which is logged as a warning.
    """
    found = look(paths)
    if found.junk:
        log.warning("left out %d junk file(s) (.DS_Store, Thumbs.db and the like)", found.junk)
    return found.entries


def look(paths: Anyhow | Iterable[Anyhow]) -> Scan:
    """`scan`, with what there is to tell about it. Raises ScanFault."""
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    walk = _Walk()
    entries: list[Node] = []
    seen: set[str] = set()
    for path in paths:
        source = absolute(path)
        if source in seen:
            walk.fault(names.printable(os.fspath(path)), "is given twice: name it once")
            continue
        seen.add(source)
        node = walk.entry(source)
        if node:
            entries.append({"id": str(uuid.uuid4()), **node, "source": source})
    if walk.faults:
        raise _refusal(walk.faults)
    return Scan(entries=entries, files=walk.count, size=walk.size, junk=walk.junk)


def survey(source: str) -> Survey:
    """Every file below a source (or the source itself), junk included, whatever its name."""
    walk = _Walk(for_offer=False)
    source = absolute(source)
    walk.entry(source)
    skip = len(names.printable(Path(source).name)) + 1
    return Survey(files=walk.locals, folders=walk.folders, faults={path[skip:]: reason for path, reason in walk.faults})


def absolute(path: Anyhow) -> str:
    """The absolute path, `~` and `..` taken out, links left as they are."""
    return os.path.abspath(os.path.expanduser(os.fspath(path)))  # noqa: PTH100, PTH111 (Path keeps `..`)


def milliseconds(nanoseconds: int) -> int:
    """A file's time as it travels."""
    return nanoseconds // 1_000_000


def in_order(found: Iterable[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
    return sorted(found, key=lambda item: natural(item.name))


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts names as people do."""
    pieces: list[str | int] = list(_DIGITS.split(name))
    pieces[1::2] = map(int, pieces[1::2])
    return pieces, name


def _refusal(faults: list[tuple[str, str]]) -> ScanFault:
    path, reason = faults[0]
    message = f"{path} {reason}."
    if len(faults) > 1:
        message = f"{len(faults)} files cannot be offered. {message} The others are listed in the details."
    told = [{"path": path, "reason": reason} for path, reason in faults[:FAULTS_TOLD]]
    return ScanFault(message, details={"faults": told, "total": len(faults)})


class _Walk:
    def __init__(self, *, for_offer: bool = True) -> None:
        self.for_offer = for_offer
        self.faults: list[tuple[str, str]] = []
        self.junk = 0
        self.count = 0
        self.size = 0
        self.locals: dict[str, Local] = {}
        self.folders: set[str] = set()
        self._root = ""
        self._open: list[tuple[int, int]] = []

    def fault(self, path: str, reason: str) -> None:
        self.faults.append((path, reason))

    def entry(self, source: str) -> Node | None:
        """The node of an offered path; None where there is a fault, or only junk."""
        name = Path(source).name
        shown = names.printable(name or source)
        if self._left_out(name, shown):
            return None
        try:
            status = Path(source).stat()
        except OSError as error:
            self.fault(shown, _unreachable(error))
            return None
        if stat.S_ISDIR(status.st_mode):
            self._root = os.path.realpath(source)
            before = self.size
            node = self._folder(source, name, "", shown, status)
            return {**node, "size": self.size - before}
        return self._file(source, name, "", shown, status)

    def _left_out(self, name: str, shown: str) -> bool:
        if not self.for_offer:
            return False
        if names.is_junk(name):
            self.junk += 1
            return True
        reason = names.fault(name, windows=False)
        if reason:
            self.fault(shown, reason)
        return reason is not None

    def _file(self, local: str, name: str, path: str, shown: str, status: os.stat_result) -> Node | None:
        if not stat.S_ISREG(status.st_mode):
            self.fault(shown, f"is {_kind(status.st_mode)}: only files and folders can be published")
            return None
        if not os.access(local, os.R_OK, effective_ids=_EFFECTIVE):
            self.fault(shown, "cannot be read: you lack the permission")
            return None
        self.count += 1
        self.size += status.st_size
        modified = milliseconds(status.st_mtime_ns)
        if not self.for_offer:
            self.locals.setdefault(path, Local(local, status.st_size, status.st_mtime_ns))
        return {"filename": names.normal(name), "is_dir": False, "size": status.st_size, "modified": modified}

    def _folder(self, local: str, name: str, path: str, shown: str, status: os.stat_result) -> Node:
        node = {
            "filename": names.normal(name),
            "is_dir": True,
            "modified": milliseconds(status.st_mtime_ns),
        }
        if len(self._open) >= MAX_DEPTH:
            self.fault(shown, f"lies more than {MAX_DEPTH} folders deep: flatten it")
            return node
        if path and not self.for_offer:
            self.folders.add(path)
        self._open.append((status.st_dev, status.st_ino))
        children = (self._child(item, path, shown) for item in self._list(local, shown))
        node["files"] = [child for child in children if child]
        self._open.pop()
        return node

    def _list(self, local: str, shown: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(local) as found:
                return in_order(found) if self.for_offer else list(found)
        except OSError as error:
            self.fault(shown, _unreachable(error))
            return []

    def _child(self, item: os.DirEntry[str], above: str, shown_above: str) -> Node | None:
        name = item.name
        shown = f"{shown_above}/{names.printable(name)}"
        if self._left_out(name, shown):
            return None
        path = f"{above}/{names.normal(name)}" if above else names.normal(name)
        try:
            if not item.is_dir():
                return self._file(item.path, name, path, shown, item.stat())
            status = Path(item).stat()  # that of the item has no inode number on Windows
        except OSError as error:
            self.fault(shown, _unreachable(error))
            return None
        if _is_link(item) and not self._may_enter(item, shown, status):
            return None
        return self._folder(item.path, name, path, shown, status)

    def _may_enter(self, item: os.DirEntry[str], shown: str, status: os.stat_result) -> bool:
        target = os.path.realpath(item.path)
        if (status.st_dev, status.st_ino) in self._open or Path(self._root).is_relative_to(target):
            self.fault(shown, "is a link to a folder that holds it: remove the link")
            return False
        if not Path(target).is_relative_to(self._root):
            self.fault(shown, "is a link to a folder outside of what is offered: put the folder itself there")
            return False
        return True


def _is_link(item: os.DirEntry[str]) -> bool:
    is_junction = getattr(item, "is_junction", None)  # Windows, Python 3.12
    return item.is_symlink() or bool(is_junction and is_junction())


def _unreachable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist, or is a link that leads nowhere"
    if isinstance(error, PermissionError):
        return "cannot be read: you lack the permission"
    return f"cannot be read: {error.strerror or error}"


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
    )
    return next((words for test, words in kinds if test(mode)), "not a file")
