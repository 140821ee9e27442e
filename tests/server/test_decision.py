"""The decision stays on the server: what a client sends back is read for answers only."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rest import House, Person, below, file, folder, fresh
from stagedoor.model import errors

Echo = dict[str, Any]
ACCEPTED = {"can_publish": True}
SPELLINGS = [
    "publish-server",
    "job-publish-server",
    "hook-job-publish-server",
    "Hook-Job-Publish-Server",
    "hook-publish-server",
]


class Offered:
    """An open offer with a file, a folder, an upload-only file and a refused one."""

    def __init__(self, vendor: Person) -> None:
        self.vendor = vendor
        self.file = file(size=10)
        self.folder = folder(a=1, b=2)
        self.folder["files"].append({"filename": "sub", "is_dir": True, "files": [{"filename": "c", "size": 4}]})
        self.raw = file(size=5)
        self.refused = file(size=5)
        vendor.plan(
            {
                self.raw["filename"]: {"can_upload": True, "path": "raw/" + self.raw["filename"], "warning": "not now"},
                self.refused["filename"]: {"rejected": True, "warning": "no such shot"},
            }
        )
        self.answer = vendor.offered(self.file, self.folder, self.raw, self.refused)

    def echo(self, entry: dict[str, Any], **changes: Any) -> Echo:
        """An entry as the answer has it, with the offered `files`, changed."""
        given = next(item for item in self.answer["files"] if item["id"] == entry["id"])
        return {**given, **({"files": entry["files"]} if "files" in entry else {}), **changes}


@pytest.fixture
def offered(vendor: Person) -> Offered:
    return Offered(vendor)


def grown(files: list[dict[str, Any]], index: int, size: int) -> list[dict[str, Any]]:
    return [{**item, "size": size} if number == index else item for number, item in enumerate(files)]


CHANGES: dict[str, tuple[str, Callable[[Echo], Echo], str]] = {
    "another path": ("file", lambda entry: {"path": "volume=projects/elsewhere/x"}, "path"),
    "a path outside every volume": ("file", lambda entry: {"path": "/etc/passwd"}, "path"),
    "a path that is no text": ("file", lambda entry: {"path": 7}, "path"),
    "upload-only made a publish": ("raw", lambda entry: {"can_publish": True, "can_upload": False}, "can_publish"),
    "upload-only made both": ("raw", lambda entry: {"can_publish": True}, "can_publish"),
    "a publish made upload-only": ("file", lambda entry: {"can_publish": False, "can_upload": True}, "can_publish"),
    "an accepted entry called refused": ("file", lambda entry: {"rejected": True}, "rejected"),
    "a verdict that is no truth value": ("file", lambda entry: {"can_publish": 1}, "can_publish"),
    "another name": ("file", lambda entry: {"filename": "other.mov"}, "filename"),
    "a file grown": ("file", lambda entry: {"size": 11}, "size"),
    "a file shrunk": ("file", lambda entry: {"size": 0}, "size"),
    "a size that is no integer": ("file", lambda entry: {"size": 10.0}, "size"),
    "a folder's sum grown": ("folder", lambda entry: {"size": 8}, "size"),
    "an inner file grown": ("folder", lambda entry: {"files": grown(entry["files"], 0, 2)}, "files"),
    "two inner files changed, the sum kept": (
        "folder",
        lambda entry: {"files": grown(grown(entry["files"], 0, 2), 1, 1)},
        "files",
    ),
    "an inner file more": ("folder", lambda entry: {"files": [*entry["files"], {"filename": "z"}]}, "files"),
    "an inner file less": ("folder", lambda entry: {"files": entry["files"][1:]}, "files"),
    "an inner file renamed": (
        "folder",
        lambda entry: {"files": [{"filename": "x", "size": 1}, *entry["files"][1:]]},
        "files",
    ),
    "an inner file deep down grown": (
        "folder",
        lambda entry: {
            "files": [*entry["files"][:2], {"filename": "sub", "is_dir": True, "files": [{"filename": "c", "size": 5}]}]
        },
        "files",
    ),
    "inner files in another order": ("folder", lambda entry: {"files": entry["files"][::-1]}, "files"),
    "a file made a folder": ("file", lambda entry: {"is_dir": True}, "is_dir"),
    "files in a file": ("file", lambda entry: {"files": [{"filename": "x"}]}, "files"),
    "replacing what exists": ("file", lambda entry: {"on_exists": "replace"}, "on_exists"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_decision_is_refused_and_changes_nothing(offered: Offered, what: str) -> None:
    name, change, key = CHANGES[what]
    entry = getattr(offered, name)
    echo = offered.echo(entry, **change(offered.echo(entry)))
    answer = offered.vendor.submit(entry["id"], files=[echo])
    assert answer.refusal == (409, "decision_changed")
    assert answer.json["details"] == {"id": entry["id"], "key": key}
    assert offered.vendor.get("/jobs?finished=true").json["total"] == 0
    assert offered.vendor.submit(entry["id"], files=[offered.echo(entry)]).status == 201


def test_what_was_decided_may_come_back_untouched(offered: Offered) -> None:
    entries = [offered.file, offered.folder, offered.raw]
    answer = offered.vendor.submit(
        *(entry["id"] for entry in entries), files=[offered.echo(entry) for entry in entries]
    )
    assert answer.status == 201
    assert [task["size"] for task in answer.json["tasks"]] == [10, 7, 5]


@pytest.mark.parametrize(
    "spelling", ["volume=projects/in/{}", "in/{}", "in/", "/Volumes/projects/in/{}", "{volume}/in/{}"]
)
def test_the_decided_path_is_known_in_any_notation(house: House, offered: Offered, spelling: str) -> None:
    name = offered.file["filename"]
    path = spelling.replace("{volume}", str(house.studio.volume)).replace("{}", name)
    assert offered.vendor.submit(offered.file["id"], files=[offered.echo(offered.file, path=path)]).status == 201


def test_a_vendor_who_learned_the_notation_gets_no_other_place(house: House, vendor: Person) -> None:
    """The bytes go where the hook said, whatever the echo would have liked."""
    entry = file()
    vendor.offered(entry)
    wish = {"id": entry["id"], "path": f"volume=projects/wish/{entry['filename']}"}
    assert vendor.submit(entry["id"], files=[wish]).refusal == (409, "decision_changed")
    job = vendor.submit(entry["id"]).json
    vendor.send_all(job)
    assert vendor.ended(job["id"])["status"] == "done"
    found = [path for path in below(house.studio.volume) if entry["filename"] in path]
    assert found == [f"in/{entry['filename']}"]


def test_unknown_keys_are_ignored(offered: Offered) -> None:
    echo = offered.echo(offered.file, shotgun={"id": [1, {"x": None}]}, uploaded=True, source="/anywhere")
    answer = offered.vendor.submit(offered.file["id"], files=[echo], colour="red")
    assert answer.status == 201


# --- entries that cannot be submitted ------------------------------------------------------------------------------


def test_a_refused_entry_cannot_be_submitted(offered: Offered) -> None:
    answer = offered.vendor.submit(offered.refused["id"])
    assert answer.refusal == (409, "entry_refused")
    assert offered.refused["filename"] in answer.json["message"]


def test_a_refused_entry_called_accepted_cannot_be_submitted(offered: Offered) -> None:
    echo = offered.echo(offered.refused, can_publish=True, rejected=False, path="volume=projects/in/x")
    assert offered.vendor.submit(offered.refused["id"], files=[echo]).refusal == (409, "entry_refused")


def test_a_refused_entry_does_not_slip_in_beside_accepted_ones(offered: Offered) -> None:
    answer = offered.vendor.submit(offered.file["id"], offered.refused["id"])
    assert answer.refusal == (409, "entry_refused")
    assert offered.vendor.get("/jobs").json["total"] == 0


def test_of_an_offer_that_was_refused_as_a_whole_nothing_can_be_submitted(vendor: Person) -> None:
    entry = file()
    vendor.plan({entry["filename"]: {"rejected": True}})
    vendor.offered(entry)
    assert vendor.submit(entry["id"]).refusal == (404, "entry_unknown")


def test_a_foreign_entry_is_answered_as_an_unknown_one(house: House, offered: Offered) -> None:
    stranger = house.vendor()
    foreign, unknown = stranger.submit(offered.file["id"]), stranger.submit(str(uuid.uuid4()))
    assert foreign.refusal == unknown.refusal == (404, "entry_unknown")
    assert foreign.json["message"] == unknown.json["message"]
    assert offered.vendor.submit(offered.file["id"]).status == 201


def test_a_foreign_entry_beside_an_own_one_is_answered_as_an_unknown_one(house: House, offered: Offered) -> None:
    stranger = house.vendor()
    own = file()
    stranger.offered(own)
    answers = [stranger.submit(own["id"], other) for other in (offered.file["id"], str(uuid.uuid4()))]
    assert [answer.refusal for answer in answers] == [(409, "entries_mixed")] * 2
    echoed = [
        stranger.submit(own["id"], files=[{"id": own["id"]}, {"id": other}])
        for other in (offered.file["id"], str(uuid.uuid4()))
    ]
    assert [answer.refusal for answer in echoed] == [(404, "entry_unknown")] * 2


def test_an_expired_offer_cannot_be_submitted(house: House, offered: Offered) -> None:
    house.write("UPDATE offers SET expires = 1 WHERE id = ?", offered.answer["id"])
    assert offered.vendor.submit(offered.file["id"]).refusal == (409, "offer_expired")
    assert offered.vendor.get(f"/offers/{offered.answer['id']}").json["state"] == "expired"


def test_a_withdrawn_offer_cannot_be_submitted(offered: Offered) -> None:
    assert offered.vendor.ask("DELETE", f"/offers/{offered.answer['id']}").status == 204
    assert offered.vendor.submit(offered.file["id"]).refusal == (409, "offer_withdrawn")


def test_an_offer_for_the_same_path_supersedes_the_earlier_one(offered: Offered) -> None:
    again = {**offered.file, "id": str(uuid.uuid4())}
    assert offered.vendor.offered(again)["files"][0]["can_publish"] is True
    assert offered.vendor.submit(offered.file["id"]).refusal == (409, "offer_superseded")
    assert offered.vendor.submit(again["id"]).status == 201


def test_an_offer_of_the_same_entry_ids_supersedes_the_earlier_one(offered: Offered) -> None:
    """What the newest offer decided counts: other size, other place."""
    again = {**offered.file, "size": 99, "filename": fresh("renamed.mov")}
    offered.vendor.offered(again)
    assert offered.vendor.get(f"/offers/{offered.answer['id']}").json["state"] == "superseded"
    assert offered.vendor.submit(offered.file["id"], files=[offered.echo(offered.file)]).code == "decision_changed"
    answer = offered.vendor.submit(offered.file["id"])
    assert (answer.status, answer.json["size"]) == (201, 99)
    assert offered.vendor.submit(offered.folder["id"]).refusal == (409, "offer_superseded")


def test_an_entry_that_the_studio_refuses_now_cannot_be_submitted_by_its_earlier_offer(offered: Offered) -> None:
    """Offered again with the same id and refused: the acceptance before that is history."""
    offered.vendor.plan({offered.file["filename"]: {"rejected": True, "warning": "not any more"}})
    assert offered.vendor.offered(offered.file)["files"][0]["rejected"] is True
    assert offered.vendor.submit(offered.file["id"]).refusal == (409, "offer_superseded")


def test_a_check_leaves_the_earlier_offer_as_it_is(offered: Offered) -> None:
    offered.vendor.plan({offered.file["filename"]: {"rejected": True}})
    offered.vendor.offered(offered.file, check_only=True)
    assert offered.vendor.submit(offered.file["id"]).status == 201


def test_what_was_only_checked_cannot_be_submitted(vendor: Person) -> None:
    entry = file()
    assert vendor.offered(entry, check_only=True)["state"] == "checked"
    assert vendor.submit(entry["id"]).refusal == (404, "entry_unknown")


def test_entries_that_were_left_out_cannot_be_submitted_later(offered: Offered) -> None:
    assert offered.vendor.submit(offered.file["id"]).status == 201
    assert offered.vendor.submit(offered.folder["id"]).refusal == (409, "offer_submitted")
    assert offered.vendor.submit(offered.file["id"], offered.folder["id"]).refusal == (409, "offer_submitted")


def test_the_same_submit_again_gives_the_same_job(offered: Offered) -> None:
    first = offered.vendor.submit(offered.file["id"], offered.raw["id"])
    again = offered.vendor.submit(offered.raw["id"], offered.file["id"])
    assert (first.status, again.status) == (201, 200)
    assert first.json["id"] == again.json["id"]


def test_entries_of_two_offers_make_no_job(offered: Offered) -> None:
    other = file()
    offered.vendor.offered(other)
    assert offered.vendor.submit(offered.file["id"], other["id"]).refusal == (409, "entries_mixed")


# --- what a submit may hold ----------------------------------------------------------------------------------------


def test_a_task_of_a_publish_takes_no_destination(offered: Offered) -> None:
    tasks = [{"id": offered.file["id"], "source": "/x", "destination": "volume=projects/in/x"}]
    assert offered.vendor.post("/jobs", {"tasks": tasks}).refusal == (409, "decision_changed")


@pytest.mark.parametrize(
    "hooks",
    [
        [{"when": "pre-publish-server", "data": {"files": []}}],
        [{"when": "post-done-server", "data": {}}],
        [{"when": "anything", "data": {}}],
        [{"data": {"files": []}}],
        [{"when": "publish-server", "data": {}, "script": "rm -rf /"}],
        [{"when": "publish-server", "command": "id"}],
        [{"when": "publish-server", "data": {}}, {"when": "publish-server", "data": {}}],
        [{"when": "publish-server", "data": {}}, {"when": "post-done-server", "script": "id"}],
    ],
    ids=lambda hooks: "+".join(",".join(map(str, hook.values())) for hook in hooks),
)
def test_no_hook_but_the_publish_hook_can_be_named(offered: Offered, hooks: list[dict[str, Any]]) -> None:
    task = {"id": offered.file["id"], "source": "/x"}
    assert offered.vendor.post("/jobs", {"tasks": [task], "hooks": hooks}).refusal == (403, "hook_not_allowed")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_publish_hook_is_known_in_any_spelling(offered: Offered, spelling: str) -> None:
    hooks = [{"when": spelling, "data": {"files": [{"id": offered.file["id"], "comment": "mine"}]}}]
    answer = offered.vendor.post("/jobs", {"tasks": [{"id": offered.file["id"], "source": "/x"}], "hooks": hooks})
    assert answer.status == 201
    assert answer.json["tasks"][0]["answers"] == {"comment": "mine"}


@pytest.mark.parametrize(
    "tasks",
    [[], [{}], [{"source": "/x"}], [{"id": 7, "source": "/x"}], ["x"], [{"id": "a", "source": "/x"}] * 2],
    ids=str,
)
def test_a_submit_without_proper_tasks_cannot_be_read(vendor: Person, tasks: list[Any]) -> None:
    assert vendor.post("/jobs", {"tasks": tasks}).refusal == (400, "bad_request")


@pytest.mark.parametrize("data", [{"files": 7}, {"files": [7]}, {"files": [{"id": 7}]}, [], "x"], ids=str)
def test_data_that_is_no_list_of_entries_cannot_be_read(offered: Offered, data: Any) -> None:
    body = {"tasks": [{"id": offered.file["id"]}], "hooks": [{"when": "publish-server", "data": data}]}
    assert offered.vendor.post("/jobs", body).refusal == (400, "bad_request")


# --- answers -------------------------------------------------------------------------------------------------------

STATUSES = [{"label": "Work in progress", "value": "wip"}, {"label": "For review", "value": "rev"}]


class Asked:
    """An offer with a form: an accepted entry and an upload-only one."""

    def __init__(self, vendor: Person, **form: Any) -> None:
        self.vendor = vendor
        self.file, self.raw = file(), file()
        raw = {self.raw["filename"]: {"can_upload": True, "path": f"raw/{self.raw['filename']}"}}
        vendor.plan(raw, **form)
        self.answer = vendor.offered(self.file, self.raw)

    def submit(self, **answers: Any) -> Any:
        return self.vendor.submit(self.file["id"], files=[{"id": self.file["id"], **answers}])

    def faults(self, **answers: Any) -> dict[str, bool]:
        """Faulty fields, and whether they were required."""
        answer = self.submit(**answers)
        assert answer.refusal == (422, "answers_refused"), answer.body
        faults = answer.json["details"]["faults"]
        assert all((fault["id"], fault["filename"]) == (self.file["id"], self.file["filename"]) for fault in faults)
        return {fault["field"]: fault["required"] for fault in faults}

    def kept(self, **answers: Any) -> dict[str, Any]:
        answer = self.submit(**answers)
        assert answer.status == 201, answer.body
        return dict(answer.json["tasks"][0]["answers"])


def test_required_answers_are_enforced_all_at_once(vendor: Person) -> None:
    asked = Asked(vendor, comment=True, time_report=True, statuses=STATUSES)
    assert asked.faults() == {"comment": True, "time_report": True, "status": True}
    assert asked.kept(comment="done", time_report=60, status="wip") == {
        "comment": "done",
        "time_report": 60,
        "status": "wip",
    }


@pytest.mark.parametrize(
    ("field", "nothing"),
    [
        ("comment", ""),
        ("comment", " \n\t"),
        ("comment", None),
        ("comment", True),
        ("time_report", 0),
        ("time_report", "0:00"),
        ("time_report", True),
        ("time_report", ""),
    ],
)
def test_nothing_is_no_answer(vendor: Person, field: str, nothing: Any) -> None:
    """A blank comment, no seconds, and the form's own `true` sent back."""
    asked = Asked(vendor, **{field: True})
    assert asked.faults(**{field: nothing}) == {field: True}


