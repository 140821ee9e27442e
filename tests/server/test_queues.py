"""Queues, pauses, entries held and left out, settings and metadata, on a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from breaking import MIB, ended_well, furnished, publishing
from counting import line_to
from rest import Answer, House, Person, file, fresh
from studio import Studio, frames, tree, until

Job = dict[str, Any]


def look(person: Person, job: Job) -> Job:
    return dict(person.get(f"/jobs/{job['id']}").json)


def change(person: Person, job: Job, **changes: Any) -> Answer:
    return person.ask("PATCH", f"/jobs/{job['id']}", changes)


def set_task(person: Person, job: Job, entry: dict[str, Any], status: str) -> Answer:
    return person.ask("PATCH", f"/jobs/{job['id']}/tasks/{entry['id']}", {"status": status})


def ends(person: Person, job: Job) -> Job:
    until(lambda: look(person, job)["status"] in ("done", "failed"))
    return look(person, job)


def send(person: Person, job: Job, *entries: dict[str, Any]) -> None:
    """The bytes of these entries of a job."""
    ids = {entry["id"] for entry in entries}
    person.send_all({**job, "tasks": [task for task in job["tasks"] if task["id"] in ids]})


@pytest.fixture
def paused(house: House) -> Iterator[str]:
    """A queue of one's own that is paused."""
    code = fresh("queue")
    assert house.admin.post("/queues", {"code": code, "priority": 700}).status == 201
    assert house.admin.ask("PATCH", f"/queues/{code}", {"status": "paused"}).json["status"] == "paused"
    yield code
    house.admin.ask("PATCH", f"/queues/{code}", {"status": "waiting"})


# --- queues ---------------------------------------------------------------------------------------------------------


def test_the_studio_chooses_the_queue_and_a_vendor_learns_of_none(house: House, vendor: Person) -> None:
    job = vendor.job(file())
    assert [job["queue"], job["queue_hr"]] == ["", ""]
    assert look(house.admin, job)["queue_hr"] == "medium"
    entry = file()
    vendor.offered(entry)
    assert vendor.submit(entry["id"], queue="high").refusal == (403, "queue_not_allowed")
    assert vendor.submit(entry["id"], queue="no-such").refusal == (403, "queue_not_allowed")
    assert change(vendor, job, queue="high").refusal == (403, "forbidden")
    employee = house.vendor("employee")
    assert change(employee, job, queue="HIGH").json["queue_hr"] == "high"
    assert change(employee, job, queue="no-such").refusal == (404, "queue_unknown")
    assert employee.post("/queues", {"code": "mine"}).status == 403
    employee.offered(entry := file())
    assert employee.submit(entry["id"], queue="low").json["queue_hr"] == "low"


def test_a_paused_queue_takes_bytes_and_begins_no_step(house: House, vendor: Person, paused: str) -> None:
    entry = file(size=9)
    job = vendor.job(entry)
    assert change(house.admin, job, queue=paused).status == 200
    send(vendor, job, entry)
    seen, told = look(house.admin, job), look(vendor, job)
    assert [seen["status"], seen["phase"], seen["progress"]] == ["waiting", "prove", 100]
    assert seen["waits_for"] == f"The queue {paused} is paused."
    assert told["waits_for"] == "Everything has arrived; it waits for its turn at the studio."
    shown = house.admin.get(f"/queues/{paused}").json
    assert [shown["running"], shown["waiting"]] == [0, 1]
    assert house.admin.ask("DELETE", f"/queues/{paused}").refusal == (409, "queue_in_use")
    house.admin.ask("PATCH", f"/queues/{paused}", {"status": "waiting"})
    assert ends(vendor, job)["status"] == "done"
    assert house.published(job["id"])["queue_hr"] == paused
    assert house.admin.ask("DELETE", f"/queues/{paused}").status == 204


# --- pauses ---------------------------------------------------------------------------------------------------------


