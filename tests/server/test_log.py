"""The audit log: who did what from where, and what vendors stumble over, through REST, `Session` and command line."""

from __future__ import annotations

import csv
import getpass
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from rest import House, Person, file, fresh
from stagedoor.model.errors import Forbidden


def lines(house: House, query: str) -> list[dict[str, Any]]:
    return list(house.admin.get(f"/log?{query}").json["items"])


def test_a_change_is_told_with_who_where_from_and_what_was_before(house: House, vendor: Person) -> None:
    answer = house.admin.ask("PATCH", f"/users/{vendor.id}", {"name": "Anna"}, headers={"User-Agent": "curl/8"})
    (line, made) = lines(house, f"entity=user:{vendor.id}")
    assert line["request"] == answer.headers["x-request-id"]
    told = {key: line[key] for key in ("user", "user_hr", "role", "ip", "client", "door", "verb", "entity_hr")}
    assert told == {
        "user": house.admin.id,
        "user_hr": house.admin.code,
        "role": "admin",
        "ip": "127.0.0.1",
        "client": "curl/8",
        "door": "rest",
        "verb": "change",
        "entity_hr": vendor.code,
    }
    assert line["changes"] == {"name": ["", "Anna"]}
    assert made["verb"] == "create"
    assert made["changes"]["role"] == [None, "standard"]


def test_every_call_that_changes_something_leaves_a_line(house: House, tmp_path: Path) -> None:
    admin, vendor, code = house.admin, house.vendor(), fresh("v")
    (tmp_path / "root").mkdir()
    key = admin.post(f"/users/{vendor.id}/keys", {"label": "laptop"}).json
    (_, made) = vendor.get(f"/users/{vendor.id}/keys").json["items"]
    vendor.ask("DELETE", f"/users/{vendor.id}/keys/{made['id']}")
    volume = admin.post("/volumes", {"code": code, "path": str(tmp_path / "root")}).json
    admin.ask("PATCH", f"/volumes/{code}", {"status": "disabled"})
    admin.ask("DELETE", f"/volumes/{code}")
    admin.ask("PUT", "/settings/offer_hours", {"value": 5})
    admin.ask("DELETE", "/settings/offer_hours")
    entry = file()
    offer = vendor.offered(entry)
    vendor.ask("DELETE", f"/offers/{offer['id']}")
    job = vendor.job(file())
    vendor.ask("PATCH", f"/jobs/{job['id']}", {"code": "renamed"})
    vendor.post(f"/jobs/{job['id']}/abort")

    def told(thing: str) -> list[tuple[str, str]]:
        return [(line["user_hr"], line["verb"]) for line in reversed(lines(house, f"entity={thing}"))]

    assert told(f"key:{made['id']}") == [(admin.code, "create"), (vendor.code, "revoke")]
    assert told(f"volume:{volume['id']}") == [(admin.code, verb) for verb in ("create", "change", "remove")]
    assert told("setting:offer_hours")[-2:] == [(admin.code, "set"), (admin.code, "unset")]
    assert told(f"offer:{offer['id']}") == [(vendor.code, "create"), (vendor.code, "withdraw")]
    assert told(f"job:{job['id']}") == [(vendor.code, verb) for verb in ("create", "change", "abort")]
    secret = key["api_key"].split("_", 2)[2]
    assert secret not in json.dumps(lines(house, "limit=500"))


def test_what_the_server_does_by_itself_is_told_as_the_systems(house: House, vendor: Person) -> None:
    job = vendor.done(file())
    found = list(reversed(lines(house, f"entity={job['id']}")))
    assert [line["ip"] for line in found] == ["127.0.0.1", "127.0.0.1", "", "", ""]
    told = [(line["user_hr"], line["verb"]) for line in found]
    assert told == [
        (vendor.code, "create"),
        (vendor.code, "receive"),
        ("system", "prove"),
        ("system", "place"),
        ("system", "finish"),
    ]


def test_parts_leave_no_line(house: House, vendor: Person) -> None:
    job = vendor.job(file(size=100))
    before = lines(house, f"user={vendor.code}")
    for start in range(0, 90, 10):
        assert vendor.part(job["tasks"][0]["upload"], bytes(10), start=start, total=100).status == 200
    assert lines(house, f"user={vendor.code}") == before


