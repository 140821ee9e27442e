"""Which names may travel, and their one spelling."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stagedoor.model.names import fault, fold, is_junk, normal, printable

HOSTILE = "/\\\0\n\r\t\x1b\x7f\x80\x9b\u2028\u2029\u202a\u202e\u2066\u2069\u200e\u200f\u061c\ud800\udfff"
WINDOWS = '<>:"|?*'
RESERVED = [
    "con",
    "CON",
    "Aux",
    "nul",
    "prn",
    "com1",
    "COM9",
    "lpt1",
    "com¹",
    "conin$",
    "CON.txt",
    "con .exr",
    "nul.tar.gz",
]

letters = st.characters(categories=["L", "N", "P", "S", "M", "Z", "C"])
anything = st.text(letters | st.sampled_from(HOSTILE + WINDOWS + ". "), max_size=40)
# Near the edge of what the quick look accepts: mostly plain letters, with one that is not.
nearly_plain = st.builds(
    lambda a, b, c: a + b + c,
    st.from_regex(r"[A-Za-z0-9_.\-]{0,8}", fullmatch=True),
    letters | st.sampled_from(HOSTILE + WINDOWS),
    st.from_regex(r"[A-Za-z0-9_. ]{0,8}", fullmatch=True),
)


@given(anything | nearly_plain)
@example("a\n")
@example("frame.0001.exr\n")
@example("COM1")
def test_nothing_hostile_passes(name: str) -> None:
    """Whatever the name: once it passes, none of these holds."""
    if fault(name) is not None:
        return
    assert name not in ("", ".", "..")
    assert not set(name) & set(HOSTILE + WINDOWS)
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name)
    assert name == name.strip()
    assert not name.endswith((".", " "))
    assert len(normal(name).encode()) <= 255
    assert not fold(name).startswith(".stagedoor")
    assert name.split(".")[0].rstrip().lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
    assert printable(name) == name


@given(anything | nearly_plain)
def test_what_passes_for_windows_passes_without(name: str) -> None:
    if fault(name) is None:
        assert fault(name, windows=False) is None


@pytest.mark.parametrize("letter", HOSTILE)
@pytest.mark.parametrize("pattern", ["{}", "a{}", "{}a", "shot{}v001.exr"])
def test_every_hostile_letter_is_refused_wherever_it_stands(letter: str, pattern: str) -> None:
    assert fault(pattern.format(letter), windows=False)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".stagedoor", ".StageDoor", ".stagedoor.tmp", " .stagedoor", ".ſtagedoor"]
)
def test_names_that_mean_something_else_are_refused_everywhere(name: str) -> None:
    assert fault(name, windows=False)


@pytest.mark.parametrize(
    "name", [*RESERVED, *(f"a{letter}b" for letter in WINDOWS), "a.", "a ", " a", "a\u00a0", "a. ."]
)
def test_what_windows_cannot_store_is_refused_unless_switched_off(name: str) -> None:
    assert fault(name)
    assert fault(name, windows=False) is None


@pytest.mark.parametrize(
    "name",
    [
        "sq010_sh0010_comp_v001.0001.exr",
        "a",
        "...a",
        ".hidden",
        "Zoë",
        "東京.mov",
        "a b (2) [x] {y} #1 & ~.txt",
        "console",
        "com10",
        "nul_1",
        "🎬.mov",
        "-rf",
        "~root",
    ],
)
def test_ordinary_names_pass(name: str) -> None:
    assert fault(name) is None


def test_a_name_has_at_most_255_bytes_as_it_is_spelled_on_disk() -> None:
    assert fault("x" * 255) is None
    assert fault("x" * 256)
    assert fault("é" * 127) is None
    assert fault("é" * 128)
    assert fault("e\u0301" * 127) is None, "counted after it has been composed"


@given(anything)
def test_the_one_spelling_is_stable(name: str) -> None:
    assert normal(normal(name)) == normal(name) == unicodedata.normalize("NFC", name)


@given(anything)
def test_twins_are_twins_however_they_are_spelled(name: str) -> None:
    """Composed or not, in capitals or not, with blanks and dots at the end or not."""
    assert fold(unicodedata.normalize("NFD", name)) == fold(name)
    assert fold(name + ". ") == fold(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [("A.exr", "a.EXR"), ("Zoë", "zoe\u0308"), ("STRASSE", "straße"), ("a", "a. "), ("ﬁ", "FI"), ("Σ", "ς")],
)
def test_known_twins(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@given(anything)
def test_what_is_printed_moves_no_cursor_and_turns_no_line(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in shown)
    assert not set(shown) & set("\u202e\u2066\u200f")
    shown.encode()


def test_what_is_harmless_is_printed_as_it_is() -> None:
    assert printable("Zoë 東京 a\\b") == "Zoë 東京 a\\b"
    assert printable("a\x1b[2Jb\u202e") == "a\\x1b[2Jb\\u202e"


def test_junk_is_what_desktops_leave_behind() -> None:
    assert all(is_junk(name) for name in (".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r", "._shot.exr"))
    assert not any(is_junk(name) for name in ("Icon", ".hidden", "thumbs.dbx", "_.exr"))
