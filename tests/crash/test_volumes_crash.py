"""Placing with the 1st, 2nd, ... nth call to the system failing, or being the last one of the process."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from volumes_kit import ID, House, content, laid_out, single, tree

from stagedoor.model.manifest import Manifest
from stagedoor.volumes import rename

CALLS = ("open", "write", "fsync", "mkdir", "link", "unlink", "rename", "chmod", "utime")


class Killed(BaseException):
    """The process is gone: nothing that it would have done next happens."""


class Fuse:
    """Counts calls to the system and makes one fail; after a kill, all of them.

    What is flushed does not go to the device: a process that is killed takes nothing along that it has written.
    """

    def __init__(self, patch: pytest.MonkeyPatch, *, kill: bool, by_hand: bool) -> None:
        self.left: int | None = None
        self._kill = kill
        for name in ("fsync", "fdatasync"):
            patch.setattr(os, name, lambda descriptor: None)
        for name in CALLS:
            patch.setattr(os, name, self._guard(getattr(os, name)))
        patch.setattr(rename, "_RENAME", None if by_hand else self._guard(rename._RENAME))

    def _guard(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **more: Any) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left == 0 or (self._kill and self.left < 0):
                    raise Killed if self._kill else OSError(errno.EIO, "made to fail")
            return call(*arguments, **more)

        return guarded


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "refused"])
@pytest.mark.parametrize("by_hand", [False, True], ids=["system", "by hand"])
@pytest.mark.parametrize("manifest", [tree({"d/a": 30}), single(30)], ids=["folder", "file"])
def test_placing_that_is_cut_anywhere_is_all_or_nothing_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: Manifest, by_hand: bool, kill: bool
) -> None:
    fuse = Fuse(monkeypatch, kill=kill, by_hand=by_hand)
    for number in range(1, 500):
        house = House(tmp_path / str(number))
        upload = house.proved(manifest)
        place = house.root / "a/b/shot"
        fuse.left = number
        try:
            house.place()
            finished = True
        except (Killed, OSError):
            finished = False
        passed, fuse.left = fuse.left > 0, None
        whole(place, upload.manifest, claimed=by_hand)
        house.again()
        house.check()
        assert house.place() == str(place)
        assert laid_out(upload, place) == content(30)
        assert list((house.folder / "data").iterdir()) == []
        if passed:
            assert finished
            assert number > 10
            return
    pytest.fail("it never came to an end")


@pytest.mark.parametrize("end", ["goes on", "is aborted"])
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "refused"])
@pytest.mark.parametrize("old", ["file", "folder", "link"])
@pytest.mark.parametrize("manifest", [tree({"d/a": 30}), single(30)], ids=["folder", "file"])
def test_replacing_that_is_cut_anywhere_loses_nothing_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: Manifest, old: str, kill: bool, end: str
) -> None:
    """At its place is the old one or the new one, whole; and the old one is there or where it is kept."""
    fuse = Fuse(monkeypatch, kill=kill, by_hand=False)
    for number in range(1, 500):
        house = House(tmp_path / str(number))
        place = house.root / "a/b/shot"
        make_old(place, old)
        upload = house.proved(manifest)
        house.check(replace=True)
        fuse.left = number
        try:
            house.replace()
            finished = True
        except (Killed, OSError):
            finished = False
        passed, fuse.left = fuse.left > 0, None
        swapped = not is_old(place, old)
        if swapped:
            assert laid_out(upload, place) == content(30)
            assert [is_old(path, old) for path in keeps(house)] == [True]
        if end == "goes on":
            house.again()
            house.check(replace=True)
            placed = house.replace()
            assert placed.path == str(place)
            assert laid_out(upload, place) == content(30)
            assert list((house.folder / "data").iterdir()) == []
            assert house.replace() == placed
            swapped = True
        kept = house.start().clear(house.folder, ID)
        assert not house.folder.exists()
        assert house.disk.clear(house.folder, ID) == kept
        if swapped:
            assert is_old(Path(kept), old)
            house.disk.remove_kept(kept)
        else:
            assert kept == ""
            assert is_old(place, old)
        assert keeps(house) == []
        if passed:
            assert finished
            assert number > 15
            return
    pytest.fail("it never came to an end")


def make_old(place: Path, kind: str) -> None:
    place.parent.mkdir(parents=True)
    if kind == "file":
        place.write_text("precious")
    elif kind == "link":
        place.symlink_to("/precious")
    else:
        (place / "inside").mkdir(parents=True)
        (place / "inside/it").write_text("precious")


def is_old(place: Path, kind: str) -> bool:
    if kind == "link":
        return place.is_symlink() and place.readlink() == Path("/precious")
    file = place if kind == "file" else place / "inside/it"
    return file.is_file() and not file.is_symlink() and file.read_text("latin-1") == "precious"


def keeps(house: House) -> list[Path]:
    """What lies where replaced things are kept."""
    return list((house.root / ".stagedoor/replaced").glob("*/data/*"))


def whole(place: Path, manifest: Manifest, *, claimed: bool) -> None:
    """Nothing is there, or everything; where names are claimed by hand, perhaps an empty folder."""
    if place.is_dir():
        inside = sorted(os.listdir(place))
        assert inside == ["d"] or (claimed and not inside)
    elif place.exists():
        assert not manifest.is_dir
        assert place.stat().st_size == manifest.size
