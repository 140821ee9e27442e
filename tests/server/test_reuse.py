"""What the studio has already is not sent: recognised by content, copied there, and never another vendor's."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from breaking import submit
from counting import Line, line_to
from rest import Answer, House, Person, fresh
from stagedoor import Session, scan
from stagedoor.client.progress import Progress
from studio import tree, until

KIB = 1024
FRAMES = range(1001, 1021)


def shot(folder: Path, version: int = 1, size: int = 128 * KIB) -> Path:
    """Frames that resemble nothing else, and an empty file."""
    made = folder / f"{fresh('shot')}_v{version:03}"
    made.mkdir()
    for number in FRAMES:
        (made / f"comp_v{version:03}.{number}.exr").write_bytes(os.urandom(size))
    (made / "empty.txt").touch()
    return made


def next_version(source: Path, version: int, *changed: int) -> Path:
    """The same frames under the names of another version, but for those that changed."""
    stem = source.name.rpartition("_v")[0]
    made = source.with_name(f"{stem}_v{version:03}")
    made.mkdir()
    for path in source.iterdir():
        name = path.name.replace(source.name[-4:], f"v{version:03}")
        shutil.copy2(path, made / name)
        if path.suffix == ".exr" and int(path.suffixes[-2][1:]) in changed:
            (made / name).write_bytes(os.urandom(path.stat().st_size))
    return made


def session_of(person: Person, url: str = "") -> Session:
    return Session(url=url or person.house.studio.url, username=person.code, api_key=person.api_key)


def published(person: Person, source: Path) -> dict[str, Any]:
    session = session_of(person)
    job = session.wait(session.upload(submit(session, [source])), seconds=60)
    assert job["status"] == "done", job
    return job


@pytest.fixture
def line(house: House) -> Iterator[Line]:
    with line_to(house.studio) as made:
        yield made


def sent_for(line: Line, person: Person, source: Path, **options: Any) -> int:
    """Bytes of parts that a publish sends; everything has arrived then as it should."""
    before = line.sent
    session = session_of(person, line.url)
    job = session.wait(session.upload(submit(session, [source]), **options), seconds=60)
    assert job["status"] == "done", job
    assert tree(person.house.studio.volume / "in" / source.name) == tree(source)
    receipt = {file["path"]: file["blake3"] for file in session.receipt(job)["entries"][0]["files"]}
    assert receipt == {path.name: blake3(path.read_bytes()).hexdigest() for path in source.iterdir()}
    return line.sent - before


def size_of(source: Path) -> int:
    return sum(path.stat().st_size for path in source.iterdir())


# --- what is re-used ------------------------------------------------------------------------------------------------


def test_where_nine_frames_in_ten_are_unchanged_a_tenth_is_sent(vendor: Person, line: Line, tmp_path: Path) -> None:
    """On the line, everything counted, at most 12 %."""
    first = shot(tmp_path)
    published(vendor, first)
    second = next_version(first, 2, 1004, 1011)
    assert sent_for(line, vendor, second) == size_of(second) // 10
    assert line.passed <= 0.12 * size_of(second)


def test_a_third_version_is_made_of_the_second_and_the_first(vendor: Person, line: Line, tmp_path: Path) -> None:
    first = shot(tmp_path)
    second = next_version(first, 2, 1004)
    third = next_version(second, 3)
    (third / "comp_v003.1004.exr").write_bytes((first / "comp_v001.1004.exr").read_bytes())
    published(vendor, first)
    published(vendor, second)
    assert sent_for(line, vendor, third) == 0


def test_a_file_is_recognised_too(vendor: Person, line: Line, tmp_path: Path) -> None:
    name = fresh("plate")
    for version in (1, 2):
        (tmp_path / f"{name}_v{version}.mov").write_bytes(b"moving" * 50_000)
    published(vendor, tmp_path / f"{name}_v1.mov")
    session = session_of(vendor, line.url)
    session.upload(submit(session, [tmp_path / f"{name}_v2.mov"]))
    assert line.sent == 0


def test_what_had_arrived_of_an_aborted_job_is_not_sent_again(vendor: Person, line: Line, tmp_path: Path) -> None:
    source = shot(tmp_path)
    session = session_of(vendor)
    job = submit(session, [source])
    arrived = b"".join(path.read_bytes() for path in sorted(source.iterdir()))[: 1000 * KIB]
    assert vendor.part(job["tasks"][0]["upload"], arrived, total=size_of(source)).status == 200
    session.abort(job)
    assert sent_for(line, vendor, source) == size_of(source) - 7 * 128 * KIB, "seven files were whole"


def test_what_had_arrived_of_a_failed_job_is_not_sent_again(
    house: House, vendor: Person, line: Line, tmp_path: Path
) -> None:
    source = shot(tmp_path)
    session = session_of(vendor)
    job = submit(session, [source])
    (house.studio.volume / "in" / source.name).mkdir(parents=True)
    job = session.wait(session.upload(job), seconds=60)
    assert (job["status"], job["phase"]) == ("failed", "place")
    assert sent_for(line, vendor, next_version(source, 2)) == 0


def test_what_the_studio_changed_since_is_sent(house: House, vendor: Person, line: Line, tmp_path: Path) -> None:
    first = shot(tmp_path)
    published(vendor, first)
    place = house.studio.volume / "in" / first.name
    (place / "comp_v001.1001.exr").write_bytes(os.urandom(128 * KIB))
    (place / "comp_v001.1002.exr").write_bytes(b"shorter")
    (place / "comp_v001.1003.exr").unlink()
    assert sent_for(line, vendor, next_version(first, 2)) == 3 * 128 * KIB


def test_an_upload_under_way_goes_on_and_re_uses_what_it_lacks(vendor: Person, line: Line, tmp_path: Path) -> None:
    """A file that has arrived in part is sent to its end."""
    first = shot(tmp_path)
    published(vendor, first)
    second = next_version(first, 2, 1020)
    session = session_of(vendor, line.url)
    job = submit(session, [second])
    half = (second / "comp_v002.1001.exr").read_bytes()[: 64 * KIB]
    assert vendor.part(job["tasks"][0]["upload"], half, total=size_of(second)).status == 200
    job = session.wait(session.upload(job), seconds=60)
    assert job["status"] == "done"
    assert line.sent == 64 * KIB + 128 * KIB


def test_without_re_use_everything_is_sent(vendor: Person, line: Line, tmp_path: Path) -> None:
    first = shot(tmp_path)
    published(vendor, first)
    second = next_version(first, 2)
    assert sent_for(line, vendor, second, reuse=False) == size_of(second)


def test_progress_counts_what_was_there_already(vendor: Person, line: Line, tmp_path: Path) -> None:
    first = shot(tmp_path)
    published(vendor, first)
    second = next_version(first, 2, 1001)
    told: list[Progress] = []
    sent_for(line, vendor, second, progress=told.append)
    assert (told[-1].sent, told[-1].reused) == (size_of(second), 19 * 128 * KIB)
    assert [one.sent for one in told] == sorted(one.sent for one in told)


def test_the_command_line_says_what_was_there_already(house: House, vendor: Person, tmp_path: Path) -> None:
    first = shot(tmp_path)
    published(vendor, first)
    said = house.studio.client(vendor.account, "publish", str(next_version(first, 2)))
    assert said.returncode == 0, said.stderr
    assert "2.6 MB were at the studio already." in said.stderr
    said = house.studio.client(vendor.account, "publish", "--no-reuse", str(next_version(first, 3)))
    assert said.returncode == 0, said.stderr
    assert "already" not in said.stderr


def test_what_had_arrived_of_an_aborted_job_is_kept_for_a_time(house: House, vendor: Person, tmp_path: Path) -> None:
    session = session_of(vendor)
    job = submit(session, [shot(tmp_path)])
    session.abort(job)
    staging = house.studio.volume / ".stagedoor" / job["tasks"][0]["upload"]
    assert staging.is_dir()
    with house.setting("keep_aborted_hours", 0):
        until(lambda: not staging.exists())


# --- which are looked at --------------------------------------------------------------------------------------------


def candidates(person: Person, job: dict[str, Any]) -> list[Any]:
    answer = person.get(f"/jobs/{job['id']}/reuse")
    assert answer.status == 200, answer
    return [task["files"] for task in answer.json["tasks"]]


def test_only_files_of_the_same_size_and_a_similar_name_are_hashed(vendor: Person, tmp_path: Path) -> None:
    first = shot(tmp_path)
    published(vendor, first)
    second = next_version(first, 2)
    (second / "comp_v002.1003.exr").write_bytes(os.urandom(128 * KIB + 1))
    (second / "comp_v002.1005.exr").rename(second / "zzz.1005.exr")
    job = submit(session_of(vendor), [second])
    assert candidates(vendor, job) == [[[0, 2], [3, 19]]], "neither the grown nor the renamed, nor the empty one"


def test_little_is_not_worth_looking_for(vendor: Person, tmp_path: Path) -> None:
    first = shot(tmp_path, size=3 * KIB)
    published(vendor, first)
    assert candidates(vendor, submit(session_of(vendor), [next_version(first, 2)])) == []


def test_what_has_arrived_is_not_looked_at(vendor: Person, tmp_path: Path) -> None:
    first = shot(tmp_path)
    published(vendor, first)
    job = published(vendor, next_version(first, 2))
    assert candidates(vendor, job) == []


# --- strangers ------------------------------------------------------------------------------------------------------


def name(person: Person, job: dict[str, Any], digest: bytes, number: int = 0) -> Answer:
    """Name one file of the job's only entry by a blake3."""
    files = {
        "task": job["tasks"][0]["id"],
        "files": [[number, number + 1]],
        "blake3": base64.b64encode(digest).decode(),
    }
    return person.post(f"/jobs/{job['id']}/reuse", {"tasks": [files]})


