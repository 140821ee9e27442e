"""Offers: limits, faults of a manifest, hooks that fail, places, reservations, space."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rest import House, Person, file, folder, fresh
from stagedoor.lifecycle import offer as step
from stagedoor.model.errors import Busy
from studio import Studio


def at(path: str, **more: Any) -> dict[str, Any]:
    """A hook's word for an accepted entry."""
    return {"can_publish": True, "path": path, **more}


# --- limits --------------------------------------------------------------------------------------------------------


def test_an_empty_offer_is_refused(vendor: Person) -> None:
    assert vendor.offer().refusal == (400, "offer_empty")


def test_more_entries_than_the_limit_are_refused_with_the_limit(house: House, vendor: Person) -> None:
    with house.setting("offer_entries", 2):
        assert vendor.offer(file(), file()).status == 201
        answer = vendor.offer(file(), file(), file())
    assert (answer.refusal, answer.json["details"]) == ((413, "limit_exceeded"), {"limit": 2})
    assert "2 entries" in answer.json["message"]


def test_more_files_than_the_limit_are_refused_with_the_limit(house: House, vendor: Person) -> None:
    """Files and folders count, at any depth."""
    with house.setting("offer_files", 3):
        assert vendor.offer(folder(a=1, b=1)).status == 201
        answer = vendor.offer(folder(a=1, b=1), file())
    assert (answer.refusal, answer.json["details"]) == ((413, "limit_exceeded"), {"limit": 3})


def test_a_longer_request_than_the_limit_is_refused_with_the_limit(house: House, vendor: Person) -> None:
    with house.setting("offer_bytes", 2000):
        assert vendor.offer(file()).status == 201
        answer = vendor.offer(folder(**{f"frame{number}": 1 for number in range(100)}))
    assert (answer.refusal, answer.json["details"]) == ((413, "limit_exceeded"), {"limit": 2000})


def test_open_offers_are_limited_per_user_and_a_withdrawn_one_makes_room(house: House, vendor: Person) -> None:
    with house.setting("open_offers", 2):
        first = vendor.offered(file())
        vendor.offered(file())
        answer = vendor.offer(file())
        assert (answer.refusal, answer.json["details"]) == ((413, "limit_exceeded"), {"limit": 2})
        assert vendor.offer(file(), check_only=True).status == 201, "a check holds nothing"
        assert house.vendor().offer(file()).status == 201, "others have their own count"
        vendor.ask("DELETE", f"/offers/{first['id']}")
        assert vendor.offer(file()).status == 201


def test_offers_that_were_refused_or_have_expired_do_not_count(house: House, vendor: Person) -> None:
    refused, expired = file(), file()
    vendor.plan({refused["filename"]: {"rejected": True}})
    with house.setting("open_offers", 1):
        vendor.offered(refused)
        offer = vendor.offered(expired)
        house.write("UPDATE offers SET expires = 1 WHERE id = ?", offer["id"])
        assert vendor.offer(file()).status == 201


def test_running_jobs_are_limited_per_user_and_an_ended_one_makes_room(house: House, vendor: Person) -> None:
    with house.setting("running_jobs", 1):
        job = vendor.job(file())
        entry = file()
        vendor.offered(entry)
        answer = vendor.submit(entry["id"])
        assert (answer.refusal, answer.json["details"]) == ((413, "limit_exceeded"), {"limit": 1})
        vendor.post(f"/jobs/{job['id']}/abort")
        assert vendor.submit(entry["id"]).status == 201


def test_an_offer_lives_as_long_as_the_studio_says(house: House, vendor: Person) -> None:
    with house.setting("offer_hours", 2):
        offer = vendor.offered(file())
    hours = (moment(offer["expires"]) - moment(offer["created"])) / 3600
    assert hours == pytest.approx(2)


def moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# --- what is offered -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "id", ["", "1", "33d59998-c980-1b82-9f6d-06ce27201d26", "33d59998-c980-4b82-9f6d-06ce27201d26\n", "../" + "a" * 33]
)
def test_the_id_of_an_entry_must_be_a_uuid4(vendor: Person, id: str) -> None:
    assert vendor.offer({**file(), "id": id}).refusal == (400, "entry_id_wrong")


def test_two_entries_cannot_have_one_id(vendor: Person) -> None:
    one = file()
    assert vendor.offer(one, {**file(), "id": one["id"]}).refusal == (400, "entry_id_twice")


def test_every_fault_of_a_manifest_is_told_at_once(vendor: Person) -> None:
    """Over all entries and all depths, each with the entry's id, the path and a reason."""
    one, two = file("a:b.mov"), folder("shot")
    two["files"] = [
        {"filename": "ok.exr", "size": 1},
        {"filename": "..", "size": 1},
        {"filename": "OK.exr", "size": 1},
        {"filename": "sub", "is_dir": True, "files": [{"filename": "CON"}, {"filename": "big", "size": -1}]},
        {"filename": ".stagedoor", "is_dir": True, "files": []},
    ]
    answer = vendor.offer(one, two)
    assert answer.refusal == (422, "manifest_refused")
    faults = answer.json["details"]["faults"]
    assert [(fault["id"], fault["path"]) for fault in faults] == [
        (one["id"], "a:b.mov"),
        (two["id"], "shot/.."),
        (two["id"], "shot/OK.exr"),
        (two["id"], "shot/sub/CON"),
        (two["id"], "shot/sub/big"),
        (two["id"], "shot/.stagedoor"),
    ]
    assert all(fault["reason"] for fault in faults)
    assert answer.json["details"]["total"] == 6
    assert answer.json["message"].startswith("6 names cannot be accepted. a:b.mov holds :")


def test_faults_are_counted_beyond_those_that_are_listed(vendor: Person) -> None:
    many = {**folder(), "files": [{"filename": f"a?{number}"} for number in range(500)]}
    details = vendor.offer(many).json["details"]
    assert (len(details["faults"]), details["total"]) == (200, 500)


def test_a_refused_manifest_reaches_no_hook(house: House, vendor: Person) -> None:
    vendor.offer(file("a/b"))
    assert house.admin.get(f"/runs?user={vendor.id}").json["total"] == 0


@pytest.mark.parametrize("size", [2**53, 10**30, 1.5, "1"])
def test_a_size_that_cannot_be_is_refused(vendor: Person, size: Any) -> None:
    assert vendor.offer({**file(), "size": size}).status in (400, 422)


def test_names_are_in_their_one_spelling_from_the_offer_on(house: House, vendor: Person) -> None:
    """Decomposed letters come back composed, and are composed for the hook and on disk."""
    decomposed = fresh("Zoe\u0308")
    entry = folder(decomposed)
    entry["files"] = [{"filename": "u\u0308.exr", "size": 1}]
    offered = vendor.offered(entry)["files"][0]
    composed = decomposed.replace("e\u0308", "ë")
    assert offered["filename"] == composed
    job = vendor.submit(entry["id"], files=[{**offered, "filename": decomposed, "files": entry["files"]}]).json
    vendor.send_all(job)
    assert vendor.ended(job["id"])["status"] == "done"
    assert [path.name for path in (house.studio.volume / "in" / composed).iterdir()] == ["ü.exr"]


def test_sizes_of_folders_are_computed_by_the_server(vendor: Person) -> None:
    entry = {**folder(a=1, b=2), "size": 10**9}
    answer = vendor.offered(entry)
    assert (answer["size"], answer["files"][0]["size"]) == (3, 3)


