"""From files to an offer with answers: what the publish page takes, says and asks.

Not tried here with a real mouse and file manager: dragging. One drop is the browser's own, with a real folder; the others
are made by script, with the entries that a browser would give. Picking uses the browser's own file input.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from publishing import ALL, Arrive, Vendor, furnish, headers
from stagedoor.cli.screen import sequences
from studio import Account, Studio, frames, running, tree


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with running(tmp_path_factory.mktemp("publish-page"), furnish) as made:
        yield made


@pytest.fixture(scope="module")
def ann(studio: Studio) -> Account:
    return studio.user("ann@vendor.example")


@pytest.fixture
def arrive(new_page: Callable[..., Page], ann: Account) -> Arrive:
    return lambda **options: Vendor(new_page(extra_http_headers=headers(ann), **options)).arrive()


@pytest.fixture
def asks(studio: Studio) -> Iterator[Callable[..., None]]:
    """Sets what the studio asks for, until the end of the test."""
    form = studio.folder / "form.json"
    yield lambda **wanted: form.write_text(json.dumps(wanted))
    form.unlink(missing_ok=True)


def arrived(studio: Studio, name: str) -> dict[str, bytes | None]:
    return tree(studio.volume / "in" / name)


def test_before_anything_is_chosen_the_page_says_what_happens_next(arrive: Arrive, tmp_path: Path) -> None:
    vendor = arrive()
    told = vendor.page.get_by_text("Nothing is sent until you press Publish.")
    expect(told).to_be_visible()
    vendor.is_accessible()
    vendor.pick_folder(frames(tmp_path / "next_v001", [1]))
    vendor.is_told("1 accepted")
    expect(told).to_be_hidden()


def test_a_folder_of_1200_files_arrives_complete(arrive: Arrive, studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "picked_v001"
    for number in range(6):
        frames(folder / f"layer{number}" / "exr", range(1001, 1201), size=300 + number)
    vendor = arrive()
    vendor.pick_folder(folder)
    vendor.is_told("1 accepted")
    entry = vendor.entry("picked_v001")
    expect(entry).to_contain_text("1,200 files")
    expect(entry).to_contain_text("layer0/exr/shot.[1001-1200].exr 200 frames")
    vendor.publishes()
    assert arrived(studio, "picked_v001") == tree(folder)


def test_a_dropped_tree_is_read_to_its_end_with_empty_folders_and_without_junk(arrive: Arrive, studio: Studio) -> None:
    files = [f"layer{number % 6}/a.{number:04}.exr" for number in range(1200)]
    junk = [".DS_Store", "layer1/Thumbs.db", "layer2/._a.0001.exr"]
    vendor = arrive()
    vendor.drop("dropped_v001", files + junk, empty=["nothing"])
    vendor.is_told("1 accepted")
    expect(vendor.page.locator(".counts")).to_have_text("3 junk files left out (.DS_Store, Thumbs.db and the like)")
    expect(vendor.entry("dropped_v001")).to_contain_text("1 empty folder")
    vendor.publishes()
    found = arrived(studio, "dropped_v001")
    assert {path: held for path, held in found.items() if held is not None} == {path: path.encode() for path in files}
    assert found["nothing"] is None


HALF = """() => {
    const leaf = (name) => ({ isFile: true, isDirectory: false, name, file: (answer) => answer(new File(["12345"], name)) });
    const names = Array.from({ length: 150 }, (_, index) => `a.${1001 + index}.exr`);
    const rest = new Promise((resolve) => (globalThis.goOn = resolve));
    const createReader = () => {
        let asked = 0;
        const batch = (from, to) => names.slice(from, to).map(leaf);
        return { readEntries: (answer) => {
            asked += 1;
            if (asked === 1) answer(batch(0, 100));
            else if (asked === 2) void rest.then(() => answer(batch(100)));
            else answer([]);
        } };
    };
    const root = { isFile: false, isDirectory: true, name: "half_v002", createReader };
    const event = new Event("drop", { bubbles: true, cancelable: true });
    const items = [{ kind: "file", webkitGetAsEntry: () => root, getAsFile: () => null }];
    Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items } });
    document.body.dispatchEvent(event);
}"""
"""drops a folder whose disk takes its time after the first hundred files, until `goOn` is called"""


def test_while_a_folder_is_read_the_page_counts_what_it_has_found(arrive: Arrive) -> None:
    vendor = arrive()
    page = vendor.page
    counts = page.locator(".counts")
    page.evaluate(HALF)
    expect(counts).to_have_text("100 files, 500 B so far")
    vendor.is_told("Reading")
    page.evaluate("goOn()")
    vendor.is_told("1 accepted")
    expect(vendor.entry("half_v002")).to_contain_text("150 frames")
    expect(counts).to_have_text("")


def test_a_real_folder_that_is_dropped_arrives(arrive: Arrive, studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "really_v001"
    frames(folder / "exr", range(1001, 1251), size=20)
    (folder / "nothing").mkdir()
    vendor = arrive()
    vendor.drop_really(folder)
    vendor.is_told("1 accepted")
    expect(vendor.entry("really_v001")).to_contain_text("1 empty folder")
    vendor.publishes()
    assert arrived(studio, "really_v001") == tree(folder)


def test_names_arrive_in_nfc(arrive: Arrive, studio: Studio) -> None:
    vendor = arrive()
    vendor.drop("nfd_v001", ["Jo\u0308ns.txt"])
    vendor.is_told("1 accepted")
    vendor.publishes()
    assert list(arrived(studio, "nfd_v001")) == ["J\u00f6ns.txt"]


def test_gaps_of_a_sequence_are_named(arrive: Arrive, tmp_path: Path) -> None:
    vendor = arrive()
    vendor.pick_folder(frames(tmp_path / "gaps_v001", [*range(1001, 1043), *range(1044, 1101), *range(1104, 1241)], 64))
    vendor.is_told("1 accepted")
    entry = vendor.entry("gaps_v001")
    expect(entry).to_contain_text("shot.[1001-1240].exr 236 frames, 15.1 kB missing 1043, 1101-1103")
    assert entry.locator(".gaps rect.missing").count() == 2
    entry.get_by_text("All files").click()
    expect(entry.locator(".tree li")).to_have_count(1)


def test_a_refused_entry_is_replaced_by_the_corrected_one_and_what_was_typed_stays(
    arrive: Arrive, studio: Studio, asks: Callable[..., None], tmp_path: Path
) -> None:
    asks(**ALL)
    refused = frames(tmp_path / "refused_v001", [1, 4])
    vendor = arrive()
    vendor.pick_folder(frames(tmp_path / "good_v001", [1, 2]))
    vendor.pick_folder(refused)
    vendor.is_told("1 accepted, 1 refused")
    entry = vendor.entry("refused_v001")
    expect(entry).to_contain_text("Frames are missing.")
    expect(entry.locator(".findings")).to_contain_text("in shot.[0002-0003].exr")
    expect(entry.locator(".findings")).to_contain_text("To fix it: Render them")
    expect(vendor.submit).to_be_disabled()
    vendor.is_accessible()
    vendor.page.get_by_label("Comment").fill("first take")
    vendor.page.get_by_label("Time spent").fill("1:30")
    vendor.pick_folder(frames(refused, [2, 3]))
    vendor.is_told("2 accepted")
    expect(vendor.page.get_by_label("Comment")).to_have_value("first take")
    vendor.publishes()
    vendor.is_accessible()
    assert arrived(studio, "refused_v001") == tree(refused)


def test_one_refusal_stops_all_until_the_refused_are_left_out(arrive: Arrive, studio: Studio, tmp_path: Path) -> None:
    loose = tmp_path / "loose.txt"
    loose.write_text("by hand")
    vendor = arrive()
    vendor.pick_folder(frames(tmp_path / "refused_v002", [1]))
    vendor.pick_files(loose)
    vendor.is_told("1 upload only, 1 refused")
    expect(vendor.entry("loose.txt")).to_contain_text("Not taken as a publish.")
    expect(vendor.submit).to_be_disabled()
    vendor.page.get_by_label("Leave out the refused (refused_v002)").check()
    vendor.submit.click()
    vendor.comes_to("Uploaded")
    expect(vendor.card).to_contain_text("Everything has been uploaded.")
    assert (studio.volume / "in" / "loose.txt").read_text() == "by hand"
    assert not (studio.volume / "in" / "refused_v002").exists()


def test_the_end_tells_how_many_are_published_and_how_many_only_uploaded(arrive: Arrive, tmp_path: Path) -> None:
    loose = tmp_path / "loose_notes.txt"
    loose.write_text("by hand")
    vendor = arrive()
    for name in ("mixed_v001", "mixed_v002"):
        vendor.pick_folder(frames(tmp_path / name, [1]))
    vendor.pick_files(loose)
    vendor.is_told("2 accepted, 1 upload only")
    vendor.publishes()
    expect(vendor.card).to_contain_text("proved byte by byte: 2 entries are published, 1 was only uploaded.")
    expect(vendor.card).to_contain_text("Uploaded only, not a publish: loose_notes.txt.")


def test_what_was_typed_survives_a_reload(arrive: Arrive, asks: Callable[..., None], tmp_path: Path) -> None:
    asks(**ALL)
    first, second = frames(tmp_path / "typed_v001", [1]), frames(tmp_path / "unknown_v001", [1])
    vendor = arrive()
    for folder in (first, second):
        vendor.pick_folder(folder)
    vendor.is_told("2 accepted")
    page = vendor.page
    page.get_by_label("The same for all entries").uncheck()
    unknown = page.get_by_role("group", name="unknown_v001")
    unknown.get_by_label("Comment").fill("look at the hair")
    unknown.get_by_label("Production task").select_option("anim")
    unknown.get_by_role("button", name="Add a line").click()
    unknown.get_by_label("Name").fill("renderer")
    unknown.get_by_label("Value").fill("arnold")
    expect(page.get_by_role("group", name="typed_v001").get_by_label("Production task")).to_have_count(0)
    vendor.is_accessible()
    page.reload()
    for folder in (second, first):
        vendor.pick_folder(folder)
    vendor.is_told("2 accepted")
    expect(unknown.get_by_label("Comment")).to_have_value("look at the hair")
    expect(unknown.get_by_label("Production task")).to_have_value("anim")
    expect(unknown.get_by_label("Value")).to_have_value("arnold")


def test_the_comment_is_called_what_the_studio_calls_it_for_any_of_the_entries(
    arrive: Arrive, asks: Callable[..., None], tmp_path: Path
) -> None:
    asks(comment=True)
    loose = tmp_path / "loose"
    vendor = arrive()
    page = vendor.page
    vendor.pick_folder(frames(loose, [1]))
    vendor.pick_folder(frames(tmp_path / "a_for_anna_v001", [1]))
    vendor.is_told("1 accepted, 1 upload only")
    expect(page.get_by_label("Note for anna", exact=True)).to_be_visible()
    vendor.pick_folder(frames(tmp_path / "b_for_ben_v001", [1]))
    vendor.is_told("2 accepted, 1 upload only")
    expect(page.get_by_label("Note for anna / Note for ben", exact=True)).to_be_visible()
    page.get_by_label("The same for all entries").uncheck()
    expect(page.get_by_role("group", name="loose").get_by_label("Comment (optional)", exact=True)).to_be_visible()


def test_answers_reach_the_job_and_faults_stand_at_their_fields(
    arrive: Arrive, studio: Studio, ann: Account, asks: Callable[..., None], tmp_path: Path
) -> None:
    asks(**{**ALL, "tasks": [f"sh{number:04}" for number in range(40)]})
    vendor = arrive()
    page = vendor.page
    vendor.pick_folder(frames(tmp_path / "unknown_v002", [1]))
    vendor.is_told("1 accepted")
    vendor.submit.click()
    expect(page.get_by_text("Enter a comment.")).to_be_visible()
    expect(page.get_by_label("Comment")).to_be_focused()
    comment, time, task = page.get_by_label("Comment"), page.get_by_label("Time spent"), page.get_by_label("Production")
    comment.fill("x" * 70_000)
    time.fill("90")
    task.fill("sh9999")
    vendor.submit.click()
    expect(page.get_by_text("“90” is not a time")).to_be_visible()
    expect(page.get_by_text("“sh9999” is none of the studio's tasks")).to_be_visible()
    vendor.is_accessible()
    time.fill("1:30")
    task.fill("sh0003")
    vendor.submit.click()
    expect(page.get_by_text("Is longer than 65536 characters.")).to_be_visible()
    comment.fill("a <b>comment</b>")
    page.get_by_label("Status").select_option("fin")
    vendor.publishes()
    job = studio.session(ann).find("Job", finished=True)[0]
    [task] = studio.session(ann).find(f"Task WHERE job={job['id']}")
    assert task["answers"] == {"comment": "a <b>comment</b>", "time_report": 5400, "status": "fin", "task": "sh0003"}


def test_names_that_cannot_travel_are_told_at_their_entries_all_at_once(arrive: Arrive, tmp_path: Path) -> None:
    folder = frames(tmp_path / "names_v001", [1])
    (folder / "what?.exr").write_text("")
    (folder / "<img src=x onerror=window.hacked=1>.exr").write_text("")
    vendor = arrive()
    vendor.pick_folder(folder)
    entry = vendor.entry("names_v001")
    expect(entry).to_contain_text("names_v001/what?.exr holds ?, which Windows cannot store: rename it")
    expect(entry).to_contain_text("<img src=x onerror=window.hacked=1>.exr holds < >")
    expect(entry.locator(".badge")).to_have_text("Cannot be offered")
    vendor.is_accessible()
    entry.get_by_role("button", name="Remove names_v001").click()
    expect(vendor.page.locator(".entry")).to_have_count(0)
    assert vendor.page.evaluate("window.hacked") is None


def test_nothing_that_a_studio_or_a_vendor_wrote_runs(
    arrive: Arrive, asks: Callable[..., None], tmp_path: Path
) -> None:
    asks(**{**ALL, "statuses": [{"label": "<img src=x onerror='window.hacked = 1'>", "value": "x", "default": True}]})
    vendor = arrive()
    page = vendor.page
    vendor.pick_folder(frames(tmp_path / "refused_v003", [1]))
    vendor.pick_folder(frames(tmp_path / "hostile_v001", [1]))
    vendor.is_told("1 accepted, 1 refused")
    expect(page.locator(".guidelines")).to_contain_text("Be nice.")
    page.locator(".guidelines p").click()
    expect(vendor.entry("refused_v003")).to_contain_text("<img src=x onerror='window.hacked = 1'>")
    vendor.entry("refused_v003").get_by_role("button", name="Remove").click()
    page.get_by_label("Comment").fill("<script>window.hacked = 1</script>")
    page.get_by_label("Time spent").fill("0:15")
    vendor.publishes()
    assert page.evaluate("window.hacked") is None


def test_the_studio_is_never_asked_about_a_folder_that_is_still_read(arrive: Arrive) -> None:
    page = arrive().page
    states, offered = page.evaluate(
        """async (module) => {
            const { Offering } = await import(module);
            const asked = [];
            const { fetch } = window;
            window.fetch = async (to, options) => {
                if (String(to).endsWith("/offers")) asked.push(await options.body.text());
                return fetch(to, options);
            };
            const folder = (filename) => ({ filename, is_dir: true, files: [] });
            const found = (node) => ({ node, files: 0, size: 0, junk: 0, faults: [], handle: null });
            const half = folder("half_v001");
            const offering = new Offering(() => {});
            let rest;
            const reading = offering.read(async (begun) => {
                begun(found(folder("away_v001")));
                begun(found(half));
                await new Promise((resolve) => (rest = resolve));
                half.files.push({ filename: "a.exr", is_dir: false, size: 1, modified: 7, file: new File(["a"], "a.exr") });
            });
            const states = [];
            await offering.remove([offering.entries[0]]);
            states.push(offering.state);
            await offering.ask();
            states.push(offering.state, asked.length);
            rest();
            await reading;
            window.fetch = fetch;
            return [[...states, offering.state], asked.map((text) => JSON.parse(text).files.map(({ files }) => files.length))];
        }""",
        _module(page, "publish/offering.js"),
    )
    assert states == ["reading", "reading", 0, "told"]
    assert offered == [[1]]


def test_what_comes_while_a_job_is_made_is_not_sent_with_it_and_stays(
    arrive: Arrive, studio: Studio, tmp_path: Path
) -> None:
    first, second = frames(tmp_path / "first_v001", [1, 2]), frames(tmp_path / "second_v001", [1])
    vendor = arrive()
    page = vendor.page
    held: list[Any] = []
    page.route("**/api/v1/jobs", lambda route: held.append((route, route.fetch())))
    vendor.pick_folder(first)
    vendor.is_told("1 accepted")
    vendor.submit.click()
    page.wait_for_function("document.getElementById('submit').ariaDisabled === 'true'")
    vendor.pick_folder(second)
    vendor.is_told("1 accepted, 1 refused")  # The place of the first is taken now.
    [(route, answer)] = held
    route.fulfill(response=answer)
    vendor.comes_to("Published")
    vendor.is_told("1 accepted")
    expect(page.locator(".entry")).to_have_count(1)
    expect(vendor.entry("second_v001")).to_be_visible()
    assert arrived(studio, "first_v001") == tree(first)
    assert not (studio.volume / "in" / "second_v001").exists()


def test_the_form_can_be_used_while_the_studio_is_asked_anew(
    arrive: Arrive, asks: Callable[..., None], tmp_path: Path
) -> None:
    asks(**ALL)
    vendor = arrive()
    page = vendor.page
    for name in ("one_v001", "two_v001"):
        vendor.pick_folder(frames(tmp_path / name, [1]))
    vendor.is_told("2 accepted")
    held: list[Any] = []
    page.route("**/api/v1/offers", lambda route: held.append(route))
    with page.expect_request("**/api/v1/offers"):
        vendor.pick_folder(frames(tmp_path / "three_v001", [1]))
    page.get_by_label("The same for all entries").uncheck()
    page.get_by_role("group", name="two_v001").get_by_label("Comment").fill("while asked")
    held[0].continue_()
    vendor.is_told("3 accepted")
    expect(page.get_by_role("group", name="two_v001").get_by_label("Comment")).to_have_value("while asked")


def test_an_answer_that_is_not_asked_for_any_more_stops_nothing(
    arrive: Arrive, asks: Callable[..., None], tmp_path: Path
) -> None:
    asks(comment=True, tasks=[f"sh{number:04}" for number in range(40)])
    vendor = arrive()
    page = vendor.page
    vendor.pick_folder(frames(tmp_path / "unknown_v003", [1]))
    page.get_by_label("Comment").fill("now it is known")
    page.get_by_label("Production").fill("sh9999")
    vendor.entry("unknown_v003").get_by_role("button", name="Remove").click()
    vendor.pick_folder(frames(tmp_path / "known_v003", [1]))
    vendor.is_told("1 accepted")
    expect(page.get_by_label("Production")).to_have_count(0)
    vendor.publishes()


def test_where_unfinished_uploads_cannot_be_asked_for_the_page_stays(arrive: Arrive, tmp_path: Path) -> None:
    vendor = arrive()
    page = vendor.page
    page.route("**/api/v1/jobs?*", lambda route: route.abort(), times=1)
    page.reload()
    expect(page.locator(".unfinished")).to_contain_text("The server does not answer.")
    vendor.pick_folder(frames(tmp_path / "stays_v001", [1]))
    vendor.is_told("1 accepted")
    page.locator(".unfinished").get_by_role("button", name="Try again").click()
    expect(page.locator(".unfinished [role=alert]")).to_have_count(0)


def test_of_many_entries_some_are_drawn_and_frames_are_better_chosen_as_a_folder(
    arrive: Arrive, tmp_path: Path
) -> None:
    folder = frames(tmp_path / "many", range(1, 231), size=1)
    vendor = arrive()
    page = vendor.page
    vendor.pick_files(*sorted(folder.iterdir()))
    vendor.is_told("230 accepted")
    vendor.pick_folder(frames(tmp_path / "refused_v009", [1]))
    vendor.is_told("230 accepted, 1 refused")
    expect(page.locator(".entry")).to_have_count(201)
    expect(vendor.entry("refused_v009")).to_be_visible()
    expect(page.get_by_text("These frames are 230 entries, each by itself.")).to_be_visible()
    page.get_by_role("button", name="Show more (30 left)").click()
    expect(page.locator(".entry")).to_have_count(231)
    expect(vendor.entry("shot.0201.exr").get_by_role("button", name="Remove")).to_be_focused()
    page.get_by_role("button", name="Remove these frames").click()
    expect(page.locator(".entry")).to_have_count(1)
    expect(vendor.entry("refused_v009").get_by_role("button", name="Remove")).to_be_focused()


BREAKS = """(path) => {
    const file = { name: path.split("/").at(-1), webkitRelativePath: path.includes("/") ? path : "",
                   get size() { throw new DOMException("the disk is gone", "NotReadableError"); } };
    const items = [{ kind: "file", webkitGetAsEntry: () => null, getAsFile: () => file }];
    const event = new Event("drop", { bubbles: true, cancelable: true });
    Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items } });
    document.body.dispatchEvent(event);
}"""


def test_what_cannot_be_read_to_its_end_is_told_and_not_offered(arrive: Arrive, tmp_path: Path) -> None:
    vendor = arrive()
    page = vendor.page
    vendor.pick_folder(frames(tmp_path / "whole_v001", [1]))
    vendor.is_told("1 accepted")
    page.evaluate(BREAKS, "lost.mov")
    expect(page.get_by_text("What you chose could not be read: the disk is gone. Choose it again")).to_be_visible()
    vendor.is_told("1 accepted")
    page.evaluate(BREAKS, "half_v001/shot.1.exr")
    expect(vendor.entry("half_v001")).to_contain_text("could not be read to its end: the disk is gone")
    expect(page.get_by_text("What you chose could not be read")).to_have_count(0)
    vendor.is_told("Some files cannot be read")
    vendor.entry("half_v001").get_by_role("button", name="Remove").click()
    vendor.is_told("1 accepted")


def test_an_answer_that_is_cut_off_is_none(arrive: Arrive) -> None:
    page = arrive().page
    page.route("**/api/v1/me", lambda route: route.fulfill(body='{"id": "'))
    name = page.evaluate(
        "async (module) => (await import(module)).get('/me').catch((error) => error.constructor.name)",
        _module(page, "api.js"),
    )
    assert name == "Unreachable"


def test_a_check_that_cannot_run_is_no_refusal_and_can_be_tried_again(
    arrive: Arrive, studio: Studio, tmp_path: Path
) -> None:
    broken = studio.folder / "form.json"
    broken.write_text("{")
    vendor = arrive()
    vendor.pick_folder(frames(tmp_path / "again_v001", [1]))
    expect(vendor.page.get_by_role("alert").filter(has_text="Reference")).to_be_visible()
    expect(vendor.entry("again_v001").locator(".badge")).to_have_text("Not checked")
    vendor.is_accessible()
    broken.unlink()
    vendor.page.get_by_role("button", name="Try again").click()
    vendor.is_told("1 accepted")


def test_keys_alone_lead_from_picking_to_the_receipt(
    new_page: Callable[..., Page], studio: Studio, asks: Callable[..., None], tmp_path: Path
) -> None:
    asks(comment=True)
    page = new_page()
    page.add_init_script("delete globalThis.showDirectoryPicker")
    _sign_in(page, studio, "grace@vendor.example")
    vendor = Vendor(page).arrive()
    vendor.is_accessible()
    with page.expect_file_chooser() as chosen:
        _tab_to(page, "Choose a folder")
        page.keyboard.press("Enter")
    chosen.value.set_files(frames(tmp_path / "keys_v001", [1, 2, 3]))
    vendor.is_told("1 accepted")
    _tab_to(page, "Comment")
    page.keyboard.type("with keys alone")
    _tab_to(page, "Publish 1 entry, 12.3 kB")
    page.keyboard.press("Enter")
    vendor.comes_to("Published")
    _tab_to(page, "Receipt (JSON)")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    receipt = json.loads(Path(download.value.path()).read_text())
    assert [file["path"] for file in receipt["entries"][0]["files"]] == [
        f"shot.000{number}.exr" for number in (1, 2, 3)
    ]
    vendor.is_accessible()


def _sign_in(page: Page, studio: Studio, code: str) -> None:
    studio.user(code)
    invited = studio.command("user", "invite", code).split()
    page.goto(next(word for word in invited if "/invitation#" in word))
    page.get_by_label("Password", exact=True).fill("a long walk home")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/invitation" not in url)


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what is focused is called so."""
    called = """() => { const one = document.activeElement;
        return one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent; }"""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(called).strip() == name:
            return
    raise AssertionError(f"Tab never came to {name!r}")