def test_answers_are_not_required_of_upload_only_entries(vendor: Person) -> None:
    asked = Asked(vendor, comment=True, time_report=True, statuses=STATUSES)
    assert vendor.submit(asked.raw["id"]).status == 201


def test_upload_only_entries_may_have_answers(vendor: Person) -> None:
    asked = Asked(vendor)
    answer = vendor.submit(asked.raw["id"], files=[{"id": asked.raw["id"], "comment": "for manual work"}])
    assert answer.json["tasks"][0]["answers"] == {"comment": "for manual work"}


def test_every_entry_needs_its_own_answers(vendor: Person) -> None:
    vendor.plan(comment=True)
    one, other = file(), file()
    vendor.offered(one, other)
    answer = vendor.submit(one["id"], other["id"], files=[{"id": one["id"], "comment": "mine"}])
    assert [fault["id"] for fault in answer.json["details"]["faults"]] == [other["id"]]


def test_a_status_left_out_is_the_default(vendor: Person) -> None:
    asked = Asked(vendor, statuses=[STATUSES[0], {**STATUSES[1], "default": True}])
    assert asked.kept() == {"status": "rev"}


def test_a_status_that_was_not_offered_is_refused(vendor: Person) -> None:
    asked = Asked(vendor, statuses=STATUSES)
    assert asked.faults(status="final") == {"status": False}
    assert asked.faults(status="For review") == {"status": False}, "the label is not the value"


