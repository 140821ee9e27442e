"""A receipt as ASC MHL 2.0: for each entry one history, as `ascmhl create` would have written it over what arrived.

Rules
1. Made from the receipt alone: the files may have been moved since. The same receipt gives the same bytes.
2. Paths are relative to the entry; an entry that is a file lies in the folder that the history is about. Nothing of the
   studio is in it but the code of its workspace.
3. What the format passes over (`.DS_Store`, anything in a folder `ascmhl`) is not listed; the JSON has it.
4. A name that XML cannot hold is refused, never altered.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from xxhash import xxh3_128, xxh3_128_hexdigest

from ..model import errors
from ..model.names import fold, printable
from ..version import __version__
from ..wire.jobs import Receipt, ReceiptEntry, ReceiptFile

FOLDER = "ascmhl"
CHAIN = "ascmhl_chain.xml"
PASSED_OVER = (".DS_Store", "ascmhl", "ascmhl/")
"""as patterns of the format: names, whatever the folder"""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LONGEST = 200
"""bytes of an entry's name within longer names of ours; a name has 255"""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_C4 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class History(NamedTuple):
    """What is to lie in a folder `ascmhl` beside what an entry holds."""

    root: str
    """name of the folder: the entry's own, or for a file a folder named after it"""
    hash_list: str
    """file name: `0001_<entry>_<date>.mhl`"""
    hashes: bytes
    chain: bytes


class _Digest(NamedTuple):
    """Of a folder: what its files hold, and how they are named and nested."""

    content: str
    structure: str