# --- the modules below the page, in the browser ---------------------------------------------------------------------


def _module(page: Page, name: str) -> str:
    """The address of a module of the site."""
    script = page.locator("script[type=module]").get_attribute("src")
    assert script
    return script.replace("js/app.js", f"js/{name}")


def _some_names(chance: random.Random) -> list[str]:
    bases = ["shot.", "shot_v", "plate-", "a", "", "x.y.", "shot.v2.", "Bär_"]
    endings = [".exr", "", ".tar.gz", ".0001.exr", ".v2", "..exr", "_l.exr", ".7z", ". x"]
    found = set()
    for _ in range(chance.randint(1, 3)):
        base, ending, width = chance.choice(bases), chance.choice(endings), chance.choice([0, 1, 2, 4])
        first, step = chance.randint(0, 120), chance.choice([1, 1, 1, 2, 5])
        for number in range(first, first + chance.randint(1, 30) * step, step):
            if chance.random() > chance.choice([0, 0.2]):
                found.add(f"{base}{number:0{width}d}{ending}")
    return sorted(found | set(chance.sample(["readme.txt", "7", ".hidden", "a.b.c", "x-1", "v001"], 2)))


def test_sequences_are_summed_up_as_the_command_line_does(arrive: Arrive) -> None:
    chance = random.Random(4)
    offered = [[(name, 1 + index % 9) for index, name in enumerate(_some_names(chance))] for _ in range(400)]
    page = arrive().page
    ours = page.evaluate(
        """async ([module, offered]) => {
            const { groups, named } = await import(module);
            const told = (group) => [group.name, group.files, group.size, group.missing];
            return offered.map((files) => [groups(files).map(told), named(files.map(([name]) => name))]);
        }""",
        [_module(page, "sequences.js"), offered],
    )
    for files, (told, named) in zip(offered, ours, strict=True):
        theirs = [[group.name, group.files, group.size, group.missing] for group in sequences.groups(files)]
        assert sorted(told) == sorted(theirs)
        assert sorted(named) == sorted(sequences.named([name for name, _ in files]))