# --- verdicts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "flag"),
    [
        ({"can_publish": True}, "can_publish"),
        ({"can_upload": True}, "can_upload"),
        ({"rejected": True}, "rejected"),
        ({"can_publish": True, "can_upload": True}, "can_upload"),
        ({"can_publish": True, "rejected": True}, "rejected"),
        ({"can_publish": True, "can_upload": True, "rejected": True}, "rejected"),
        ({"can_publish": False}, "rejected"),
        ({"rejected": False}, "rejected"),
        ({}, "rejected"),
    ],
)
def test_where_a_verdict_contradicts_itself_the_stricter_counts(
    vendor: Person, said: dict[str, Any], flag: str
) -> None:
    entry = file()
    vendor.plan({entry["filename"]: {**said, "path": f"in/{entry['filename']}"}})
    given = vendor.offered(entry)["files"][0]
    assert {name: given[name] for name in ("can_publish", "can_upload", "rejected")} == {
        "can_publish": False,
        "can_upload": False,
        "rejected": False,
        flag: True,
    }


def test_an_entry_without_a_verdict_is_refused_and_says_so(vendor: Person) -> None:
    entry = file()
    vendor.plan({entry["filename"]: {"ident": "sh010"}})
    given = vendor.offered(entry)["files"][0]
    assert (given["rejected"], given["code"], given["ident"]) == (True, "no_verdict", "sh010")
    assert "no verdict" in given["warning"]


def test_an_entry_that_the_hook_left_out_is_refused(vendor: Person) -> None:
    entry = file()
    vendor.plan(run="data['files'] = []")
    assert vendor.offered(entry)["files"][0]["code"] == "no_verdict"


def test_what_the_hook_says_reaches_the_vendor(vendor: Person) -> None:
    entry = file()
    findings = [{"code": "missing", "title": "Frames are missing", "files": ["a.1.exr"], "fix": "render them"}]
    vendor.plan(
        {entry["filename"]: at("in/", warning="w", info="i", ident="x", comment_label="l", findings=findings)},
        guidelines="<p onclick='x()'>Read</p><script>alert(1)</script>",
        tasks=["t1"],
    )
    answer = vendor.offered(entry)
    given = answer["files"][0]
    assert [given[key] for key in ("warning", "info", "ident", "comment_label")] == ["w", "i", "x", "l"]
    assert given["findings"] == findings
    assert (answer["guidelines"], answer["tasks"]) == ("<p>Read</p>", ["t1"])
    assert not {"comment", "time_report", "metadata", "statuses"} & set(answer)


# --- hooks that fail -----------------------------------------------------------------------------------------------


def explained(house: House, reference: str) -> dict[str, Any]:
    """What `stagedoor hook log REFERENCE` tells the studio."""
    return dict(json.loads(house.studio.command("hook", "log", reference, "--json")))