def packed(receipt: Receipt) -> bytes:
    """Every history of a receipt in a ZIP, to be unpacked where the entries lie."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack:
        for history in histories(receipt):
            for name, body in ((history.hash_list, history.hashes), (CHAIN, history.chain)):
                pack.writestr(_member(f"{history.root}/{FOLDER}/{name}", receipt.proved), body)
    return out.getvalue()


def histories(receipt: Receipt) -> Iterator[History]:
    """One for each entry, in order. Raises Conflict for a name that XML cannot hold."""
    taken: set[str] = set()
    for entry in receipt.entries:
        stem = _shortened(entry.filename)
        root = _free(entry.filename if entry.is_dir else f"{stem}.receipt", stem, taken)
        moment = receipt.proved.astimezone(timezone.utc)
        name = f"0001_{stem}_{moment:%Y-%m-%d_%H%M%SZ}.mhl"
        hashes = "".join(_hash_list(receipt, entry)).encode()
        yield History(root, name, hashes, _chain(name, hashes).encode())


def c4(data: bytes) -> str:
    """The C4 ID of some bytes: SHA-512 in base 58, by which a chain knows its hash lists."""
    number = int.from_bytes(hashlib.sha512(data).digest(), "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _C4[digit] + digits
    return "c4" + digits.rjust(88, _C4[0])


# --- the hash list -------------------------------------------------------------------------------------------------


def _hash_list(receipt: Receipt, entry: ReceiptEntry) -> Iterator[str]:
    files = [(file.path or entry.filename, file) for file in entry.files]
    listed = sorted(((path, file) for path, file in files if not _passed_over(path)), key=lambda item: item[0])
    folders = [path for path in entry.folders if not _passed_over(path)]
    digests = _digests(folders, listed)
    when = _moment(receipt.proved)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<hashlist version="2.0" xmlns="urn:ASC:MHL:v2.0">\n'
    yield (
        f"  <creatorinfo>\n    <creationdate>{when}</creationdate>\n"
        f"    <hostname>{_text(receipt.workspace)}</hostname>\n"
        f'    <tool version="{__version__}">Stagedoor</tool>\n'
        f"    <comment>Receipt of job {_text(receipt.job)}</comment>\n  </creatorinfo>\n"
    )
    yield "  <processinfo>\n    <process>transfer</process>\n    <roothash>\n"
    yield from _folder_hashes(digests[""], when)
    yield "    </roothash>\n    <ignore>\n"
    yield from (f"      <pattern>{pattern}</pattern>\n" for pattern in PASSED_OVER)
    yield "    </ignore>\n  </processinfo>\n  <hashes>\n"
    yield from (_file(path, file, when) for path, file in listed)
    for folder in sorted(path for path in digests if path):
        yield f"    <directoryhash>\n      <path>{_text(folder)}</path>\n"
        yield from _folder_hashes(digests[folder], when)
        yield "    </directoryhash>\n"
    yield "  </hashes>\n</hashlist>\n"


def _file(path: str, file: ReceiptFile, when: str) -> str:
    modified = ""
    if file.modified is not None:
        modified = f" lastmodificationdate={quoteattr(_moment(_EPOCH + timedelta(milliseconds=file.modified)))}"
    return (
        f'    <hash>\n      <path size="{file.size}"{modified}>{_text(path)}</path>\n'
        f'      <xxh128 action="original" hashdate="{when}">{file.xxh128}</xxh128>\n    </hash>\n'
    )


def _folder_hashes(digest: _Digest, when: str) -> Iterator[str]:
    for tag, value in zip(digest._fields, digest, strict=True):
        yield f'      <{tag}>\n        <xxh128 hashdate="{when}">{value}</xxh128>\n      </{tag}>\n'


def _chain(name: str, hashes: bytes) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ascmhldirectory xmlns="urn:ASC:MHL:DIRECTORY:v2.0">\n'
        f'  <hashlist sequencenr="1">\n    <path>{_text(name)}</path>\n    <c4>{c4(hashes)}</c4>\n  </hashlist>\n'
        "</ascmhldirectory>\n"
    )


# --- hashes of folders ---------------------------------------------------------------------------------------------


def _digests(folders: list[str], files: list[tuple[str, ReceiptFile]]) -> dict[str, _Digest]:
    """Of every folder, by path; of the root by the empty one. A folder's hash is made of those of its children."""
    found: dict[str, tuple[list[str], list[str]]] = {"": ([], [])}
    for path in [*folders, *(_parent(path) for path, _ in files)]:
        while path not in found:
            found[path] = ([], [])
            path = _parent(path)
    for path, file in files:
        _add(found[_parent(path)], path, file.xxh128, file.xxh128)
    digests: dict[str, _Digest] = {}
    for path in sorted(found, key=lambda path: path.count("/") if path else -1, reverse=True):
        content, structure = found[path]
        digests[path] = digest = _Digest(_of_all(content), _of_all(structure))
        if path:
            _add(found[_parent(path)], path, digest.content, digest.structure)
    return digests


def _add(parent: tuple[list[str], list[str]], path: str, content: str, structure: str) -> None:
    name = path.rpartition("/")[2].encode()
    parent[0].append(content)
    parent[1].append(xxh3_128_hexdigest(name + bytes.fromhex(structure)))


def _of_all(hashes: list[str]) -> str:
    made = xxh3_128()
    for one in sorted(hashes):
        made.update(bytes.fromhex(one))
    return made.hexdigest()


# --- names ---------------------------------------------------------------------------------------------------------


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _passed_over(path: str) -> bool:
    return not {".DS_Store", FOLDER}.isdisjoint(path.split("/"))


def _text(words: str) -> str:
    if _NOT_XML.search(words):
        raise errors.Conflict(
            f"{printable(words)} holds a character that ASC MHL, being XML, cannot hold; take the receipt as JSON.",
            code="receipt_not_in_mhl",
        )
    return escape(words)


def _moment(when: datetime) -> str:
    return when.astimezone(timezone.utc).replace(microsecond=0).isoformat()


def _shortened(name: str) -> str:
    return name.encode()[:_LONGEST].decode(errors="ignore")


def _free(root: str, stem: str, taken: set[str]) -> str:
    """The name, or with a number where another entry of the job has it: entries may come from several folders."""
    number = 1
    found = root
    while fold(found) in taken:
        number += 1
        found = f"{stem} ({number})"
    taken.add(fold(found))
    return found


def _member(path: str, when: datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, when.astimezone(timezone.utc).timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    return info