def test_a_finding_names_the_files_that_it_is_about_and_no_others(arrive: Arrive) -> None:
    page = arrive().page
    told = page.evaluate(
        """async ([module, files]) => {
            const { findings } = await import(module);
            return findings([{ title: "Missing frames", files }]).querySelector(".mono").textContent;
        }""",
        [_module(page, "ui/findings.js"), [f"demo.{number}.exr" for number in (1043, 1101, 1102, 1103)]],
    )
    assert told == "demo.1043.exr, demo.[1101-1103].exr"


def test_parts_cover_what_is_missing_once_each_and_pieces_are_the_bytes_of_the_tape(arrive: Arrive) -> None:
    page = arrive().page
    wrong = page.evaluate(
        """async ([tapes, plans]) => {
            const { Tape, blobOf } = await import(tapes);
            const { Plan, left } = await import(plans);
            let seed = 7;
            const chance = (below) => (seed = (seed * 48271) % 2147483647) % below;
            for (let round = 0; round < 200; round += 1) {
                const sizes = Array.from({ length: 1 + chance(9) }, () => chance(4) * chance(50));
                const content = (size, file) => new Uint8Array(size).map((_, at) => file * 31 + at);
                const files = sizes.map((size, file) => new File([content(size, file)], "f"));
                const tape = new Tape(sizes);
                const all = new Uint8Array(await new Blob(files).arrayBuffer());
                const start = chance(tape.size + 1), end = start + chance(tape.size - start + 1);
                const bytes = new Uint8Array(await blobOf(tape, files, start, end).arrayBuffer());
                if (bytes.join() !== all.slice(start, end).join()) return ["tape", sizes, start, end];
                const plan = new Plan(1 + chance(5));
                const missing = [[0, chance(9e6)], [1e7, 1e7 + 1 + chance(5e7)]].filter(([a, b]) => a < b);
                plan.add("u", missing, 1 + chance(2e7));
                const taken = [];
                for (let part; (part = plan.take(chance(2) * chance(2e7)));) {
                    if (chance(5)) taken.push(part);
                    else taken.push(plan.halve(part));
                }
                taken.sort((a, b) => a.start - b.start);
                const joined = [];
                for (const { start, end } of taken) {
                    if (joined.length && joined.at(-1)[1] === start) joined.at(-1)[1] = end;
                    else joined.push([start, end]);
                }
                if (JSON.stringify(joined) !== JSON.stringify(missing)) return ["plan", missing, taken];
                if (plan.remaining) return ["remaining", plan.remaining];
            }
            const parts = left({ upload: "u", start: 10, end: 50 }, [[0, 15], [30, 40], [60, 70]]);
            return JSON.stringify(parts.map(({ start, end }) => [start, end]));
        }""",
        [_module(page, "upload/tape.js"), _module(page, "upload/plan.js")],
    )
    assert wrong == "[[10,15],[30,40]]"


