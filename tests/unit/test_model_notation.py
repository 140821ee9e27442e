"""The ways to write a place, and what they come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.model.entities import Volume
from stagedoor.model.names import fault
from stagedoor.model.notation import Place, resolve

PROJECTS = Volume(
    id="a" * 24, code="projects", root="/mnt/projects", aliases=("/Volumes/projects", "P:\\projects"), default=True
)
INNER = Volume(id="b" * 24, code="inner", root="/mnt/projects/inner")
OFF = Volume(id="c" * 24, code="off", root="/mnt/off", enabled=False)
ALL = [PROJECTS, INNER, OFF]


@pytest.mark.parametrize(
    "text",
    [
        "volume=projects/sq/shot",
        f"volume={'a' * 24}/sq/shot",
        "volume=(default)/sq/shot",
        "sq/shot",
        "sq//shot",
        "/mnt/projects/sq/shot",
        "/Volumes/projects/sq/shot",
        "P:\\projects\\sq\\shot",
        "P:/projects/sq/shot",
        "studio:volume=projects/sq/shot",
        "studio:sq/shot",
        "studio:/Volumes/projects/sq/shot",
        "ann@vendor.example:volume=projects/sq/shot",
        "ann@vendor.example@ws1:sq/shot",
        "site=paris:volume=projects/sq/shot",
        "client=0123:sq/shot",
    ],
)
def test_every_notation_of_a_place_comes_to_the_same(text: str) -> None:
    assert resolve(text, "offered", ALL) == Place(PROJECTS.id, "sq/shot")


@pytest.mark.parametrize("text", ["volume=projects/sq/", "sq/", "/Volumes/projects/sq/", "studio:sq/"])
def test_a_slash_at_the_end_means_into_this_folder(text: str) -> None:
    assert resolve(text, "offered", ALL) == Place(PROJECTS.id, "sq/offered")


@pytest.mark.parametrize(
    "text", ["volume=projects", "volume=projects/", "/mnt/projects", "/Volumes/projects/", "studio:volume=projects"]
)
def test_the_volume_alone_means_into_it(text: str) -> None:
    assert resolve(text, "offered", ALL) == Place(PROJECTS.id, "offered")


def test_the_longest_prefix_wins_and_is_compared_name_by_name() -> None:
    assert resolve("/mnt/projects/inner/x", "o", ALL) == Place(INNER.id, "x")
    assert resolve("/mnt/projects/inner", "o", ALL) == Place(INNER.id, "o")
    assert resolve("/mnt/projects/inner2/x", "o", ALL) == Place(PROJECTS.id, "inner2/x")
    with pytest.raises(ValueError, match="no volume"):
        resolve("/mnt/projects2/x", "o", ALL)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("studio:", "empty"),
        ("a\0b", "NUL"),
        ("/etc/passwd", "lies in no volume"),
        ("C:\\x", "lies in no volume"),
        ("volume=nope/x", "no volume 'nope'"),
        ("volume=off/x", "no volume 'off'"),
        ("/mnt/off/x", "lies in no volume"),
        ("share=x/y", "share= is not known"),
        ("home=x/y", "home= is not known"),
        ("~/x", "home"),
        ("../x", "is not a name"),
        ("volume=projects/../x", "is not a name"),
        ("/mnt/projects/../../etc/x", "is not a name"),
        ("sq/./shot", "is not a name"),
        (".stagedoor/x", ".stagedoor"),
        ("sq/.StageDoor/x", ".stagedoor"),
        ("sq/a\\b", "slash"),
        ("sq/a\nb", "control"),
        ("sq/" + "x" * 256, "longer than 255"),
        ("/".join(["x" * 200] * 6), "longer than 1024"),
    ],
)
def test_what_is_no_place_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("(", r"\(")):
        resolve(text, "offered", ALL)


def test_without_a_default_volume_a_bare_path_is_refused() -> None:
    with pytest.raises(ValueError, match="no default volume"):
        resolve("sq/shot", "o", [INNER])


def test_names_are_composed() -> None:
    assert resolve("Zoe\u0308/", "o", ALL) == Place(PROJECTS.id, "Zoë/o")


PARTS = st.sampled_from(
    [
        "",
        ".",
        "..",
        "/",
        "\\",
        "volume=",
        "projects",
        "(default)",
        ":",
        "@",
        "a",
        "~",
        "P:",
        "/mnt/projects",
        "mnt",
        ".stagedoor",
        " ",
        "\n",
        "é",
        "site=x",
        "=",
    ]
)


@given(st.lists(PARTS, max_size=8).map("".join) | st.lists(PARTS, max_size=8).map("/".join) | st.text(max_size=30))
def test_whatever_is_written_the_place_lies_in_a_volume(text: str) -> None:
    """A place or a ValueError; never a path that leads out."""
    try:
        place = resolve(text, "offered", ALL)
    except ValueError:
        return
    assert place.volume_id in (PROJECTS.id, INNER.id)
    names = place.path.split("/")
    assert all(fault(name, windows=False) is None for name in names)
