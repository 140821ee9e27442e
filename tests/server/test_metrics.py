"""`/metrics` counts what happened, tells administrators only; the log says whom and what its lines are about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from breaking import furnished, submit
from rest import House, Person, file
from stagedoor.lifecycle.tally import FAMILIES
from studio import frames, until

Page = dict[str, float]


def page(person: Person) -> Page:
    """Every line's value by its name and labels; lines that are no lines fail."""
    answer = person.ask("GET", "/metrics")
    assert answer.status == 200, answer
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for line in answer.body.decode().splitlines():
        match = re.fullmatch(r'(?:# (?:HELP|TYPE) \w+ .+)|(\w+(?:{(?:\w+="[^"\n]*",?)*})?) (\S+)', line)
        assert match, line
        if match[1]:
            assert match[1] not in found
            found[match[1]] = float(match[2])
    return found


def grown(before: Page, after: Page, key: str) -> float:
    return after.get(key, 0) - before.get(key, 0)


def test_a_publish_is_counted_at_every_step(house: House, vendor: Person) -> None:
    before = page(house.admin)
    vendor.done(file(size=1000))
    after = page(house.admin)
    assert grown(before, after, "stagedoor_parts_total") >= 1
    assert grown(before, after, "stagedoor_part_bytes_total") >= 1000
    assert grown(before, after, 'stagedoor_entries_total{verdict="accepted",code=""}') >= 1
    for hook in ("pre-publish-server", "publish-server"):
        assert grown(before, after, f'stagedoor_hook_runs_total{{hook="{hook}",state="succeeded"}}') >= 1
        assert after[f'stagedoor_hook_seconds_sum{{hook="{hook}"}}'] > 0
        counted = after[f'stagedoor_hook_seconds_count{{hook="{hook}"}}']
        assert counted == after[f'stagedoor_hook_seconds_bucket{{hook="{hook}",le="+Inf"}}']
    assert grown(before, after, 'stagedoor_jobs{state="done"}') >= 1
    route = 'method="PUT",route="/api/v1/uploads/{id}"'
    assert grown(before, after, f'stagedoor_requests_total{{{route},status="200"}}') >= 1
    assert grown(before, after, f"stagedoor_request_seconds_count{{{route}}}") >= 1


def test_refusals_are_counted_by_their_code(house: House, vendor: Person) -> None:
    before = page(house.admin)
    vendor.offer(file("a?.mov"))
    vendor.plan({"b.mov": {"rejected": True}})
    vendor.offer(file("b.mov"))
    house.send("GET", "/jobs")
    vendor.get("/no/such/place")
    after = page(house.admin)
    for key in (
        'stagedoor_refusals_total{route="/api/v1/offers",code="manifest_refused"}',
        'stagedoor_entries_total{verdict="refused",code=""}',
        'stagedoor_refusals_total{route="none",code="sign_in_refused"}',
        'stagedoor_refusals_total{route="none",code="not_found"}',
    ):
        assert grown(before, after, key) >= 1, key


def test_the_server_itself_is_measured(house: House) -> None:
    found = page(house.admin)
    assert found['stagedoor_volume_up{volume="projects"}'] == 1
    assert 0 < found['stagedoor_volume_free_bytes{volume="projects"}'] <= 10**16
    assert found["process_resident_memory_bytes"] > 10_000_000
    for name in ("process_cpu_seconds_total", "process_open_fds", "process_start_time_seconds"):
        assert found[name] > 0
    assert found["stagedoor_parts_open"] == 0


def test_every_family_is_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "running-a-server.md").read_text()
    assert [name for name in FAMILIES if f"`{name}`" not in documented] == []


def test_it_tells_administrators_only_and_others_where_that_is_set(house: House, vendor: Person) -> None:
    employee = house.vendor("employee")
    assert house.send("GET", "/metrics").refusal == (401, "sign_in_refused")
    for person in (vendor, employee):
        assert person.get("/metrics").refusal == (403, "forbidden")
    with house.setting("metrics", "loopback"):
        assert house.send("GET", "/metrics").status == 200
        through = {"X-Forwarded-For": "127.0.0.1"}
        assert house.send("GET", "/metrics", headers=through).refusal == (401, "sign_in_refused")
        assert vendor.get("/metrics").refusal == (403, "forbidden")
        assert house.send("GET", "/jobs").refusal == (401, "sign_in_refused")


# --- the log --------------------------------------------------------------------------------------------------------


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Any]:
    with furnished(tmp_path / "studio") as made:
        yield made


def test_json_lines_say_which_request_user_and_job_they_are_about(studio: Any, tmp_path: Path) -> None:
    log = studio.home / "logs" / "server.log"
    log.unlink()
    studio.start("--log-format", "json", "--access-log")
    studio.wait_ready()
    session = studio.session(studio.vendor)
    job = session.upload(submit(session, [frames(tmp_path / "shot", range(3))]))
    assert session.wait(job, seconds=30)["status"] == "done"
    until(lambda: "done: " in log.read_text())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    (done,) = [line for line in lines if " done: " in line["message"]]
    assert (done["job"], "request" in done) == (job["id"], False)
    part = next(line for line in lines if line["logger"] == "stagedoor.access" and line["method"] == "PUT")
    assert (part["job"], part["user"], part["status"]) == (job["id"], studio.vendor.id, 200)
    assert len(part["request"]) == 16
    asked = [line for line in lines if line.get("path") == f"/api/v1/jobs/{job['id']}"]
    assert {line["job"] for line in asked} == {job["id"]}


def test_text_is_the_default_and_the_file_sets_the_rest(studio: Any, tmp_path: Path) -> None:
    with (studio.home / "stagedoor.toml").open("a") as config:
        config.write("\n[log]\nfile_bytes = 2000\nfiles = 2\naccess = true\n")
    studio.start()
    session = studio.session(studio.vendor)
    for _ in range(60):
        session.find("Job")
    names = sorted(path.name for path in (studio.home / "logs").iterdir())
    assert names == ["server.log", "server.log.1", "server.log.2"]
    line = (studio.home / "logs" / "server.log.1").read_text().splitlines()[-1]
    assert re.fullmatch(
        r"\S+Z INFO stagedoor\.access GET /api/v1/jobs 200 \[request=[0-9a-f]{16} user=[0-9a-f]{24} method=GET .*\]",
        line,
    ), line
