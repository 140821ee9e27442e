"""What changes is told as it happens: to those whose it is, and to nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import urllib3
from some_records import NOW, submitted, user_of
from sqlalchemy import event

from rest import V1, House, Person, file, fresh
from stagedoor.api import events
from stagedoor.lifecycle.receive import Receiving
from stagedoor.lifecycle.tally import Tally
from stagedoor.lifecycle.watching import MOST, OVERLAP, Watching
from stagedoor.model import errors
from stagedoor.model.entities import Changed, Role, User
from stagedoor.model.signin import Known
from stagedoor.model.states import JobFact, JobState
from stagedoor.records import Records
from studio import Studio, until

T = TypeVar("T")
Event = tuple[str, dict[str, Any]]


class Stream:
    """A stream of events, read until one is as wanted."""

    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self.answer = answer
        self.seen: list[Event] = []
        self._lines = self._split()

    def _split(self) -> Iterator[str]:
        rest = b""
        while chunk := self.answer.read1():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode() for line in lines)

    def __iter__(self) -> Iterator[Event]:
        name = ""
        for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            if field == "data":
                self.seen.append((name, json.loads(value)))
                yield self.seen[-1]

    def until(self, job_id: str, **wanted: object) -> dict[str, Any]:
        for name, data in self:
            if name == "job" and data["id"] == job_id and wanted.items() <= data.items():
                return data
        raise AssertionError(f"the stream ended before {wanted}: {self.seen}")


@contextmanager
def listening(house: House, who: Person) -> Iterator[Stream]:
    """From `start` on."""
    pool = urllib3.PoolManager(retries=False, timeout=30)
    with pool.request(
        "GET", f"{house.studio.url}{V1}/events", headers=who.credentials, preload_content=False
    ) as answer:
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = Stream(answer)
        assert next(iter(stream)) == ("start", {})
        yield stream


def test_a_job_is_told_from_its_submit_to_its_end(house: House, vendor: Person) -> None:
    with listening(house, vendor) as stream:
        job = vendor.job(file(fresh("clip.mov"), 10))
        assert stream.until(job["id"]) == {
            "id": job["id"],
            "status": "waiting",
            "phase": "upload",
            "size": 10,
            "received": 0,
            "progress": 0,
            "speed": -1.0,
            "etr": "",
        }
        assert vendor.part(job["tasks"][0]["upload"], bytes(4), total=10).status == 200
        assert stream.until(job["id"], status="running")["received"] == 4
        assert vendor.part(job["tasks"][0]["upload"], bytes(6), start=4, total=10).status == 200
        assert stream.until(job["id"], status="done")["progress"] == 100


def test_a_vendor_is_told_of_their_own_jobs_and_the_studio_of_all(house: House, vendor: Person) -> None:
    other = house.vendor()
    with listening(house, vendor) as mine, listening(house, house.admin) as studio:
        foreign = other.done(file())["id"]
        own = vendor.done(file())["id"]
        mine.until(own, status="done")
        studio.until(own, status="done")
    assert {data["id"] for name, data in mine.seen if name == "job"} == {own}
    assert {foreign, own} <= {data["id"] for name, data in studio.seen if name == "job"}


def test_nobody_listens_without_signing_in(house: House) -> None:
    assert house.send("GET", "/events").refusal == (401, "sign_in_refused")


def test_streams_end_with_the_server(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    studio.start()
    house = House(studio)
    with listening(house, house.admin) as stream:
        studio.stop()
        assert list(stream) == []
    assert "Traceback" not in studio.output()


@contextmanager
def statements(records: Records) -> Iterator[list[str]]:
    """What the database is asked."""
    asked: list[str] = []

    def hear(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        asked.append(text)

    event.listen(records.database.engine, "before_cursor_execute", hear)
    yield asked
    event.remove(records.database.engine, "before_cursor_execute", hear)


# --- without a server ----------------------------------------------------------------------------------------------


def in_a_loop(made: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: where browsers are tested beside this, the thread of the tests has a loop already."""
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(asyncio.run, made).result()


def somebody(name: str = "a", role: Role = Role.ADMIN) -> User:
    return User(id=name * 24, code=f"{name}@example.com", role=role)


def broadcast_of(watching: Any) -> events.Broadcast:
    return events.Broadcast(watching)


def watching_of(records: Records) -> Watching:
    receiving = Receiving(records.house, records.jobs, None, None, lambda: NOW, Tally())  # type: ignore[arg-type]
    return Watching(records.lists, receiving, lambda: NOW)


