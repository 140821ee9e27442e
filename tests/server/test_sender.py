"""Parts cover exactly what is missing; what cannot be sent as validated is named; trouble on the way is survived."""

from __future__ import annotations

import base64
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from part_digest import of_runs
from stagedoor.client import scan, source
from stagedoor.client.body import Body, InMemory
from stagedoor.client.connection import Connection
from stagedoor.client.courier import Sending
from stagedoor.client.errors import ServerUnreachable, SourceChanged, TransferFailed
from stagedoor.client.line import Line
from stagedoor.client.parts import LARGEST, SMALLEST, WORTH_HALVING, Plan, Shown, part_size
from stagedoor.client.pipe import Pipe
from stagedoor.client.progress import Speed, eta
from stagedoor.client.source import Reader
from stagedoor.model import errors
from stagedoor.model.tape import Range, Ranges, Tape
from stagedoor.wire.house import ErrorAnswer
from stagedoor.wire.parts import PartAnswer, UploadView, parse_content_digest, parse_content_range
from stagedoor.wire.tree import Entry

MIB = 2**20
FAST = Shown(rate=1e9, mean=1e9, last=LARGEST)
ONE = Tape([64 * MIB])
SIZES = [1_000_000, 3, 1_500_000, 499_997]


# --- which bytes -----------------------------------------------------------------------------------------------------


@st.composite
def missing_ranges(draw: st.DrawFn) -> Ranges:
    cuts = sorted(draw(st.lists(st.integers(0, 64 * MIB), max_size=12, unique=True)))
    return Ranges(zip(cuts[::2], cuts[1::2], strict=False))


def shown() -> st.SearchStrategy[Shown | None]:
    rates = st.floats(0, 1e10)
    return st.one_of(st.none(), st.builds(Shown, rates, rates, st.integers(1, LARGEST)))


def tapes() -> st.SearchStrategy[Tape]:
    """Of 64 MiB."""
    cuts = st.lists(st.integers(0, 64 * MIB), max_size=12).map(sorted)
    return cuts.map(lambda cuts: Tape([end - start for start, end in pairwise([0, *cuts, 64 * MIB])]))


@given(missing_ranges(), st.integers(1, 128), shown(), st.integers(64 * 1024, 64 * MIB), tapes())
def test_parts_cover_exactly_what_is_missing_and_none_is_too_large(missing, connections, shown, largest, tape):
    plan = Plan(connections)
    plan.add("u", missing, largest, tape)

    parts = []
    while part := plan.take(shown):
        parts.append(part.bytes)

    assert Ranges(parts) == missing
    assert sum(part.size for part in parts) == missing.size
    assert all(0 < part.size <= largest for part in parts)
    assert plan.remaining == 0


@given(st.integers(1, 10**12), st.integers(1, 128), shown())
def test_a_part_is_small_enough_for_memory_and_large_enough_to_be_worth_a_request(remaining, connections, shown):
    size = part_size(remaining, connections, shown, 64 * MIB)

    assert SMALLEST <= size <= LARGEST
    assert size * connections <= 256 * MIB


def test_a_small_upload_uses_every_connection():
    plan = Plan(4)
    plan.add("u", [(0, 2 * MIB)], 64 * MIB, ONE)

    parts = [plan.take(FAST) for _ in range(4)]

    assert all(part and SMALLEST <= part.bytes.size <= 512 * 1024 for part in parts)


@pytest.mark.parametrize(
    ("size", "end"), [(500_000, 1_000_000), (600_000, 600_000), (1_100_000, MIB), (400_000, 800_000)]
)
def test_a_part_ends_with_a_file_where_one_ends_in_its_second_half(size, end):
    plan = Plan(1)
    plan.add("u", [(0, 8 * MIB)], 64 * MIB, Tape([size] * 100))

    assert plan.take(None).bytes == Range(0, end)


def test_a_slow_line_gets_parts_of_three_seconds():
    assert part_size(10**10, 4, Shown(500_000, 500_000, 2 * MIB), 64 * MIB) == 1_500_000


def test_a_part_is_at_most_twice_the_one_before():
    assert part_size(10**10, 4, Shown(1e9, 1e9, MIB), 64 * MIB) == 2 * MIB


