"""The receipt of a real publish: the reference implementation of ASC MHL and anybody with the public key verify it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_publish import publish

from stagedoor import Session
from stagedoor.model.errors import Conflict
from studio import Studio, frames, tree

BIN = Path(sys.executable).parent


@dataclass
class Done:
    """A publish of a folder and a file, and where it lies at the studio."""

    studio: Studio
    session: Session
    job: dict[str, Any]
    sources: list[Path]

    @property
    def shot(self) -> Path:
        return self.studio.volume / "in" / "shot_v001"

    @property
    def plate(self) -> Path:
        return self.studio.volume / "in" / "plate.mov"

    def receipt(self, *words: object) -> subprocess.CompletedProcess[str]:
        return self.studio.client(self.studio.vendor, "receipt", *map(str, words))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    studio.vendor = studio.user("vendor@example.com")
    studio.accept_everything()
    studio.start()
    source = frames(tmp_path_factory.mktemp("vendor") / "shot_v001", range(1001, 1004))
    (source / "empty folder").mkdir()
    (source / "sub" / "deep").mkdir(parents=True)
    (source / "sub" / "deep" / "Zoë & co.txt").write_text("ü")
    (source / "empty.txt").touch()
    plate = source.parent / "plate.mov"
    plate.write_bytes(b"moving" * 1000)
    job = publish(studio, [source, plate])
    assert job["status"] == "done", job
    yield Done(studio, studio.session(studio.vendor), job, [source, plate])
    studio.stop()


@pytest.fixture
def unpacked(done: Done, tmp_path: Path) -> Path:
    """The folder that a vendor unpacked the receipt into."""
    assert done.receipt("get", done.job["id"], tmp_path / "mhl", "--format", "mhl").returncode == 0
    return tmp_path / "mhl"


def ascmhl(tool: str, *words: object) -> int:
    return subprocess.run([BIN / tool, *map(str, words)], capture_output=True, check=False).returncode


def hash_list(unpacked: Path, root: str) -> Path:
    (found,) = (unpacked / root / "ascmhl").glob("0001_*.mhl")
    return found


def damaged(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.write_bytes(body)


def test_the_reference_verifies_what_was_placed_and_notices_one_byte(done: Done, tmp_path: Path) -> None:
    """With the history in the placed folder, empty folders and files included."""
    before = tree(done.shot)
    assert done.receipt("get", done.job["id"], done.shot.parent, "--format", "mhl").returncode == 0
    assert ascmhl("ascmhl-debug", "verify", done.shot) == 0
    assert ascmhl("ascmhl-debug", "verify", "--directory_hash", done.shot) == 0
    assert ascmhl("ascmhl", "diff", done.shot) == 0
    (done.shot / "empty folder").rmdir()
    assert ascmhl("ascmhl-debug", "verify", done.shot) == 10
    (done.shot / "empty folder").mkdir()
    damaged(done.shot / "shot.1002.exr")
    assert ascmhl("ascmhl-debug", "verify", done.shot) == 11
    damaged(done.shot / "shot.1002.exr")
    assert {path: body for path, body in tree(done.shot).items() if "ascmhl" not in path} == before


def test_a_file_is_verified_in_the_folder_that_holds_it(done: Done, unpacked: Path) -> None:
    """From a history outside, whatever else lies there."""
    words = ("verify", "--packing_list", hash_list(unpacked, "plate.mov.receipt"), "--single_file", done.plate)
    assert ascmhl("ascmhl-debug", *words, done.plate.parent) == 0
    damaged(done.plate)
    assert ascmhl("ascmhl-debug", *words, done.plate.parent) == 11
    damaged(done.plate)


def test_the_reference_goes_on_with_a_further_generation(done: Done, unpacked: Path) -> None:
    shutil.copytree(done.sources[0], unpacked / "shot_v001", dirs_exist_ok=True)
    assert ascmhl("ascmhl", "create", unpacked / "shot_v001") == 0
    assert len(list((unpacked / "shot_v001" / "ascmhl").glob("000?_*.mhl"))) == 2


def test_a_history_that_is_there_already_is_never_replaced(done: Done, unpacked: Path) -> None:
    chain = unpacked / "shot_v001" / "ascmhl" / "ascmhl_chain.xml"
    again = ("get", done.job["id"], unpacked, "--format", "mhl")
    assert done.receipt(*again).returncode == 0
    chain.write_text("of the vendor")
    hash_list(unpacked, "plate.mov.receipt").unlink()
    failed = done.receipt(*again)
    assert (failed.returncode, "exists and holds something else" in failed.stderr) == (2, True)
    assert chain.read_text() == "of the vendor"
    assert len(list((unpacked / "plate.mov.receipt" / "ascmhl").iterdir())) == 1


def test_a_zip_holds_the_same(done: Done, unpacked: Path, tmp_path: Path) -> None:
    pack = tmp_path / "receipt.zip"
    assert done.receipt("get", done.job["id"], pack, "--format", "mhl").returncode == 0
    assert pack.read_bytes() == done.session.receipt(done.job, format="mhl")
    with zipfile.ZipFile(pack) as opened:
        found = {name: opened.read(name) for name in opened.namelist()}
    assert found == {path: body for path, body in tree(unpacked).items() if body is not None}


def test_a_vendor_verifies_receipt_and_files_with_the_studios_key(done: Done, tmp_path: Path) -> None:
    key = tmp_path / "studio.key"
    key.write_text(done.receipt("key").stdout)
    assert done.receipt("get", done.job["id"], tmp_path).returncode == 0
    proof = tmp_path / f"receipt-{done.job['id']}.json"
    right = done.receipt("verify", proof, *done.sources, "--key", key)
    assert (right.returncode, right.stdout.count("is what arrived")) == (0, 2), right
    proof.write_text(proof.read_text().replace("plate.mov", "other.mov"))
    assert done.receipt("verify", proof, "--key", key).returncode == 3


def test_every_way_to_a_receipt_gives_the_same(done: Done, tmp_path: Path) -> None:
    shown = done.studio.client(
        done.studio.vendor, "job", "show", done.job["id"], "--receipt", str(tmp_path / "shown.json")
    )
    assert shown.returncode == 0
    assert done.receipt("get", done.job["id"], tmp_path / "got.json").returncode == 0
    expected = done.session.receipt(done.job)
    assert [json.loads((tmp_path / name).read_text()) for name in ("shown.json", "got.json")] == [expected] * 2
    public = done.session.receipt_key()
    assert {name: expected["signature"][name] for name in public} == public


def test_a_studio_that_does_not_sign_gives_receipts_without_a_signature(done: Done, tmp_path: Path) -> None:
    done.studio.command("settings", "set", "sign_receipts", "off")
    job = publish(done.studio, [frames(tmp_path / "shot_v002", [1])])
    done.studio.command("settings", "unset", "sign_receipts")
    assert "signature" not in done.session.receipt(job)
    assert done.session.receipt(job, format="mhl").startswith(b"PK")


def test_the_key_outlives_the_server(done: Done) -> None:
    before = done.session.receipt_key()
    done.studio.stop()
    done.studio.start()
    assert done.session.receipt_key() == before


def test_there_is_no_history_before_everything_is_placed(done: Done, tmp_path: Path) -> None:
    entry = {"id": "0b8f9f0e-5f0f-4c5c-9d1e-0f6b3f1f7a55", "filename": "later.mov", "size": 3, "is_dir": False}
    done.session.publish([entry])
    job = done.session.create("job", {"tasks": [{"id": entry["id"], "source": "/x/later.mov"}]})
    with pytest.raises(Conflict) as refused:
        done.session.receipt(job, format="mhl")
    assert refused.value.error_code == "no_receipt"