def test_secrets_of_hooks_stay_out(house: House) -> None:
    house.studio.command(
        "hook", "set", "publish-server", "/bin/true ${PATH_JSON_INPUT} --token hush1", "--env", "KEY=hush2"
    )
    employee = house.vendor("employee")
    shown = {reader: json.dumps(reader.get("/hooks").json) for reader in (employee, house.admin)}
    assert ["hush1" in shown[reader] for reader in (employee, house.admin)] == [False, True]
    assert "/bin/true ${PATH_JSON_INPUT} ***" in shown[employee]
    guessed = f"/runs?where={quote('command contains hush')}"
    assert (employee.get(guessed).refusal, house.admin.get(guessed).status) == ((400, "attribute_unknown"), 200)
    house.studio.command("hook", "unset", "publish-server")
    found = lines(house, "entity=hook:publish-server&limit=2")
    assert [line["verb"] for line in found] == ["unset", "set"]
    assert found[1]["changes"]["environment.KEY"][1] == "***"
    assert "hush" not in json.dumps(found)
    from rest import PUBLISHED

    house.studio.hook("publish-server", PUBLISHED.format(folder=str(house.ingested)))


def test_the_command_line_on_the_home_is_told_with_the_account(house: House) -> None:
    made = house.studio.user(f"{fresh('x')}@example.com")
    (line,) = lines(house, f"entity=user:{made.id}")
    account = os.environ.get("SUDO_USER") or getpass.getuser()
    assert (line["user"], line["user_hr"], line["door"], line["verb"]) == ("", account, "home", "create")


# --- what vendors stumble over -------------------------------------------------------------------------------------


def test_refused_entries_are_kept_with_their_reasons(house: House, vendor: Person) -> None:
    finding = {"code": "missing_frames", "title": "Frame 7 is missing", "files": ["a.7"]}
    one, other = file("plain_v003.mov"), file("found.mov")
    vendor.plan(
        {
            "plain_v003.mov": {"rejected": True, "warning": "plain_v003.mov: version 3 exists, next is 4"},
            "found.mov": {"rejected": True, "warning": "no", "findings": [finding]},
        }
    )
    offer = vendor.offered(one, other)
    found = {line["entity_hr"]: line for line in lines(house, f"user={vendor.code}&refusals=true")}
    assert found["plain_v003.mov"]["message"] == "plain_v003.mov: version 3 exists, next is 4"
    assert found["plain_v003.mov"]["reasons"] == ["…: version # exists, next is #"]
    assert found["found.mov"]["reasons"] == ["missing_frames"]
    assert found["found.mov"]["details"]["findings"] == [finding]
    assert {line["details"]["offer"] for line in found.values()} == {offer["id"]}


def test_what_is_refused_as_a_whole_is_kept_too(house: House, vendor: Person) -> None:
    vendor.offer(file("a?.mov"), file("con"))
    vendor.offer()
    vendor.ask("POST", "/offers", body=b"{")
    vendor.plan(run="raise SystemExit(3)")
    vendor.offer(file())
    vendor.plan(comment=True)
    entry = file()
    vendor.offered(entry)
    vendor.submit(entry["id"])
    vendor.submit("33d59998-c980-4b82-9f6d-06ce27201d26")
    told = [(line["entity"], line["code"]) for line in reversed(lines(house, f"user={vendor.code}&refusals=true"))]
    assert told == [
        ("offer", "manifest_refused"),
        ("offer", "offer_empty"),
        ("offer", "bad_request"),
        ("offer", "check_failed"),
        ("job", "answers_refused"),
        ("job", "entry_unknown"),
    ]
    names = lines(house, f"user={vendor.code}&code=manifest_refused")[0]
    assert names["reasons"] == [
        "manifest_refused: holds ?, which Windows cannot store: rename it",
        "manifest_refused: is a reserved name on Windows: rename it",
    ]