def test_a_task_that_was_not_offered_is_refused(vendor: Person) -> None:
    asked = Asked(vendor, tasks=["sh010_comp"])
    assert asked.faults(task="sh020_comp") == {"task": False}
    assert asked.kept(task="sh010_comp") == {"task": "sh010_comp"}


def test_without_choices_a_status_or_task_is_refused(vendor: Person) -> None:
    assert Asked(vendor).faults(status="wip", task="sh010") == {"status": False, "task": False}


@pytest.mark.parametrize(("given", "seconds"), [(90, 90), ("1:30", 5400), ("0:00:05", 5)])
def test_time_is_seconds_or_text_as_people_type_it(vendor: Person, given: Any, seconds: int) -> None:
    assert Asked(vendor, time_report=True).kept(time_report=given) == {"time_report": seconds}


@pytest.mark.parametrize("given", [-1, 1.5, "1h", "1:75", "8", [], {}])
def test_what_is_no_time_is_refused(vendor: Person, given: Any) -> None:
    assert Asked(vendor).faults(time_report=given) == {"time_report": False}


@pytest.mark.parametrize(
    "given",
    [{"lens": "50mm", "fps": 24}, "lens=50mm\n\n fps = 24 ", '{"lens": "50mm", "fps": 24}'],
    ids=["pairs", "lines", "JSON"],
)
def test_metadata_is_pairs_lines_or_json(vendor: Person, given: Any) -> None:
    assert Asked(vendor, metadata=True).kept(metadata=given) == {"metadata": {"lens": "50mm", "fps": "24"}}