def test_a_slow_connection_takes_a_smaller_share_of_what_is_left():
    fast, slow = (part_size(64 * MIB, 4, Shown(rate, 4e6, LARGEST), 64 * MIB) for rate in (4e6, 1e6))
    assert (fast, slow) == (4 * MIB, MIB)


def test_half_a_part_that_did_not_get_through_is_handed_out_again():
    plan = Plan(1)
    plan.add("u", [(0, 8 * MIB)], 64 * MIB, ONE)
    part = plan.take(FAST)
    half = plan.halve(part)

    assert half.bytes == Range(0, MIB)
    assert Ranges([half.bytes, *rest(plan)]) == Ranges([(0, 8 * MIB)])


def rest(plan: Plan) -> list[Range]:
    found = []
    while part := plan.take(FAST):
        found.append(part.bytes)
    return found


def test_a_part_not_worth_halving_is_not_halved():
    plan = Plan(1)
    plan.add("u", [(0, WORTH_HALVING - 1)], 64 * MIB, ONE)
    part = plan.take(None)

    assert plan.halve(part) is part


def test_an_upload_never_gets_parts_above_what_was_found_to_pass():
    plan = Plan(1)
    plan.add("u", [(0, 8 * MIB)], 64 * MIB, ONE)
    plan.smaller("u", 300_000)

    assert plan.take(FAST).bytes.size == 300_000


def test_nothing_more_is_handed_out_of_an_upload_that_was_dropped():
    plan = Plan(1)
    plan.add("u", [(0, 8 * MIB)], 64 * MIB, ONE)
    plan.add("v", [(0, 5)], 64 * MIB, ONE)
    plan.drop("u")

    assert (plan.remaining, plan.take(None), plan.take(None)) == (5, ("v", Range(0, 5)), None)


def test_speed_is_that_of_the_last_seconds():
    speed = Speed(window=10)

    rates = [speed.at(second, done) for second, done in enumerate([0, *[100] * 30, 200])]

    assert rates[0] == 0
    assert rates[1] == 100
    assert rates[29] == 0
    assert rates[-1] == pytest.approx(10, rel=0.2)


def test_the_time_left_is_told_only_where_something_moves():
    assert (eta(100, 50), eta(100, 0), eta(0, 0)) == (2, None, 0)


# --- the bytes as they are on this disk ------------------------------------------------------------------------------


def shot(folder: Path, sizes: dict[str, int]) -> tuple[Path, Entry]:
    """A folder with files of these sizes, and its entry."""
    for name, size in sizes.items():
        path = folder / "shot" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
    return folder / "shot", msgspec.convert(scan.scan(folder / "shot")[0], Entry)


