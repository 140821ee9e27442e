"""What hooks answer, read with suspicion."""

from __future__ import annotations

import json
import time
import tracemalloc
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.lifecycle.judge import (
    FINDINGS_KEPT,
    NO_VERDICT,
    BrokenAnswer,
    Judged,
    clean_guidelines,
    oddities,
    read_answer,
)
from stagedoor.model.entities import Volume
from stagedoor.model.form import Form, Status
from stagedoor.model.notation import Place
from stagedoor.model.verdict import Kind, OnExists, Verdict

VOLUMES = [
    Volume(id="v1", code="projects", root="/mnt/projects", aliases=("/Volumes/projects",), default=True),
    Volume(id="v2", code="cache", root="/mnt/cache"),
]


@dataclass
class Offered:
    id: str
    filename: str


A, B = Offered("a", "shot_v001"), Offered("b", "notes.txt")


def judge(answer: Any, *offered: Offered) -> Judged:
    return read_answer(json.dumps(answer).encode(), offered or (A,), VOLUMES)


def judge_entry(**keys: Any) -> Any:
    return judge({"files": [{"id": "a", **keys}]}).entries["a"]


def faults(answer: Any, *offered: Offered) -> list[str]:
    with pytest.raises(BrokenAnswer) as caught:
        judge(answer, *offered)
    return caught.value.faults


def test_an_answer_comes_to_verdicts_and_a_form() -> None:
    finding = {"code": "gap", "title": "A gap.", "files": ["f.7"], "fix": "Fill it."}
    judged = judge(
        {
            "files": [
                {
                    "id": "a",
                    "filename": "shot_v001",
                    "size": 7,
                    "is_dir": True,
                    "files": [{"filename": "f.1"}],
                    "modified": 1,
                    "can_publish": True,
                    "info": "fine",
                    "ident": "shot v1",
                    "comment_label": "What is new?",
                    "path": "volume=cache/x/shot_v001",
                    "on_exists": "refuse",
                    "shotgun": {"id": 7},
                },
                {"id": "b", "rejected": True, "warning": "no notes", "findings": [finding], "path": None},
            ],
            "comment": True,
            "time_report": None,
            "statuses": [{"label": "Review", "value": "rev", "default": True}, {"label": "WIP", "value": "wip"}],
            "tasks": ["comp"],
            "metadata": True,
            "more": {"ignored": 1},
        },
        A,
        B,
    )
    assert judged.form == Form(
        comment=True,
        metadata=True,
        statuses=(Status(label="Review", value="rev", default=True), Status(label="WIP", value="wip")),
        tasks=("comp",),
    )
    one, other = judged.entries["a"], judged.entries["b"]
    assert one.verdict == Verdict(
        kind=Kind.ACCEPTED, info="fine", ident="shot v1", comment_label="What is new?", on_exists=OnExists.REFUSE
    )
    assert one.place == Place("v2", "x/shot_v001")
    assert json.loads(one.extras) == {"shotgun": {"id": 7}}
    assert other.verdict == Verdict(kind=Kind.REFUSED, warning="no notes", findings=(finding,))
    assert other.place is None


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/Volumes/projects/sq/shot", Place("v1", "sq/shot")),
        ("/mnt/cache/x", Place("v2", "x")),
        ("volume=projects/in/", Place("v1", "in/shot_v001")),
        ("in/shot", Place("v1", "in/shot")),
        ("acme:volume=cache/x", Place("v2", "x")),
    ],
)
def test_places_may_be_written_in_any_notation(path: str, place: Place) -> None:
    assert judge_entry(can_publish=True, path=path).place == place


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ({"can_publish": True, "can_upload": True, "rejected": True}, Kind.REFUSED),
        ({"can_publish": True, "rejected": True}, Kind.REFUSED),
        ({"can_publish": True, "can_upload": True}, Kind.UPLOAD_ONLY),
        ({"can_publish": True, "can_upload": False, "rejected": None}, Kind.ACCEPTED),
    ],
)
def test_where_an_answer_contradicts_itself_the_stricter_wins(flags: dict[str, Any], kind: Kind) -> None:
    assert judge_entry(path="x", **flags).verdict.kind is kind