def test_a_paused_job_takes_no_bytes_and_what_the_studio_paused_it_resumes(house: House, vendor: Person) -> None:
    entry = file(size=9)
    job = vendor.job(entry)
    assert vendor.post(f"/jobs/{job['id']}/resume").refusal == (409, "job_not_paused")
    assert change(vendor, job, status="paused").json["status"] == "paused"
    upload = job["tasks"][0]["upload"]
    assert vendor.part(upload, b"abc", total=9).refusal == (409, "job_paused")
    assert vendor.get(f"/uploads/{upload}").json["open"] is False
    assert house.admin.post(f"/jobs/{job['id']}/pause").json["error_code"] == "paused_by_studio"
    assert vendor.post(f"/jobs/{job['id']}/pause").json["error_code"] == "paused_by_studio"
    refused = vendor.post(f"/jobs/{job['id']}/resume")
    assert refused.refusal == (403, "paused_by_studio")
    assert house.admin.code not in refused.json["message"]
    assert change(house.admin, job, status="waiting").json["status"] == "waiting"
    send(vendor, job, entry)
    assert ends(vendor, job)["status"] == "done"
    assert vendor.post(f"/jobs/{job['id']}/pause").refusal == (409, "job_not_pausable")


def test_a_job_that_is_paused_while_it_waits_for_its_turn_is_passed_over(
    house: House, vendor: Person, paused: str
) -> None:
    entry = file(size=9)
    job = vendor.job(entry)
    change(house.admin, job, queue=paused)
    send(vendor, job, entry)
    assert [vendor.post(f"/jobs/{job['id']}/pause").json[key] for key in ("status", "phase")] == ["paused", "prove"]
    house.admin.ask("PATCH", f"/queues/{paused}", {"status": "waiting"})
    assert look(vendor, job)["status"] == "paused"
    vendor.post(f"/jobs/{job['id']}/resume")
    assert ends(vendor, job)["status"] == "done"


# --- entries --------------------------------------------------------------------------------------------------------


def test_an_entry_on_hold_keeps_the_job_and_released_it_goes_on(house: House, vendor: Person) -> None:
    held, other = file(size=5), file(size=7)
    job = vendor.job(held, other)
    assert set_task(vendor, job, held, "onhold").refusal == (403, "forbidden")
    assert set_task(house.admin, job, held, "onhold").json["tasks"][0]["status"] == "onhold"
    assert vendor.part(job["tasks"][0]["upload"], b"abc", total=5).refusal == (409, "entry_on_hold")
    send(vendor, job, other)
    seen = look(vendor, job)
    assert [seen["status"], seen["error_code"]] == ["paused", "on_hold"]
    for person in (vendor, house.admin):
        assert person.post(f"/jobs/{job['id']}/resume").refusal == (409, "on_hold")
    assert set_task(house.admin, job, held, "queued").json["status"] == "waiting"
    send(vendor, job, held)
    assert ends(vendor, job)["status"] == "done"
    assert {entry["id"] for entry in house.published(job["id"])["files"]} == {held["id"], other["id"]}
    assert set_task(house.admin, job, held, "excluded").refusal == (409, "entry_not_settable")
    assert set_task(house.admin, job, held, "done").refusal == (409, "status_not_settable")


def test_a_job_goes_on_without_the_entry_that_is_left_out(house: House, vendor: Person) -> None:
    out, other = file(size=5), file(size=7)
    job = vendor.job(out, other)
    send(vendor, job, other)
    assert look(vendor, job)["progress"] == 58
    set_task(house.admin, job, out, "excluded")
    ended = ends(vendor, job)
    assert [ended["status"], ended["size"], ended["progress"]] == ["done", 7, 100]
    told = house.published(job["id"])
    assert told["excluded"] == [out["id"]]
    assert [entry["id"] for entry in told["files"]] == [entry["id"] for entry in told["tasks"]] == [other["id"]]
    assert [entry["id"] for entry in vendor.get(f"/jobs/{job['id']}/receipt").json["entries"]] == [other["id"]]
    there = house.studio.volume / "in"
    assert [(there / entry["filename"]).exists() for entry in (out, other)] == [False, True]


