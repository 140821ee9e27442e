"""Bytes on their way from a browser: what stops them, and what they survive."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from publishing import HANDLES, Arrive, Vendor, Wire, furnish, headers, limited
from studio import Account, Studio, frames, running, tree, until

SIZE = 6_000_000
SLOW = 600_000
"""bytes per second: long enough on its way to be disturbed"""
AT_ONCE = 4
"""connections of a page"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with running(tmp_path_factory.mktemp("upload-page"), furnish) as made:
        yield made


@pytest.fixture(scope="module")
def vendor_account(studio: Studio) -> Account:
    return studio.user("ann@vendor.example")


@pytest.fixture
def ann(studio: Studio, vendor_account: Account) -> Iterator[Account]:
    """A vendor who leaves no unfinished job behind."""
    yield vendor_account
    session = studio.session(vendor_account)
    for job in session.find("Job"):
        session.update("Job", job["id"], {"status": "aborted"})


@pytest.fixture
def arrive(new_page: Callable[..., Page], ann: Account) -> Arrive:
    """Arrives with a slow line, and agrees to leave pages that warn."""

    def arrived(*scripts: str, rate: int = SLOW) -> Vendor:
        page = new_page(extra_http_headers=headers(ann))
        for script in (limited(rate), *scripts):
            page.add_init_script(script)
        page.on("dialog", lambda dialog: dialog.accept())
        return Vendor(page).arrive()

    return arrived