@pytest.mark.parametrize("keys", [{}, {"can_publish": False}, {"can_upload": None, "path": "x"}])
def test_without_a_verdict_an_entry_is_refused_by_the_server(keys: dict[str, Any]) -> None:
    entry = judge_entry(**keys)
    assert entry.verdict == Verdict(kind=Kind.REFUSED, code="no_verdict", warning=NO_VERDICT)
    assert entry.place is None


def test_an_entry_that_is_not_answered_is_refused_by_the_server() -> None:
    judged = judge({"files": [{"id": "a", "can_publish": True, "path": "x"}]}, A, B)
    assert judged.entries["a"].verdict.kind is Kind.ACCEPTED
    assert judged.entries["b"].verdict.code == "no_verdict"


def test_what_the_hook_said_about_an_entry_without_a_verdict_is_kept() -> None:
    assert judge_entry(warning="hm").verdict.warning == "hm"


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "the answer cannot be read (Input data was truncated): write one JSON object"),
        (b"[]", "the answer cannot be read (Expected `object`, got `array`): write one JSON object"),
        (b'{"files": [}', "the answer cannot be read"),
        (b'{"files": [NaN]}', "the answer cannot be read"),
        (b'{"guidelines": "\xff", "files": []}', "the answer: guidelines cannot be read (it is not UTF-8)"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "the answer cannot be read (it is nested too deeply)"),
        (b"{}", "the answer has no `files`"),
        (b'{"files": {}}', "the answer's `files` cannot be read (Expected `array`, got `object`): write a list"),
        (b'{"files": null}', "the answer's `files` cannot be read"),
        (b'{"files": [7]}', "entry 1 of the answer's `files` cannot be read (Expected `object`, got `int`)"),
        (b'{"files": [{"can_publish": true}]}', "entry 1 of the answer's `files` has no id: write the id that"),
        (b'{"files": [{"id": 7}]}', "entry 1 of the answer's `files`: id cannot be read (Expected `str`, got `int`)"),
        (b'{"files": [{"id": "z"}]}', "entry 1 of the answer's `files` has the id 'z', which was not offered"),
        (b'{"files": [{"id": "a"}, {"id": "a"}]}', "shot_v001: is answered twice: write one entry for each id"),
    ],
)
def test_an_answer_that_is_none_is_broken(raw: bytes, fault: str) -> None:
    with pytest.raises(BrokenAnswer) as caught:
        read_answer(raw, [A], VOLUMES)
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].startswith(fault)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (
            {"can_publish": "yes"},
            "shot_v001: can_publish cannot be read (Expected `bool`, got `str`): write true or fa",
        ),
        ({"rejected": 1}, "shot_v001: rejected cannot be read"),
        ({"warning": ["a"]}, "shot_v001: warning cannot be read (Expected `str`, got `array`): write text"),
        ({"can_publish": True}, "shot_v001: may be uploaded but has no path: say where it goes, or reject it"),
        ({"can_upload": True, "path": None}, "shot_v001: may be uploaded but has no path"),
        ({"can_publish": True, "path": 7}, "shot_v001: path cannot be read"),
        ({"can_publish": True, "path": ""}, "shot_v001: the path is empty"),
        ({"can_publish": True, "path": "/etc/x"}, "shot_v001: '/etc/x' lies in no volume"),
        ({"can_publish": True, "path": "volume=no/x"}, "shot_v001: there is no volume 'no'"),
        ({"can_publish": True, "path": "volume=cache/../x"}, "shot_v001: in the path"),
        ({"rejected": True, "on_exists": "swap"}, "shot_v001: on_exists is 'swap': write refuse or replace"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said(keys: dict[str, Any], fault: str) -> None:
    (found,) = faults({"files": [{"id": "a", **keys}]})
    assert found.startswith(fault)


def test_a_finding_that_cannot_be_read_is_left_out_and_told_and_the_verdict_stands() -> None:
    good = {"code": "gap", "title": "A frame is missing", "files": ["a.1.exr"]}
    found = judge({"files": [{"id": "a", "rejected": True, "findings": [{"code": "x"}, good, 7]}]})
    assert found.entries["a"].verdict == Verdict(kind=Kind.REFUSED, findings=(good,))
    assert [remark.split(" (")[0] for remark in found.remarks] == [
        "shot_v001: finding 1 is left out",
        "shot_v001: finding 3 is left out",
    ]
    for nonsense in ("x", 7, {"code": "x"}):
        found = judge({"files": [{"id": "a", "rejected": True, "findings": nonsense}]})
        assert found.entries["a"].verdict.findings == ()
        assert found.remarks[0].startswith("shot_v001: findings are left out (Expected `array")


def test_a_flood_of_findings_is_cut() -> None:
    flood = [{"code": "gap", "title": str(number)} for number in range(1000)]
    found = judge({"files": [{"id": "a", "rejected": True, "findings": flood}]})
    assert len(found.entries["a"].verdict.findings) == FINDINGS_KEPT
    assert found.remarks == (f"shot_v001: only the first {FINDINGS_KEPT} of 1000 findings are kept",)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"statuses": ["wip"]}, "the answer: statuses cannot be read"),
        ({"statuses": [{"label": "WIP"}]}, "the answer: statuses cannot be read"),
        ({"statuses": [{"label": "WIP", "value": ""}]}, "the answer: statuses: a label or value is empty"),
        ({"tasks": "comp"}, "the answer: tasks cannot be read (Expected `array`, got `str`): write a list of names"),
        ({"tasks": [7]}, "the answer: tasks cannot be read"),
        ({"comment": "yes"}, "the answer: comment cannot be read"),
        ({"guidelines": 7}, "the answer: guidelines cannot be read"),
    ],
)
def test_what_is_wrong_with_the_form_is_said(keys: dict[str, Any], fault: str) -> None:
    (found,) = faults({"files": [], **keys})
    assert found.startswith(fault)