def changes(act: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(SourceChanged) as caught:
        act()
    return {change["path"]: change["reason"] for change in caught.value.details["files"]}


def test_a_part_holds_the_bytes_of_the_files_it_spans(tmp_path):
    folder, entry = shot(tmp_path, {"a": 10, "b": 0, "sub/c": 7, "z": 20})
    tape = b"".join((folder / name).read_bytes() for name in ("a", "b", "sub/c", "z"))
    found = source.find(entry, str(folder))
    reader = Reader()

    for start in range(len(tape)):
        for end in range(start + 1, len(tape) + 1):
            assert sent(reader.read(found, Range(start, end), by_system=False)) == tape[start:end]
    reader.close()


def sent(body: Body) -> bytes:
    """What goes into a connection."""
    near, far = socket.socketpair()
    with near, far:
        for piece in body.pieces:
            piece.send(near, 0, piece.size)
        near.shutdown(socket.SHUT_WR)
        body.close()
        return b"".join(iter(lambda: far.recv(65536), b""))


def test_only_large_pieces_are_left_to_the_system(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "BY_SYSTEM", 100)
    folder, entry = shot(tmp_path, {"a": 250, "b": 10, "c": 10, "d": 300})
    tape = b"".join((folder / name).read_bytes() for name in "abcd")
    found = source.find(entry, str(folder))
    reader = Reader()

    for part, by_system in ((Range(0, 250), True), (Range(20, 260), True), (Range(240, 270), False)):
        body = reader.read(found, part, by_system=True)
        assert all(isinstance(piece, InMemory) is not by_system for piece in body.pieces)
        assert body.size == part.size
        assert sent(body) == tape[part.start : part.end]
        assert body.digest == reader.read(found, part, by_system=False).digest
    reader.close()


def test_a_file_that_becomes_shorter_while_the_system_sends_it_breaks_the_connection(job):
    part = Range(1_000_003, 2_500_003)
    reader = Reader()
    with serving(job.peer) as connection:
        pipe = Pipe(connection.route)
        body = reader.read(job.found, part, by_system=True)
        (job.folder / "c").write_bytes(b"short")
        with pytest.raises(ServerUnreachable):
            pipe.put("/x", {}, body, lambda size: size)
        body.close()
        pipe.close()
    assert list(changes(lambda: reader.read(job.found, part, by_system=True))) == ["shot/c"]
    reader.close()


def test_files_are_read_where_the_system_has_no_preadv(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "preadv")
    folder, entry = shot(tmp_path, {"a": 10, "b": 20})
    tape = (folder / "a").read_bytes() + (folder / "b").read_bytes()
    reader = Reader()

    assert sent(reader.read(source.find(entry, str(folder)), Range(5, 25), by_system=False)) == tape[5:25]
    reader.close()


def test_every_file_that_changed_since_validation_is_named(tmp_path):
    folder, entry = shot(tmp_path, {"same": 5, "grown": 5, "touched": 5, "gone": 5, "sub/pipe": 5})
    (folder / "grown").write_bytes(b"123456")
    os.utime(folder / "touched", ns=(0, 1))
    (folder / "gone").unlink()
    (folder / "sub/pipe").unlink()
    os.mkfifo(folder / "sub/pipe")

    assert changes(lambda: source.find(entry, str(folder))) == {
        "shot/grown": "has 6 bytes; 5 were validated",
        "shot/touched": "was modified after it was validated",
        "shot/gone": "is gone",
        "shot/sub/pipe": "is a pipe: only files and folders can be published",
    }


def test_a_source_that_is_not_there_is_named(tmp_path):
    _, entry = shot(tmp_path, {"a": 5})

    found = changes(lambda: source.find(entry, str(tmp_path / "elsewhere")))

    assert found == {"shot/a": "does not exist, or is a link that leads nowhere"}


def test_a_job_that_does_not_say_where_its_files_are_is_told_apart_from_files_that_are_gone(tmp_path):
    _, entry = shot(tmp_path, {"a": 5})

    with pytest.raises(TransferFailed, match=r"\(shot\) has no `source`: the job was made without the path"):
        source.find(entry, "")


def test_times_are_not_compared_where_none_were_offered(tmp_path):
    folder, _ = shot(tmp_path, {"a": 5, "beside": 1})
    entry = msgspec.convert({"id": "x", "filename": "shot", "files": [{"filename": "a", "size": 5}]}, Entry)

    assert [local.path for local in source.find(entry, str(folder)).locals] == [str(folder / "a")]


@pytest.mark.parametrize("by_system", [False, True])
@pytest.mark.parametrize("harm", ["grow", "shrink", "touch", "remove"])
def test_a_file_that_changes_while_it_is_sent_is_named(tmp_path, monkeypatch, harm, by_system):
    monkeypatch.setattr(source, "BY_SYSTEM", 1)
    folder, entry = shot(tmp_path, {"a": 5, "b": 5})
    found = source.find(entry, str(folder))
    reader = Reader()
    reader.read(found, Range(0, 5), by_system=by_system).close()

    match harm:
        case "grow":
            (folder / "b").write_bytes(b"123456")
        case "shrink":
            (folder / "b").write_bytes(b"1")
        case "touch":
            os.utime(folder / "b", ns=(0, 5))
        case "remove":
            (folder / "b").unlink()

    assert list(changes(lambda: reader.read(found, Range(0, 10), by_system=by_system))) == ["shot/b"]
    reader.close()


# --- the line, against a server that misbehaves on demand ------------------------------------------------------------


@dataclass
class Peer:
    """Takes parts; `faults` are done to the first requests, one each."""

    tape: bytearray
    sizes: list[int]
    """of the files on it"""
    faults: list[Callable[[BaseHTTPRequestHandler], bool]] = field(default_factory=list)
    received: Ranges = field(default_factory=Ranges)
    requests: list[Range] = field(default_factory=list)
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, handler: BaseHTTPRequestHandler) -> None:
        part, total = parse_content_range(handler.headers["Content-Range"])
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        assert total == len(self.tape)
        with self.lock:
            self.requests.append(part)
            fault = self.faults.pop(0) if self.faults else None
        if fault and fault(handler):
            return
        digest = parse_content_digest(handler.headers["Content-Digest"])
        assert digest == ("xxh128-runs", of_runs(self.sizes, part.start, body))
        with self.lock:
            self.tape[part.start : part.end] = body
            self.received = self.received.union([part])
            size = self.received.size
        answer(handler, 200, PartAnswer(received=size, size=total, complete=size == total))


