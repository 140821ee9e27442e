"""A receipt in the vendor's hands: is it the studio's, and are these files what arrived?

Rules
1. Nothing is asked of a server.
2. The signature is checked by itself, and against a public key where one is given. With a key, a receipt without a
   signature is refused: else leaving the signature out would pass.
3. Files are compared by size and blake3, folders by being there. Every difference is told, and what lies beside; left
   out of that are junk and folders `ascmhl`, which receipts themselves are kept in.
4. Receipts are foreign: nothing in one names a file to be opened, only files that were found are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from blake3 import blake3

from ..model import names
from ..model.errors import BadRequest
from ..wire.jobs import Receipt, ReceiptEntry
from ..wire.signing import ALGORITHM, KEY_BYTES, SIGNATURE_BYTES, Signature, key_id, signed_form
from .errors import ReceiptRefused
from .scan import Local, Survey, survey

FAULTS_TOLD = 1000
_BLOCK = 8 << 20

Difference = tuple[str, str]
"""path relative to the entry, and what is so, as the end of a sentence"""


class Read(NamedTuple):
    """A receipt from a file."""

    receipt: Receipt
    signed: bytes
    """what a signature must be over"""


def read(file: Path) -> Read:
    """Raises BadRequest where the file cannot be read, or is no receipt."""
    try:
        content = file.read_bytes()
        return Read(msgspec.json.decode(content, type=Receipt), signed_form(msgspec.json.decode(content)))
    except OSError as error:
        reason = error.strerror or str(error)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        reason = f"it is not the JSON of a receipt ({error})"
    raise BadRequest(f"{names.printable(str(file))} cannot be read: {reason}.", code="receipt_unreadable")


def read_key(text: str) -> bytes:
    """A public key from its base64, or from a file that holds that. Raises BadRequest."""
    key = _base64(text)
    if len(key) != KEY_BYTES:
        try:
            key = _base64(Path(text).read_text("utf-8"))
        except (OSError, ValueError):
            key = b""
    if len(key) != KEY_BYTES:
        raise BadRequest(
            f"{names.printable(text)} is neither a public key nor a file that holds one: 32 bytes in base64, as "
            "`stagedoor receipt key` prints them.",
            code="key_unreadable",
        )
    return key


def check_signature(found: Read, key: bytes | None) -> Signature | None:
    """The signature of a receipt, which is right; None where there is none. Raises ReceiptRefused, BadRequest."""
    signature = found.receipt.signature
    if isinstance(signature, msgspec.UnsetType):
        if key is not None:
            raise ReceiptRefused(
                "The receipt is not signed, so it cannot be told whether it is the studio's.", code="not_signed"
            )
        return None
    own, value = _base64(signature.public_key), _base64(signature.value)
    if signature.algorithm != ALGORITHM or len(own) != KEY_BYTES or len(value) != SIGNATURE_BYTES:
        raise ReceiptRefused("The signature of the receipt cannot be read.", code="signature_wrong")
    if key is not None and key != own:
        raise ReceiptRefused(
            f"The receipt is signed with the key {key_id(own)}, not with {key_id(key)}, which you gave.",
            code="signature_foreign",
        )
    if not _verified(own, value, found.signed):
        raise ReceiptRefused("The receipt is not what was signed: it was changed since.", code="signature_wrong")
    return Signature(algorithm=ALGORITHM, key_id=key_id(own), public_key=signature.public_key, value=signature.value)


def _verified(key: bytes, value: bytes, body: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ModuleNotFoundError as error:
        raise BadRequest(
            f"Checking a signature needs one package more ({error.name} is not installed): "
            "pip install 'stagedoor[verify]'",
            code="verify_not_installed",
        ) from None
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(value, body)
    except (InvalidSignature, ValueError):
        return False
    return True


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


# --- files ---------------------------------------------------------------------------------------------------------


def match(receipt: Receipt, paths: Iterable[Path]) -> list[tuple[Path, ReceiptEntry]]:
    """Which entry each path is: by name, in order. One path and one entry need no equal names. Raises BadRequest."""
    given = list(paths)
    left = list(receipt.entries)
    if len(given) == len(left) == 1:
        return [(given[0], left[0])]
    found = []
    for path in given:
        name = names.normal(path.absolute().name)
        entry = next((one for one in left if one.filename == name), None)
        if entry is None:
            raise BadRequest(
                f"{names.printable(str(path))} is none of the entries in this receipt: "
                f"{', '.join(names.printable(one.filename) for one in receipt.entries[:20])}. Name paths as they were "
                "published.",
                code="path_unknown",
            )
        left.remove(entry)
        found.append((path, entry))
    return found


def differences(entry: ReceiptEntry, path: Path) -> list[Difference]:
    """What is not as it arrived, in the order of the receipt; then what lies beside."""
    here = survey(str(path))
    return [*_of_files(entry, here), *_of_folders(entry, here), *_beside(entry, here)]


def _of_files(entry: ReceiptEntry, here: Survey) -> Iterator[Difference]:
    for file in entry.files:
        local = here.files.get(file.path)
        if local is None:
            yield file.path, here.faults.get(names.printable(file.path), "is missing")
        elif local.size != file.size:
            yield file.path, f"has {local.size:,} bytes; {file.size:,} arrived"
        else:
            reason = _content(local, file.blake3)
            if reason:
                yield file.path, reason


def _content(local: Local, expected: str) -> str:
    made = blake3(max_threads=blake3.AUTO)
    try:
        with Path(local.path).open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                made.update(block)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return "" if made.hexdigest() == expected else "holds other bytes than those that arrived"


def _of_folders(entry: ReceiptEntry, here: Survey) -> Iterator[Difference]:
    for folder in entry.folders:
        if folder not in here.folders:
            yield folder, "is missing"


def _beside(entry: ReceiptEntry, here: Survey) -> Iterator[Difference]:
    known = {*(file.path for file in entry.files), *entry.folders}
    for path in [*here.files, *sorted(here.folders)]:
        parts = path.split("/")
        if path not in known and "ascmhl" not in parts and not names.is_junk(parts[-1]):
            yield path, "is not in the receipt"


def refusal(found: dict[Path, list[Difference]]) -> ReceiptRefused:
    """What to raise for differences."""
    told: list[dict[str, Any]] = []
    total = 0
    for path, faults in found.items():
        total += len(faults)
        told += [{"path": "/".join(filter(None, (str(path), below))), "reason": reason} for below, reason in faults]
    message = f"{total:,} {'file or folder is' if total == 1 else 'files and folders are'} not as they arrived."
    return ReceiptRefused(message, code="files_differ", details={"faults": told[:FAULTS_TOLD], "total": total})