def test_entries_change_also_when_all_has_arrived(house: House, vendor: Person, paused: str) -> None:
    one, two, three = file(size=5), file(size=7), file(size=9)
    job = vendor.job(one, two, three)
    change(house.admin, job, queue=paused)
    send(vendor, job, one, two, three)
    set_task(house.admin, job, one, "onhold")
    assert [look(vendor, job)[key] for key in ("status", "phase")] == ["paused", "upload"]
    set_task(house.admin, job, two, "excluded")
    set_task(house.admin, job, one, "queued")
    assert [look(vendor, job)[key] for key in ("status", "phase", "size")] == ["waiting", "prove", 14]
    house.admin.ask("PATCH", f"/queues/{paused}", {"status": "waiting"})
    assert ends(vendor, job)["status"] == "done"
    assert house.published(job["id"])["excluded"] == [two["id"]]


def test_the_last_entry_cannot_be_left_out(house: House, vendor: Person) -> None:
    job = vendor.job(entry := file())
    assert set_task(house.admin, job, entry, "excluded").refusal == (409, "last_entry")
    assert look(vendor, job)["tasks"][0]["status"] == "pending"


# --- settings and metadata ------------------------------------------------------------------------------------------


def test_settings_say_where_they_come_from_and_who_may_set_them(house: House, vendor: Person, paused: str) -> None:
    job = vendor.job(file())
    employee = house.vendor("employee")
    change(house.admin, job, queue=paused)

    def rate() -> list[Any]:
        shown = {item["name"]: item for item in employee.get(f"/settings?job={job['id']}").json["items"]}
        return [shown["upload_rate"][key] for key in ("value", "level", "set_on")]

    assert rate() == [0, "default", ""]
    assert employee.ask("PUT", f"/settings/upload_rate?queue={paused}", {"value": 7}).status == 403
    assert house.admin.ask("PUT", f"/settings/upload_rate?queue={paused}", {"value": 7}).status == 200
    assert rate() == [7, "queue", paused]
    assert employee.ask("PUT", f"/settings/upload_rate?job={job['id']}", {"value": 3}).status == 200
    assert rate() == [3, "job", job["id"]]
    assert employee.ask("DELETE", f"/settings/upload_rate?job={job['id']}").status == 204
    assert rate() == [7, "queue", paused]
    assert house.admin.ask("PUT", f"/settings/durability?queue={paused}", {"value": "flush"}).status == 400
    assert house.admin.get("/settings?queue=low&volume=projects").status == 400
    assert house.admin.get("/settings?queue=no-such").refusal == (404, "queue_unknown")
    for query in ("", "?queue=low", "?volume=projects", f"?job={job['id']}"):
        assert vendor.get(f"/settings{query}").refusal == (403, "forbidden")


def test_hooks_are_told_metadata_and_the_vendor_the_external_part(house: House, vendor: Person) -> None:
    def pairs(**given: dict[str, str | None]) -> dict[str, Any]:
        return {"metadata": given}

    house.admin.ask("PATCH", f"/users/{vendor.id}", pairs(internal={"rate": "9", "x": "1"}, external={"site": "north"}))
    house.admin.ask("PATCH", f"/users/{vendor.id}", pairs(internal={"x": None}))
    assert vendor.get("/me").json["metadata"] == {"internal": {}, "external": {"site": "north"}}
    seen = house.admin.get(f"/users/{vendor.id}").json["metadata"]
    assert seen == {"internal": {"rate": "9"}, "external": {"site": "north"}}
    entry = file(size=3)
    job = vendor.job(entry)
    assert change(vendor, job, **pairs(external={"a": "b"})).status == 403
    change(house.admin, job, **pairs(internal={"rate": "8"}, external={"ticket": "7"}))
    shown = house.studio.client(house.admin.account, "job", "show", job["id"]).stdout
    assert "rate = 8" in shown
    assert "ticket = 7  (external)" in shown
    assert look(vendor, job)["metadata"] == {"internal": {}, "external": {"ticket": "7"}}
    send(vendor, job, entry)
    assert ends(vendor, job)["status"] == "done"
    told = house.published(job["id"])["metadata"]
    assert told == {"internal": {"rate": "8"}, "external": {"site": "north", "ticket": "7"}}
    assert vendor.ask("PATCH", "/workspace", pairs(external={"a": "b"})).status == 403
    wrong = house.admin.ask("PATCH", "/workspace", {"metadata": {"internal": []}})
    assert (wrong.status, "metadata.internal: " in wrong.json["message"]) == (400, True)


