"""Connections that bring parts, and all others: what is told apart, and that nothing is lost between the two."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rest import V1, House, Person, b3, file
from stagedoor.api.head import PartHead, part_head

HEAD = (
    b"PUT /api/v1/uploads/abc HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/9\r\n"
    b"Content-Digest: blake3=:x:\r\nAuthorization: Basic eA=="
)


# --- what a plain part looks like ------------------------------------------------------------------------------------


def test_a_plain_part_is_recognised():
    assert part_head(HEAD) == PartHead(
        upload="abc",
        length=5,
        content_range="bytes 0-4/9",
        content_digest="blake3=:x:",
        expects=False,
        last=False,
        user_agent=b"",
        forwarded=b"",
        fields={
            b"host": b"h",
            b"content-length": b"5",
            b"content-range": b"bytes 0-4/9",
            b"content-digest": b"blake3=:x:",
            b"authorization": b"Basic eA==",
        },
    )


@pytest.mark.parametrize(
    ("line", "means"), [(b"Expect: 100-continue", (True, False)), (b"Connection: Close", (False, True))]
)
def test_what_a_client_expects_is_understood(line, means):
    found = part_head(HEAD + b"\r\n" + line)
    assert found
    assert (found.expects, found.last) == means


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"PUT", b"GET"),
        HEAD.replace(b"HTTP/1.1", b"HTTP/1.0"),
        HEAD.replace(b"/uploads/abc", b"/uploads/a%2Fc"),
        HEAD.replace(b"/uploads/abc", b"/uploads/abc?x"),
        HEAD.replace(b"Content-Length: 5\r\n", b""),
        HEAD.replace(b"Content-Length: 5", b"Content-Length: +5"),
        HEAD.replace(b"Host: h\r\n", b""),
        HEAD + b"\r\nContent-Length: 6",
        HEAD + b"\r\nTransfer-Encoding: chunked",
        HEAD + b"\r\nContent-Encoding: gzip",
        HEAD + b"\r\n folded",
        HEAD + b"\r\nno field",
        HEAD + b"\r\nX: \x00",
        HEAD + b"\r\nUpgrade: h2c",
        HEAD + b"\r\nExpect: bread",
        HEAD + b"\r\nConnection: keep-alive, X",
        b"",
    ],
)
def test_whatever_is_unusual_goes_to_the_server_behind(head):
    assert part_head(head) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_not(data):
    part_head(data)
    found = part_head(HEAD + b"\r\nX-More: " + data)
    assert found is None or found.upload == "abc"


# --- over a real socket, to a real server ----------------------------------------------------------------------------


class Wire:
    """A connection to which bytes are written by hand."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.read = self.socket.makefile("rb")

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self.read.readline().split()[1])
        fields = {}
        while (line := self.read.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            fields[name.lower()] = value.strip()
        return status, fields, self.read.read(int(fields.get("content-length", 0)))

    @property
    def ended(self) -> bool:
        return self.read.read(1) == b""


@pytest.fixture
def wire(house: House) -> Iterator[Wire]:
    made = Wire(house.studio.port)
    yield made
    made.socket.close()


class Clip:
    """A vendor's job of one file of 100 bytes, and requests for it."""

    def __init__(self, vendor: Person) -> None:
        self.vendor = vendor
        entry = file(size=100)
        self.job = vendor.job(entry)
        self.upload = self.job["tasks"][0]["upload"]
        self.content = bytes(range(100))

    def put(self, start: int, end: int, **fields: str) -> bytes:
        """A part, whole. `fields` replace the right ones, or leave them out where empty."""
        data = self.content[start:end]
        right = {
            "host": "h",
            "authorization": self.vendor.credentials["Authorization"],
            "content_length": str(len(data)),
            "content_range": f"bytes {start}-{end - 1}/100",
            "content_digest": b3(data),
        }
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in {**right, **fields}.items() if value]
        return "\r\n".join([f"PUT {V1}/uploads/{self.upload} HTTP/1.1", *lines, "", ""]).encode() + data

    def get(self) -> bytes:
        who = self.vendor.credentials["Authorization"]
        return f"GET {V1}/uploads/{self.upload} HTTP/1.1\r\nHost: h\r\nAuthorization: {who}\r\n\r\n".encode()


@pytest.fixture
def clip(vendor: Person) -> Clip:
    return Clip(vendor)


