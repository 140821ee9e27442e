"""What people read: sizes and times, tables, guidelines, verdicts; hostile words do no harm."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.cli import sending
from stagedoor.cli.screen import bar, jobs, numbers, page, verdicts
from stagedoor.cli.screen.guidelines import readable
from stagedoor.client.progress import Progress

ESCAPE = "\x1b[2J"


@pytest.fixture
def sheet() -> page.Page:
    return page.Page(interactive=False)


@pytest.mark.parametrize(
    ("bytes_", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (3_100_000_000, "3.1 GB"),
        (999_960, "1.0 MB"),
        (240_000_000, "240 MB"),
    ],
)
def test_sizes_are_said_in_powers_of_a_thousand(bytes_: int, words: str) -> None:
    assert words == numbers.size(bytes_)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.42, "0.4 s"), (59.7, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (90_000, "1 d 1 h")],
)
def test_times_are_said_in_their_two_largest_units(seconds: float, words: str) -> None:
    assert words == numbers.duration(seconds)


def test_a_time_report_is_said_as_it_is_typed() -> None:
    assert (numbers.clock(5400), numbers.clock(309)) == ("1:30", "0:05:09")


def test_a_list_is_spoken() -> None:
    assert (
        numbers.spoken(["a"]),
        numbers.spoken(["a", "b"]),
        numbers.spoken(["a", "b", "c", "d"], 2),
    ) == ("a", "a and b", "a, b and 2 more")


# --- page --------------------------------------------------------------------------------------------------------


@given(st.text())
def test_no_word_from_outside_reaches_the_terminal_as_a_command(words: str) -> None:
    shown = page.harmless(words)
    assert [character for character in shown if character != "\n" and ord(character) < 32] == []


def test_markup_in_foreign_words_is_not_read(sheet: page.Page, capsys: pytest.CaptureFixture[str]) -> None:
    sheet.say("[bold]x[/bold] :smile: " + ESCAPE)
    sheet.table([page.Column("A")], [["[red]y[/red]" + ESCAPE]])
    assert capsys.readouterr().out == "[bold]x[/bold] :smile: \\x1b[2J\nA\n[red]y[/red]\\x1b[2J\n"


def test_columns_are_never_cut_where_there_is_no_terminal(sheet: page.Page, capsys: pytest.CaptureFixture[str]) -> None:
    sheet.table([page.Column("NAME"), page.Column("SIZE", right=True)], [["x" * 500, "1"], ["y", "1000"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ["x" * 500 + "     1", "y" + " " * 499 + "  1000"]


def test_with_json_stdout_holds_one_object_and_the_words_go_to_stderr(
    sheet: page.Page, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet.json = True
    sheet.say("words")
    sheet.answer({"a": 1})
    sheet.failed({"code": "late"})
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"a": 1}, "words\n")


def test_a_terminal_that_wants_no_colour_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    page.Page().say("quiet", "red")
    assert "31m" not in terminal.getvalue()


# --- guidelines --------------------------------------------------------------------------------------------------


def test_html_becomes_paragraphs_lists_and_links() -> None:
    source = (
        "<html><head><title>no</title></head><body color=red><h1>Frames</h1><p>Send  <b>EXR</b>.</p>"
        "<ul><li>one<li>two</ul><ol><li>first</li></ol><a href='https://x.y/z'>more</a>"
        "<script>alert(1)</script>"
    )
    assert readable(source) == "Frames\n\nSend EXR.\n\n- one\n- two\n\n1. first\n\nmore (https://x.y/z)"


def test_plain_text_stays_as_it_is() -> None:
    assert readable("a < b\n  keep this\n") == "a < b\n  keep this"


@given(st.text(alphabet="<>/&;#abhpuli \n'=\"!-", max_size=60))
def test_sloppy_html_never_raises(source: str) -> None:
    readable(source)


def test_unknown_entities_are_kept() -> None:
    assert readable("<p>Color &ht; depth") == "Color &ht; depth"


# --- verdicts ----------------------------------------------------------------------------------------------------


ANSWER: dict[str, Any] = {
    "comment": True,
    "guidelines": "<p>Name it <i>properly</i>",
    "statuses": [{"label": "Ready", "value": "rdy"}],
    "files": [
        {"id": "1", "filename": "sh010", "is_dir": True, "size": 200, "can_publish": True, "ident": "sh010 comp v2"},
        {"id": "2", "filename": "notes.txt", "size": 5, "can_upload": True, "warning": "not a publish\nreally"},
        {
            "id": "3",
            "filename": "bad" + ESCAPE,
            "size": 7,
            "rejected": True,
            "warning": "wrong name\nACCEPTED     fake.exr",
            "findings": [
                {
                    "code": "gap",
                    "title": "Frames are missing",
                    "files": [*"abcdef", "g.1003.exr", "g.1004.exr"],
                    "fix": "render them",
                },
                "short",
            ],
        },
    ],
}
OFFERED = [
    {"id": "1", "filename": "sh010", "files": [{"filename": f"a.{n:03}.exr", "size": 100} for n in (1, 2)]},
]


def test_an_artist_sees_verdict_contents_reason_and_fix(sheet: page.Page, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts.show(sheet, ANSWER, OFFERED)
    assert (
        capsys.readouterr().out
        == """\
