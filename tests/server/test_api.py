"""The HTTP door: refusals in one shape, parts, lists, roles, keys, settings, the OpenAPI document."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import time
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from rest import V1, Answer, House, Person, b3, basic, file, folder, fresh, sha256
from stagedoor.model.settings import SETTINGS
from studio import clean

JSON = {"Content-Type": "application/json"}
NO_ID = "0" * 24


def check_shape(answer: Answer) -> None:
    """Every refusal has these four keys, and says its request's number twice."""
    assert answer.headers["content-type"] == "application/json"
    said = answer.json
    assert set(said) == {"code", "message", "details", "request_id"}
    assert all(isinstance(said[key], str) and said[key] for key in ("code", "message", "request_id"))
    assert isinstance(said["details"], dict)
    assert said["request_id"] == answer.headers["x-request-id"]


# --- refusals ------------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, str, dict[str, Any], tuple[int, str]]] = {
    "no such address": ("GET", "/nope", {}, (404, "not_found")),
    "no such address below the document": ("GET", "/openapi/nope", {}, (404, "not_found")),
    "no such id": ("GET", f"/jobs/{NO_ID}", {}, (404, "not_found")),
    "an id with a slash": ("GET", "/jobs/a%2Fb", {}, (404, "not_found")),
    "an id with NUL": ("GET", "/jobs/%00", {}, (404, "not_found")),
    "an id that is no UTF-8": ("GET", "/jobs/%ff", {}, (404, "not_found")),
    "another method": ("POST", "/me", {}, (405, "method_not_allowed")),
    "an unheard-of method": ("BREW", "/me", {}, (405, "method_not_allowed")),
    "broken JSON": ("POST", "/users", {"body": b"{"}, (400, "bad_request")),
    "broken JSON of an offer": ("POST", "/offers", {"body": b'{"files": [', "headers": JSON}, (400, "bad_request")),
    "no UTF-8": ("POST", "/users", {"body": b'{"code":"\xff"}', "headers": JSON}, (400, "bad_request")),
    "no UTF-8 in an offer": ("POST", "/offers", {"body": b'{"files":"\xff"}', "headers": JSON}, (400, "bad_request")),
    "half a surrogate": ("POST", "/users", {"body": b'{"code":"\\ud800"}', "headers": JSON}, (400, "bad_request")),
    "another type": ("POST", "/users", {"data": {"code": 7}}, (400, "bad_request")),
    "a list": ("POST", "/users", {"data": []}, (400, "bad_request")),
    "a key missing": ("POST", "/users", {"data": {}}, (400, "bad_request")),
    "no body": ("POST", "/users", {"body": b""}, (400, "bad_request")),
    "a form": ("POST", "/users", {"body": b"code=x%40example.com"}, (400, "bad_request")),
    "deep JSON": ("POST", "/users", {"body": b'{"code":' + b"[" * 100_000, "headers": JSON}, (400, "bad_request")),
    "a deep offer": (
        "POST",
        "/offers",
        {"body": b'{"files":[' + b'{"id":"x","filename":"x","files":[' * 50_000, "headers": JSON},
        (400, "bad_request"),
    ),
    "deep data": (
        "POST",
        "/jobs",
        {"body": b'{"tasks":[{"id":"x","y":' + b"[" * 100_000, "headers": JSON},
        (400, "bad_request"),
    ),
    "a large body": ("POST", "/users", {"body": b'"' + b"x" * 2_000_000, "headers": JSON}, (413, "limit_exceeded")),
    "a large packed body": (
        "POST",
        "/users",
        {"body": gzip.compress(b'"' + b"x" * 2_000_000), "headers": {**JSON, "Content-Encoding": "gzip"}},
        (413, "limit_exceeded"),
    ),
    "packed otherwise": (
        "POST",
        "/users",
        {"body": b"{}", "headers": {**JSON, "Content-Encoding": "br"}},
        (400, "content_encoding"),
    ),
    "not packed": (
        "POST",
        "/users",
        {"body": b"{}", "headers": {**JSON, "Content-Encoding": "gzip"}},
        (400, "bad_request"),
    ),
    "packed and cut": (
        "POST",
        "/offers",
        {"body": gzip.compress(b'{"files":[]}')[:-4], "headers": {**JSON, "Content-Encoding": "gzip"}},
        (400, "bad_request"),
    ),
    "a limit that is no number": ("GET", "/jobs?limit=x", {}, (400, "bad_request")),
    "a limit below nothing": ("GET", "/jobs?limit=-1", {}, (400, "bad_request")),
    "a limit above the largest page": ("GET", "/jobs?limit=501", {}, (400, "bad_request")),
    "a skip below nothing": ("GET", "/offers?skip=-1", {}, (400, "bad_request")),
    "a time that is none": ("GET", "/jobs?since=yesterday", {}, (400, "bad_request")),
    "a state that is none": ("GET", "/jobs?state=odd", {}, (400, "state_unknown")),
    "an offer's state that is none": ("GET", "/offers?state=odd", {}, (400, "state_unknown")),
    "a hook that is none": ("GET", "/runs?hook=odd", {}, (400, "hook_unknown")),
    "a setting that is none": ("PUT", "/settings/odd", {"data": {"value": 1}}, (400, "setting_refused")),
    "a value that cannot be": ("PUT", "/settings/offer_files", {"data": {"value": -1}}, (400, "setting_refused")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_every_refusal_has_one_shape(house: House, what: str) -> None:
    method, path, sent, expected = REFUSED[what]
    answer = house.admin.ask(method, path, **sent)
    check_shape(answer)
    assert answer.refusal == expected, answer.body


def test_a_refusal_has_the_same_shape_without_sign_in(house: House) -> None:
    answer = house.send("GET", "/me")
    check_shape(answer)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_every_answer_has_a_number_of_its_own(house: House, vendor: Person) -> None:
    answers = [
        house.send("GET", "/healthz"),
        house.send("GET", "/me"),
        vendor.get("/me"),
        vendor.get("/me"),
        vendor.get("/nope"),
        vendor.ask("HEAD", "/me"),
        vendor.ask("OPTIONS", "/me"),
        vendor.ask("DELETE", f"/offers/{vendor.offered(file())['id']}"),
    ]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_the_number_leads_to_the_reason_in_the_log(house: House, vendor: Person) -> None:
    entry = file()
    vendor.offered(entry)
    (house.studio.volume / "in").mkdir(exist_ok=True)
    (house.studio.volume / "in" / entry["filename"]).touch()
    answer = vendor.submit(entry["id"])
    (line,) = (line for line in house.log.splitlines() if answer.json["request_id"] in line)
    assert "destination_taken" in line
    assert str(house.studio.volume / "in" / entry["filename"]) in line
    assert str(house.studio.volume).encode() not in answer.body


def test_a_packed_bomb_is_refused_while_it_is_unpacked(house: House, vendor: Person) -> None:
    """A few hundred kilobytes that would be 300 MB: what comes out is counted."""
    bomb = gzip.compress(b'{"files": "' + b" " * 300_000_000, 1)
    assert len(bomb) < 2_000_000
    started = time.monotonic()
    with house.setting("offer_bytes", 100_000):
        headers = {**JSON, "Content-Encoding": "gzip", "Connection": "close"}
        answer = vendor.ask("POST", "/offers", body=bomb, headers=headers)
    check_shape(answer)
    assert (answer.refusal, answer.json["details"]) == ((413, "limit_exceeded"), {"limit": 100_000})
    assert time.monotonic() - started < 5


def test_a_packed_offer_is_read_as_an_open_one(vendor: Person) -> None:
    body = gzip.compress(json.dumps({"files": [file(size=7)]}).encode())
    answer = vendor.ask("POST", "/offers", body=body, headers={**JSON, "Content-Encoding": "gzip"})
    assert (answer.status, answer.json["size"]) == (201, 7)


def test_a_large_answer_comes_packed_to_whoever_unpacks(house: House, vendor: Person) -> None:
    entry = {**folder(), "files": [{"filename": f"frame.{number:06}.exr", "size": 1} for number in range(3000)]}
    job = vendor.job(entry)
    path = f"{V1}/jobs/{job['id']}/tasks/{entry['id']}/files"
    answers = [
        house.pool.request(
            "GET",
            house.studio.url + path,
            headers={**vendor.credentials, "Accept-Encoding": encoding},
            decode_content=False,
        )
        for encoding in ("gzip", "identity")
    ]
    assert [answer.headers.get("content-encoding") for answer in answers] == ["gzip", None]
    assert gzip.decompress(answers[0].data) == answers[1].data
    assert len(json.loads(answers[1].data)["files"]) == 3000


# --- parts ---------------------------------------------------------------------------------------------------------


class Sending:
    """A job of 100 bytes, of which none has been sent."""

    def __init__(self, vendor: Person) -> None:
        self.vendor = vendor
        self.job = vendor.job(file(size=100))
        self.upload = self.job["tasks"][0]["upload"]

    def part(self, data: bytes, start: int = 0, total: int = 100, **headers: str) -> Answer:
        return self.vendor.part(self.upload, data, start=start, total=total, **headers)

    @property
    def missing(self) -> list[list[int]]:
        return list(self.vendor.get(f"/uploads/{self.upload}").json["missing"])


@pytest.fixture
def sending(vendor: Person) -> Sending:
    return Sending(vendor)


WRONG_HEADERS: dict[str, tuple[dict[str, str], str]] = {
    "no range": ({"content_range": ""}, "bad_range"),
    "a range without its total": ({"content_range": "bytes 0-9/*"}, "bad_range"),
    "another unit": ({"content_range": "items 0-9/100"}, "bad_range"),
    "a range that ends before it begins": ({"content_range": "bytes 9-0/100"}, "bad_range"),
    "a range beyond its total": ({"content_range": "bytes 95-104/100"}, "bad_range"),
    "a range of negative numbers": ({"content_range": "bytes -5-4/100"}, "bad_range"),
    "a range of other digits": ({"content_range": "bytes ٠-٩/100".encode().decode("latin-1")}, "bad_range"),
    "a range longer than the body": ({"content_range": "bytes 0-10/100"}, "bad_range"),
    "a range shorter than the body": ({"content_range": "bytes 0-8/100"}, "bad_range"),
    "a total below that of the manifest": ({"content_range": "bytes 0-9/99"}, "wrong_total"),
    "a total above that of the manifest": ({"content_range": "bytes 0-9/101"}, "wrong_total"),
    "bytes beyond the manifest": ({"content_range": "bytes 100-109/110"}, "wrong_total"),
    "no digest": ({"content_digest": ""}, "bad_range"),
    "an unknown digest": ({"content_digest": "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"}, "bad_range"),
    "a digest that is no base64": ({"content_digest": "sha-256=:#:"}, "bad_range"),
    "a digest that is too short": ({"content_digest": "sha-256=:AAAA:"}, "bad_range"),
    "a digest without colons": ({"content_digest": sha256(bytes(10)).replace(":", "")}, "bad_range"),
}


@pytest.mark.parametrize("what", WRONG_HEADERS)
def test_a_part_whose_headers_are_wrong_is_refused(sending: Sending, what: str) -> None:
    headers, code = WRONG_HEADERS[what]
    answer = sending.part(bytes(10), **headers)
    check_shape(answer)
    assert answer.refusal == (416, code)
    assert sending.missing == [[0, 100]]


def test_a_wrong_total_is_answered_with_the_right_one(sending: Sending) -> None:
    assert sending.part(bytes(10), total=7_000).json["details"] == {"size": 100}


@pytest.mark.parametrize("wrong", [sha256(b"others"), b3(b"others"), b3(bytes(10)).replace("blake3", "sha-256")])
def test_a_part_that_was_damaged_on_the_way_does_not_count(sending: Sending, wrong: str) -> None:
    answer = sending.part(bytes(10), content_digest=wrong)
    check_shape(answer)
    assert (answer.refusal, answer.json["details"]) == ((422, "digest_mismatch"), {"start": 0, "end": 10})
    assert sending.missing == [[0, 100]]


def test_sha256_and_blake3_are_accepted_beside_others(sending: Sending) -> None:
    digests = [sha256(bytes(10)), b3(bytes(10)), f"md5=:AAAA:, {sha256(bytes(10))}", f"{b3(bytes(10))},x=:AA==:"]
    for number, digest in enumerate(digests):
        answer = sending.part(bytes(10), number * 10, content_digest=digest)
        assert answer.json == {"received": number * 10 + 10, "size": 100, "complete": False}


def test_of_two_digests_a_wrong_blake3_is_not_outvoted(sending: Sending) -> None:
    digests = f"{sha256(bytes(10))}, {b3(b'others')}"
    assert sending.part(bytes(10), content_digest=digests).refusal == (422, "digest_mismatch")


@pytest.mark.parametrize(("body", "received"), [(b"abc", 3), (b"a" * 11, None)])
def test_a_body_of_unknown_length_must_fill_its_range_exactly(
    sending: Sending, body: bytes, received: int | None
) -> None:
    headers = {"Content-Range": "bytes 0-9/100", "Content-Digest": sha256(body)}
    answer = sending.vendor.ask("PUT", f"/uploads/{sending.upload}", body=iter([body]), headers=headers)
    assert answer.refusal == (416, "bad_range")
    assert answer.json["details"].get("received") == received
    assert sending.missing == [[0, 100]]


def test_a_packed_body_must_fill_its_range_exactly(sending: Sending) -> None:
    headers = {"Content-Range": "bytes 0-9/100", "Content-Encoding": "gzip"}

    def send(body: bytes) -> Answer:
        given = {**headers, "Content-Digest": sha256(body)}
        return sending.vendor.ask("PUT", f"/uploads/{sending.upload}", body=gzip.compress(body), headers=given)

    assert send(bytes(50_000_000)).refusal == (416, "bad_range")
    assert send(bytes(9)).refusal == (416, "bad_range")
    assert send(bytes(10)).status == 200
    assert sending.missing == [[10, 100]]


def test_a_part_larger_than_the_limit_is_refused_with_the_limit(house: House, vendor: Person) -> None:
    job = vendor.job(file(size=200_000))
    with house.setting("part_bytes", 65536):
        upload = job["tasks"][0]["upload"]
        assert vendor.get(f"/uploads/{upload}").json["part_bytes"] == 65536
        answer = vendor.part(upload, bytes(65537), total=200_000)
        assert (answer.refusal, answer.json["details"]) == ((413, "limit_exceeded"), {"limit": 65536})
        assert vendor.part(upload, bytes(65536), total=200_000).status == 200


def test_parts_come_in_any_order_and_again(sending: Sending) -> None:
    assert sending.part(b"b" * 40, 60).json["received"] == 40
    assert sending.part(b"b" * 40, 60).json["received"] == 40
    assert sending.missing == [[0, 60]]
    assert sending.part(b"a" * 70, 0).json == {"received": 100, "size": 100, "complete": True}
    job = sending.vendor.ended(sending.job["id"])
    assert job["status"] == "done"


def test_an_acknowledged_byte_is_not_overwritten(house: House, sending: Sending) -> None:
    """Other bytes for a range that was acknowledged are taken in and dropped."""
    sending.part(b"first" * 10, 0)
    sending.part(b"other" * 20, 0)
    job = sending.vendor.ended(sending.job["id"])
    (placed,) = (house.studio.volume / "in").glob(job["tasks"][0]["filename"])
    assert placed.read_bytes() == b"first" * 10 + b"other" * 10


def test_an_upload_that_is_complete_takes_no_more_parts(sending: Sending) -> None:
    sending.part(bytes(100))
    sending.vendor.ended(sending.job["id"])
    assert sending.part(bytes(10)).refusal == (409, "upload_closed")
    view = sending.vendor.get(f"/uploads/{sending.upload}").json
    assert (view["open"], view["complete"], view["missing"], view["received"]) == (False, True, [], 100)


def test_an_aborted_upload_takes_no_more_parts(sending: Sending) -> None:
    assert sending.vendor.post(f"/jobs/{sending.job['id']}/abort").json["status"] == "aborted"
    assert sending.part(bytes(10)).refusal == (409, "upload_closed")


def test_nobody_but_the_owner_sends_bytes(house: House, sending: Sending) -> None:
    for other in (house.admin, house.vendor("employee"), house.vendor()):
        assert other.part(sending.upload, bytes(10), total=100).refusal == (404, "not_found")
    assert sending.missing == [[0, 100]]


class SlowPart:
    """A part whose body has begun and does not end."""

    def __init__(self, sending: Sending, start: int, end: int) -> None:
        studio, vendor = sending.vendor.house.studio, sending.vendor
        self.socket = socket.create_connection(("127.0.0.1", studio.port))
        head = {
            **vendor.credentials,
            "Host": "studio",
            "Content-Length": str(end - start),
            "Content-Range": f"bytes {start}-{end - 1}/100",
            "Content-Digest": sha256(bytes(end - start)),
        }
        lines = [f"PUT {V1}/uploads/{sending.upload} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + bytes(1))
        self.left = end - start - 1

    def finish(self) -> bytes:
        self.socket.sendall(bytes(self.left))
        return self.socket.recv(65536)

    def __enter__(self) -> SlowPart:
        time.sleep(0.3)  # the server has it then
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def test_bytes_on_their_way_on_one_connection_are_refused_to_another(sending: Sending) -> None:
    with SlowPart(sending, 20, 40) as slow:
        answer = sending.part(bytes(30), 0)
        check_shape(answer)
        assert answer.refusal == (409, "range_in_flight")
        assert int(answer.headers["retry-after"]) > 0
        assert sending.part(bytes(20), 0).status == 200
        assert sending.part(bytes(60), 40).status == 200
        assert slow.finish().startswith(b"HTTP/1.1 200 ")
    assert sending.vendor.ended(sending.job["id"])["status"] == "done"


def test_a_part_that_was_cut_off_does_not_count_and_can_be_sent_again(sending: Sending) -> None:
    with SlowPart(sending, 0, 100):
        pass
    for _ in range(50):
        answer = sending.part(bytes(100))
        if answer.status == 200:
            break
        assert answer.code == "range_in_flight"
        time.sleep(0.1)
    assert sending.vendor.ended(sending.job["id"])["status"] == "done"


def test_parts_in_flight_are_limited_per_user(house: House, sending: Sending) -> None:
    with house.setting("open_parts", 1), SlowPart(sending, 0, 10) as slow:
        answer = sending.part(bytes(10), 10)
        check_shape(answer)
        assert answer.refusal == (503, "too_many_parts")
        assert int(answer.headers["retry-after"]) > 0
        assert Sending(house.vendor()).part(bytes(10)).status == 200, "others have their own count"
        assert slow.finish().startswith(b"HTTP/1.1 200 ")
        assert sending.part(bytes(10), 10).status == 200


# --- lists ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(house: House) -> tuple[Person, list[dict[str, Any]]]:
    """A vendor with five jobs, the oldest first: two done, one aborted, two waiting."""
    person = house.vendor()
    jobs = [person.done(file()) for _ in range(2)] + [person.job(file()) for _ in range(3)]
    person.post(f"/jobs/{jobs[2]['id']}/abort")
    return person, jobs


def listed(person: Person, query: str) -> list[str]:
    return [job["id"] for job in person.get(f"/jobs{query}").json["items"]]


def test_ended_jobs_are_listed_on_demand_newest_first(busy: tuple[Person, list[dict[str, Any]]]) -> None:
    person, jobs = busy
    ids = [job["id"] for job in jobs]
    assert listed(person, "") == [ids[4], ids[3]]
    assert listed(person, "?finished=true") == ids[::-1]


def test_pages_hold_every_job_once(busy: tuple[Person, list[dict[str, Any]]]) -> None:
    person, jobs = busy
    pages = [person.get(f"/jobs?finished=true&limit=2&skip={skip}").json for skip in (0, 2, 4, 6)]
    assert [page["total"] for page in pages] == [5] * 4
    assert [len(page["items"]) for page in pages] == [2, 2, 1, 0]
    assert [job["id"] for page in pages for job in page["items"]] == [job["id"] for job in jobs][::-1]
    assert person.get("/jobs?finished=true&limit=0").json == {"total": 5, "items": []}


@pytest.mark.parametrize(
    ("state", "numbers"),
    [
        ("done", [1, 0]),
        ("aborted", [2]),
        ("waiting", [4, 3]),
        ("awaiting_bytes", [4, 3]),
        ("upload", [4, 3]),
        ("ended", [2, 1, 0]),
        ("aborted,waiting", [4, 3, 2]),
        ("failed", []),
    ],
)
def test_jobs_are_filtered_by_status_and_phase(
    busy: tuple[Person, list[dict[str, Any]]], state: str, numbers: list[int]
) -> None:
    person, jobs = busy
    assert listed(person, f"?state={state}") == [jobs[number]["id"] for number in numbers]


def test_jobs_are_filtered_by_id_time_and_user(house: House, busy: tuple[Person, list[dict[str, Any]]]) -> None:
    person, jobs = busy
    ids = [job["id"] for job in jobs]
    assert listed(person, f"?id={ids[0]}") == [ids[0]]
    since = jobs[3]["created"].replace("+", "%2B")
    assert listed(person, f"?finished=true&since={since}") == [ids[4], ids[3]]
    later = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert listed(person, f"?finished=true&since={later}") == []
    for whom in (person.id, person.code, person.code.upper()):
        assert listed(house.admin, f"?finished=true&user={whom}") == ids[::-1]
    assert listed(house.admin, "?finished=true&user=nobody@example.com") == []


def test_jobs_come_with_their_tasks_on_demand(busy: tuple[Person, list[dict[str, Any]]]) -> None:
    person, _ = busy
    assert [len(job["tasks"]) for job in person.get("/jobs").json["items"]] == [0, 0]
    assert [len(job["tasks"]) for job in person.get("/jobs?tasks=true").json["items"]] == [1, 1]


def test_offers_are_filtered_by_state_user_and_id(house: House, vendor: Person) -> None:
    first, second = vendor.offered(file()), vendor.offered(file())
    vendor.ask("DELETE", f"/offers/{first['id']}")
    found = {
        query: [offer["id"] for offer in house.admin.get(f"/offers?user={vendor.code}{query}").json["items"]]
        for query in ("", "&state=open", "&state=withdrawn", "&state=expired", "&limit=1", "&limit=1&skip=1")
    }
    one, two = first["id"], second["id"]
    expected = {"": [two, one], "&state=open": [two], "&state=withdrawn": [one], "&state=expired": []}
    assert found == {**expected, "&limit=1": [two], "&limit=1&skip=1": [one]}
    assert house.admin.get(f"/offers?id={one}").json["items"][0]["state"] == "withdrawn"


def test_runs_are_filtered_by_hook_job_offer_and_user(house: House, vendor: Person) -> None:
    job = vendor.done(file())
    offer = job["offer"]

    def hooks(query: str) -> list[str]:
        return [run["hook"] for run in house.admin.get(f"/runs?{query}").json["items"]]

    both = ["publish-server", "pre-publish-server"]
    assert hooks(f"offer={offer}") == hooks(f"user={vendor.id}") == hooks(f"user={vendor.code}") == both
    assert hooks(f"job={job['id']}") == both, "the run that decided its offer belongs to a job"
    assert hooks(f"job={job['id']}&hook=publish-server") == ["publish-server"]
    assert hooks(f"offer={offer}&hook=hook-job-pre-publish-server") == ["pre-publish-server"]
    assert hooks(f"job={NO_ID}") == []


def test_what_a_hook_said_is_for_administrators_and_its_environment_is_shown_to_nobody(
    house: House, vendor: Person
) -> None:
    vendor.plan(run="print('the secret is 42')")
    vendor.offered(file())
    (run,) = house.admin.get(f"/runs?user={vendor.id}").json["items"]
    seen = {role: house.vendor(role).get(f"/runs/{run['id']}").json for role in ("admin", "employee")}
    assert (seen["admin"]["stdout"], seen["admin"]["stderr"]) == ("the secret is 42\n", "")
    assert (seen["employee"]["stdout"], seen["employee"]["stderr"]) == (None, None)
    assert seen["employee"]["input"] == seen["admin"]["input"]
    line = {"command": "/bin/true ${PATH_JSON_INPUT}", "queue": "high", "environment": {"TOKEN": "s3cret"}}
    assert house.admin.ask("PUT", "/hooks/publish-server", line).json["environment"] == ["TOKEN"]
    assert b"s3cret" not in house.admin.get("/hooks").body
    house.admin.ask("DELETE", "/hooks/publish-server?queue=high")


def test_runs_tell_whom_and_what_they_are_about(house: House, vendor: Person) -> None:
    job = vendor.done(file(), file())
    vendor.ask("PATCH", f"/jobs/{job['id']}", {"code": "renamed"})
    vendor.offered(file("again.mov"))
    runs = house.admin.get(f"/runs?user={vendor.id}").json["items"]
    assert [(run["about"], run["entries"], run["user_hr"]) for run in runs] == [
        ("again.mov", 1, vendor.code),
        ("renamed", 2, vendor.code),
        (job["tasks"][0]["filename"], 2, vendor.code),
    ]
    assert house.admin.get(f"/runs/{runs[1]['id']}").json["run"]["about"] == "renamed"


def test_a_replay_says_what_would_change_over_rest_too(house: House, vendor: Person) -> None:
    offered = vendor.offered(file())
    (run,) = house.admin.get(f"/runs?user={vendor.id}").json["items"]
    same = house.admin.post(f"/runs/{run['id']}/replay")
    assert (same.status, same.json["state"], same.json["verdicts"]) == (200, "same", 1)
    vendor.plan({offered["files"][0]["filename"]: {"rejected": True}})
    assert house.admin.post(f"/runs/{run['id']}/replay").json["changed"] == 1
    several = house.admin.post("/replays", {"limit": 1}).json
    assert (several["runs"], several["next"], several["changed"]) == (1, 1, 1)
    assert len(house.admin.get(f"/runs?user={vendor.id}").json["items"]) == 1


def test_a_line_is_tried_before_it_is_set(house: House, vendor: Person) -> None:
    """On what vendors had offered; the hook that is set stays, and the log tells that something ran."""
    offered = vendor.offered(file("take.mov"))
    (hook,) = [one for one in house.admin.get("/hooks").json["items"] if one["name"] == "pre-publish-server"]
    other = house.studio.folder / "other.py"
    other.write_text(
        "import json, os, sys\n"
        "files = json.load(open(sys.argv[1]))['files']\n"
        "files = [{'id': one['id'], 'rejected': True, 'warning': os.environ['WORD']} for one in files]\n"
        "json.dump({'files': files}, open(sys.argv[2], 'w'))\n"
    )
    line = f"{sys.executable} {other} ${{PATH_JSON_INPUT}} ${{PATH_JSON_OUTPUT}}"
    asked = {"command": line, "environment": {"WORD": "s3cret word"}}
    runs = house.admin.get("/runs").json["total"]
    found = house.admin.post("/hooks/pre-publish-server/trial?limit=1", asked)
    assert (found.status, found.json["sample"], found.json["warnings"]) == (200, None, [])
    replays = found.json["replays"]
    assert (replays["runs"], replays["changed"]) == (1, 1)
    assert replays["items"][0]["entries"][0]["id"] == offered["files"][0]["id"]
    assert replays["items"][0]["entries"][0]["changes"]["warning"] == ["", "s3cret word"]
    assert house.admin.get("/runs").json["total"] == runs
    assert hook in house.admin.get("/hooks").json["items"]
    told = house.admin.get("/log?entity=hook&verb=try").json["items"][0]
    assert (told["user_hr"], told["changes"]["command"]) == (house.admin.code, [None, line])
    assert "s3cret" not in json.dumps(told)


def test_what_could_not_be_set_cannot_be_tried_nor_what_does_something(house: House) -> None:
    def tried(name: str, command: str) -> tuple[int, str]:
        return house.admin.post(f"/hooks/{name}/trial", {"command": command}).refusal

    assert tried("pre-publish-server", "/bin/true ${PATH_JSON_INPUT}") == (400, "hook_placeholder")
    assert tried("pre-publish-server", "/no/such ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}") == (400, "hook_program")
    for_a_queue = {"command": "/bin/true ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}", "queue": "low"}
    assert house.admin.post("/hooks/pre-publish-server/trial", for_a_queue).refusal == (400, "hook_queue")
    assert tried("publish-server", "/bin/true ${PATH_JSON_INPUT}") == (400, "trial_does")
    assert tried("none", "/bin/true ${PATH_JSON_INPUT}") == (400, "hook_unknown")


# --- roles ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Person]:
    return {"admin": house.vendor("admin"), "employee": house.vendor("employee"), "standard": house.vendor()}


ROLES: dict[tuple[str, str, str], tuple[int, int, int]] = {
    # What is asked, with which body -> status for admin, employee, standard. {user}: another standard user, {employee}
    # and {admin}: another one of these, {job} and {offer}: of another user.
    ("GET", "/me", ""): (200, 200, 200),
    ("GET", "/workspace", ""): (200, 200, 200),
    ("GET", "/users", ""): (200, 200, 200),
    ("POST", "/users", '{"code": "{fresh}@example.com"}'): (201, 201, 403),
    ("POST", "/users", '{"code": "{fresh}@example.com", "role": "employee"}'): (201, 403, 403),
    ("POST", "/users", '{"code": "{fresh}@example.com", "role": "admin"}'): (201, 403, 403),
    ("GET", "/users/{user}", ""): (200, 200, 404),
    ("PATCH", "/users/{user}", '{"name": "X"}'): (200, 200, 404),
    ("PATCH", "/users/{user}", '{"status": "enabled"}'): (200, 200, 404),
    ("PATCH", "/users/{user}", '{"role": "standard"}'): (200, 403, 404),
    ("PATCH", "/users/{employee}", '{"name": "X"}'): (200, 403, 404),
    ("PATCH", "/users/{employee}", '{"status": "enabled"}'): (200, 403, 404),
    ("PATCH", "/users/{admin}", '{"name": "X"}'): (200, 403, 404),
    ("PATCH", "/users/{admin}", "{}"): (200, 403, 404),
    ("PATCH", "/users/{me}", '{"name": "Me"}'): (200, 200, 200),
    ("PATCH", "/users/{me}", '{"role": "admin"}'): (200, 403, 403),
    ("PATCH", "/users/{me}", '{"status": "enabled"}'): (200, 403, 403),
    ("PATCH", "/users/{me}", '{"metadata": {"a": "b"}}'): (200, 403, 403),
    ("GET", "/users/{me}/keys", ""): (200, 200, 200),
    ("POST", "/users/{me}/keys", "{}"): (201, 201, 201),
    ("GET", "/users/{user}/keys", ""): (200, 200, 404),
    ("POST", "/users/{user}/keys", "{}"): (201, 201, 404),
    ("GET", "/users/{employee}/keys", ""): (200, 403, 404),
    ("POST", "/users/{employee}/keys", "{}"): (201, 403, 404),
    ("POST", "/users/{admin}/keys", "{}"): (201, 403, 404),
    ("GET", "/volumes", ""): (200, 200, 403),
    ("GET", "/volumes/projects", ""): (200, 200, 403),
    ("POST", "/volumes", '{"code": "!", "path": "/"}'): (400, 403, 403),
    ("PATCH", "/volumes/projects", "{}"): (200, 403, 403),
    ("DELETE", "/volumes/none", ""): (404, 403, 403),
    ("GET", "/hooks", ""): (200, 200, 403),
    ("PUT", "/hooks/post-done-client", '{"command": "/bin/true"}'): (400, 403, 403),
    ("DELETE", "/hooks/post-done-client", ""): (400, 403, 403),
    ("PATCH", "/hooks/post-done-server", '{"status": "disabled"}'): (404, 403, 403),
    ("PUT", "/hooks/post-done-server", '{"command": "/bin/true ${PATH_JSON_INPUT}", "queue": "low"}'): (200, 403, 403),
    ("PATCH", "/hooks/post-done-server", '{"status": "disabled", "queue": "low"}'): (200, 403, 403),
    ("DELETE", "/hooks/post-done-server?queue=low", ""): (204, 403, 403),
    ("POST", "/runs/none/replay", ""): (404, 403, 403),
    ("POST", "/runs/none/for-real", ""): (404, 403, 403),
    ("POST", "/replays", '{"limit": 0}'): (200, 403, 403),
    ("POST", "/hooks/publish-server/trial", '{"command": "/bin/true ${PATH_JSON_INPUT}"}'): (400, 403, 403),
    ("GET", "/runs", ""): (200, 200, 403),
    ("GET", "/runs/none", ""): (404, 404, 403),
    ("GET", "/settings", ""): (200, 200, 403),
    ("PUT", "/settings/windows_names", '{"value": true}'): (200, 403, 403),
    ("DELETE", "/settings/windows_names", ""): (204, 403, 403),
    ("GET", "/jobs/{job}", ""): (200, 200, 404),
    ("PATCH", "/jobs/{job}", '{"code": "renamed"}'): (200, 200, 404),
    ("PATCH", "/jobs/{job}", '{"status": "done"}'): (409, 409, 404),
    ("PATCH", "/jobs/{job}", '{"queue": "high"}'): (200, 200, 404),
    ("PATCH", "/jobs/{job}", '{"metadata": {"internal": {"a": "b"}}}'): (200, 200, 404),
    ("POST", "/jobs/{job}/resume", ""): (409, 409, 404),
    ("GET", "/queues", ""): (200, 200, 403),
    ("GET", "/queues/low", ""): (200, 200, 403),
    ("POST", "/queues", '{"code": "!"}'): (400, 403, 403),
    ("PATCH", "/queues/low", "{}"): (200, 403, 403),
    ("DELETE", "/queues/none", ""): (404, 403, 403),
    ("PATCH", "/workspace", "{}"): (200, 403, 403),
    ("PUT", "/settings/upload_rate?queue=low", '{"value": 0}'): (200, 403, 403),
    ("DELETE", "/settings/upload_rate?queue=low", ""): (204, 403, 403),
    ("PUT", "/settings/upload_rate?job={job}", '{"value": 0}'): (200, 200, 403),
    ("GET", "/settings?job={job}", ""): (200, 200, 403),
    ("POST", "/jobs/{job}/retry", ""): (409, 409, 404),
    ("GET", "/jobs/{job}/receipt", ""): (409, 409, 404),
    ("GET", "/jobs/{job}/receipt/mhl", ""): (409, 409, 404),
    ("GET", "/receipt-key", ""): (200, 200, 200),
    ("GET", "/offers/{offer}", ""): (200, 200, 404),
}


@pytest.mark.parametrize("asked", ROLES, ids=" ".join)
def test_each_role_may_do_what_the_table_says(
    house: House, people: dict[str, Person], asked: tuple[str, str, str]
) -> None:
    method, path, body = asked
    other = house.vendor()
    ids = {"user": other.id}
    if "{job}" in path or "{offer}" in path:
        job = other.job(file())
        ids |= {"job": job["id"], "offer": job["offer"]}
    ids |= {role: house.vendor(role).id for role in ("employee", "admin") if f"{{{role}}}" in path}
    found = []
    for person in people.values():
        given = body.replace("{fresh}", fresh("new")).encode() or None
        where = path.format(**ids, me=person.id)
        found.append(person.ask(method, where, body=given, headers=JSON if given else None).status)
    assert tuple(found) == ROLES[asked]


def test_employees_and_admins_see_places_and_details(house: House, vendor: Person) -> None:
    job = vendor.done(file())
    name = job["tasks"][0]["filename"]
    for who in (house.admin, house.vendor("employee")):
        seen = who.get(f"/jobs/{job['id']}").json["tasks"][0]
        assert seen["path"] == f"volume=projects/in/{name}"
        assert seen["path_abs_final"] == str(house.studio.volume / "in" / name)
        offer = who.get(f"/offers/{job['offer']}").json
        assert offer["files"][0]["path"] == f"volume=projects/in/{name}"
        assert who.get(f"/runs/{offer['run']}").json["run"]["offer"] == offer["id"]


@pytest.mark.parametrize("role", ["admin", "employee", "standard"])
@pytest.mark.parametrize("status", ["done", "running", "failed", "", "DONE"])
def test_nobody_sets_the_status_of_a_publish_but_to_paused_waiting_and_aborted(
    house: House, role: str, status: str
) -> None:
    owner = house.vendor(role)
    job = owner.job(file())
    answer = owner.ask("PATCH", f"/jobs/{job['id']}", {"status": status})
    check_shape(answer)
    assert answer.refusal == (409, "status_not_settable")
    assert owner.get(f"/jobs/{job['id']}").json["status"] == "waiting"


def test_a_job_is_aborted_by_its_status_or_by_name_and_once(vendor: Person) -> None:
    first, second = vendor.job(file()), vendor.job(file())
    assert vendor.ask("PATCH", f"/jobs/{first['id']}", {"status": "aborted"}).json["status"] == "aborted"
    assert vendor.post(f"/jobs/{second['id']}/abort").json["status"] == "aborted"
    for job in (first, second):
        assert vendor.post(f"/jobs/{job['id']}/abort").refusal == (409, "job_ended")
        assert vendor.post(f"/jobs/{job['id']}/retry").refusal == (409, "job_not_failed")


def test_a_job_is_renamed(vendor: Person) -> None:
    job = vendor.job(file())
    assert vendor.ask("PATCH", f"/jobs/{job['id']}", {"code": " sq010 comp "}).json["code"] == "sq010 comp"
    for code in ("", "  ", "x" * 256):
        assert vendor.ask("PATCH", f"/jobs/{job['id']}", {"code": code}).refusal == (400, "bad_request")


def test_there_is_no_receipt_before_everything_is_placed(vendor: Person) -> None:
    job = vendor.job(file())
    assert vendor.get(f"/jobs/{job['id']}/receipt").refusal == (409, "no_receipt")
    vendor.send_all(job)
    vendor.ended(job["id"])
    assert vendor.get(f"/jobs/{job['id']}/receipt").json["job"] == job["id"]


# --- users and keys ------------------------------------------------------------------------------------------------


def test_a_new_key_opens_and_a_revoked_one_does_not(house: House, vendor: Person) -> None:
    made = vendor.post(f"/users/{vendor.id}/keys", {"label": "laptop"}).json
    assert house.send("GET", "/me", headers=basic(vendor.code, made["api_key"])).json["id"] == vendor.id
    (_, key) = vendor.get(f"/users/{vendor.id}/keys").json["items"]
    assert (key["label"], key["expires"], key["revoked"]) == ("laptop", None, None)
    assert vendor.ask("DELETE", f"/users/{vendor.id}/keys/{key['id']}").status == 204
    assert house.send("GET", "/me", headers=basic(vendor.code, made["api_key"])).status == 401
    assert vendor.get("/me").status == 200
    assert vendor.get(f"/users/{vendor.id}/keys").json["items"][1]["revoked"] is not None


def test_a_key_expires(house: House, vendor: Person) -> None:
    made = vendor.post(f"/users/{vendor.id}/keys", {"days": 1}).json
    credentials = basic(vendor.code, made["api_key"])
    assert house.send("GET", "/me", headers=credentials).status == 200
    house.write("UPDATE api_keys SET expires = 1 WHERE user_id = ? AND expires IS NOT NULL", vendor.id)
    assert house.send("GET", "/me", headers=credentials).status == 401


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_a_key_that_never_held_is_refused(vendor: Person, days: int) -> None:
    assert vendor.post(f"/users/{vendor.id}/keys", {"days": days}).refusal == (400, "bad_request")


def test_keys_are_listed_without_their_secrets(house: House, vendor: Person) -> None:
    answer = vendor.get(f"/users/{vendor.id}/keys")
    assert set(answer.json["items"][0]) == {"id", "label", "created", "expires", "revoked"}
    assert vendor.api_key.rpartition("_")[2].encode() not in answer.body
    assert b"api_key" not in house.admin.get("/users?limit=500").body


def test_the_name_of_a_user_is_compared_as_people_compare_it(house: House, vendor: Person) -> None:
    assert house.send("GET", "/me", headers=basic(vendor.code.upper(), vendor.api_key)).json["id"] == vendor.id


def test_a_disabled_user_is_let_in_again_when_enabled(house: House, vendor: Person) -> None:
    for status, expected in (("disabled", 401), ("enabled", 200)):
        assert house.admin.ask("PATCH", f"/users/{vendor.id}", {"status": status}).json["status"] == status
        assert vendor.get("/me").status == expected


def test_a_user_exists_once(house: House, vendor: Person) -> None:
    answer = house.admin.post("/users", {"code": vendor.code.upper()})
    assert answer.refusal == (409, "user_exists")


# --- settings and the document -------------------------------------------------------------------------------------


def test_every_setting_is_shown_with_its_reason(house: House) -> None:
    items = house.admin.get("/settings").json["items"]
    assert {item["name"]: (item["default"], item["reason"]) for item in items} == {
        name: (setting.default, setting.reason) for name, setting in SETTINGS.items()
    }


def test_a_setting_takes_effect_at_once_and_goes_back(house: House, vendor: Person) -> None:
    name = "CON"
    entry = file(name)
    vendor.plan({name: {"can_publish": True, "path": f"volume=projects/in/{fresh()}"}})
    assert vendor.offer(entry).code == "manifest_refused"
    with house.setting("windows_names", False):
        assert vendor.offer(entry).status == 201
    assert vendor.offer(entry).code == "manifest_refused"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("windows_names", "maybe"),
        ("windows_names", 2),
        ("durability", "never"),
        ("offer_files", 0),
        ("offer_files", "x"),
    ],
)
def test_a_setting_takes_no_nonsense(house: House, name: str, value: Any) -> None:
    answer = house.admin.ask("PUT", f"/settings/{name}", {"value": value})
    check_shape(answer)
    assert answer.refusal == (400, "setting_refused")