@pytest.mark.parametrize("given", ["no pair", "{broken", [1], {"a": {"b": 1}}, 7])
def test_metadata_that_cannot_be_read_is_refused(vendor: Person, given: Any) -> None:
    assert Asked(vendor).faults(metadata=given) == {"metadata": False}


def test_with_warn_missing_answers_are_noted_and_wrong_ones_still_refused(house: House, vendor: Person) -> None:
    asked = Asked(vendor, comment=True, statuses=STATUSES)
    with house.setting("required_answers", "warn"):
        assert asked.faults(status="final") == {"status": False}
        job = asked.submit().json
    name = asked.file["filename"]
    assert job["notes"] == [
        f"{name}: comment was required and is missing",
        f"{name}: status was required and is missing",
    ]


# --- the documented example of the older client --------------------------------------------------------------------

FIRST = "33d59998-c980-4b82-9f6d-06ce27201d26"
SECOND = "dda32b0f-36e5-4a5f-9379-fdfabfd482e1"
EXAMPLE = [
    {"id": FIRST, "filename": "first_file", "size": 10240, "is_dir": False},
    {
        "id": SECOND,
        "filename": "proj_task001_v001",
        "is_dir": True,
        "files": [{"filename": "file.0002.exr", "size": 1000000}],
    },
]
EXAMPLE_HOOK = """
import uuid
where = "volume=projects/example/" + uuid.uuid4().hex + "/"
for entry in data["files"]:
    entry["path"] = where + entry["filename"]
    if entry["is_dir"]:
        entry.update(ident="abcd1234", can_publish=True, info="Verified publish, please enter comment and time report")
    else:
        entry.update(warning="Will be uploaded but not published", can_upload=True)
json.dump({"files": data["files"], "time_report": True, "comment": True, "guidelines": "..",
           "tasks": ["proj_task001_v001", "proj2_sq0010_sh0010_lighting_v0002"]}, open(sys.argv[2], "w"))
sys.exit()
"""