The studio's guidelines
  Name it properly

ACCEPTED     sh010/  (2 files, 200 bytes)
             a.[001-002].exr, 2 frames, 200 bytes
         is: sh010 comp v2

UPLOAD ONLY  notes.txt  (5 bytes)
        why: not a publish
             really

REFUSED      bad\\x1b[2J  (7 bytes)
        why: wrong name
             ACCEPTED     fake.exr
      found: Frames are missing [gap]
         in: g.[1003-1004].exr, a, b, c, d and 2 more
  to fix it: render them
      found: short

1 accepted, 1 upload only, 1 refused; 212 bytes in all.
The studio asks you for a comment and a status (Ready).
"""
    )


def test_an_entry_without_a_verdict_is_refused_and_the_stricter_wins() -> None:
    assert [
        verdicts.kind({}),
        verdicts.kind({"can_publish": True, "can_upload": True, "rejected": True}),
        verdicts.kind({"can_publish": True, "can_upload": True}),
    ] == ["refused", "refused", "upload only"]


# --- progress and jobs -------------------------------------------------------------------------------------------


def moment(sent: int, total: int, speed: float = 0.0, eta: float | None = None, message: str = "") -> Progress:
    return Progress(sent=sent, total=total, files=240, speed=speed, eta_seconds=eta, message=message)


def test_progress_is_told_with_speed_and_time_left() -> None:
    assert bar.told(moment(1_200_000_000, 3_100_000_000, 1e8, 19)) == "1.2 GB of 3.1 GB, 240 files, 100 MB/s, 19 s left"


def test_without_a_terminal_progress_is_a_line_every_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with bar.Bar("Sending\x1b[2J") as shown:
        for sent in range(1001):
            shown.show(moment(sent, 1000))
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (11, "Sending\\x1b[2J: 100 %, 1.0 kB of 1.0 kB, 240 files")


def test_what_is_in_the_way_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with bar.Bar("Sending") as shown:
        for _ in range(5):
            shown.show(moment(1, 1000, message="The server is away."))
    assert capsys.readouterr().err.count("The server is away.") == 1


@pytest.mark.parametrize(
    ("job", "ended", "begins"),
    [
        ({"status": "waiting", "phase": "upload"}, False, "Files are still to be sent: stagedoor job resume J1"),
        ({"status": "running", "phase": "ingest"}, False, "Everything has arrived"),
        ({"status": "failed", "phase": "place", "retry_at": "2026-01-01T00:00:00Z"}, False, "It will be tried again"),
        (
            {"status": "failed", "phase": "ingest", "reference": "R7"},
            True,
            "Once the cause is mended, the studio or you can run it again",
        ),
        (
            {"status": "paused", "phase": "upload"},
            False,
            "It is paused; who may, lets it go on: stagedoor job resume J1",
        ),
        (
            {"status": "paused", "error_code": "on_hold", "tasks": [{"status": "done"}, {"status": "onhold"}]},
            False,
            "It waits for the studio, which lets it go on: stagedoor job release J1 2",
        ),
        ({"status": "aborted", "phase": "ended"}, True, "Aborted"),
        ({"status": "done", "phase": "ended"}, True, "Done. The receipt"),
    ],
)
def test_every_job_says_what_to_do_next(job: dict[str, Any], ended: bool, begins: str) -> None:
    job = {"id": "J1", **job}
    assert (ended, begins) == (jobs.ended(job), jobs.what_next(job)[: len(begins)])


def test_a_job_is_shown_with_entries_and_answers(sheet: page.Page, capsys: pytest.CaptureFixture[str]) -> None:
    jobs.show(
        sheet,
        {
            "id": "J1",
            "code": "pub" + ESCAPE,
            "status": "failed",
            "phase": "ingest",
            "user_hr": "user:anna@v.com[standard](u1)",
            "created": "2026-01-01T00:00:00Z",
            "size": 10,
            "received": 10,
            "error": "The studio's ingest failed. Reference: R7",
            "reference": "R7",
            "tasks": [
                {
                    "uri": "0",
                    "filename": "sh010",
                    "is_dir": True,
                    "size": 10,
                    "status": "done",
                    "progress": 100,
                    "can_publish": True,
                    "answers": {
                        "comment": "new\nACCEPTED",
                        "time_report": 5400,
                        "metadata": {"k": "v", "error:": "fake"},
                    },
                }
            ],
        },
    )
    out = capsys.readouterr().out
    assert ESCAPE not in out
    for words in (
        "pub\\x1b[2J  (J1)\n",
        "\n  user:      anna@v.com\n",
        "\n  error:     The studio's ingest failed.\n",
        "\n  reference: R7\n",
        "\n  1. sh010/  10 bytes\n",
        "\n     time:     1:30\n",
        "\n     metadata:\n         k = v\n         error: = fake\n",
    ):
        assert words in out
    assert "\nACCEPTED" not in out


# --- what has been placed ------------------------------------------------------------------------------------------

PLACED = {"status": "done", "path_abs_final": "/mnt/p/sh010"}
OPEN = {"status": "queued", "path_abs_final": "/mnt/p/sh020"}


def job(status: str, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "J1", "code": "pub", "status": status, "phase": "ended", "tasks": list(tasks), **more}


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([OPEN], "Aborted. To send these files after all, publish them again."),
        (
            [PLACED],
            "Aborted. 1 entry was placed already and stays; publish a new version, or ask the studio.",
        ),
        (
            [PLACED, PLACED, OPEN],
            "Aborted. 2 entries were placed already and stay; publish a new version, or ask the studio. "
            "The others can be published again.",
        ),
    ],
)
def test_after_an_abort_it_is_said_what_stays(tasks: list[dict[str, Any]], words: str) -> None:
    assert jobs.what_next(job("aborted", *tasks)) == words


def test_who_may_know_is_told_where_the_placed_entries_of_an_aborted_job_lie(
    sheet: page.Page, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.advise(sheet, job("aborted", PLACED, OPEN))
    assert capsys.readouterr().err.splitlines()[1:] == ["  /mnt/p/sh010"]


def test_an_aborted_job_does_not_show_the_reference_of_an_earlier_failure(
    sheet: page.Page, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.show(sheet, job("aborted", reference="R7", error="Aborted by its owner."))
    assert "R7" not in capsys.readouterr().out


@pytest.mark.parametrize(("tasks", "afresh"), [([OPEN], True), ([PLACED], False)])
def test_starting_afresh_is_offered_only_where_nothing_was_placed(
    sheet: page.Page, capsys: pytest.CaptureFixture[str], tasks: list[dict[str, Any]], afresh: bool
) -> None:
    sending.tell_found(sheet, job("failed", *tasks), [])
    told = capsys.readouterr().err
    assert ("--new" in told, "placed already" in told) == (afresh, not afresh)


@pytest.mark.parametrize(
    ("ended", "code", "exit_code"),
    [
        (job("failed", phase="ingest", error="Bad.", error_code="hook_failed", reference="R7"), "hook_failed", 7),
        (job("aborted", error="Aborted by its owner.", error_code="aborted"), "aborted", 6),
        (job("aborted"), "aborted", 6),
    ],
)
def test_a_job_that_ended_badly_is_an_error_in_json_too(
    sheet: page.Page, capsys: pytest.CaptureFixture[str], ended: dict[str, Any], code: str, exit_code: int
) -> None:
    sheet.json = True
    sheet.context = {"publish": None, "job": None}
    assert sending.conclude(sheet, ended) == exit_code
    answer = json.loads(capsys.readouterr().out)
    assert (list(answer), answer["error"]["code"], answer["job"]["id"]) == (["publish", "job", "error"], code, "J1")


def test_a_refusal_is_an_error_in_json_with_every_reason() -> None:
    error = verdicts.refusal(ANSWER)
    assert (error["code"], [entry["reason"][:10] for entry in error["details"]["entries"]]) == (
        "entries_refused",
        ["wrong name"],
    )


# --- narrow terminals ----------------------------------------------------------------------------------------------

ID = "6a5f00c2e4b0a1b2c3d4e5f6"


def terminal(patch: pytest.MonkeyPatch, width: int) -> io.StringIO:
    """What a terminal of so many columns shows; to be made in the test, since pytest changes streams after fixtures."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    made = Terminal()
    for stream in ("sys.stdout", "sys.stderr"):
        patch.setattr(stream, made)
    for name, value in (("NO_COLOR", "1"), ("TERM", "xterm-256color"), ("COLUMNS", str(width)), ("LINES", "30")):
        patch.setenv(name, value)
    return made


@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_an_id_is_never_broken_on_a_narrow_terminal(
    sheet: page.Page, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    shown = terminal(monkeypatch, width)
    made = {"code": "sh010_" + "x" * 60, "user_hr": "user:anna.of.the.night@vendor.com[standard](u)", "size": 5}
    jobs.listing(sheet, [job("failed", created="2026-01-01T00:00:00Z", **made) | {"id": ID}], 50)
    assert ID in shown.getvalue()
    assert "2026-01-01 00:00" in shown.getvalue()


def test_rows_that_do_not_fit_become_lines_with_titles() -> None:
    columns = [page.Column("ID"), page.Column("NAME"), page.Column("NOTE"), page.Column("WHY")]
    rows = [[ID, "sh010", "", "it is " + "x" * 30]]
    assert page.stacked(columns, rows, 40) == [ID, "    name: sh010", "    why: it is " + "x" * 30]


@given(st.integers(10, 200), st.integers(0, 10**13), st.floats(0, 1e10), st.one_of(st.none(), st.floats(0, 1e7)))
def test_progress_never_takes_more_room_than_there_is(room: int, sent: int, speed: float, eta: float | None) -> None:
    assert len(bar.fitted(moment(sent, 10**13, speed, eta), room)) <= room


def test_the_time_left_is_told_longest() -> None:
    now = moment(1_200_000_000, 3_100_000_000, 1e8, 19)
    assert [bar.fitted(now, room) for room in (60, 45, 25, 12)] == [
        "1.2 GB of 3.1 GB, 240 files, 100 MB/s, 19 s left",
        "1.2 GB of 3.1 GB, 100 MB/s, 19 s left",
        "100 MB/s, 19 s left",
        "19 s left",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_bar_stays_on_one_line(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    screen = terminal(monkeypatch, width)
    with bar.Bar("Sending " + "sh010_comp_" * 10) as shown:
        shown.show(moment(1_200_000_000, 3_100_000_000, 1e8, 19))
        assert shown._bars is not None
        shown._bars.refresh()
        assert "19 s left" in screen.getvalue()
        assert "\n" not in screen.getvalue()