def test_all_faults_are_told_together() -> None:
    answer = {"files": [{"id": "a", "can_publish": 1}, {"id": "b", "can_upload": True}, {}], "tasks": 1}
    assert len(faults(answer, A, B)) == 4


def test_endless_faults_are_cut() -> None:
    found = faults({"files": [{}] * 1000})
    assert len(found) == 201
    assert found[-1] == "and 800 more"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x/shot", "x/shot"),
        ("x/Shot", "volume=projects/X/sHOT"),
        ("x/\u00e9", "x/e\u0301"),
        ("x", "x/deeper/shot"),
        ("x/y/z", "x/Y"),
        ("/Volumes/projects/x", "/mnt/projects/x"),
    ],
)
def test_entries_cannot_go_to_one_place_or_into_each_other(one: str, other: str) -> None:
    answer = {"files": [{"id": "a", "can_publish": True, "path": one}, {"id": "b", "can_upload": True, "path": other}]}
    (found,) = faults(answer, A, B)
    assert "goes to the same place as" in found
    assert "shot_v001" in found
    assert "notes.txt" in found


def test_a_shared_beginning_of_names_or_another_volume_is_no_clash() -> None:
    pairs = [("x/shot", "x/shot2"), ("x", "x.txt"), ("x", "volume=cache/x"), ("x-y/z", "x")]
    for one, other in pairs:
        files = [{"id": "a", "can_publish": True, "path": one}, {"id": "b", "can_upload": True, "path": other}]
        judge({"files": files}, A, B)


def test_the_place_of_a_refused_entry_clashes_with_nothing() -> None:
    judge({"files": [{"id": "a", "can_publish": True, "path": "x"}, {"id": "b", "rejected": True, "path": "x"}]}, A, B)


def test_names_in_faults_cannot_fake_a_line() -> None:
    (found,) = faults({"files": [{"id": "a", "can_publish": True}]}, Offered("a", "x\ny"))
    assert found.startswith("x\\x0ay:")


def test_an_answer_may_begin_with_a_byte_order_mark() -> None:
    assert read_answer(b'\xef\xbb\xbf{"files":[]}', [], VOLUMES).entries == {}


def test_the_inner_files_of_an_answer_cost_little() -> None:
    inner = [{"filename": f"frame.{number:06}.exr", "size": 1000, "is_dir": False} for number in range(100_000)]
    answer = {"files": [{"id": "a", "can_publish": True, "path": "x", "files": inner}]}
    raw = json.dumps(answer).encode()
    tracemalloc.start()
    began = time.perf_counter()
    read_answer(raw, [A], VOLUMES)
    seconds = time.perf_counter() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    assert seconds < 1