class Example:
    """The example's two calls on files like its own; its hook gives new paths each time."""

    def __init__(self, vendor: Person, sources: Path) -> None:
        self.session = vendor.house.studio.session(vendor.account)
        self.sources = sources
        (sources / "proj_task001_v001").mkdir(parents=True)
        (sources / "first_file").write_bytes(b"1" * 10240)
        (sources / "proj_task001_v001" / "file.0002.exr").write_bytes(b"2" * 1000000)
        vendor.plan(run=EXAMPLE_HOOK)

    def check(self) -> dict[str, Any]:
        return self.session.publish(json.loads(json.dumps(EXAMPLE)))

    def run(self, **answers: Any) -> dict[str, Any]:
        """With the answers filled in between the calls, the bytes sent, and the end waited for."""
        answer = self.check()
        for entry in answer["files"]:
            entry.update(answers)
        job = self.session.create(
            "job",
            {
                "code": "abcd1234_publish",
                "tasks": [
                    {"id": FIRST, "source": str(self.sources / "first_file")},
                    {"id": SECOND, "source": str(self.sources / "proj_task001_v001")},
                ],
                "hooks": [{"when": "hook-job-publish-server", "data": {"files": answer["files"]}}],
            },
        )
        self.session.upload(job)
        return self.session.wait(job, seconds=60)


