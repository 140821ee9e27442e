"""Which names may travel, and their one spelling.

Rules
1. Names come from strangers: a name is refused unless it is known to be harmless on every disk, in every terminal
   and in every script it may meet.
2. A name is spelled in NFC on the wire, for hooks and on disk (`normal`).
3. Two names in one folder are twins when a disk somewhere would take them for one (`fold`).
4. `fault` gives the reason as the end of a sentence: "<name> <reason>".
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1024
OURS = ".stagedoor"

# Nearly every name of a frame or scene: no look-up of categories needed. 100,000 of them must cost little.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-+=@ ()\[\]{},;!#$%&'~^]{0,199}(?<![. ])")
_WINDOWS_CHARACTERS = frozenset('<>:"|?*')
_WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{kind}{digit}" for kind in ("com", "lpt") for digit in "0123456789¹²³"]
)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def normal(name: str) -> str:
    """The one spelling (NFC) of a name."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def fold(name: str) -> str:
    """A key that is equal for names which some disk would take for one: NFC, case folded, trimmed."""
    if name.isascii():
        return name.lower().strip(" .")
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return folded.strip(". \u00a0\u3000\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f")


def fault(name: str, *, windows: bool = True) -> str | None:
    """Why this single name (not a path) cannot travel, or None when it can.

    With `windows`, names that Windows cannot store are refused as well (setting `windows_names`).
    """
    if _PLAIN.fullmatch(name) and not (windows and _is_device(name)):
        return None
    return _hostile(name) or (_unfit_for_windows(name) if windows else None)


def _hostile(name: str) -> str | None:
    if not name:
        return "is empty: give it a name"
    if name in (".", ".."):
        return "is not a name: give it one"
    if "/" in name or "\\" in name:
        return "holds a slash: nest files in folders instead"
    for character in name:
        if unicodedata.category(character) in _UNPRINTABLE:
            return f"holds the control character U+{ord(character):04X}: rename it"
        if character in _BIDI:
            return f"holds the text direction mark U+{ord(character):04X}: rename it"
    if fold(name).startswith(OURS) or name.strip().casefold().startswith(OURS):
        return f"begins with {OURS}, which is kept for the server: rename it"
    if len(normal(name).encode()) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes: shorten it"
    return None


def _unfit_for_windows(name: str) -> str | None:
    found = sorted(_WINDOWS_CHARACTERS.intersection(name))
    if found:
        return f"holds {' '.join(found)}, which Windows cannot store: rename it"
    if name[-1] in ". " or name[0] == " " or name != name.strip():
        return "begins or ends with a blank or ends with a dot: rename it"
    if _is_device(name):
        return "is a reserved name on Windows: rename it"
    return None


def _is_device(name: str) -> bool:
    return name.split(".", 1)[0].rstrip().lower() in _WINDOWS_DEVICES


def is_junk(name: str) -> bool:
    """Files that desktop systems leave behind and nobody means to publish."""
    return name in (".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r") or name.startswith("._")


def printable(text: str) -> str:
    """`text` with everything escaped that could move a cursor, reorder a line or fake another one."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) in _UNPRINTABLE or character in _BIDI:
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return character
