"""From paths on this machine to the studio's verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.errors import BadRequest, ManifestRefused, StagedoorError
from ..model.names import printable
from .screen import verdicts
from .screen.numbers import count, size
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session
    from ..client.scan import Scan


def look(page: Page, paths: Sequence[str]) -> Scan:
    """Scan the paths, say what is there and what is left out.

    Raises BadRequest for paths that cannot be meant, ManifestRefused with every fault of what is there.
    """
    from ..client.scan import look as scan

    _check_typed(paths)
    found = scan(paths)
    page.note(
        f"Found {count(len(found.entries), 'entry', 'entries')} with {count(found.files, 'file')}, {size(found.size)}."
    )
    if not found.entries:
        raise ManifestRefused("There is nothing to publish: only junk files are there.")
    if found.junk:
        page.note(f"Left out {count(found.junk, 'junk file')} (.DS_Store, Thumbs.db and the like).", "yellow")
    return found


def _check_typed(paths: Sequence[str]) -> None:
    """Refuse what was typed wrongly: that is no fault of the files."""
    from ..client.scan import absolute

    faults = []
    for path in paths:
        whole = Path(absolute(path))
        if not whole.name:
            faults.append({"path": path, "reason": "is a whole disk: name the files and folders in it"})
        elif not _exists(whole):
            faults.append({"path": path, "reason": "does not exist"})
    if faults:
        first = f"{printable(faults[0]['path'])} {faults[0]['reason']}."
        message = first if len(faults) == 1 else f"{len(faults)} of these paths cannot be published:"
        raise BadRequest(message, code="path_unknown", details={"faults": faults})


def _exists(path: Path) -> bool:
    """Whether something of that name is there; the scan says what is wrong with it."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def ask(page: Page, session: Session, scanned: Scan, *, check_only: bool = False) -> dict[str, Any]:
    """Have the entries validated and show the verdicts."""
    page.note("The studio is looking at the list ...")
    answer: dict[str, Any] = session.publish(scanned.entries, check_only=check_only)
    page.context["publish"] = answer
    verdicts.show(page, answer, scanned.entries)
    return answer


def withdraw(session: Session, answer: dict[str, Any]) -> None:
    """Free what an offer that will not be submitted has reserved, where it is still open."""
    with suppress(StagedoorError):
        session.delete_one("Offer", answer["offer"])