def test_an_offer_is_written_as_it_is_read(arrive: Arrive) -> None:
    """Piece by piece, and yet the JSON that the whole would be."""
    page = arrive().page
    offered, names = page.evaluate(
        """async (address) => {
            const { written } = await import(address);
            const leaf = (filename) => ({ filename, is_dir: false, size: 5, modified: 7, file: new File([], "f") });
            const names = Array.from({ length: 2500 }, (_, index) => `a "quoted" \u00e4 ${index}`);
            const empty = { filename: "empty", is_dir: true, files: [] };
            const inner = { filename: "inner", is_dir: true, files: names.map(leaf) };
            const root = { filename: "root", is_dir: true, files: [empty, inner, leaf("last")] };
            const offered = await written([{ id: "1", node: root }, { id: "2", node: leaf("alone") }]);
            return [await offered.text(), names];
        }""",
        _module(page, "scan/tree.js"),
    )
    size = {"size": 5, "modified": 7}
    inner = {"filename": "inner", "is_dir": True, "files": [{"filename": name, **size} for name in names]}
    files = [{"filename": "empty", "is_dir": True, "files": []}, inner, {"filename": "last", **size}]
    root = {"id": "1", "filename": "root", "is_dir": True, "files": files}
    alone = {"id": "2", "filename": "alone", "is_dir": False, **size}
    assert json.loads(offered) == {"client": "page", "files": [root, alone]}