def test_the_document_names_every_route_and_how_to_sign_in(vendor: Person) -> None:
    answer = vendor.get("/openapi/openapi.json")
    document = json.loads(answer.body)
    assert document["openapi"].startswith("3.")
    assert document["security"] == [{"basic": []}, {"cookie": []}]
    assert document["components"]["securitySchemes"]["basic"]["scheme"] == "basic"
    assert {"offers", "jobs", "uploads"} <= {path.split("/")[3] for path in document["paths"] if path.startswith(V1)}


def test_health_needs_no_sign_in(house: House) -> None:
    answer = house.send("GET", "/healthz", headers={"Authorization": "Basic " + b64encode(b"x:y").decode()})
    assert (answer.status, answer.json["status"]) == (200, "ok")


def test_the_example_of_the_manual_runs_as_it_stands(house: House, vendor: Person, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    script = page.split("```sh\n")[1].split("```")[0]
    place = fresh("manual")
    vendor.plan({"shot_v001": {"can_publish": True, "path": f"volume=projects/{place}"}}, comment=True)
    words = {"URL": house.studio.url, "STAGEDOOR_USER": vendor.code, "STAGEDOOR_API_KEY": vendor.api_key}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=clean(**words), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[[14,17]]" in done.stdout
    assert "\ndone\n" in done.stdout
    placed = house.studio.volume / place
    assert (placed / "shot.1001.exr").read_text() == "first frame"
    assert (placed / "notes" / "readme.txt").read_text() == "hello\n"
    (job,) = vendor.get("/jobs?finished=true&tasks=true").json["items"]
    assert job["tasks"][0]["answers"] == {"comment": "first take"}


def test_a_refusal_reaches_a_client_that_is_still_sending(house: House) -> None:
    """The reason, not a broken line: sign-in is refused before the body is read."""
    body = b"x" * 30_000_000
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", house.studio.port), 10) as line:
            line.sendall(
                b"POST /api/v1/offers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            assert line.recv(12) == b"HTTP/1.1 401"