def test_stumbles_sum_refusals_up(house: House) -> None:
    reason = fresh("reason")
    vendors = [house.vendor() for _ in range(2)]
    for vendor in (*vendors, vendors[0]):
        entry = file()
        said = {"rejected": True, "warning": "no", "findings": [{"code": reason, "title": "x"}]}
        vendor.plan({entry["filename"]: said})
        vendor.offered(entry)
    found = [one for one in house.admin.get("/log/stumbles").json["items"] if one["reason"] == reason]
    assert [(one["count"], one["times"], one["users"], one["example"]) for one in found] == [(3, 3, 2, "x")]
    assert found[0]["user_hrs"] == [vendor.code for vendor in vendors]
    assert house.admin.get("/log/stumbles?since=2100-01-01T00:00:00Z").json == {"total": 0, "items": []}
    printed = house.studio.command("log", "--stumbles", "--since", "30d")
    assert reason in printed


# --- who reads it, and how -----------------------------------------------------------------------------------------


def test_employees_read_of_publishes_and_standard_users_nothing(house: House, vendor: Person) -> None:
    employee = house.vendor("employee")
    job = vendor.job(file())
    assert employee.get(f"/log?entity=job:{job['id']}").json["total"] == 1
    assert employee.get(f"/log?entity=user:{vendor.id}").json["total"] == 0
    every = employee.get("/log?limit=500").json["items"]
    assert {line["entity"] for line in every} <= {"offer", "entry", "job", "replaced"}
    assert employee.get("/log/stumbles").status == 200
    for path in ("/log", f"/log?entity=job:{job['id']}", f"/log?user={vendor.id}", "/log/stumbles"):
        assert vendor.get(path).refusal == (403, "forbidden")


def test_session_finds_lines(house: House, vendor: Person) -> None:
    job = vendor.job(file())
    with house.studio.session(house.admin.account) as session:
        (line,) = session.find(f"Log WHERE entity=job AND entity_id={job['id']} AND verb=create")
        assert line["user_hr"] == vendor.code
        assert session.get_entity("Log", line["id"]) == line
        assert session.find(f"Log WHERE user={vendor.code} AND (verb=create OR verb=abort) AND ip=127*") == [
            line,
            *session.find(f"Log WHERE user={vendor.code} AND entity=offer AND verb=create"),
        ]
        assert session.find("log WHERE verb=refuse AND user=nobody@example.com") == []
        with pytest.raises(ValueError, match="entity_id"):
            session.find("Log WHERE colour=x")
    with house.studio.session(vendor.account) as session, pytest.raises(Forbidden):
        session.find("Log")


def test_the_command_prints_json_and_harmless_lines(house: House, vendor: Person) -> None:
    entry = file("evil.mov")
    vendor.plan({"evil.mov": {"rejected": True, "warning": "red \x1b[31m, and\r\nmore"}})
    vendor.offered(entry)
    asked = ("log", "--user", vendor.code, "--refusals", "--since", "1h")
    found = json.loads(house.studio.command(*asked, "--json"))
    assert (found["total"], found["log"][0]["message"]) == (1, "red \x1b[31m, and\r\nmore")
    printed = house.studio.command(*asked)
    assert "\x1b" not in printed
    assert "red \\x1b[31m, and\\x0d\\x0amore" in printed


def test_csv_is_rfc_4180_and_no_spreadsheet_finds_a_formula_in_it(house: House, vendor: Person, tmp_path: Path) -> None:
    for warning in ("=1+1", "+cmd", "-1", "@SUM(A1)", "\tx", 'say "no", thrice', " =2"):
        entry = file("x.mov")
        vendor.plan({"x.mov": {"rejected": True, "warning": warning}})
        vendor.offered(entry)
    target = tmp_path / "log.csv"
    house.studio.command("log", "--user", vendor.code, "--refusals", "--csv", str(target))
    raw = target.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") == 8
    with target.open(newline="", encoding="utf-8") as file_:
        rows = list(csv.DictReader(file_, strict=True))
    told = ["'=1+1", "'+cmd", "'-1", "'@SUM(A1)", "'\\x09x", 'say "no", thrice', "' =2"]
    assert [row["message"] for row in reversed(rows)] == told
    assert {row["user_hr"] for row in rows} == {vendor.code}


def test_lines_go_after_their_time(house: House, vendor: Person) -> None:
    from studio import until

    vendor.job(file())
    house.write('UPDATE audit SET created = 1000 WHERE "user" = ?', vendor.code)
    until(lambda: lines(house, f"user={vendor.code}") == [])