# --- guidelines --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("Plain, 5 < 6 & more", "Plain, 5 &lt; 6 &amp; more"),
        ("one\ntwo", "one<br>\ntwo"),
        ("name it <project>_<shot>_v###", "name it &lt;project&gt;_&lt;shot&gt;_v###"),
        ("<p>name it <project>_v1</p>", "<p>name it &lt;project&gt;_v1</p>"),
        ("Fish &amp; chips", "Fish &amp; chips"),
        ("<body color>a &ht; <b>b", "a &amp;ht; <b>b</b>"),
        ("<script>alert(1)</script><P onclick=x>hi", "<p>hi</p>"),
        ('<a href="javascript:x">y</a>', '<a rel="noopener noreferrer">y</a>'),
        ("<svg/onload=alert(1)>", ""),
        ("<p><project onclick=<script>alert(1)</script>>", "<p>&lt;project onclick=&gt;</p>"),
    ],
)
def test_guidelines_become_harmless_html_that_reads_the_same(text: str, html: str) -> None:
    assert clean_guidelines(text) == html


@given(st.text(alphabet="<>/&;ab project script=\"'!-\n"))
def test_cleaned_guidelines_hold_no_script(text: str) -> None:
    found = clean_guidelines(text).lower()
    assert "<script" not in found
    assert "<project" not in found


# --- anything ----------------------------------------------------------------------------------------------------

KEYS = (
    "id filename can_publish can_upload rejected warning info ident comment_label path findings on_exists files "
    "statuses label value default tasks comment time_report guidelines metadata code title fix extra"
)
ours = st.sampled_from(KEYS.split())
words = st.one_of(st.text(), st.sampled_from(["a", "b", "x", "volume=cache/x", "/mnt/projects/x", "refuse", "<b>"]))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(ours, words), inner, max_size=6)),
    max_leaves=20,
)
entries = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b"])}, optional={"can_publish": st.booleans(), "path": words}
)
likely = st.fixed_dictionaries(
    {"files": st.lists(st.one_of(entries, anything), max_size=3)}, optional={"guidelines": words, "statuses": anything}
)


@given(st.one_of(likely, anything))
def test_any_json_is_judged_or_broken(answer: Any) -> None:
    try:
        judged = judge(answer, A, B)
    except BrokenAnswer:
        return
    assert set(judged.entries) == {"a", "b"}
    for entry in judged.entries.values():
        assert (entry.place is None) == (entry.verdict.kind is Kind.REFUSED)
        assert isinstance(json.loads(entry.extras), dict)


@given(st.binary())
def test_any_bytes_are_judged_or_broken(raw: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        read_answer(raw, [A], VOLUMES)
    with pytest.raises(BrokenAnswer):
        read_answer(b'{"files": [' + raw + b"7]}", [A], VOLUMES)


# --- what was probably meant otherwise -------------------------------------------------------------------------------


def oddities_of(**changes: Any) -> list[str]:
    return oddities(json.dumps({"files": [{"id": "1", "can_publish": True, "version": 7}], **changes}).encode())


def test_an_unknown_key_beside_files_is_odd_and_those_of_the_input_are_not() -> None:
    assert oddities_of(comment=True, user_hr="a@b.c", hook="pre-publish-server", metadata=None) == []
    (odd,) = oddities_of(comments=True)
    known = "comment, guidelines, metadata, statuses, tasks, time_report"
    assert odd == f"unknown key 'comments' beside `files`: ignored; was 'comment' meant?; known are {known}"


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("Warning", "warning"),
        ("WARNING", "warning"),
        ("can_pubish", "can_publish"),
        ("canUpload", "can_upload"),
        ("publish", "can_publish"),
    ],
)
def test_a_key_of_an_entry_that_is_nearly_one_of_ours_is_odd(key: str, meant: str) -> None:
    (odd,) = oddities_of(files=[{"id": "1", key: True}, {"id": "2", key: True}])
    assert (f"{key!r} of 2 of the entries" in odd, f"was {meant!r} meant?" in odd) == (True, True)


@pytest.mark.parametrize("key", ["version", "shotgun", "project", "shot", "warning", "is_dir"])
def test_keys_of_the_studios_own_are_not_odd(key: str) -> None:
    assert oddities_of(files=[{"id": "1", key: True}]) == []


@given(st.binary(max_size=60))
def test_whatever_was_written_oddities_are_found_or_not(output: bytes) -> None:
    assert isinstance(oddities(output), list)