def test_parts_may_follow_each_other_before_they_are_answered(wire: Wire, clip: Clip) -> None:
    wire.socket.sendall(clip.put(0, 40) + clip.put(40, 90) + clip.put(90, 100))
    answers = [wire.answer() for _ in range(3)]
    assert [(status, json.loads(body)["received"]) for status, _, body in answers] == [(200, 40), (200, 90), (200, 100)]
    assert len({fields["x-request-id"] for _, fields, _ in answers}) == 3
    assert clip.vendor.ended(clip.job["id"])["status"] == "done"


def test_a_connection_that_brought_parts_may_ask_other_things_and_bring_parts_again(wire: Wire, clip: Clip) -> None:
    for request, received in ((clip.put(0, 40), 40), (clip.get(), 40), (clip.put(40, 90), 90), (clip.get(), 90)):
        wire.socket.sendall(request)
        status, _, body = wire.answer()
        assert (status, json.loads(body)["received"]) == (200, received)


def test_a_part_that_comes_byte_by_byte_arrives(wire: Wire, clip: Clip) -> None:
    for byte in clip.put(0, 100):
        wire.socket.sendall(bytes([byte]))
    assert wire.answer()[0] == 200


def test_a_client_that_waits_for_a_word_gets_it_before_it_sends(wire: Wire, clip: Clip) -> None:
    head, _, body = clip.put(0, 100, expect="100-continue").partition(b"\r\n\r\n")
    wire.socket.sendall(head + b"\r\n\r\n")
    assert wire.answer()[0] == 100
    wire.socket.sendall(body)
    assert wire.answer()[0] == 200


def test_a_client_that_waits_for_a_word_is_refused_before_it_sends(wire: Wire, clip: Clip) -> None:
    head, _, _ = clip.put(0, 100, expect="100-continue", authorization="Basic eDp5").partition(b"\r\n\r\n")
    wire.socket.sendall(head + b"\r\n\r\n")
    status, fields, body = wire.answer()
    assert (status, json.loads(body)["code"]) == (401, "sign_in_refused")
    assert fields["connection"] == "close"
    assert wire.ended


REFUSED = {
    "nobody": ({"authorization": ""}, 401, "sign_in_refused"),
    "another key": ({"authorization": "Basic eDp5"}, 401, "sign_in_refused"),
    "no range": ({"content_range": ""}, 416, "bad_range"),
    "another total": ({"content_range": "bytes 0-99/101"}, 416, "wrong_total"),
    "another length": ({"content_range": "bytes 0-98/100"}, 416, "bad_range"),
    "no digest": ({"content_digest": ""}, 416, "bad_range"),
    "another digest": ({"content_digest": b3(b"other")}, 422, "digest_mismatch"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_is_that_of_the_slow_way_and_the_connection_goes_on(wire: Wire, clip: Clip, what: str) -> None:
    fields, status, code = REFUSED[what]
    wire.socket.sendall(clip.put(0, 100, **fields))
    quick = wire.answer()
    wire.socket.sendall(clip.put(0, 100, **fields, origin="http://h"))
    slow = wire.answer()
    assert (quick[0], json.loads(quick[2])["code"]) == (status, code)
    for _, headers, body in (quick, slow):
        assert json.loads(body)["request_id"] == headers["x-request-id"]
    said = [{**json.loads(body), "request_id": ""} for _, _, body in (quick, slow)]
    assert (quick[0], said[0]) == (slow[0], said[1])
    kept = [
        {name: value for name, value in headers.items() if name not in ("x-request-id", "date", "server")}
        for _, headers, _ in (quick, slow)
    ]
    assert kept[0] == kept[1]
    wire.socket.sendall(clip.put(0, 100))
    assert wire.answer()[0] == 200


def test_the_client_ends_the_connection_when_it_says_so(wire: Wire, clip: Clip) -> None:
    wire.socket.sendall(clip.put(0, 100, connection="close"))
    assert wire.answer()[0] == 200
    assert wire.ended


def test_what_is_no_http_is_answered_as_such(wire: Wire) -> None:
    wire.socket.sendall(b"hello\r\n\r\n")
    assert wire.answer()[0] == 400


def test_the_address_of_a_client_is_known_behind_the_front(house: House, vendor: Person) -> None:
    job = vendor.job(file(size=3))
    with closing(sqlite3.connect(house.studio.home / "stagedoor.db", timeout=30)) as database:
        found = database.execute("SELECT ip FROM jobs WHERE id = ?", (job["id"],)).fetchall()
    assert found == [("127.0.0.1",)]
