"""A receipt is the studio's, or it is said that it is not; files are what arrived, or every difference is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from blake3 import blake3
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from test_mhl import entry, file, receipt

from stagedoor.cli import cli
from stagedoor.model.errors import BadRequest
from stagedoor.signing import FILE, SigningKey
from stagedoor.wire.jobs import Receipt
from stagedoor.wire.signing import signed_form

CONTENTS = {"a.exr": b"abc", "empty.txt": b"", "sub/b.exr": b"b" * 100_000}


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey(tmp_path / "keys")


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """A folder as it was published."""
    folder = tmp_path / "shot_v001"
    (folder / "sub" / "empty").mkdir(parents=True)
    for path, body in CONTENTS.items():
        (folder / path).write_bytes(body)
    return folder


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    path = tmp_path / "plate.mov"
    path.write_bytes(b"moving")
    return path


@pytest.fixture
def proof() -> Receipt:
    """Of both."""
    found = receipt(entry("shot_v001", CONTENTS, ["sub", "sub/empty"]), file("plate.mov"))
    bodies = {**CONTENTS, "": b"moving"}
    entries = [
        msgspec.structs.replace(
            one, files=[msgspec.structs.replace(it, blake3=blake3(bodies[it.path]).hexdigest()) for it in one.files]
        )
        for one in found.entries
    ]
    return msgspec.structs.replace(found, entries=entries)


def signed(proof: Receipt, key: SigningKey) -> Receipt:
    return msgspec.structs.replace(proof, signature=key.sign(signed_form(proof)))


@pytest.fixture
def saved(tmp_path: Path, proof: Receipt, key: SigningKey) -> Path:
    return save(tmp_path, signed(proof, key))


def save(folder: Path, proof: Receipt, change: Callable[[Any], object] = lambda _: None) -> Path:
    """As the command line saves it: readable, so not the bytes that were signed."""
    content = json.loads(msgspec.json.encode(proof))
    change(content)
    path = folder / "receipt.json"
    path.write_text(json.dumps(content, indent=2))
    return path


def verify(*words: object) -> Result:
    return CliRunner().invoke(cli, ["receipt", "verify", *map(str, words)])


def refused(result: Result) -> tuple[int, str]:
    return result.exit_code, json.loads(result.stdout)["error"]["code"]


# --- the key -------------------------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_for_the_server_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    assert SigningKey(folder).public == SigningKey(folder).public != SigningKey(tmp_path / "other").public
    assert [(path.name, path.stat().st_mode & 0o777) for path in (folder, *folder.iterdir())] == [
        ("keys", 0o700),
        (FILE, 0o600),
    ]


@pytest.mark.parametrize("content", ["", "no key"])
def test_a_key_that_is_none_is_named_and_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(BadRequest) as error:
        SigningKey(tmp_path)
    assert (error.value.error_code, (tmp_path / FILE).read_text()) == ("signing_key_unreadable", content)


# --- what is signed ------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, JSON))
def test_the_signed_form_is_that_of_any_json_library(given: dict[str, Any]) -> None:
    rest = {name: value for name, value in given.items() if name != "signature"}
    plain = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert signed_form({**given, "signature": {"value": "x"}}) == plain.encode()


def test_server_and_vendor_form_the_same_bytes(proof: Receipt, key: SigningKey) -> None:
    assert signed_form(json.loads(msgspec.json.encode(signed(proof, key)))) == signed_form(proof)


# --- signatures ----------------------------------------------------------------------------------------------------


def test_a_signed_receipt_is_right_with_and_without_the_studios_key(
    saved: Path, key: SigningKey, tmp_path: Path
) -> None:
    text = key.public.public_key
    kept = tmp_path / "studio.key"
    kept.write_text(f"{text}\n")
    assert [verify(saved, *words).exit_code for words in ((), ("--key", text), ("--key", kept))] == [0, 0, 0]
    assert "with --key" in verify(saved).stdout
    assert f"the key that you gave, {key.public.key_id}" in verify(saved, "--key", kept).stdout


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(user="eve@vendor.example"),
        lambda found: found["entries"][0]["files"][0].update(size=4),
        lambda found: found["entries"][0]["files"].pop(),
        lambda found: found.update(added=1),
        lambda found: found["signature"].update(value="A" * 86 + "=="),
    ],
)
def test_a_receipt_that_was_changed_is_refused(
    tmp_path: Path, proof: Receipt, key: SigningKey, change: Callable[[Any], object]
) -> None:
    path = save(tmp_path, signed(proof, key), change)
    assert refused(verify(path, "--json")) == (3, "signature_wrong")


@pytest.mark.parametrize("field", ["algorithm", "public_key", "value"])
@pytest.mark.parametrize("value", ["", "nonsense", "AAAA"])
def test_a_signature_that_is_none_is_refused(
    tmp_path: Path, proof: Receipt, key: SigningKey, field: str, value: str
) -> None:
    path = save(tmp_path, signed(proof, key), lambda found: found["signature"].update({field: value}))
    assert refused(verify(path, "--json")) == (3, "signature_wrong")


def test_a_receipt_signed_by_somebody_else_is_refused(
    tmp_path: Path, proof: Receipt, key: SigningKey, saved: Path
) -> None:
    """Who changes a receipt can sign it again, with a key of their own."""
    other = SigningKey(tmp_path / "other")
    path = save(tmp_path, signed(proof, other))
    assert verify(path).exit_code == 0
    assert refused(verify(path, "--key", key.public.public_key, "--json")) == (3, "signature_foreign")


def test_a_receipt_without_a_signature_is_said_to_have_none_and_refused_where_a_key_is_given(
    tmp_path: Path, proof: Receipt, key: SigningKey
) -> None:
    path = save(tmp_path, proof)
    assert (verify(path).exit_code, verify(path).stdout) == (0, "The receipt is not signed.\n")
    assert json.loads(verify(path, "--json").stdout)["signature"] is None
    assert refused(verify(path, "--key", key.public.public_key, "--json")) == (3, "not_signed")


def test_a_key_that_is_none_is_a_usage_error(saved: Path) -> None:
    assert [refused(verify(saved, "--key", text, "--json")) for text in ("AAAA", saved, "no/such")] == [
        (2, "key_unreadable")
    ] * 3


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_receipt_is_a_usage_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.json").write_bytes(content)
    assert refused(verify(tmp_path / "r.json", "--json")) == (2, "receipt_unreadable")


def test_without_the_package_for_signatures_the_way_out_is_told(saved: Path) -> None:
    program = (
        "import sys; sys.modules['cryptography'] = None\nfrom stagedoor.cli import cli\n"
        f"cli(['receipt', 'verify', {str(saved)!r}])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, "pip install 'stagedoor[verify]'" in ran.stderr) == (2, True)


# --- files ---------------------------------------------------------------------------------------------------------


def faults(result: Result) -> dict[str, str]:
    assert refused(result) == (3, "files_differ")
    return {fault["path"]: fault["reason"] for fault in json.loads(result.stdout)["error"]["details"]["faults"]}


def test_files_as_they_arrived_are_right(saved: Path, shot: Path, plate: Path) -> None:
    """Beside junk and the receipt itself as ASC MHL."""
    (shot / ".DS_Store").touch()
    (shot / "ascmhl").mkdir()
    (shot / "ascmhl" / "ascmhl_chain.xml").touch()
    result = verify(saved, plate, shot, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["entries"] == [
        {"filename": "plate.mov", "path": str(plate), "right": True},
        {"filename": "shot_v001", "path": str(shot), "right": True},
    ]


def test_every_difference_is_told(saved: Path, shot: Path, plate: Path) -> None:
    (shot / "a.exr").write_bytes(b"abd")
    (shot / "sub" / "b.exr").write_bytes(b"b")
    (shot / "empty.txt").unlink()
    (shot / "sub" / "empty").rmdir()
    (shot / "new.exr").touch()
    (shot / "new").mkdir()
    plate.write_bytes(b"Moving")
    assert faults(verify(saved, shot, plate, "--json")) == {
        f"{shot}/a.exr": "holds other bytes than those that arrived",
        f"{shot}/empty.txt": "is missing",
        f"{shot}/sub/b.exr": "has 1 bytes; 100,000 arrived",
        f"{shot}/sub/empty": "is missing",
        f"{shot}/new.exr": "is not in the receipt",
        f"{shot}/new": "is not in the receipt",
        str(plate): "holds other bytes than those that arrived",
    }


def test_entries_without_a_path_are_not_compared_and_that_is_said(saved: Path, plate: Path) -> None:
    result = verify(saved, plate)
    assert (result.exit_code, "1 entry of the receipt not compared" in result.stderr) == (0, True)


def test_a_path_that_is_no_entry_is_a_usage_error(saved: Path, tmp_path: Path) -> None:
    assert refused(verify(saved, tmp_path / "keys", "--json")) == (2, "path_unknown")


def test_the_only_path_is_the_only_entry_whatever_its_name(
    tmp_path: Path, proof: Receipt, key: SigningKey, plate: Path
) -> None:
    path = save(tmp_path, signed(msgspec.structs.replace(proof, entries=proof.entries[1:]), key))
    assert verify(path, plate.rename(tmp_path / "renamed.mov")).exit_code == 0
