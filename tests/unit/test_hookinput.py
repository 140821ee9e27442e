"""What hooks are given to read."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import jsonschema
from some_records import NOW

from stagedoor.lifecycle.hookinput import job_input, pre_publish_input
from stagedoor.model.entities import Job, Offer, OfferEntry, Queue, Role, Task, User, Volume, Workspace
from stagedoor.model.form import Answers
from stagedoor.model.hooks import HookName
from stagedoor.model.metadata import Metadata
from stagedoor.model.notation import Place
from stagedoor.model.states import JobState, OfferState, TaskStatus
from stagedoor.model.verdict import Kind, Verdict
from stagedoor.wire.hookdata import schema


def of(internal: dict[str, str], external: dict[str, str]) -> Metadata:
    return Metadata(internal=internal, external=external)


USER = User(
    id="u1", code="anna@vendor.example", role=Role.STANDARD, metadata=of({"site": "north", "unit": "2"}, {"a": "user"})
)
WORKSPACE = Workspace(id="w1", code="acme", metadata=of({"site": "any", "show": "x"}, {"a": "workspace", "b": "w"}))
METADATA = {"internal": {"site": "north", "unit": "2", "show": "x"}, "external": {"a": "user", "b": "w"}}
QUEUE = Queue(id="q1", code="rush", priority=7, metadata=of({"show": "y", "unit": "1", "lane": "fast"}, {}))
VOLUMES = {
    "v1": Volume(
        id="v1", code="projects", root="/mnt/projects", aliases=("/Volumes/projects",), metadata=of({"nas": "1"}, {})
    )
}
TREE = b'[{"filename":"f.1.exr","size":7,"is_dir":false},{"filename":"sub","size":0,"is_dir":true,"files":[]}]'
TREES = {"a": TREE, "b": b"null"}


def entry(entry_id: str, **changes: Any) -> OfferEntry:
    given = {"number": 0, "filename": "shot", "is_dir": True, "size": 7, "file_count": 1, "modified": 5}
    return OfferEntry(id=entry_id, verdict=Verdict(kind=Kind.REFUSED), **{**given, **changes})


def offer(*entries: OfferEntry) -> Offer:
    return Offer(
        id="o1",
        user_id="u1",
        state=OfferState.OPEN,
        created=NOW,
        expires=NOW,
        hostname="ws1",
        ip="10.0.0.9",
        client="stagedoor",
        size=10,
        entries=entries,
    )


def task(task_id: str, number: int, kind: Kind, **changes: Any) -> Task:
    given = {
        "job_id": "j1",
        "filename": "shot",
        "is_dir": True,
        "source": "/home/anna/shot",
        "size": 7,
        "file_count": 1,
        "status": TaskStatus.DONE,
        "upload_id": "x",
        "staging": "/mnt/projects/.stagedoor/x",
        "place": Place("v1", "sq/shot_final"),
        "answers": Answers(comment="hi", time_report=60, status="rev", task="comp", metadata={"k": "v"}),
        "verdict": Verdict(kind=kind, warning="w", info="i", ident="shot v1", findings=({"code": "x", "title": "y"},)),
    }
    return Task(id=task_id, number=number, **{**given, **changes})


def published(
    hook: HookName = HookName.PUBLISH, status: TaskStatus = TaskStatus.DONE, **changes: Any
) -> dict[str, Any]:
    tasks = (
        task("a", 0, Kind.ACCEPTED, status=status, extras=b'{"shotgun":{"id":7},"path":"/etc","comment":true}'),
        task("b", 1, Kind.UPLOAD_ONLY, is_dir=False, answers=Answers()),
    )
    job = Job(
        id="j1",
        code="a publish",
        user_id="u1",
        offer_id="o1",
        state=JobState.INGESTING,
        created=NOW,
        modified=NOW,
        hostname="ws1",
        size=14,
        queue_id="q1",
        metadata=of({"unit": "3"}, {"b": "job"}),
        tasks=tasks,
    )
    given: dict[str, Any] = {
        "placed": {"a": "/mnt/projects/sq/shot_final", "b": "/mnt/projects/b"},
        "modified": {"a": 5, "b": None},
        "hashes": {"a": "/runs/a.jsonl", "b": "/runs/b.jsonl"},
        "attempt": 2,
        **changes,
    }
    raw = job_input(hook, user=USER, workspace=WORKSPACE, job=job, queue=QUEUE, volumes=VOLUMES, trees=TREES, **given)
    found: dict[str, Any] = json.loads(raw)
    return found


def test_the_pre_publish_hook_is_told_who_offers_what() -> None:
    entries = (entry("a"), entry("b", is_dir=False, filename="x.mov", size=3, modified=None))
    raw = pre_publish_input(user=USER, workspace=WORKSPACE, offer=offer(*entries), trees=TREES)
    assert json.loads(raw) == {
        "hook": "pre-publish-server",
        "hostname": "ws1",
        "ip": "10.0.0.9",
        "client": "stagedoor",
        "user": "u1",
        "user_hr": "anna@vendor.example",
        "metadata": METADATA,
        "size": 10,
        "files": [
            {"id": "a", "filename": "shot", "size": 7, "is_dir": True, "modified": 5, "files": json.loads(TREE)},
            {"id": "b", "filename": "x.mov", "size": 3, "is_dir": False},
        ],
    }


def test_the_publish_hook_is_told_everything() -> None:
    data = published()
    assert {key: data[key] for key in ("hook", "id", "code", "user_hr", "source_hr", "destination_hr", "status")} == {
        "hook": "publish-server",
        "id": "j1",
        "code": "a publish",
        "user_hr": "anna@vendor.example",
        "source_hr": "anna@vendor.example@ws1",
        "destination_hr": "acme",
        "status": "running",
    }
    assert (data["idempotency_key"], data["attempt"], data["excluded"], data["replay"]) == ("j1", 2, [], False)
    internal = {"site": "north", "unit": "3", "show": "y", "lane": "fast"}
    assert data["metadata"] == {"internal": internal, "external": {"a": "user", "b": "job"}}
    assert (data["queue"], data["queue_hr"]) == ("q1", "rush")
    assert data["created"] == "2023-11-14T22:13:20.000Z"
    assert [client["role"] for client in data["clients"]] == ["server", "client"]
    assert data["tasks"][0]["source"]["path"] == "/home/anna/shot"
    assert data["tasks"][0]["destination"] == {
        "path": "volume=projects/sq/shot_final",
        "path_rel": "sq/shot_final",
        "path_abs_final": "/mnt/projects/sq/shot_final",
        "v": "v1",
        "v_hr": "projects",
        "metadata": {"internal": {"nas": "1"}, "external": {}},
    }
    assert data["files"][0] == {
        "shotgun": {"id": 7},
        "id": "a",
        "filename": "shot",
        "path": "/mnt/projects/sq/shot_final",
        "is_dir": True,
        "v": "v1",
        "v_hr": "projects",
        "can_publish": True,
        "can_upload": False,
        "rejected": False,
        "warning": "w",
        "info": "i",
        "ident": "shot v1",
        "findings": [{"code": "x", "title": "y"}],
        "comment": "hi",
        "status": "rev",
        "task": "comp",
        "time_report": 60,
        "metadata": {"k": "v"},
        "files": json.loads(TREE),
        "size": 7,
        "modified": 5,
        "hashes": "/runs/a.jsonl",
    }


def test_all_keys_are_there_also_where_there_is_nothing_to_say() -> None:
    """Example scripts read them unconditionally."""
    one, other = published()["files"]
    assert set(one) - {"shotgun"} == set(other)
    nothing = {"comment": "", "status": "", "task": "", "time_report": 0, "metadata": {}, "files": [], "modified": None}
    assert {key: other[key] for key in nothing} == nothing
    assert (other["can_publish"], other["can_upload"]) == (False, True)


def test_what_the_studio_left_out_is_named_and_not_among_the_files() -> None:
    data = published(status=TaskStatus.EXCLUDED)
    assert data["excluded"] == ["a"]
    assert [item["id"] for item in data["files"]] == ["b"]
    assert [item["id"] for item in data["tasks"]] == ["b"]


def test_inputs_are_as_their_schemas_say() -> None:
    raw = pre_publish_input(user=USER, workspace=WORKSPACE, offer=offer(entry("a")), trees=TREES)
    jsonschema.validate(json.loads(raw), schema("pre-publish-server.input"))
    jsonschema.validate(published(), schema("publish-server.input"))


def test_a_large_tree_is_neither_decoded_nor_copied_over_and_over() -> None:
    node = b'{"filename":"frame.000001.exr","size":1000000,"is_dir":false,"modified":1700000000000}'
    tree = b"[" + b",".join([node] * 100_000) + b"]"
    tracemalloc.start()
    began = time.perf_counter()
    raw = pre_publish_input(user=USER, workspace=WORKSPACE, offer=offer(entry("a")), trees={"a": tree})
    seconds = time.perf_counter() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert tree in raw
    assert peak < 3 * len(tree)
    assert seconds < 0.5
