"""A publish from end to end: what vendors, coordinators and hooks see of it."""

from __future__ import annotations

import json
import re
import urllib.request
import uuid
from pathlib import Path

import pytest

from breaking import submit
from rest import basic
from stagedoor import scan
from stagedoor.model import errors
from studio import Studio, frames, tree, until

PUBLISH = """
import json, sys
data = json.load(open(sys.argv[1]))
json.dump(data, open({out!r}, "w"))
print("ingested", data["code"])
"""


def keep_input(studio: Studio) -> Path:
    """A publish hook that keeps what it was given."""
    out = studio.folder / "published.json"
    studio.hook("publish-server", PUBLISH.format(out=str(out)))
    return out


def publish(studio: Studio, paths: list[Path], **answers: object) -> dict:
    session = studio.session(studio.vendor)
    files = [{**entry} for entry in scan(paths)]
    offered = session.publish([{k: v for k, v in entry.items() if k != "source"} for entry in files])
    echoed = [{**entry, **answers} for entry in offered["files"]]
    job = session.create(
        "job",
        {
            "code": "a publish",
            "tasks": [{"id": entry["id"], "source": entry["source"]} for entry in files],
            "hooks": [{"when": "hook-job-publish-server", "data": {"files": echoed}}],
        },
    )
    session.upload(job)
    return session.wait(job, seconds=60)


@pytest.fixture
def studio(studio: Studio) -> Studio:
    studio.vendor = studio.user("vendor@example.com")
    return studio


def test_everything_offered_arrives_as_it_was(studio: Studio, tmp_path: Path) -> None:
    """Files, empty files, empty folders, nested folders, modification times."""
    studio.accept_everything()
    source = frames(tmp_path / "shot_v001", range(1001, 1011))
    (source / "empty folder").mkdir()
    (source / "sub" / "deep").mkdir(parents=True)
    (source / "sub" / "deep" / "Zoë.txt").write_text("ü")
    (source / "empty.txt").touch()
    job = publish(studio, [source])
    assert job["status"] == "done", job
    assert tree(studio.volume / "in" / "shot_v001") == tree(source)
    one = "shot.1001.exr"
    placed = (studio.volume / "in" / "shot_v001" / one).stat().st_mtime_ns // 1_000_000
    assert placed == (source / one).stat().st_mtime_ns // 1_000_000


def test_the_publish_hook_is_given_everything(studio: Studio, tmp_path: Path) -> None:
    out = keep_input(studio)
    studio.accept_everything(
        comment=True, time_report=True, metadata=True, statuses=[{"label": "For review", "value": "rev"}], tasks=["t1"]
    )
    source = frames(tmp_path / "shot_v001", range(1, 4))
    job = publish(
        studio,
        [source],
        comment="first take",
        time_report="1:30",
        status="rev",
        task="t1",
        metadata="lens=50mm\nfps=24",
    )
    assert job["status"] == "done", job
    given = json.loads(out.read_text())
    entry = given["files"][0]
    assert entry["path"] == str(studio.volume / "in" / "shot_v001")
    assert (entry["comment"], entry["time_report"], entry["status"], entry["task"]) == ("first take", 5400, "rev", "t1")
    assert entry["metadata"] == {"lens": "50mm", "fps": "24"}
    assert [file["filename"] for file in entry["files"]] == ["shot.0001.exr", "shot.0002.exr", "shot.0003.exr"]
    assert given["idempotency_key"] == job["id"]
    assert given["attempt"] == 1
    assert given["user_hr"] == "vendor@example.com"


def test_the_receipt_names_every_file_with_its_hashes(studio: Studio, tmp_path: Path) -> None:
    import blake3
    import xxhash

    studio.accept_everything()
    source = frames(tmp_path / "shot_v001", range(1, 6))
    job = publish(studio, [source])
    receipt = studio.session(studio.vendor).receipt(job)
    found = {file["path"]: (file["size"], file["xxh128"], file["blake3"]) for file in receipt["entries"][0]["files"]}
    expected = {
        path.name: (len(data), xxhash.xxh128(data).hexdigest(), blake3.blake3(data).hexdigest())
        for path in source.iterdir()
        for data in [path.read_bytes()]
    }
    assert found == expected