BROKEN: dict[str, tuple[str, str]] = {
    # What the hook does -> what the studio reads of it.
    "raises": ("raise RuntimeError('the tracker is down')", "the tracker is down"),
    "exits with a number": ("print('no licence', file=sys.stderr); sys.exit(7)", "no licence"),
    "answers and then fails": (
        "import atexit, os; atexit.register(lambda: (print('too late', file=sys.stderr, flush=True), os._exit(1)))",
        "too late",
    ),
    "writes nothing": ("sys.exit(0)", "no answer"),
    "writes no JSON": ("open(sys.argv[2], 'w').write('maybe'); sys.exit(0)", "JSON"),
    "writes half a JSON": ("open(sys.argv[2], 'w').write('{\"files\": ['); sys.exit(0)", "truncated"),
    "writes a list": ("open(sys.argv[2], 'w').write('[]'); sys.exit(0)", "object"),
    "writes no files": ("open(sys.argv[2], 'w').write('{}'); sys.exit(0)", "no `files`"),
    "writes no UTF-8": ("open(sys.argv[2], 'wb').write(b'{\"files\": \"\\xff\"}'); sys.exit(0)", "files"),
    "nests without end": ("open(sys.argv[2], 'w').write('{\"files\":' + '[' * 100000); sys.exit(0)", "too deeply"),
    "says yes in words": (
        "name = data['files'][0]['filename']; said = {'files': {name: {'can_publish': 'yes'}}}",
        "can_publish",
    ),
    "names another entry": ("data['files'][0]['id'] = 'x'", "was not offered"),
    "names an entry twice": ("data['files'] *= 2", "twice"),
    "dies": ("import os; os.kill(os.getpid(), 9)", "signal"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_hook_that_fails_refuses_nothing_and_is_explained(house: House, vendor: Person, what: str) -> None:
    """The vendor gets a reference, the studio everything that it stands for."""
    code, told = BROKEN[what]
    vendor.plan(run=code)
    answer = vendor.offer(file())
    assert answer.refusal == (502, "check_failed")
    reference = answer.json["details"]["reference"]
    assert reference in answer.json["message"]
    assert b"Traceback" not in answer.body
    assert str(house.studio.folder).encode() not in answer.body
    found = house.admin.get(f"/runs/{reference}").json
    assert found["run"]["state"] == "failed"
    assert found["run"]["user"] == vendor.id
    assert told in found["run"]["error"] + found["stderr"], found
    assert vendor.get("/offers").json["total"] == 0


def test_the_reference_is_explained_by_the_command_line(house: House, vendor: Person) -> None:
    entry = file()
    vendor.plan(run="print('looking'); raise RuntimeError('the tracker is down')")
    reference = vendor.offer(entry).json["details"]["reference"]
    found = explained(house, reference)
    assert found["run"]["exit_code"] == 1
    assert found["stdout"].strip() == "looking"
    assert "the tracker is down" in found["stderr"]
    assert json.loads(found["input"])["files"][0]["id"] == entry["id"]


def test_a_hook_that_takes_too_long_refuses_nothing_and_is_ended(house: House, vendor: Person) -> None:
    mark = house.studio.folder / "late"
    vendor.plan(run=f"import time; time.sleep(3); open({str(mark)!r}, 'w')")
    with house.setting("pre_publish_seconds", 1):
        answer = vendor.offer(file())
    assert answer.refusal == (502, "check_failed")
    found = house.admin.get(f"/runs/{answer.json['details']['reference']}").json
    assert found["run"]["state"] == "timed_out"
    time.sleep(2.5)
    assert not mark.exists()


def test_a_hook_that_answers_more_than_the_limit_refuses_nothing(house: House, vendor: Person) -> None:
    vendor.plan(guidelines="x" * 5000)
    with house.setting("hook_answer_bytes", 1024):
        answer = vendor.offer(file())
    assert answer.refusal == (502, "check_failed")


BAD_PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"can_publish": True}, "no path"),
    "an empty one": (at(""), "empty"),
    "outside every volume": (at("/etc/cron.d/x"), "lies in no volume"),
    "above the volume": (at("volume=projects/../x"), "is not a name"),
    "an unknown volume": (at("volume=nope/x"), "no volume"),
    "a home share": (at("~/x"), "home"),
    "another kind of share": (at("share=x/y"), "share="),
    "staging": (at("volume=projects/.stagedoor/x"), ".stagedoor"),
    "a name that is too long": (at("in/" + "x" * 256), "longer"),
    "an unknown word for what exists": (at("in/x", on_exists="overwrite"), "on_exists"),
    "a number": ({"can_upload": True, "path": 7}, "path"),
}


@pytest.mark.parametrize("what", BAD_PLACES)
def test_a_place_that_can_never_be_is_the_hooks_fault_and_not_the_vendors(
    house: House, vendor: Person, what: str
) -> None:
    said, told = BAD_PLACES[what]
    entry = file()
    vendor.plan({entry["filename"]: said})
    answer = vendor.offer(entry)
    assert answer.refusal == (502, "check_failed")
    error = house.admin.get(f"/runs/{answer.json['details']['reference']}").json["run"]["error"]
    assert told in error
    assert entry["filename"] in error