def test_the_page_itself_cuts_no_file(arrive: Arrive, tmp_path: Path) -> None:
    """Each cut is a question to another process: of thousands of files in a part the page would stand still."""
    vendor = arrive()
    vendor.page.evaluate("""() => {
        window.cuts = 0;
        const { slice } = Blob.prototype;
        Blob.prototype.slice = function (...range) { window.cuts += 1; return slice.apply(this, range); };
    }""")
    vendor.pick_folder(frames(tmp_path / "cut_v001", range(1, 40), size=100))
    vendor.is_told("1 accepted")
    vendor.publishes()
    assert vendor.page.evaluate("window.cuts") == 0


def test_the_list_outlives_a_look_at_another_page(arrive: Arrive, tmp_path: Path) -> None:
    vendor = arrive()
    vendor.pick_folder(frames(tmp_path / "kept_v001", [1]))
    vendor.is_told("1 accepted")
    vendor.page.get_by_role("button", name="Account of").or_(vendor.page.locator(".menu summary")).first.click()
    vendor.page.get_by_role("link", name="Your account").click()
    vendor.page.get_by_role("heading", name="Your account").wait_for()
    vendor.page.get_by_role("link", name="Publish", exact=True).click()
    vendor.is_told("1 accepted")
    shutil.rmtree(tmp_path / "kept_v001")