@pytest.fixture
def example(vendor: Person, tmp_path: Path) -> Example:
    return Example(vendor, tmp_path / "NAS01")


def test_the_example_answers_as_documented(example: Example) -> None:
    answer = example.check()
    del answer["offer"]
    first, second = answer.pop("files")
    assert answer == {
        "comment": True,
        "time_report": True,
        "guidelines": "..",
        "tasks": ["proj_task001_v001", "proj2_sq0010_sh0010_lighting_v0002"],
    }
    assert {**EXAMPLE[0], "warning": "Will be uploaded but not published", "can_upload": True}.items() <= first.items()
    said = {"ident": "abcd1234", "can_publish": True, "info": "Verified publish, please enter comment and time report"}
    assert {**EXAMPLE[1], **said}.items() <= second.items()
    assert not {"path"} & (set(first) | set(second))


def test_the_example_with_its_literal_ids_works_twice(house: House, example: Example) -> None:
    jobs = [example.run(comment=f"take {take}", time_report="0:30") for take in (1, 2)]
    assert [job["status"] for job in jobs] == ["done", "done"]
    assert jobs[0]["id"] != jobs[1]["id"]
    given = house.published(jobs[1]["id"])["files"]
    assert [(entry["id"], entry["comment"], entry["time_report"]) for entry in given] == [
        (FIRST, "take 2", 1800),
        (SECOND, "take 2", 1800),
    ]
    assert Path(given[0]["path"]).read_bytes() == b"1" * 10240
    assert (Path(given[1]["path"]) / "file.0002.exr").read_bytes() == b"2" * 1000000


def test_the_example_as_it_stands_is_asked_for_its_answers(example: Example) -> None:
    with pytest.raises(errors.AnswersRefused) as refused:
        example.run()
    faults = refused.value.details["faults"]
    assert [(fault["id"], fault["field"]) for fault in faults] == [(SECOND, "comment"), (SECOND, "time_report")]


def test_the_example_as_it_stands_works_twice_where_the_studio_only_warns(house: House, example: Example) -> None:
    with house.setting("required_answers", "warn"):
        jobs = [example.run() for _ in range(2)]
    assert [job["status"] for job in jobs] == ["done", "done"]
    assert jobs[0]["id"] != jobs[1]["id"]
    assert jobs[1]["notes"] == [
        "proj_task001_v001: comment was required and is missing",
        "proj_task001_v001: time_report was required and is missing",
    ]