def test_a_place_that_leaves_the_volume_by_a_link_can_never_be(house: House, vendor: Person, tmp_path: Path) -> None:
    entry, link = file(), house.studio.volume / fresh("link")
    link.symlink_to(tmp_path)
    vendor.plan({entry["filename"]: at(f"{link.name}/x")})
    answer = vendor.offer(entry)
    assert answer.refusal == (502, "check_failed")
    error = house.admin.get(f"/runs/{answer.json['details']['reference']}").json["run"]["error"]
    assert "out of the volumes" in error
    assert str(tmp_path).encode() not in answer.body


@pytest.mark.parametrize(("one", "other"), [("x", "x"), ("x", "x/y"), ("x/y/z", "x"), ("x", "X"), ("x", "./../x")])
def test_two_entries_cannot_go_to_one_place_or_into_each_other(
    house: House, vendor: Person, one: str, other: str
) -> None:
    first, second, place = file(), file(), fresh()
    vendor.plan({first["filename"]: at(f"{place}/{one}"), second["filename"]: at(f"{place}/{other}")})
    assert vendor.offer(first, second).refusal == (502, "check_failed")


def test_two_entries_cannot_go_to_one_place_by_way_of_a_link(house: House, vendor: Person) -> None:
    """Seen on the disk, not in the names."""
    first, second, place = file(), file(), house.studio.volume / fresh()
    (place / "real").mkdir(parents=True)
    (place / "link").symlink_to("real")
    names = [f"{place.name}/real/x", f"{place.name}/link/x"]
    vendor.plan({first["filename"]: at(names[0]), second["filename"]: at(names[1])})
    assert vendor.offer(first, second).refusal == (502, "check_failed")


def test_a_refused_entry_may_have_any_path_or_none(vendor: Person) -> None:
    one, two = file(), file()
    vendor.plan({one["filename"]: {"rejected": True, "path": "/etc"}, two["filename"]: {"rejected": True}})
    assert [entry["rejected"] for entry in vendor.offered(one, two)["files"]] == [True, True]


# --- places --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "volume=projects/{}",
        "volume=(default)/{}",
        "{}",
        "/Volumes/projects/{}",
        "{volume}/{}",
        "studio:volume=projects/{}",
        "a@b.example:volume=projects/{}",
    ],
)
def test_a_place_may_be_written_in_every_notation(house: House, vendor: Person, path: str) -> None:
    """And an alias is never used on disk."""
    entry, place = file(), fresh("notation") + "/sub/new name.mov"
    vendor.plan({entry["filename"]: at(path.replace("{volume}", str(house.studio.volume)).format(place))})
    job = vendor.done(entry)
    assert job["status"] == "done"
    assert (house.studio.volume / place).stat().st_size == entry["size"]
    given = house.published(job["id"])["files"][0]
    assert given["path"] == str(house.studio.volume / place)
    assert given["filename"] == entry["filename"]
    assert not Path("/Volumes/projects").exists()


def test_a_slash_at_the_end_means_into_this_folder(house: House, vendor: Person) -> None:
    entry, place = folder(a=1), fresh("into")
    vendor.plan({entry["filename"]: at(f"/Volumes/projects/{place}/")})
    assert vendor.done(entry)["status"] == "done"
    assert (house.studio.volume / place / entry["filename"] / "a").stat().st_size == 1


# --- reservations --------------------------------------------------------------------------------------------------


def answered(person: Person, path: str, **more: Any) -> str:
    """The code with which an offer for this place is refused; empty where it is accepted."""
    entry = file()
    person.plan({entry["filename"]: at(path)})
    return str(person.offered(entry, **more)["files"][0].get("code", ""))


TAKEN = "destination_taken"