def test_without_a_pre_publish_hook_every_offer_is_refused(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(errors.Conflict) as refused:
        studio.session(studio.vendor).publish([{"id": str(uuid.uuid4()), "filename": "a", "size": 1}])
    assert refused.value.error_code == "publishing_not_set_up"


def test_a_place_that_exists_is_refused_and_stays_as_it_is(studio: Studio, tmp_path: Path) -> None:
    studio.accept_everything()
    (studio.volume / "in").mkdir()
    (studio.volume / "in" / "shot_v001").mkdir()
    answer = studio.session(studio.vendor).publish(
        [{"id": str(uuid.uuid4()), "filename": "shot_v001", "is_dir": True, "files": []}]
    )
    assert answer["files"][0]["rejected"] is True
    assert answer["files"][0]["code"] == "destination_taken"


def test_a_failed_hook_is_retried_without_an_upload(studio: Studio, tmp_path: Path) -> None:
    studio.accept_everything()
    flag = studio.folder / "ok"
    studio.hook(
        "publish-server",
        f"import json, os, sys\ndata = json.load(open(sys.argv[1]))\n"
        f"open({str(studio.folder / 'attempts')!r}, 'a').write(str(data['attempt']) + '\\n')\n"
        f"sys.exit(0 if os.path.exists({str(flag)!r}) else 3)\n",
    )
    source = frames(tmp_path / "shot_v001", [1])
    job = publish(studio, [source])
    assert (job["status"], job["phase"], job["error_code"]) == ("failed", "ingest", "hook_failed")
    assert tree(studio.volume / "in" / "shot_v001") == tree(source)
    source.joinpath("shot.0001.exr").unlink()
    flag.touch()
    studio.session(studio.admin).retry(job)
    job = studio.session(studio.vendor).wait(job, seconds=30)
    assert job["status"] == "done", job
    assert (studio.folder / "attempts").read_text().split() == ["1", "2"]


def test_staging_is_gone_when_the_job_has_ended(studio: Studio, tmp_path: Path) -> None:
    studio.accept_everything()
    publish(studio, [frames(tmp_path / "shot_v001", [1])])
    until(lambda: not list((studio.volume / ".stagedoor").iterdir()))


def test_submitting_the_same_entries_again_gives_the_same_job(studio: Studio, tmp_path: Path) -> None:
    studio.accept_everything()
    session = studio.session(studio.vendor)
    entry = {"id": str(uuid.uuid4()), "filename": "a.mov", "size": 3}
    session.publish([entry])
    job = {"tasks": [{"id": entry["id"], "source": "/x/a.mov"}]}
    assert session.create("job", job)["id"] == session.create("job", job)["id"]


def test_an_upload_asks_for_a_job_that_it_was_given_once_and_returns_what_it_heard(
    studio: Studio, tmp_path: Path
) -> None:
    studio.accept_everything()
    session = studio.session(studio.vendor)
    job = submit(session, [frames(tmp_path / "shot_v001", [1, 2])])
    before = looks(studio)
    sent = session.upload(job)
    assert looks(studio) - before == 1
    assert (sent["phase"] == "upload", sent["received"]) == (False, job["size"])
    session.upload(job["id"])
    assert looks(studio) - before == 2


def test_an_old_view_of_a_job_misleads_no_upload(studio: Studio, tmp_path: Path) -> None:
    studio.accept_everything()
    session = studio.session(studio.vendor)
    ended, sent = (submit(session, [frames(tmp_path / name, [1])]) for name in ("shot_v001", "shot_v002"))
    session.abort(ended)
    assert session.upload(ended)["status"] == "aborted"
    session.wait(session.upload(sent), seconds=30)
    assert session.upload(sent)["status"] == "done"


def test_an_upload_to_a_server_that_is_away_from_the_start_fails_at_once(studio: Studio, tmp_path: Path) -> None:
    studio.accept_everything()
    session = studio.session(studio.vendor)
    job = submit(session, [frames(tmp_path / "shot_v001", [1])])
    studio.kill()
    for given in (job, job["id"]):
        with pytest.raises(errors.StagedoorError, match="cannot be reached"):
            session.upload(given)


def looks(studio: Studio) -> int:
    """How often a job was asked for."""
    admin = basic(studio.admin.code, studio.admin.api_key)
    asked = urllib.request.Request(f"{studio.url}/metrics", headers=admin)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        counted = re.findall(
            r'stagedoor_requests_total\{method="GET",route="/api/v1/jobs/\{id\}",status="200"\} (\d+)',
            answer.read().decode(),
        )
    return int(counted[0]) if counted else 0