def received(person: Person, job: dict[str, Any]) -> int:
    return int(person.get(f"/uploads/{job['tasks'][0]['upload']}").json["received"])


def plain(answer: Answer) -> tuple[int, bytes]:
    return answer.status, answer.body


def test_another_vendors_content_is_as_if_it_had_never_been_there(house: House, vendor: Person, tmp_path: Path) -> None:
    first = shot(tmp_path)
    published(vendor, first)
    digest = blake3((first / "comp_v001.1001.exr").read_bytes()).digest()
    rival, theirs = house.vendor(), next_version(first, 2)
    job = submit(session_of(rival), [theirs])

    assert candidates(rival, job) == []
    assert plain(name(rival, job, digest)) == plain(name(rival, job, bytes(32))) == (200, b'{"received":[],"left":[]}')
    assert received(rival, job) == 0
    assert not list((house.studio.volume / ".stagedoor" / job["tasks"][0]["upload"] / "data").rglob("*.exr"))

    session_of(rival).abort(job)
    own = submit(session_of(vendor), [theirs])
    assert name(vendor, own, digest).json["received"] == [{"task": own["tasks"][0]["id"], "files": [[0, 1]]}]
    assert received(vendor, own) == 128 * KIB


def test_who_works_at_the_studio_cannot_have_a_vendors_job_copy_either(
    house: House, vendor: Person, tmp_path: Path
) -> None:
    """Bytes come from the owner alone."""
    job = submit(session_of(vendor), [shot(tmp_path)])
    for path in (job["id"], "0" * 24):
        for method, body in (("GET", None), ("POST", {"tasks": []})):
            assert house.admin.ask(method, f"/jobs/{path}/reuse", body).refusal == (404, "not_found")