async def read(broadcast: events.Broadcast, who: User, count: int, still: Any = None) -> list[bytes]:
    async def signed_in() -> Known:
        return Known(user=who)

    found: list[bytes] = []
    stream = events._told(broadcast, who, still or signed_in)
    async for chunk in stream:
        found.append(chunk)
        if len(found) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("now", [None, somebody(role=Role.STANDARD)], ids=["signed-out", "another-role"])
def test_a_stream_ends_when_who_listens_is_not_who_they_were(
    records: Records, monkeypatch: pytest.MonkeyPatch, now: User | None
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.01)

    async def still() -> Known:
        if now is None:
            raise errors.SignInRefused
        return Known(user=now)

    found = in_a_loop(read(broadcast_of(watching_of(records)), somebody(), 1000, still))
    assert found == [events._RETRY, events._START]  # and nothing that came after they were found out


def test_two_hundred_listeners_cost_the_database_what_one_does(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "EVERY", 0.01)
    owner = user_of(records)
    looks = []
    watching = watching_of(records)
    seen = watching.look
    watching.look = lambda: looks.append(1) or seen()  # type: ignore[method-assign,func-returns-value]

    async def all_of_them() -> list[list[bytes]]:
        broadcast = broadcast_of(watching)
        readers = [asyncio.create_task(read(broadcast, somebody(), 3)) for _ in range(10)]
        readers += [asyncio.create_task(read(broadcast, somebody(chr(98 + n % 20)), 3)) for n in range(190)]
        await asyncio.sleep(0.05)
        job = await asyncio.to_thread(submitted, records, owner, "/p/a")
        with statements(records) as asked:
            before = len(looks)
            found = await asyncio.gather(*readers)
        assert len([text for text in asked if "FROM audit" in text]) <= len(looks) - before + 1
        assert all(job.id.encode() in chunks[-1] for chunks in found)
        return found

    assert len(in_a_loop(all_of_them())) == 200
    assert not in_a_loop(_still_looking(watching, looks))


async def _still_looking(watching: Watching, looks: list[int]) -> bool:
    """Nobody listens any more."""
    before = len(looks)
    await asyncio.sleep(0.05)
    return len(looks) > before


def test_who_opens_too_many_streams_is_refused(records: Records) -> None:
    broadcast = broadcast_of(watching_of(records))

    async def many() -> None:
        contexts = [broadcast.listening(somebody()) for _ in range(events.MOST_OF_ONE)]
        for context in contexts:
            context.__enter__()
        with pytest.raises(errors.Busy):
            broadcast.check_room(somebody())
        broadcast.check_room(somebody("b"))
        for context in contexts:
            context.__exit__(None, None, None)

    in_a_loop(many())


class Flood:
    """More changes than are told."""

    def changed(self, since: int, most: int) -> list[Changed]:
        return [Changed(f"{n:024x}", "a" * 24, JobState.PROVING, 1, 0, 1) for n in range(most)]

    def untold(self) -> dict[str, int]:
        return {}


def test_where_too_much_changes_everybody_is_told_to_ask_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "EVERY", 0.01)
    flood: Any = Flood()
    assert len(flood.changed(0, MOST)) == MOST
    found = in_a_loop(read(broadcast_of(Watching(flood, flood, lambda: NOW)), somebody("b"), 3))
    assert found[1:] == [events._START, events._START]


def test_after_too_much_has_changed_it_is_not_looked_at_again_and_said_once_more() -> None:
    asked: list[int] = []
    now = [NOW]

    class Once(Flood):
        def changed(self, since: int, most: int) -> list[Changed]:
            asked.append(since)
            return super().changed(since, most) if len(asked) == 1 else []

    book: Any = Once()
    watching = Watching(book, book, lambda: now[0])
    watching.begin()
    said = []
    for _ in range(16):
        said.append(watching.look())
        now[0] += 1000
    assert [number for number, news in enumerate(said) if news is None] == [0, OVERLAP // 1000]
    assert min(asked[1:]) == NOW


def test_a_job_that_did_not_change_is_not_told_again(records: Records) -> None:
    watching = watching_of(records)
    watching.begin()
    submitted(records, user_of(records), "/p/a")
    until(lambda: watching.look())
    assert watching.look() == []


def test_a_job_that_comes_to_the_same_state_anew_is_told_again(records: Records) -> None:
    """Else a page that has seen what was between waits for ever."""
    watching = watching_of(records)
    watching.begin()
    job = submitted(records, user_of(records), "/p/a")
    records.jobs.move(job.id, JobFact.PAUSED, NOW)
    until(lambda: watching.look())
    assert watching.look() == []
    records.jobs.move(job.id, JobFact.RESUMED, NOW + 1)
    records.jobs.move(job.id, JobFact.PAUSED, NOW + 2)
    (told,) = watching.look() or []
    assert told.job.status == "paused"