def test_a_place_belongs_to_the_first_who_is_accepted(house: House, vendor: Person) -> None:
    place, other = f"in/{fresh()}", house.vendor()
    assert answered(vendor, place) == ""
    assert answered(other, place) == TAKEN
    assert answered(other, f"{place}/below") == TAKEN
    assert answered(other, "in") == TAKEN
    assert answered(other, f"{place}_beside") == ""
    assert answered(vendor, place) == "", "an own open offer gives way"


@pytest.mark.parametrize("ending", ["withdrawn", "expired", "superseded"])
def test_an_offer_that_ends_frees_its_place(house: House, vendor: Person, ending: str) -> None:
    place, other, entry = f"in/{fresh()}", house.vendor(), file()
    vendor.plan({entry["filename"]: at(place)})
    offer = vendor.offered(entry)
    assert answered(other, place) == TAKEN
    if ending == "withdrawn":
        vendor.ask("DELETE", f"/offers/{offer['id']}")
    elif ending == "expired":
        house.write("UPDATE offers SET expires = 1 WHERE id = ?", offer["id"])
    else:
        vendor.plan({entry["filename"]: at(place + "_elsewhere")})
        vendor.offered(entry)
    assert answered(other, place) == ""


def test_a_job_holds_its_place_against_everybody_until_it_ends(house: House, vendor: Person) -> None:
    place, entry = f"in/{fresh()}", file()
    vendor.plan({entry["filename"]: at(place)})
    job = vendor.job(entry)
    assert [answered(who, place) for who in (house.vendor(), vendor)] == [TAKEN, TAKEN]
    vendor.post(f"/jobs/{job['id']}/abort")
    assert answered(house.vendor(), place) == ""


def test_entries_that_were_not_submitted_free_their_places(house: House, vendor: Person) -> None:
    place, sent, left = f"in/{fresh()}", file(), file()
    vendor.plan({sent["filename"]: at(f"{place}/sent"), left["filename"]: at(f"{place}/left")})
    vendor.offered(sent, left)
    vendor.submit(sent["id"])
    assert [answered(house.vendor(), f"{place}/{name}") for name in ("sent", "left")] == [TAKEN, ""]


def test_a_check_reserves_nothing_and_is_told_of_what_is_taken(house: House, vendor: Person) -> None:
    place, other = f"in/{fresh()}", house.vendor()
    assert answered(vendor, place, check_only=True) == ""
    assert answered(other, place) == ""
    assert answered(vendor, place, check_only=True) == TAKEN


def test_of_many_vendors_at_once_one_gets_the_place(house: House) -> None:
    place = f"in/{fresh()}"
    vendors = [house.vendor() for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        codes = list(threads.map(lambda person: answered(person, place), vendors))
    assert sorted(codes) == ["", *[TAKEN] * 5]


# --- busy ----------------------------------------------------------------------------------------------------------


def test_no_more_checks_run_side_by_side_than_the_limit(house: House) -> None:
    """The others wait for their turn and are answered."""
    log = house.studio.folder / fresh("turns")
    code = (
        f"import time\nturns = open({str(log)!r}, 'a')\nprint('in', file=turns, flush=True)\n"
        "time.sleep(.2)\nprint('out', file=turns, flush=True)"
    )
    vendors = [house.vendor() for _ in range(4)]
    for person in vendors:
        person.plan(run=code)
    with house.setting("pre_publish_at_once", 1), ThreadPoolExecutor(4) as threads:
        assert [answer.status for answer in threads.map(lambda person: person.offer(file()), vendors)] == [201] * 4
    assert log.read_text().split() == ["in", "out"] * 4


def test_whoever_waits_too_long_for_a_check_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "WAIT_SECONDS", 0.1)
    gate = step.Gate("The studio is busy; try again.")
    with gate.enter(1):
        with pytest.raises(Busy) as refused:
            gate.enter(1).__enter__()
        assert refused.value.error_code == "busy"
        left = threading.Thread(target=lambda: gate.enter(2).__enter__())
        left.start()
        left.join(5)
        assert not left.is_alive(), "a raised limit counts at once"


