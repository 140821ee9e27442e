"""What a server answers comes out as the exception of its code; addresses and fingerprints are read strictly."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from stagedoor import Session
from stagedoor.client.connection import Connection, _encode, refusal
from stagedoor.client.errors import ServerFault, ServerUnreachable
from stagedoor.client.given import submission
from stagedoor.client.route import _proxy
from stagedoor.model import errors
from stagedoor.wire import calls
from stagedoor.wire.house import ErrorAnswer

VARIABLES = ("STAGEDOOR_URL", "STAGEDOOR_USER", "STAGEDOOR_API_KEY", "STAGEDOOR_TLS_FINGERPRINT")


def answer(code: str, **details) -> bytes:
    return msgspec.json.encode(ErrorAnswer(code=code, message="Because.", details=details, request_id="r1"))


def every_error(kind=errors.StagedoorError):
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from every_error(below)


@pytest.mark.parametrize("kind", [kind for kind in every_error() if kind is not errors.StagedoorError])
def test_every_error_of_the_server_comes_out_as_its_class(kind):
    error = refusal(400, answer(kind.code, limit=5))

    assert type(error) is kind
    assert (error.message, error.details) == ("Because.", {"limit": 5, "request_id": "r1"})


def test_a_finer_code_keeps_the_class_of_its_status():
    mixed, expired = refusal(409, answer("entries_mixed")), refusal(409, answer("offer_expired"))

    assert (type(mixed), mixed.error_code) == (errors.Conflict, "entries_mixed")
    assert (type(expired), expired.error_code) == (errors.OfferClosed, "offer_expired")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, ServerFault),
        (502, ServerFault),
        (503, errors.Busy),
        (401, errors.SignInRefused),
        (413, errors.LimitExceeded),
    ],
)
def test_what_a_proxy_answers_is_told_by_its_status(status, kind):
    assert type(refusal(status, b"<html>Bad gateway</html>")) is kind


@pytest.mark.parametrize("status", [301, 404, 405])
def test_a_server_that_is_none_of_ours_is_told_as_such(status):
    assert "not that of a Stagedoor server" in refusal(status, b"<html>").message


def test_a_server_that_is_not_there_is_unreachable_and_names_the_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    connection = Connection(f"http://127.0.0.1:{port}", "ann@vendor.example", "key")

    with pytest.raises(ServerUnreachable, match=f"http://127.0.0.1:{port} cannot be reached") as caught:
        connection.try_once(calls.ME, calls.ME.at(), {})

    assert "no server listens there" in caught.value.message
    assert "HTTPConnection" not in caught.value.message + caught.value.detail


def test_a_server_that_never_answers_is_unreachable_after_the_time_out():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        connection = Connection(f"http://127.0.0.1:{deaf.getsockname()[1]}", "ann", "key", timeout=0.1)
        began = time.monotonic()

        with pytest.raises(ServerUnreachable, match="does not answer in time"):
            connection.try_once(calls.ME, calls.ME.at(), {})

    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "url",
    ["", "studio.example:8181", "ftp://studio.example", "https://", "https://ann:key@studio.example", "https://a/?b"],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError):
        Connection(url, "ann", "key")


@pytest.mark.parametrize("text", ["AB:" * 31 + "AB", "sha256:" + "ab" * 32, "sha256 Fingerprint=" + "AB:" * 31 + "AB"])
def test_fingerprints_are_read_as_tools_print_them(text):
    Connection("https://studio.example", "ann", "key", fingerprint=text)


@pytest.mark.parametrize("text", ["ab" * 20, "x" * 64, "ab"])
def test_what_is_no_fingerprint_is_refused(text):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        Connection("https://studio.example", "ann", "key", fingerprint=text)


def test_a_session_says_what_it_lacks(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(ValueError, match="username is not known: give it, or set STAGEDOOR_USER"):
        Session(url="https://studio.example", api_key="key")


def test_a_session_takes_what_it_lacks_from_the_environment(monkeypatch):
    monkeypatch.setenv("STAGEDOOR_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("STAGEDOOR_USER", "ann@vendor.example")
    monkeypatch.setenv("STAGEDOOR_API_KEY", "key")

    with Session():
        pass


def test_large_bodies_are_compressed_and_small_ones_are_not():
    headers, content = _encode({"a": "x" * 200_000})

    assert headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(content)) == {"a": "x" * 200_000}
    assert "Content-Encoding" not in _encode({"a": 1})[0]


def test_a_body_that_cannot_travel_is_refused():
    with pytest.raises(TypeError, match="object cannot travel as JSON"):
        _encode({"a": object()})


def test_sources_of_a_job_are_absolute_unless_they_name_another_party(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    tasks = submission(
        {"tasks": [{"id": "1", "source": source} for source in ("a", Path("b"), "/c", "C:\\d", "volume=e/f")]}
    )["tasks"]

    assert [task.get("source") for task in tasks] == [
        str(tmp_path / "a"), str(tmp_path / "b"), "/c", "C:\\d", "volume=e/f"
    ]  # fmt: skip


@pytest.mark.parametrize("task", [{"id": "t7"}, {"id": "t7", "source": ""}, {"id": "t7", "source": None}])
def test_a_task_that_does_not_say_where_its_files_are_is_refused(task):
    with pytest.raises(ValueError, match="task t7 has no `source`: give the path on this machine"):
        submission({"tasks": [task]})


@pytest.mark.parametrize("tasks", ["abc", {"id": "1"}, ["abc"], 7])
def test_tasks_that_are_no_list_of_dicts_are_refused(tasks):
    with pytest.raises(ValueError, match="must be a"):
        submission({"tasks": tasks})


def test_ids_in_paths_cannot_lead_elsewhere():
    assert calls.JOB.at(id="../users?x=1") == "/api/v1/jobs/..%2Fusers%3Fx%3D1"


def test_every_call_has_a_name_and_a_place_of_its_own():
    places = [(call.method, call.path) for call in calls.TABLE.values()]

    assert len(set(places)) == len(places) > 30


def test_the_proxy_of_the_environment_is_used_but_not_where_it_is_excepted(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.vendor.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")

    assert _proxy("https", "studio.example") == "http://proxy.vendor.example:3128"
    assert _proxy("https", "inside.example") == ""


# --- TLS ------------------------------------------------------------------------------------------------------------


@dataclass
class Secure:
    """A server with a certificate of its own, that answers every request alike."""

    url: str
    fingerprint: str
    requests: list[bytes] = field(default_factory=list)

    def serve(self, server: socket.socket, context: ssl.SSLContext) -> None:
        while True:
            try:
                with context.wrap_socket(server.accept()[0], server_side=True) as client:
                    self.requests.append(client.recv(10_000))
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            except ssl.SSLError:
                continue
            except OSError:
                return


@pytest.fixture
def secure(tmp_path):
    certificate = pytest.importorskip("stagedoor.api.certificate", reason="needs the server")
    tls = certificate.self_signed(tmp_path / "tls", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.cert, tls.key)
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Secure(f"https://127.0.0.1:{server.getsockname()[1]}", tls.fingerprint)
        thread = threading.Thread(target=made.serve, args=(server, context))
        thread.start()
        yield made
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_certificate_of_the_studio_is_accepted_by_its_fingerprint(secure):
    assert Connection(secure.url, "ann", "key", fingerprint=secure.fingerprint).call(calls.ME) == {}


@pytest.mark.parametrize("fingerprint", [None, "ab" * 32])
def test_no_key_is_sent_to_a_server_that_does_not_prove_who_it_is(secure, fingerprint):
    connection = Connection(secure.url, "ann", "key", fingerprint=fingerprint)

    with pytest.raises(ServerUnreachable) as caught:
        connection.call(calls.ME)

    assert caught.value.error_code == "tls_refused"
    assert not any(secure.requests)
    assert "--tls-fingerprint or STAGEDOOR_TLS_FINGERPRINT" in caught.value.message


def test_who_writes_http_for_a_server_with_tls_is_told_to_write_https(secure):
    plain = secure.url.replace("https", "http")

    with pytest.raises(ServerUnreachable, match=f"takes TLS alone: write {secure.url} instead"):
        Connection(plain, "ann", "key").call(calls.ME)

    assert not any(secure.requests)


def test_who_writes_https_for_a_server_without_tls_is_told_to_write_http():
    def answer_plainly() -> None:
        with server.accept()[0] as client:
            client.recv(10_000)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_plainly)
        thread.start()
        host = f"127.0.0.1:{server.getsockname()[1]}"

        with pytest.raises(ServerUnreachable, match=f"answers without TLS: write http://{host} instead"):
            Connection(f"https://{host}", "ann", "key").call(calls.ME)

        thread.join()


def test_a_proxy_that_wants_tls_is_understood():
    said = refusal(400, b"<html>The plain HTTP request was sent to HTTPS port</html>")

    assert "write its address with https://" in said.message


def test_a_server_that_hangs_up_and_knows_no_tls_is_not_told_to_know_it():
    def hang_up() -> None:
        for _ in range(2):
            server.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(ServerUnreachable) as caught:
            Connection(f"http://127.0.0.1:{server.getsockname()[1]}", "ann", "key").try_once(calls.ME, "/", {})
        thread.join()

    assert "cannot be reached" in caught.value.message