def test_never_there_and_no_longer_there_are_answered_the_same(house: House, vendor: Person, tmp_path: Path) -> None:
    first = shot(tmp_path)
    published(vendor, first)
    place = house.studio.volume / "in" / first.name
    digests = [blake3(path.read_bytes()).digest() for path in sorted(first.iterdir())]
    (place / "comp_v001.1001.exr").unlink()
    (place / "comp_v001.1002.exr").write_bytes(bytes(128 * KIB))
    job = submit(session_of(vendor), [next_version(first, 2)])
    answers = {plain(name(vendor, job, digest)) for digest in (digests[0], digests[1], bytes(32))}
    assert answers == {(200, b'{"received":[],"left":[]}')}


def test_what_is_named_twice_arrives_once(vendor: Person, tmp_path: Path) -> None:
    first = shot(tmp_path)
    published(vendor, first)
    digest = blake3((first / "comp_v001.1001.exr").read_bytes()).digest()
    job = submit(session_of(vendor), [next_version(first, 2)])
    assert plain(name(vendor, job, digest)) == plain(name(vendor, job, digest))
    assert received(vendor, job) == 128 * KIB


def test_what_is_named_wrongly_is_refused(vendor: Person, tmp_path: Path) -> None:
    job = submit(session_of(vendor), [shot(tmp_path)])
    task = job["tasks"][0]["id"]
    one = base64.b64encode(bytes(32)).decode()

    def refusal(**named: Any) -> tuple[int, str]:
        tasks = [{"task": task, "files": [[0, 1]], "blake3": one, **named}]
        return vendor.post(f"/jobs/{job['id']}/reuse", {"tasks": tasks}).refusal

    assert refusal(files=[[0, 2]]) == (400, "bad_request")
    assert refusal(files=[[1, 1]], blake3="") == (400, "bad_request")
    assert refusal(files=[[-1, 0]]) == (400, "bad_request")
    assert refusal(files=[[0, 10**15]]) == (400, "bad_request")
    many = base64.b64encode(bytes(32 * 20_001)).decode()
    assert refusal(files=[[0, 20_001]], blake3=many) == (413, "limit_exceeded")
    assert refusal(files=[[21, 22]]) == (400, "bad_request")
    assert refusal(blake3="no base64") == (400, "bad_request")
    assert refusal(task="f" * 24) == (404, "not_found")
    session_of(vendor).abort(job)
    assert refusal() == (409, "upload_closed")


def test_a_source_that_changed_is_named_and_not_re_used(vendor: Person, tmp_path: Path) -> None:
    import msgspec

    from stagedoor.client import source
    from stagedoor.client.errors import SourceChanged
    from stagedoor.client.reuse import digest_of
    from stagedoor.wire.tree import Entry

    folder = shot(tmp_path)
    entry = msgspec.convert(scan([folder])[0], Entry)
    found = source.find(entry, str(folder))
    path = folder / "comp_v001.1001.exr"
    assert digest_of(found, 0) == blake3(path.read_bytes()).digest()
    path.write_bytes(os.urandom(128 * KIB))
    with pytest.raises(SourceChanged, match=r"1001.exr was modified while it was read"):
        digest_of(found, 0)
    path.unlink()
    with pytest.raises(SourceChanged, match="is gone"):
        digest_of(found, 0)
