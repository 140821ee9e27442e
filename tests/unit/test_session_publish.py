"""The answer to a publish holds the caller's own entries with what was decided."""

from __future__ import annotations

import copy

import msgspec
import pytest

from stagedoor.client.given import entries
from stagedoor.client.merge import publish_answer
from stagedoor.model.errors import BadRequest
from stagedoor.wire.offers import OfferAnswer, OfferRequest, Status, VerdictEntry

FILE = "33d59998-c980-4b82-9f6d-06ce27201d26"
FOLDER = "dda32b0f-36e5-4a5f-9379-fdfabfd482e1"


def offered() -> list[dict]:
    return [
        {"id": FILE, "filename": "first_file", "size": 10240, "is_dir": False, "mine": [1]},
        {
            "id": FOLDER,
            "filename": "proj_task001_v001",
            "is_dir": True,
            "files": [{"filename": "file.0002.exr", "size": 1000000}],
        },
    ]


def answered(**form) -> dict:
    answer = OfferAnswer(
        id="a" * 24,
        state="open",
        expires="2026-01-01T00:00:00Z",
        size=1010240,
        files=(
            VerdictEntry(
                id=FOLDER,
                filename="proj_task001_v001",
                size=1000000,
                is_dir=True,
                can_publish=True,
                can_upload=False,
                rejected=False,
                ident="abcd1234",
                info="Please enter a comment",
            ),
            VerdictEntry(
                id=FILE,
                filename="first_file",
                size=10240,
                is_dir=False,
                can_publish=False,
                can_upload=True,
                rejected=False,
                warning="Will not be published",
            ),
        ),
        **form,
    )
    return msgspec.json.decode(msgspec.json.encode(answer))


def test_entries_keep_their_order_and_every_key_of_their_own():
    files = publish_answer(offered(), answered())["files"]

    assert [entry["id"] for entry in files] == [FILE, FOLDER]
    assert files[0]["mine"] == [1]
    assert files[1]["files"] == offered()[1]["files"]


def test_what_was_decided_is_added_by_id():
    upload_only, accepted = publish_answer(offered(), answered())["files"]

    flags = ("can_publish", "can_upload", "rejected")
    assert [upload_only[flag] for flag in flags] == [False, True, False]
    assert [accepted[flag] for flag in flags] == [True, False, False]
    assert upload_only["warning"] == "Will not be published"
    assert accepted["ident"] == "abcd1234"


def test_what_the_hook_did_not_give_is_not_there():
    answer = publish_answer(offered(), answered())

    assert set(answer) == {"files", "offer"}
    assert "ident" not in answer["files"][0]


def test_the_form_is_as_the_hook_gave_it():
    answer = publish_answer(
        offered(), answered(comment=True, statuses=(Status(label="Done", value="done"),), tasks=("a",), guidelines="x")
    )

    assert answer["comment"] is True
    assert answer["statuses"] == [{"label": "Done", "value": "done"}]
    assert (answer["tasks"], answer["guidelines"], answer["offer"]) == (["a"], "x", "a" * 24)


def test_the_size_of_a_folder_is_computed():
    assert publish_answer(offered(), answered())["files"][1]["size"] == 1000000


def test_the_callers_own_dicts_are_not_touched():
    mine = offered()
    before = copy.deepcopy(mine)

    publish_answer(mine, answered())

    assert mine == before


def test_an_earlier_decision_does_not_stick_to_an_entry():
    """Scripts send the answer of one offer into the next one."""
    stale = [{**entry, "rejected": True, "warning": "Wrong version", "findings": [1]} for entry in offered()]

    accepted = publish_answer(stale, answered())["files"][1]

    assert accepted["rejected"] is False
    assert "warning" not in accepted
    assert "findings" not in accepted


def test_only_what_the_server_reads_of_an_entry_travels():
    body = msgspec.json.decode(
        msgspec.json.encode(OfferRequest(files=entries([{**offered()[0], "source": "/home/ann"}])))
    )

    assert body["files"] == [{"id": FILE, "filename": "first_file", "size": 10240, "is_dir": False}]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"id": FILE}, "filename"),
        ({"filename": "a"}, "id"),
        ({"id": FILE, "filename": "a", "size": "5"}, r"files?\[?|size"),
        ({"id": FILE, "filename": "a", "files": [{"size": 1}]}, "filename"),
    ],
)
def test_an_entry_that_cannot_be_read_is_refused_with_the_reason(entry, words):
    with pytest.raises(BadRequest, match=words):
        entries([entry])
