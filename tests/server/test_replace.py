"""`on_exists = replace`: what exists makes way at once and is kept aside for a time."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from rest import House, Person, file, folder, fresh
from studio import until

KEPT = ".stagedoor/replaced"


def plan(vendor: Person, place: str, *entries: dict[str, Any], **more: Any) -> None:
    said = {"can_publish": True, "path": f"volume=projects/{place}", "on_exists": "replace", **more}
    vendor.plan({entry["filename"]: said for entry in entries})


def there(house: House, place: str, kind: str = "file") -> Path:
    """Something precious at a place of the volume."""
    path = house.studio.volume / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
        (path / "old").write_text("precious")
    else:
        path.write_text("precious")
    return path


def old(path: str, kind: str) -> str:
    return (Path(path) / "old" if kind == "folder" else Path(path)).read_text()


def task_of(house: House, job: dict[str, Any]) -> dict[str, Any]:
    """The job's only task as an administrator sees it."""
    (task,) = house.admin.get(f"/jobs/{job['id']}").json["tasks"]
    return dict(task)


@pytest.mark.parametrize("entry", [file, lambda: folder(a=3)], ids=["file", "folder"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_exists_makes_way_and_is_kept(house: House, vendor: Person, entry: Any, kind: str) -> None:
    offered, place = entry(), f"in/{fresh('replaced')}"
    path = there(house, place, kind)
    plan(vendor, place, offered)
    job = vendor.done(offered)
    assert job["status"] == "done"
    assert path.is_dir() == offered["is_dir"]
    assert (path / "a" if path.is_dir() else path).read_bytes() == bytes(3)
    task = task_of(house, job)
    assert task["kept"].startswith(f"{house.studio.volume}/{KEPT}/")
    assert old(task["kept"], kind) == "precious"
    assert task["kept_until"] > job["created"]
    until(lambda: not (house.studio.volume / ".stagedoor" / task["upload"]).exists())
    assert old(task["kept"], kind) == "precious"


def test_the_place_is_never_empty_and_never_half_full(house: House, vendor: Person) -> None:
    place, entry = f"in/{fresh('steady')}", folder(**{f"f{number}": 1 for number in range(50)})
    path = there(house, place, "folder")
    plan(vendor, place, entry)
    job, seen, ended = vendor.job(entry), set(), threading.Event()

    def look() -> None:
        while not ended.is_set():
            seen.add(len(os.listdir(path)))

    watcher = threading.Thread(target=look)
    watcher.start()
    vendor.send_all(job)
    done = vendor.ended(job["id"])
    ended.set()
    watcher.join()
    assert done["status"] == "done"
    assert seen == {1, 50}


def test_the_vendor_sees_the_same_whether_something_was_there_or_not(house: House) -> None:
    seen = []
    for exists in (True, False):
        vendor, entry, place = house.vendor(), file("clip.mov"), f"in/{fresh('one')}"
        if exists:
            there(house, place)
        plan(vendor, place, entry)
        offer = vendor.offered(entry)
        job = vendor.submit(entry["id"]).json
        vendor.send_all(job)
        done = vendor.ended(job["id"])
        (task,) = done["tasks"]
        assert ("kept" in offer["files"][0], "on_exists" in offer["files"][0]) == (False, False)
        chance = {"id", "job", "upload", "source", "created", "modified", "finished"}
        seen.append({key: value for key, value in task.items() if key not in chance})
        receipt = vendor.get(f"/jobs/{job['id']}/receipt").body.decode()
        for text in (json.dumps(offer), json.dumps(done), receipt):
            assert ".stagedoor" not in text
            assert "replace" not in text
    assert seen[0] == seen[1]
    assert (seen[0]["kept"], seen[0]["kept_until"], seen[0]["on_exists"]) == ("", None, "")


def test_what_was_replaced_can_be_replaced_again_while_its_copy_is_kept(house: House, vendor: Person) -> None:
    place = f"in/{fresh('again')}"
    there(house, place)
    kept = []
    for size in (5, 7):
        entry = file(size=size)
        plan(vendor, place, entry)
        kept.append(task_of(house, vendor.done(entry))["kept"])
    assert [Path(path).read_bytes() for path in kept] == [b"precious", bytes(5)]
    assert (house.studio.volume / place).read_bytes() == bytes(7)


def test_two_jobs_for_one_place_follow_one_another(house: House) -> None:
    """The second is refused as long as the first is under way, in the words for every place that cannot be had."""
    place, first, second = f"in/{fresh('both')}", house.vendor(), house.vendor()
    there(house, place)
    one, other = file(), file()
    plan(first, place, one)
    plan(second, place, other)
    job = first.job(one)
    (refused,) = second.offered(other)["files"]
    assert (refused["rejected"], refused["code"]) == (True, "destination_taken")
    first.send_all(job)
    assert first.ended(job["id"])["status"] == "done"
    assert second.done(other)["status"] == "done"


def test_what_appears_after_the_offer_is_replaced_as_well(house: House, vendor: Person) -> None:
    entry, place = file(), f"in/{fresh('late')}"
    plan(vendor, place, entry)
    job = vendor.job(entry)
    there(house, place)
    vendor.send_all(job)
    assert vendor.ended(job["id"])["status"] == "done"
    assert Path(task_of(house, job)["kept"]).read_text() == "precious"


def test_where_the_hook_says_nothing_volume_and_workspace_decide(house: House, vendor: Person) -> None:
    def outcome(**said: str) -> bool:
        entry, place = file(), f"in/{fresh('default')}"
        there(house, place)
        vendor.plan({entry["filename"]: {"can_publish": True, "path": f"volume=projects/{place}", **said}})
        return bool(vendor.offered(entry, check_only=True)["files"][0]["can_publish"])

    assert outcome() is False
    with house.setting("on_exists", "replace"):
        assert outcome() is True
        assert outcome(on_exists="refuse") is False
        on_volume = "/settings/on_exists?volume=projects"
        assert house.admin.ask("PUT", on_volume, {"value": "refuse"}).status == 200
        assert outcome() is False
        assert outcome(on_exists="replace") is True
        assert house.admin.ask("DELETE", on_volume).status == 204


def test_what_holds_a_volume_is_never_replaced(house: House, vendor: Person) -> None:
    place = f"in/{fresh('inner')}"
    inner = house.studio.volume / place / "deep"
    inner.mkdir(parents=True)
    made = house.admin.post("/volumes", {"code": fresh("inner"), "path": str(inner)})
    assert made.status == 201
    entry = folder(a=1)
    plan(vendor, place, entry)
    (refused,) = vendor.offered(entry)["files"]
    assert refused["code"] == "destination_taken"
    (line,) = house.admin.get(f"/log?entity={entry['id']}&refusals=true").json["items"]
    assert f"holds the volume {made.json['code']}" in line["details"]["detail"]
    assert house.admin.ask("DELETE", f"/volumes/{made.json['id']}").status == 204


def test_the_copy_goes_when_its_time_is_over(house: House, vendor: Person) -> None:
    entry, place = file(), f"in/{fresh('over')}"
    there(house, place)
    plan(vendor, place, entry)
    job = vendor.done(entry)
    kept = Path(task_of(house, job)["kept"])
    house.write("UPDATE tasks SET kept_until = 1000 WHERE job_id = ?", job["id"])
    until(lambda: not kept.exists())
    until(lambda: task_of(house, job)["kept"] == "")
    assert not kept.parents[1].exists()
    assert (house.studio.volume / place).read_bytes() == bytes(3)
    lines = house.admin.get(f"/log?entity=replaced:{entry['id']}").json["items"]
    assert [(line["user_hr"], line["verb"], line["details"]["path"]) for line in lines] == [
        ("system", "remove", str(kept)),
        ("system", "keep", str(kept)),
    ]


def test_job_show_tells_the_studio_where_the_copy_lies(house: House, vendor: Person) -> None:
    entry, place = file(), f"in/{fresh('shown')}"
    there(house, place)
    plan(vendor, place, entry)
    job = vendor.done(entry)
    kept = task_of(house, job)["kept"]
    shown = house.studio.client(house.admin.account, "job", "show", job["id"]).stdout
    assert f"replaced: what was there lies in {kept} until " in shown
    assert "replaced" not in house.studio.client(vendor.account, "job", "show", job["id"]).stdout
