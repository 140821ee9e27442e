"""Where the server listens, and how clients know it: TLS, ports, one server per home."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import warm
from stagedoor import Session
from stagedoor.api.certificate import self_signed
from stagedoor.client.errors import ServerUnreachable
from studio import Studio, clean, frames, tree, until


class Secure:
    """A studio that listens with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.studio = Studio(folder)
        self.studio.accept_everything()
        self.vendor = self.studio.user("vendor@example.com")
        self.start()
        self.fingerprint = self.studio.fingerprint()

    def start(self, *options: str) -> None:
        self.studio.start(*(options or ("--tls-self-signed",)))
        until(lambda: speaks_tls(self.studio.port))

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.studio.port}"

    def session(self, fingerprint: str | None) -> Session:
        return Session(self.url, self.vendor.code, self.vendor.api_key, fingerprint=fingerprint)

    def client(self, *words: str) -> subprocess.CompletedProcess[str]:
        who = clean(STAGEDOOR_URL=self.url, STAGEDOOR_USER=self.vendor.code, STAGEDOOR_API_KEY=self.vendor.api_key)
        return warm.run(words, env=who)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    made = Secure(tmp_path_factory.mktemp("secure") / "studio")
    yield made
    made.studio.end()


def speaks_tls(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as line, context.wrap_socket(line):
            return True
    except OSError:
        return False


def upper_with_colons(fingerprint: str) -> str:
    """As browsers and openssl show it."""
    return ":".join(re.findall("..", fingerprint.upper()))


def test_a_session_knows_the_server_by_its_fingerprint(secure: Secure) -> None:
    for spelling in (secure.fingerprint, upper_with_colons(secure.fingerprint)):
        assert secure.session(spelling).find_one("User")["code"] == secure.vendor.code


def test_a_publish_goes_through_with_the_fingerprint(secure: Secure, tmp_path: Path) -> None:
    source = frames(tmp_path / "shot_v001", range(1, 4))
    done = secure.client("publish", str(source), "--tls-fingerprint", secure.fingerprint, "--json")
    assert done.returncode == 0, done.stderr
    assert tree(secure.studio.volume / "in" / "shot_v001") == tree(source)


@pytest.mark.parametrize("wrong", ["0" * 64, None], ids=["another fingerprint", "no fingerprint"])
def test_a_session_gives_its_key_to_no_other_server(secure: Secure, wrong: str | None) -> None:
    with pytest.raises(ServerUnreachable) as refused:
        secure.session(wrong).find_one("User")
    assert refused.value.error_code == "tls_refused"


@pytest.mark.parametrize("words", [("--tls-fingerprint", "0" * 64), ()], ids=["another fingerprint", "no fingerprint"])
def test_the_command_line_gives_its_key_to_no_other_server(secure: Secure, words: tuple[str, ...]) -> None:
    done = secure.client("jobs", *words)
    assert done.returncode == 5
    assert "fingerprint" in done.stderr


def test_the_port_takes_no_plain_http(secure: Secure) -> None:
    with socket.create_connection(("127.0.0.1", secure.studio.port), 5) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: studio\r\n\r\n")
        try:
            said = line.recv(100)
        except ConnectionError:
            said = b""
    assert not said.startswith(b"HTTP")


def test_the_certificate_is_kept_and_its_key_is_for_the_server_alone(secure: Secure) -> None:
    secure.studio.stop()
    secure.start()
    assert secure.session(secure.fingerprint).find_one("User")["code"] == secure.vendor.code
    tls = secure.studio.home / "tls"
    assert {path.name: path.stat().st_mode & 0o077 for path in (tls, *tls.glob("*.key"))} == {
        "tls": 0,
        "self-signed.key": 0,
    }


def test_a_certificate_that_was_given_is_used(secure: Secure, tmp_path: Path) -> None:
    other = self_signed(tmp_path / "tls", "localhost")
    secure.studio.stop()
    try:
        secure.start("--tls-cert", str(other.cert), "--tls-key", str(other.key))
        assert other.fingerprint != secure.fingerprint
        assert secure.session(other.fingerprint).find_one("User")["code"] == secure.vendor.code
        secure.studio.stop()
    finally:
        secure.start()


# --- a server that does not start ----------------------------------------------------------------------------------


def serve(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected to end by itself."""
    return warm.run(["serve", "--home", str(home), *words], env=clean())


@pytest.mark.parametrize("host", ["0.0.0.0", "studio.example"])
def test_without_tls_the_server_listens_on_this_machine_only(secure: Secure, host: str) -> None:
    done = serve(secure.studio.home, "--host", host, "--port", "0")
    assert done.returncode == 2
    assert "--tls-self-signed" in done.stderr
    assert "listens on" not in done.stdout


def test_a_port_that_is_taken_is_an_error(secure: Secure, tmp_path: Path) -> None:
    home = tmp_path / "home"
    warm.run(["init", "--home", str(home), "--admin", "a@studio.example"], env=clean())
    done = serve(home, "--port", str(secure.studio.port))
    assert done.returncode == 2
    assert f"port {secure.studio.port}" in done.stderr
    assert "listens on" not in done.stdout


def test_a_second_server_on_a_home_is_refused_and_the_first_goes_on(secure: Secure) -> None:
    done = serve(secure.studio.home, "--port", "0")
    assert done.returncode == 2
    assert "running on this home already" in done.stderr
    assert secure.session(secure.fingerprint).find_one("User")["code"] == secure.vendor.code


def test_a_folder_that_is_no_home_is_an_error(tmp_path: Path) -> None:
    done = serve(tmp_path)
    assert done.returncode == 2
    assert "stagedoor init" in done.stderr