def answer(handler: BaseHTTPRequestHandler, status: int, body: object, **headers: str) -> None:
    content = msgspec.json.encode(body)
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def refuse(status: int, code: str) -> Callable[[BaseHTTPRequestHandler], bool]:
    def act(handler: BaseHTTPRequestHandler) -> bool:
        said = ErrorAnswer(code=code, message=f"No: {code}.", details={}, request_id="r")
        answer(handler, status, said, Retry_After="0")
        return True

    return act


def hang_up(handler: BaseHTTPRequestHandler) -> bool:
    handler.close_connection = True
    return True


def too_large(handler: BaseHTTPRequestHandler) -> bool:
    """As a proxy that takes 512 KiB does it."""
    if int(handler.headers["Content-Length"]) <= 512 * 1024:
        return False
    handler.send_response(413)
    handler.send_header("Content-Length", "0")
    handler.send_header("Retry-After", "0")
    handler.end_headers()
    return True


@contextmanager
def serving(peer: Peer) -> Iterator[Connection]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            peer.put(self)

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None: ...

    with Server(("127.0.0.1", 0), Handler) as server:
        peer.port = server.server_port
        thread = threading.Thread(target=lambda: server.serve_forever(0.01))
        thread.start()
        connection = Connection(f"http://127.0.0.1:{peer.port}", "ann", "key", timeout=5)
        try:
            yield connection
        finally:
            connection.close()
            server.shutdown()
            thread.join()


@dataclass
class Job:
    """A folder of 3 MB in four files, and who takes it."""

    folder: Path
    content: bytes
    found: source.Source
    peer: Peer

    def line(self, connection: Connection, *, connections: int = 4, patience: float = 5, **view) -> Line:
        size = len(self.content)
        upload = UploadView(
            **{
                "id": "u1",
                "job": "j",
                "task": "t",
                "size": size,
                "received": 0,
                "complete": False,
                "open": True,
                "missing": ((0, size),),
                "part_bytes": 64 * MIB,
                **view,
            }
        )
        return Line(connection, [Sending(upload, self.found)], connections, patience)

    def send(self, connection: Connection, **options) -> list[tuple[int, str]]:
        told: list[tuple[int, str]] = []
        self.line(connection, **options).run(lambda *said: told.append(said), lambda: False)
        return told


@pytest.fixture
def job(tmp_path):
    folder, entry = shot(tmp_path, dict(zip("abcd", SIZES, strict=True)))
    content = b"".join((folder / name).read_bytes() for name in "abcd")
    return Job(folder, content, source.find(entry, str(folder)), Peer(bytearray(len(content)), SIZES))


def senders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("stagedoor-send")]


def test_everything_arrives_over_several_connections(job):
    with serving(job.peer) as connection:
        job.send(connection)

    assert bytes(job.peer.tape) == job.content
    assert len(job.peer.requests) > 3


