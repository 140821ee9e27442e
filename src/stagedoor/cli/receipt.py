"""`stagedoor receipt`: what arrived, fetched and verified."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..model.errors import BadRequest
from ..model.names import printable
from .options import Group, as_json, pass_page, with_session
from .screen import jobs
from .screen.numbers import count, size
from .screen.page import Page

if TYPE_CHECKING:
    from .. import Session
    from ..wire.jobs import Receipt
    from ..wire.signing import Signature


@click.group("receipt", cls=Group)
def command() -> None:
    """What arrived, file by file: fetch it as JSON or ASC MHL, verify it."""


# --- get -----------------------------------------------------------------------------------------------------------


@command.command()
@click.argument("job_id", metavar="JOB")
@click.argument("target", metavar="FILE_OR_FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "mhl"]),
    default="json",
    show_default=True,
    help="mhl: an ASC MHL history for each entry.",
)
@with_session
def get(page: Page, session: Session, job_id: str, target: Path, form: str) -> None:
    """Save the receipt of JOB.

    JSON goes to a file, or into a folder that exists as receipt-JOB.json. ASC MHL goes to a file where the name ends
    in .zip; else into a folder, as the folder `ascmhl` of each entry: give the folder that holds the entries. Where
    another history lies there already, the command fails and nothing is written.
    """
    if form == "json":
        proof = session.receipt(job_id)
        written = [save(target / f"receipt-{job_id}.json" if target.is_dir() else target, proof)]
        jobs.receipt(page, proof)
    elif target.suffix.lower() == ".zip":
        written = [_write(target, session.receipt(job_id, "mhl"))]
    else:
        written = _unpack(session.receipt(job_id, "mhl"), target)
    for file in written:
        page.note(f"Written: {file}")
    page.answer({"job": job_id, "format": form, "files": [str(file) for file in written]})


def save(file: Path, proof: Any) -> Path:
    """A receipt as readable JSON."""
    return _write(file, json.dumps(proof, indent=2).encode())


def _unpack(pack: bytes, folder: Path) -> list[Path]:
    """Every file of a ZIP into a folder. Raises BadRequest, before anything is written, where another file is there."""
    with zipfile.ZipFile(io.BytesIO(pack)) as opened:
        found = {folder / _below(name): opened.read(name) for name in opened.namelist()}
    for file, body in found.items():
        if file.exists() and not (file.is_file() and file.read_bytes() == body):
            raise BadRequest(
                f"{file} exists and holds something else: take another folder, or a file whose name ends in .zip.",
                code="receipt_unwritable",
            )
    return [_write(file, body) for file, body in found.items()]


def _below(name: str) -> Path:
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or ":" in part for part in parts):
        raise BadRequest(f"The answer holds {printable(name)!r}, which is no safe path.", code="receipt_unwritable")
    return Path(*parts)


def _write(file: Path, body: bytes) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    except OSError as error:
        raise BadRequest(
            f"The receipt cannot be written to {file}: {error.strerror or error}.", code="receipt_unwritable"
        ) from None
    return file


# --- verify --------------------------------------------------------------------------------------------------------


@command.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--key", metavar="KEY_OR_FILE", help="The studio's public key, or a file that holds it.")
@as_json
@pass_page
def verify(page: Page, file: Path, paths: tuple[Path, ...], key: str | None) -> None:
    """Check the receipt in FILE (JSON), and compare files of this computer with it.

    No server is needed. The signature is checked by the key that the receipt carries, and with --key against the
    studio's. Each PATH is an entry as it was published; its files are read and compared. Ends with exit code 3
    when the signature is wrong or missing where a key is given, and when a file is different, missing or new.
    """
    from ..client import receipt as receipts

    trusted = None if key is None else receipts.read_key(key)
    found = receipts.read(file)
    matched = receipts.match(found.receipt, paths)
    page.context = {"receipt": _summary(found.receipt), "signature": None, "entries": []}
    signature = receipts.check_signature(found, trusted)
    page.context["signature"] = _as_json(signature, trusted is not None)
    page.say(_signed(signature, trusted is not None), "" if signature else "yellow")
    different = {}
    for path, entry in matched:
        page.note(f"Reading {path}: {count(len(entry.files), 'file')}, {size(entry.size)}.")
        faults = receipts.differences(entry, path)
        page.context["entries"].append({"filename": entry.filename, "path": str(path), "right": not faults})
        if faults:
            different[path] = faults
        else:
            page.say(f"{path} is what arrived.", "green")
    if different:
        raise receipts.refusal(different)
    _mention_others(page, found.receipt, len(matched))
    page.answer(page.context)


def _summary(receipt: Receipt) -> dict[str, Any]:
    return {
        "job": receipt.job,
        "code": receipt.code,
        "workspace": receipt.workspace,
        "user": receipt.user,
        "proved": receipt.proved.isoformat(),
        "size": receipt.size,
    }


def _as_json(signature: Signature | None, trusted: bool) -> dict[str, Any] | None:
    if signature is None:
        return None
    return {"key_id": signature.key_id, "public_key": signature.public_key, "key_given": trusted}


def _signed(signature: Signature | None, trusted: bool) -> str:
    if signature is None:
        return "The receipt is not signed."
    if trusted:
        return f"The receipt is as it was signed with the key that you gave, {signature.key_id}."
    return (
        f"The receipt is as it was signed with the key {signature.key_id}. Whether that is the studio's: give its key "
        "with --key."
    )


def _mention_others(page: Page, receipt: Receipt, compared: int) -> None:
    others = len(receipt.entries) - compared
    if others:
        page.note(f"{count(others, 'entry', 'entries')} of the receipt not compared: no path was given for it.")


# --- key -----------------------------------------------------------------------------------------------------------


@command.command()
@with_session
def key(page: Page, session: Session) -> None:
    """Print the public key of the studio's receipts. Keep it: `receipt verify --key` takes it."""
    found = session.receipt_key()
    page.answer(found)
    if not page.json:
        page.say(found["public_key"])
        page.note(f"The key {found['key_id']} ({found['algorithm']}).")
