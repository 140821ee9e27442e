"""From the invitation to the receipt, over https, at a name that is not this machine's."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, expect

from publishing import Vendor
from stagedoor.api.certificate import self_signed
from studio import Studio, frames, tree, until
from watched import Watched

NAME = "door.studio.example"


class Secure(Studio):
    """Reached by https under `NAME`, which only the browser of these tests can find."""

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    made = self_signed(tmp_path_factory.mktemp("tls"), NAME)
    return made.cert, made.key


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[Studio]:
    made = Secure(tmp_path_factory.mktemp("first") / "studio")
    made.accept_everything(comment=True)
    config = made.home / "stagedoor.toml"
    config.write_text(f'public_url = "{made.url}"\n{config.read_text()}')
    cert, key = certificate
    made.start("--tls-cert", str(cert), "--tls-key", str(key))
    until(lambda: _listens(made.port))
    yield made
    made.end()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser], certificate: tuple[Path, Path]) -> Iterator[Browser]:
    """It trusts this one key, as if an authority had vouched for it, and finds the name here."""
    key = x509.load_pem_x509_certificate(certificate[0].read_bytes()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    trusts = f"--ignore-certificate-errors-spki-list={base64.b64encode(digest).decode()}"
    started = launch(f"--host-resolver-rules=MAP {NAME} 127.0.0.1", trusts)
    yield started
    started.close()


def test_whoever_is_invited_publishes_and_takes_the_receipt_along(
    browser: Browser, studio: Studio, watched: Watched, tmp_path: Path
) -> None:
    link = next(
        word for word in studio.command("user", "invite", "new@vendor.example").split() if "/invitation#" in word
    )
    assert link.startswith(f"https://{NAME}:")
    context = browser.new_context(base_url=studio.url)
    page = context.new_page()
    watched.watch(page)
    page.goto(link)
    expect(page.get_by_text("new@vendor.example")).to_be_visible()
    assert "#" not in page.url, "the secret does not stay in the address"
    page.get_by_label("Password", exact=True).fill("a long walk home")
    page.get_by_role("button", name="Set the password and go on").click()
    page.wait_for_url("**/publish")
    cookie = context.cookies()[0]
    assert (cookie["name"], cookie["secure"], cookie["httpOnly"]) == ("__Host-stagedoor", True, True)

    source = frames(tmp_path / "first_v001", range(1001, 1006))
    vendor = Vendor(page)
    vendor.pick_folder(source)
    vendor.is_told("1 accepted")
    page.get_by_label("Comment").fill("First time here")
    vendor.publishes()
    assert tree(studio.volume / "in" / "first_v001") == tree(source)
    with page.expect_download() as download:
        page.get_by_text("Receipt (JSON)").click()
    receipt = json.loads(Path(download.value.path()).read_text())
    assert receipt["user"] == "new@vendor.example"
    assert len(receipt["entries"][0]["files"]) == 5
    assert receipt["entries"][0]["answers"]["comment"] == "First time here"
    context.close()