# --- what outlives a server ------------------------------------------------------------------------------------------

ORDERLY = """
import json, pathlib, sys, time
data = json.load(open(sys.argv[1]))
folder = pathlib.Path({folder!r})
with (folder / "begun").open("a") as log:
    log.write(data["code"] + "\\n")
while not (folder / "go").exists():
    time.sleep(0.02)
"""


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with furnished(tmp_path / "studio") as made:
        yield made


def test_limits_and_order_hold_over_a_crash(studio: Studio, tmp_path: Path) -> None:
    """One runs, two wait: the one in the higher queue goes first, though it is younger."""
    studio.command("settings", "set", "jobs_at_once", "1")
    studio.hook("publish-server", ORDERLY.format(folder=str(studio.folder)))
    studio.start()
    begun = studio.folder / "begun"
    admin = studio.session(studio.admin)
    made = []
    for name, queue in (("first", "medium"), ("second", "medium"), ("third", "high")):
        source = frames(tmp_path / name, range(2))
        done = studio.client(studio.admin, "publish", str(source), "--queue", queue, "--wait", "0", "--json")
        assert done.returncode == 0, done.stderr
        made.append(json.loads(done.stdout)["job"])
        until(begun.exists)
    assert begun.read_text() == "first\n"
    studio.kill()
    studio.start()
    until(lambda: begun.read_text() == "first\nfirst\n")
    assert [admin.get_entity("Job", job["id"])["status"] for job in made] == ["running", "waiting", "waiting"]
    (studio.folder / "go").touch()
    for job in made:
        assert admin.wait(job["id"], 30)["status"] == "done"
    assert begun.read_text().split() == ["first", "first", "third", "second"]


def test_a_client_waits_for_a_paused_job_and_says_so(studio: Any, tmp_path: Path) -> None:
    studio.start()
    source = frames(tmp_path / "shot_v001", range(8), MIB)
    with line_to(studio, 2 * MIB) as line, publishing(studio, line, source) as client:
        until(lambda: line.acknowledged)
        admin = studio.session(studio.admin)
        job = admin.find_one("Job")
        shown = studio.client(studio.admin, "jobs").stdout
        assert "running:" in shown
        assert "/s" in shown
        admin.pause(job)
        until(lambda: line.idle)
        assert admin.find_one("Job")["status"] == "paused"
        line.rate = None
        done = studio.client(studio.admin, "job", "resume", job["id"])
        assert done.returncode == 0, done.stderr
        said = ended_well(client)
    assert "The studio paused this job" in said
    assert line.sent_again() == {}
    assert tree(studio.volume / "in" / source.name) == tree(source)


def test_a_hook_has_the_time_that_its_queue_gives_it(studio: Studio, tmp_path: Path) -> None:
    studio.hook("publish-server", "import time; time.sleep(30)")
    studio.command("settings", "set", "publish_seconds", "1", "--queue", "low")
    studio.start()
    done = studio.client(studio.admin, "publish", str(frames(tmp_path / "a", range(1))), "--queue", "low")
    assert done.returncode == 7, done.stderr
    shown = json.loads(studio.command("settings", "show", "--queue", "low", "--effective", "--json"))["settings"]
    assert {item["name"]: item["level"] for item in shown}["publish_seconds"] == "queue"