# --- space ---------------------------------------------------------------------------------------------------------


def test_without_enough_space_the_vendor_is_told_so_and_the_studio_how_much(house: House, vendor: Person) -> None:
    with house.setting("reserved_space", 100):
        answer = vendor.offer(file(size=12_345_678))
    assert answer.refusal == (507, "no_space")
    assert answer.json["details"] == {}
    assert not any(letter.isdigit() for letter in answer.json["message"])
    assert int(answer.headers["retry-after"]) > 0
    line = next(line for line in house.log.splitlines() if answer.json["request_id"] in line)
    needed, free = re.search(r"(\d+) bytes are needed .* only (\d+) of \d+ are free", line).groups()
    assert int(needed) >= 12_345_678
    assert int(free) > 0


def test_what_is_larger_than_the_disk_is_refused(house: House, vendor: Person) -> None:
    assert vendor.offer(file(size=2**52)).refusal == (507, "no_space")
    small, large = file(), file(size=2**52)
    vendor.plan({large["filename"]: {"rejected": True}})
    assert vendor.offer(small, large).status == 201, "what is refused needs no space"


def test_what_others_reserved_counts(house: House, vendor: Person) -> None:
    """Two offers that fit each by itself, but not together."""
    half = shutil.disk_usage(house.studio.volume).free * 6 // 10
    with house.setting("reserved_space", 0):
        first = vendor.offered(file(size=half))
        assert house.vendor().offer(file(size=half)).refusal == (507, "no_space")
        assert vendor.offer(file(size=half)).status == 201, "a new offer may take over what the own ones reserved"
        for offer in vendor.get("/offers?state=open").json["items"]:
            vendor.ask("DELETE", f"/offers/{offer['id']}")
        assert first["state"] == "open"
        last = house.vendor()
        assert last.offer(file(size=half)).status == 201
        last.ask("DELETE", f"/offers/{last.get('/offers').json['items'][0]['id']}")


def test_space_is_asked_for_again_at_submit(house: House, vendor: Person) -> None:
    entry = file(size=10)
    vendor.offered(entry)
    with house.setting("reserved_space", 100):
        assert vendor.submit(entry["id"]).refusal == (507, "no_space")
    assert vendor.submit(entry["id"]).status == 201


# --- a studio that is not ready ------------------------------------------------------------------------------------


def test_without_a_hook_or_a_volume_nothing_is_accepted(studio: Studio) -> None:
    """No pre-publish hook: every offer is refused. A volume that was removed or disabled takes nothing more."""
    house = House(studio)
    vendor = house.vendor()
    entry = file()
    assert vendor.offered(entry)["files"][0]["can_publish"] is True
    assert house.admin.ask("PATCH", "/volumes/projects", {"status": "disabled"}).status == 200
    assert vendor.offer(file()).refusal == (502, "check_failed")
    assert vendor.submit(entry["id"]).refusal == (409, "destination_taken")
    assert house.admin.ask("PATCH", "/volumes/projects", {"status": "enabled"}).status == 200
    house.admin.ask("DELETE", "/hooks/pre-publish-server")
    refused = vendor.offer(file())
    assert refused.refusal == (409, "publishing_not_set_up")
    assert vendor.offer(file(), check_only=True).code == "publishing_not_set_up"


def test_a_file_where_a_folder_must_be_is_a_place_that_is_taken(house: House, vendor: Person) -> None:
    """To the vendor it looks like any other place that cannot be had."""
    obstacle, plate = fresh("obstacle"), file(fresh("plate.mov"))
    (house.studio.volume / obstacle).write_text("a file")
    vendor.plan({plate["filename"]: at(f"volume=projects/{obstacle}/plate.mov")})
    entry = vendor.offered(plate)["files"][0]
    assert (entry["rejected"], entry["code"]) == (True, "destination_taken")