@pytest.fixture
def movie(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file whose name no other test has."""
    path = tmp_path / f"{request.node.name[5:45]}.mov"
    path.write_bytes(os.urandom(SIZE))
    return path


def begins(vendor: Vendor, movie: Path) -> None:
    vendor.pick_files(movie)
    vendor.is_told("1 accepted")
    vendor.submit.click()
    vendor.has_sent(20)


def goes_on_at_full_speed(vendor: Vendor) -> None:
    vendor.page.get_by_text("Speed limit").click()
    vendor.page.get_by_label("At most, in MB/s").fill("")
    vendor.page.keyboard.press("Tab")


def lies(studio: Studio, movie: Path) -> bool:
    return (studio.volume / "in" / movie.name).read_bytes() == movie.read_bytes()


def job_of(studio: Studio, who: Account) -> dict[str, Any]:
    found: dict[str, Any] = studio.session(who).find("Job", finished=True)[0]
    return found


def test_while_bytes_go_the_page_tells_how_far_and_on_every_page_so(
    arrive: Arrive, studio: Studio, movie: Path
) -> None:
    vendor = arrive()
    begins(vendor, movie)
    expect(vendor.card).to_contain_text("of 6 MB")
    expect(vendor.card.locator(".numbers")).to_contain_text("left")
    expect(vendor.card).to_contain_text("Keep this tab open until everything is sent.")
    vendor.is_accessible()
    page = vendor.page
    page.locator(".menu summary").click()
    page.get_by_role("link", name="Your account").click()
    expect(page.locator("#transfer")).to_contain_text("%")
    page.locator("#transfer a").click()
    goes_on_at_full_speed(vendor)
    vendor.comes_to("Published")
    expect(vendor.card).to_contain_text("You can close this tab.")
    expect(page.locator("#transfer a")).to_be_hidden()
    assert lies(studio, movie)


def test_a_pause_lets_nothing_go_and_no_byte_goes_twice(arrive: Arrive, studio: Studio, movie: Path) -> None:
    vendor = arrive()
    wire = Wire(vendor.page)
    begins(vendor, movie)
    vendor.card.get_by_role("button", name="Pause").click()
    vendor.comes_to("Paused")
    sent = wire.bytes
    vendor.is_accessible()
    vendor.page.wait_for_timeout(400)
    assert wire.bytes == sent < SIZE
    goes_on_at_full_speed(vendor)
    vendor.card.get_by_role("button", name="Go on").click()
    vendor.comes_to("Published")
    assert wire.bytes == SIZE
    assert lies(studio, movie)


def test_a_reload_in_mid_upload_goes_on_by_the_handles_that_the_browser_keeps(arrive: Arrive, studio: Studio) -> None:
    vendor = arrive(HANDLES)
    page = vendor.page
    wire = Wire(page)
    page.locator(".drop").get_by_role("button", name="Choose a folder").click()
    vendor.is_told("1 accepted")
    vendor.submit.click()
    vendor.has_sent(20)
    page.reload()
    unfinished = page.locator(".unfinished-card")
    expect(unfinished).to_contain_text("of 6 MB have arrived")
    vendor.is_accessible()
    page.evaluate("localStorage.setItem('upload-limit', '0')")
    unfinished.get_by_role("button", name="Continue held_v001").dblclick()  # It begins once.
    vendor.comes_to("Published")
    assert wire.bytes <= SIZE + AT_ONCE * wire.largest
    placed = (studio.volume / "in" / "held_v001" / "shot.1001.exr").read_bytes()
    assert placed == bytes((index >> 8) % 251 for index in range(SIZE))


def test_after_a_reload_files_that_are_picked_again_go_on_unless_they_changed(
    arrive: Arrive, studio: Studio, tmp_path: Path
) -> None:
    folder, beside = frames(tmp_path / "again_v001", range(1001, 1011), size=SIZE // 10), tmp_path / "again_v001.txt"
    beside.write_text("notes")
    times = {path: path.stat() for path in folder.iterdir()}
    vendor = arrive()
    page = vendor.page
    wire = Wire(page)
    vendor.pick_folder(folder)
    vendor.pick_files(beside)
    vendor.is_told("2 accepted")
    vendor.submit.click()
    vendor.has_sent(20)
    page.reload()
    unfinished = page.locator(".unfinished-card")
    expect(unfinished).to_contain_text("To go on, drop here or choose again: again_v001/, again_v001.txt")
    changed = folder / "shot.1003.exr"
    os.utime(changed, (1, 1))
    unfinished.locator(".pick-folder").set_input_files(folder)
    expect(unfinished).to_contain_text("Found again_v001; still needed: again_v001.txt.")
    unfinished.locator(".pick-files").set_input_files(beside)
    expect(unfinished).to_contain_text("shot.1003.exr was changed after it was checked")
    vendor.is_accessible()
    os.utime(changed, ns=(times[changed].st_atime_ns, times[changed].st_mtime_ns))
    page.evaluate("localStorage.setItem('upload-limit', '0')")
    unfinished.locator(".pick-files").set_input_files(beside)
    unfinished.locator(".pick-folder").set_input_files(folder)
    vendor.comes_to("Published")
    assert wire.bytes <= SIZE + AT_ONCE * wire.largest
    assert tree(studio.volume / "in" / "again_v001") == tree(folder)


def test_where_another_folder_is_chosen_the_page_says_which_one(arrive: Arrive, tmp_path: Path) -> None:
    folder = frames(tmp_path / "above" / "right_v001", range(1, 7), size=SIZE // 6)
    vendor = arrive()
    vendor.pick_folder(folder)
    vendor.is_told("1 accepted")
    vendor.submit.click()
    vendor.has_sent(20)
    vendor.page.reload()
    unfinished = vendor.page.locator(".unfinished-card")
    unfinished.locator(".pick-folder").set_input_files(folder.parent)
    expect(unfinished).to_contain_text("right_v001 was not among them.Choose right_v001/ itself.")
    expect(unfinished).not_to_contain_text("Put them back")
    unfinished.locator(".pick-folder").set_input_files(folder)
    vendor.comes_to("Sending")


def test_what_belongs_to_an_unfinished_upload_goes_on_or_anew_as_the_user_says(
    arrive: Arrive, studio: Studio, movie: Path
) -> None:
    vendor = arrive()
    begins(vendor, movie)
    vendor.page.reload()
    expect(vendor.page.locator(".unfinished-card")).to_be_visible()
    vendor.page.evaluate("localStorage.setItem('upload-limit', '0')")
    vendor.pick_files(movie)  # where new things are picked
    vendor.page.get_by_role("button", name="Continue it").click()
    vendor.comes_to("Published")
    assert lies(studio, movie)


def test_files_picked_again_that_cannot_be_compared_say_so_and_are_tried_again(
    arrive: Arrive, studio: Studio, movie: Path
) -> None:
    vendor = arrive()
    page = vendor.page
    begins(vendor, movie)
    page.reload()
    expect(page.locator(".unfinished-card")).to_be_visible()
    page.evaluate("localStorage.setItem('upload-limit', '0')")
    page.route("**/files", lambda route: route.abort(), times=1)
    vendor.pick_files(movie)
    page.get_by_role("button", name="Continue it").click()
    expect(page.locator("#main > [role=alert]")).to_contain_text("The server does not answer.")
    page.get_by_role("button", name="Try again").click()
    vendor.comes_to("Published")
    assert lies(studio, movie)


def test_the_page_of_an_unfinished_job_leads_to_where_it_goes_on(
    arrive: Arrive, studio: Studio, ann: Account, movie: Path
) -> None:
    vendor = arrive()
    page = vendor.page
    begins(vendor, movie)
    job = job_of(studio, ann)["id"]
    page.goto(f"/jobs/{job}")
    expect(page.locator("h1 ~ div .badge")).to_have_text("Upload not finished", timeout=30_000)
    page.get_by_role("link", name="Continue on the publish page").click()
    expect(page.locator(f"#unfinished-{job}")).to_be_focused()
    page.evaluate("localStorage.setItem('upload-limit', '0')")
    page.locator(".unfinished-card .pick-files").set_input_files(movie)
    vendor.comes_to("Published")
    page.goto(f"/publish?job={job}")
    expect(page.get_by_text("There is nothing to send for this job.")).to_be_visible()


def test_an_upload_begun_in_the_browser_goes_on_with_the_command_line(
    arrive: Arrive, studio: Studio, ann: Account, movie: Path
) -> None:
    vendor = arrive()
    begins(vendor, movie)
    vendor.page.close()
    done = studio.client(ann, "job", "resume", job_of(studio, ann)["id"], cwd=movie.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lies(studio, movie)


def test_a_server_that_is_killed_and_started_again_gets_the_rest(arrive: Arrive, studio: Studio, movie: Path) -> None:
    vendor = arrive()
    wire = Wire(vendor.page)
    begins(vendor, movie)
    studio.kill()
    expect(vendor.card).to_contain_text("The server does not answer just now.")
    studio.start()
    goes_on_at_full_speed(vendor)
    vendor.comes_to("Published")
    assert wire.bytes <= SIZE + 2 * AT_ONCE * wire.largest  # in flight, and tried while nobody was there
    assert lies(studio, movie)


def test_a_network_that_goes_away_and_comes_back_gets_the_rest(arrive: Arrive, studio: Studio, movie: Path) -> None:
    vendor = arrive()
    begins(vendor, movie)
    vendor.page.context.set_offline(True)
    expect(vendor.card).to_contain_text("The server does not answer just now.")
    vendor.is_accessible()
    vendor.page.context.set_offline(False)
    goes_on_at_full_speed(vendor)
    vendor.comes_to("Published")
    assert lies(studio, movie)


def test_a_file_that_changes_while_it_is_sent_is_named(arrive: Arrive, studio: Studio, movie: Path) -> None:
    vendor = arrive()
    begins(vendor, movie)
    with movie.open("r+b") as held:
        held.write(b"another take")
    vendor.comes_to("Stopped")
    expect(vendor.card).to_contain_text(f"{movie.name} was changed, moved or deleted after it was checked")
    vendor.is_accessible()
    vendor.card.get_by_role("button", name="Cancel this publish").click()
    vendor.page.get_by_role("dialog").get_by_role("button", name="Cancel the publish").click()
    vendor.comes_to("Cancelled")
    assert not (studio.volume / "in" / movie.name).exists()


def test_what_the_studio_pauses_waits_and_goes_on_by_itself(
    arrive: Arrive, studio: Studio, ann: Account, movie: Path
) -> None:
    vendor = arrive()
    begins(vendor, movie)
    job = job_of(studio, ann)["id"]
    studio.client(studio.admin, "job", "pause", job)
    vendor.comes_to("Held by the studio")
    expect(vendor.card).to_contain_text(
        "It goes on by itself while this tab is open; after closing this tab you find it here as unfinished."
    )
    studio.client(studio.admin, "job", "resume", job)
    vendor.comes_to("Sending")
    studio.client(ann, "job", "pause", job)
    vendor.comes_to("Paused")
    expect(vendor.card).to_contain_text("You paused this job")
    expect(vendor.card.get_by_role("link", name="its page")).to_have_attribute("href", f"/jobs/{job}")
    studio.client(ann, "job", "resume", job)
    vendor.comes_to("Sending")
    goes_on_at_full_speed(vendor)
    vendor.comes_to("Published")
    assert lies(studio, movie)


def test_what_the_studio_has_paused_is_left_without_a_question_and_found_as_unfinished(
    arrive: Arrive, studio: Studio, ann: Account, movie: Path
) -> None:
    vendor = arrive()
    asked: list[str] = []
    vendor.page.on("dialog", lambda dialog: asked.append(dialog.type))
    begins(vendor, movie)
    job = job_of(studio, ann)["id"]
    studio.client(studio.admin, "job", "pause", job)
    vendor.comes_to("Held by the studio")
    vendor.page.reload()
    expect(vendor.page.locator(f"#unfinished-{job}")).to_be_visible()
    assert not asked


def test_an_ingest_that_failed_is_told_with_a_reference_and_not_as_success(
    arrive: Arrive, studio: Studio, ann: Account, tmp_path: Path
) -> None:
    vendor = arrive(rate=0)
    vendor.pick_folder(frames(tmp_path / "fails_v001", [1, 2]))
    vendor.is_told("1 accepted")
    vendor.submit.click()
    vendor.comes_to("Ingest failed")
    expect(vendor.card).to_contain_text("Everything has arrived, but the studio's ingest failed.")
    expect(vendor.card.get_by_text("nothing needs to be sent again")).to_have_count(1)
    reference = job_of(studio, ann)["reference"]
    assert reference
    expect(vendor.card.locator("code")).to_have_text(reference)
    expect(vendor.card).not_to_contain_text("tracker")
    vendor.is_accessible()


def test_a_second_upload_waits_for_the_first(arrive: Arrive, studio: Studio, movie: Path, tmp_path: Path) -> None:
    second = tmp_path / "second_of_two.mov"
    second.write_bytes(os.urandom(1000))
    vendor = arrive()
    begins(vendor, movie)
    vendor.pick_files(second)
    vendor.is_told("1 accepted")
    vendor.submit.click()
    cards = vendor.card.filter(has_text=second.name)
    expect(cards.locator(".badge")).to_have_text("Waits")
    expect(cards).to_contain_text(f"It begins when “{movie.name}” has been sent.")
    goes_on_at_full_speed(vendor)
    expect(vendor.card.locator(".badge")).to_have_text(["Published", "Published"], timeout=20_000)
    assert lies(studio, movie)
    assert lies(studio, second)


def test_another_tab_does_not_send_the_same_job(arrive: Arrive, studio: Studio, movie: Path) -> None:
    vendor = arrive()
    begins(vendor, movie)
    beside = vendor.page.context.new_page()
    beside.goto("/publish")
    beside.locator(".unfinished-card .pick-files").set_input_files(movie)
    expect(beside.locator(".transfer-card")).to_contain_text("Another tab of this browser sends this already.")
    beside.close()
    goes_on_at_full_speed(vendor)
    vendor.comes_to("Published")


def test_an_upload_without_the_right_files_stops_and_says_which(
    arrive: Arrive, studio: Studio, ann: Account, movie: Path
) -> None:
    vendor = arrive()
    begins(vendor, movie)
    vendor.page.reload()
    expect(vendor.page.locator(".unfinished-card")).to_be_visible()
    begin = """async ([id, sizes]) => {
        const [script, found] = [document.querySelector("script[type=module]").src, await fetch(`/api/v1/jobs/${id}`)];
        const { begin } = await import(script.replace("app.js", "upload/transfers.js"));
        const job = await found.json();
        const source = { sizes, files: sizes.map((size) => new File([new Uint8Array(size)], "other.mov")) };
        begin(job, new Map(sizes.length ? [[job.tasks[0].id, source]] : []), {});
    }"""
    job = job_of(studio, ann)["id"]
    vendor.page.evaluate(begin, [job, []])
    vendor.comes_to("Stopped")
    expect(vendor.card).to_contain_text(f"The studio needs {movie.name} again: reload this page and choose it again.")
    wire = Wire(vendor.page)
    vendor.page.evaluate(begin, [job, [SIZE - 1]])
    vendor.comes_to("Stopped")
    expect(vendor.card).to_contain_text(f"{movie.name} has another size than when it was checked")
    assert not wire.parts


def test_signing_out_asks_first_and_uploads_end_where_somebody_else_comes(arrive: Arrive, movie: Path) -> None:
    vendor = arrive()
    page = vendor.page
    begins(vendor, movie)
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("dialog", name="Stop the upload and sign out?").get_by_role("button", name="Stay").click()
    expect(vendor.card.locator(".badge")).to_have_text("Sending")
    page.evaluate(
        """async () => {
            const script = document.querySelector("script[type=module]").src;
            (await import(script.replace("app.js", "upload/transfers.js"))).belongTo("somebody else");
        }"""
    )
    expect(vendor.card).to_have_count(0)
    wire = Wire(page)
    page.wait_for_timeout(1500)
    assert not wire.parts


WAKEFUL = """
globalThis.locks = [];
const { request } = WakeLock.prototype;
WakeLock.prototype.request = async function (kind) {
    const lock = await request.call(this, kind);
    locks.push(lock);
    await globalThis.answered;
    return lock;
};
"""
"""keeps what the browser itself gave; that a screen stays on cannot be seen without one"""
HELD = "locks.filter((lock) => lock.type === 'screen' && !lock.released).length"


def test_the_screen_stays_awake_while_bytes_go_and_no_longer(arrive: Arrive, movie: Path) -> None:
    vendor = arrive(WAKEFUL)
    page = vendor.page
    assert page.evaluate("locks.length") == 0
    begins(vendor, movie)
    page.wait_for_function(f"() => {HELD} === 1")
    vendor.card.get_by_role("button", name="Pause").click()
    vendor.comes_to("Paused")
    page.wait_for_function(f"() => {HELD} === 0")
    goes_on_at_full_speed(vendor)
    vendor.card.get_by_role("button", name="Go on").click()
    page.wait_for_function("() => locks.length === 2")
    vendor.comes_to("Published")
    page.wait_for_function(f"() => {HELD} === 0")
    assert page.evaluate("locks.length") == 2


def test_a_screen_that_is_kept_awake_too_late_is_let_go(arrive: Arrive, movie: Path) -> None:
    vendor = arrive(WAKEFUL, "globalThis.answered = new Promise((resolve) => (globalThis.answer = resolve));")
    page = vendor.page
    begins(vendor, movie)
    vendor.card.get_by_role("button", name="Pause").click()
    vendor.comes_to("Paused")
    assert page.evaluate(HELD) == 1
    page.evaluate("answer()")
    page.wait_for_function(f"() => {HELD} === 0")


def test_leaving_while_bytes_go_is_warned_of(arrive: Arrive, movie: Path) -> None:
    vendor = arrive()
    asked: list[str] = []
    vendor.page.on("dialog", lambda dialog: asked.append(dialog.type))
    begins(vendor, movie)
    vendor.page.reload()
    until(lambda: asked == ["beforeunload"])
    vendor.page.reload()
    assert asked == ["beforeunload"]