def test_only_missing_bytes_are_sent(job):
    missing = ((5, 1000), (2_000_000, 2_600_000))
    with serving(job.peer) as connection:
        job.send(connection, missing=missing, received=3_000_000 - 600_995)

    assert job.peer.received == Ranges(missing)
    assert sum(part.size for part in job.peer.requests) == 600_995


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(hang_up, id="connection lost"),
        pytest.param(refuse(503, "busy"), id="busy"),
        pytest.param(refuse(409, "range_in_flight"), id="in flight elsewhere"),
        pytest.param(refuse(507, "no_space"), id="disk full"),
        pytest.param(refuse(500, "internal"), id="server fault"),
        pytest.param(refuse(400, "digest_mismatch"), id="damaged on the way"),
        pytest.param(lambda handler: answer(handler, 502, "<html>", Retry_After="0") is None, id="bad gateway"),
        pytest.param(lambda handler: answer(handler, 408, "<html>", Retry_After="0") is None, id="time-out of a proxy"),
    ],
)
def test_trouble_on_the_way_is_survived(job, fault):
    job.peer.faults = [fault, fault]
    with serving(job.peer) as connection:
        job.send(connection)

    assert bytes(job.peer.tape) == job.content
    assert job.peer.received.size == len(job.content)


def test_parts_shrink_until_a_proxy_lets_them_pass(job):
    job.peer.faults = [too_large] * 100
    with serving(job.peer) as connection:
        job.send(connection, connections=1)

    assert bytes(job.peer.tape) == job.content


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "sign_in_refused", errors.SignInRefused),
        (404, "not_found", errors.NotFound),
        (409, "conflict", errors.Conflict),
        (400, "bad_range", errors.BadRange),
    ],
)
def test_what_trying_again_cannot_mend_ends_the_line_at_once(job, status, code, kind):
    job.peer.faults = [refuse(status, code)] * 4
    began = time.monotonic()
    with serving(job.peer) as connection, pytest.raises(kind):
        job.send(connection)

    assert time.monotonic() - began < 3


def test_an_upload_that_another_process_completed_is_left(job):
    job.peer.faults = [refuse(409, "upload_closed")] * 100
    with serving(job.peer) as connection:
        job.send(connection)

    assert len(job.peer.requests) <= 8, "two parts on each connection may be on their way"


def test_bytes_that_always_arrive_damaged_end_the_line(job):
    job.peer.faults = [refuse(400, "digest_mismatch")] * 100
    with serving(job.peer) as connection, pytest.raises(TransferFailed, match="shot: the same bytes arrived damaged 5"):
        job.send(connection)


def test_the_line_gives_up_when_nothing_gets_through_and_says_why(job):
    job.peer.faults = [refuse(507, "no_space")] * 1000
    with serving(job.peer) as connection, pytest.raises(TransferFailed, match="No: no_space"):
        job.send(connection, patience=0.3)


def test_what_is_in_the_way_is_told(job):
    def full(handler: BaseHTTPRequestHandler) -> bool:
        time.sleep(0.05)
        return refuse(507, "no_space")(handler)

    job.peer.faults = [full] * 8
    with serving(job.peer) as connection:
        told = job.send(connection, connections=1)

    assert (0, "No: no_space.") in told


def test_a_server_that_is_away_for_a_while_is_waited_for_and_it_is_told_how_long(job):
    job.peer.faults = [hang_up] * 2
    with serving(job.peer) as connection:
        told = job.send(connection, connections=1, patience=600)

    words = {message for _, message in told}
    assert "The server does not answer just now; waiting for it (up to 10 minutes)." in words
    assert not any("check the address" in message for message in words)


def test_a_file_that_changes_ends_the_line_and_is_named(job):
    os.utime(job.folder / "c", ns=(0, 5))
    with serving(job.peer) as connection:
        found = changes(lambda: job.send(connection))

    assert found == {"shot/c": "was modified while it was sent"}


def test_the_line_stops_when_it_is_told_to(job):
    job.peer.faults = [refuse(503, "busy")] * 10_000
    with serving(job.peer) as connection:
        line = job.line(connection, patience=60)
        line.run(lambda *_: None, lambda: True)

    assert not senders()


def test_ctrl_c_ends_the_threads(job):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    job.peer.faults = [refuse(503, "busy")] * 10_000
    with serving(job.peer) as connection, pytest.raises(KeyboardInterrupt):
        job.line(connection, patience=60).run(interrupt, lambda: False)

    assert not senders()


def test_the_key_travels_as_basic_credentials(job):
    seen = []
    job.peer.faults = [lambda handler: seen.append(handler.headers["Authorization"]) is not None]
    with serving(job.peer) as connection:
        job.send(connection, connections=1)

    assert seen == ["Basic " + base64.b64encode(b"ann:key").decode()]
