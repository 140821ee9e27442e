"""The desk: what comes in is seen as it comes, and what hangs is set going again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from axe import violations, violations_in_both_themes
from rest import House, Person, basic, file, folder, fresh
from studio import Account, Studio, until

Opens = Callable[..., Page]
expect.set_options(timeout=15_000)  # a busy machine must not make one fail

HOSTILE = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
INGEST = """
import pathlib
print("<script>document.title='run'</script>", "\\x1b[31mred", "x" * 300)
if "broken" in text and not pathlib.Path({mended!r}).exists():
    print("no such shot", file=sys.stderr)
    sys.exit(3)
"""


@pytest.fixture(scope="module")
def house(studio: Studio) -> House:
    """Its ingest fails for what is called broken, until `mend` says that the cause is gone."""
    made = House(studio)
    made.ingests(INGEST.format(mended=str(studio.folder / "mended")))
    return made


def named(job: dict[str, Any], who: Person, name: str) -> dict[str, Any]:
    answer = who.ask("PATCH", f"/jobs/{job['id']}", {"code": name})
    assert answer.status == 200
    return dict(answer.json)


def rows(page: Page) -> Any:
    return page.locator("tbody tr")


# --- the list ------------------------------------------------------------------------------------------------------


def test_a_list_is_narrowed_by_an_expression_that_stays_in_the_address(
    house: House, vendor: Person, opens: Opens
) -> None:
    name = fresh("narrow")
    named(vendor.job(file()), vendor, name)
    named(vendor.job(file()), vendor, fresh("other"))
    page = opens(house.admin, "/jobs")
    page.get_by_role("searchbox").fill(f"name = {name}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 job")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value(f"name = {name}")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    page.get_by_role("button", name="Abort").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_value(f"name = {name}")


def test_an_expression_that_cannot_be_read_is_marked_where_it_is_wrong(house: House, opens: Opens) -> None:
    page = opens(house.admin, "/jobs")
    page.get_by_role("searchbox").fill("name = a and and b")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert").filter(has_text="column 18")).to_be_visible()
    expect(page.locator("mark")).to_have_text("b")
    expect(page.get_by_role("searchbox")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("searchbox").fill("colour = red")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="colour")).to_be_visible()


def test_plain_words_are_looked_for_in_names_and_the_page_says_so(house: House, vendor: Person, opens: Opens) -> None:
    """Also what needs quotes, and for a vendor, who has nothing else to look with."""
    name = fresh('sh0010 "take (2)" or')
    named(vendor.job(file()), vendor, name)
    named(vendor.job(file()), vendor, fresh("other"))
    page = opens(vendor, "/jobs")
    page.get_by_role("searchbox").fill('0010 "take (2)" OR')
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 job")).to_be_visible()
    expect(page.get_by_role("link", name=name)).to_be_visible()
    expect(page.get_by_text('name contains "0010 ""take (2)"" OR"')).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value('0010 "take (2)" OR')
    for words in ("work in progress", '"name contains this"'):
        page.get_by_role("searchbox").fill(words)
        page.keyboard.press("Enter")
        expect(page.get_by_text(f'name contains "{words.strip(chr(34))}"')).to_be_visible()
        expect(page.get_by_text("No job is like that.")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
    page.goto(f"/people?where={quote(vendor.code)}")
    expect(page.get_by_role("heading", name="This page is for the studio's people")).to_be_visible()
    page = opens(house.admin, f"/people?where={quote(vendor.code)}")
    expect(page.get_by_role("status").filter(has_text="1 user")).to_be_visible()
    for address in ("/hooks", "/log", "/refused"):
        page.goto(f"{address}?where={fresh('nothing')}")
        expect(page.get_by_text(re.compile("^No (run|line|refusal) is like that"))).to_be_visible()


def test_what_is_not_under_way_is_looked_for_in_all_jobs(house: House, opens: Opens) -> None:
    other = house.vendor()
    name = fresh("ended")
    named(other.done(file()), other, name)
    page = opens(other, "/jobs")
    page.get_by_role("searchbox").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text("No job is like that.")).to_be_visible()
    page.get_by_role("link", name="Look in all your jobs").click()
    expect(page.get_by_role("link", name=name)).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value(name)
    expect(page.get_by_role("button", name="All", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("searchbox").fill(fresh("nowhere"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("No job is like that.")).to_be_visible()
    expect(page.get_by_role("link", name="Look in all your jobs")).to_have_count(0)


def test_a_long_list_has_pages(house: House, opens: Opens) -> None:
    lister = house.vendor()
    with house.setting("running_jobs", 100):
        for number in range(52):
            named(lister.job(file()), lister, f"page_{number:02}")
    page = opens(house.admin, f"/jobs?where={quote(f'user = {lister.code}')}")
    expect(page.get_by_text("1–50 of 52 jobs")).to_be_visible()
    expect(rows(page)).to_have_count(50)
    page.get_by_role("button", name="Older").click()
    expect(page.get_by_text("51–52 of 52 jobs")).to_be_visible()
    expect(page.get_by_role("link", name="page_00")).to_be_visible()
    page.get_by_role("button", name="Newer").click()
    expect(page.get_by_role("link", name="page_51")).to_be_visible()


def test_a_list_is_live_while_a_vendor_publishes(house: House, opens: Opens) -> None:
    """Without a reload: the job appears, its bytes are counted, it ends."""
    sender = house.vendor()
    page = opens(house.admin, f"/jobs?show=all&where={quote(f'user = {sender.code}')}")
    expect(page.get_by_text("No job is like that.")).to_be_visible()
    page.evaluate("window.before = true")
    job = sender.job(file(size=1000))
    expect(page.get_by_text("Waits for bytes")).to_be_visible()
    upload = job["tasks"][0]["upload"]
    assert sender.part(upload, bytes(250), total=1000).status == 200
    expect(page.get_by_role("img", name="25 % of the bytes have arrived")).to_be_visible()
    assert sender.part(upload, bytes(750), start=250, total=1000).status == 200
    expect(page.get_by_text("Done", exact=True)).to_be_visible()
    assert page.evaluate("window.before")


def test_where_no_stream_can_be_had_the_page_asks_every_few_seconds(house: House, opens: Opens) -> None:
    sender = house.vendor()
    page = opens(house.admin, "/sign-in")
    page.route("**/api/v1/events", lambda route: route.abort())
    page.goto(f"/jobs?show=all&where={quote(f'user = {sender.code}')}")
    expect(page.get_by_text("Every few seconds")).to_be_visible()
    sender.job(file())
    expect(page.get_by_text("Waits for bytes")).to_be_visible(timeout=15_000)


def test_a_page_asks_once_when_it_is_opened_and_again_where_the_stream_comes_late(house: House, opens: Opens) -> None:
    sender = house.vendor()
    page = opens(house.admin, "/sign-in")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/v1/jobs?" in request.url else None)
    listed = f"/jobs?show=all&where={quote(f'user = {sender.code}')}"
    page.goto(listed)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_text("No job is like that.")).to_be_visible()
    page.wait_for_timeout(400)
    assert len(asked) == 1
    held: list[Route] = []
    page.route("**/api/v1/events", lambda route: held.append(route))
    page.goto(listed)
    expect(page.get_by_text("No job is like that.")).to_be_visible()
    sender.job(file())
    held[0].continue_()
    expect(page.get_by_text("Waits for bytes")).to_be_visible()


# --- a job ---------------------------------------------------------------------------------------------------------


def test_a_failed_ingest_is_retried_from_the_page_until_it_is_done(
    house: House, studio: Studio, vendor: Person, opens: Opens
) -> None:
    job = vendor.done(folder(fresh("broken"), a=3, b=4))
    page = opens(house.admin, f"/jobs/{job['id']}")
    expect(page.locator(".badge").get_by_text("Ingest failed")).to_be_visible()
    expect(page.get_by_label("stderr")).to_have_text("no such shot\n")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#next")).to_be_focused()
    expect(page.locator("#job-log")).to_be_visible()
    until(lambda: vendor.get(f"/jobs/{job['id']}").json["attempts"] == 2)
    expect(page.locator(".badge").get_by_text("Ingest failed")).to_be_visible()
    (studio.folder / "mended").touch()
    try:
        page.get_by_role("button", name="Retry").click()
        expect(page.locator(".badge").get_by_text("Done", exact=True)).to_be_visible()
    finally:
        (studio.folder / "mended").unlink()
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    expect(page.get_by_role("link", name="publish-server", exact=True)).to_have_count(3)


def test_a_job_is_paused_resumed_and_aborted_by_keyboard(house: House, vendor: Person, opens: Opens) -> None:
    job = vendor.job(file(size=9))
    page = opens(house.admin, f"/jobs/{job['id']}")
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    assert vendor.part(job["tasks"][0]["upload"], bytes(9), total=9).refusal == (409, "job_paused")
    page.get_by_role("button", name="Resume").press("Enter")
    expect(page.locator("h1 ~ div .badge")).to_have_text("Waits for bytes")
    page.get_by_role("button", name="Abort").press("Enter")
    dialog = page.get_by_role("dialog", name="Abort this job?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Abort")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # its focus is on what was asked for
    expect(page.get_by_text("Aborted", exact=True)).to_be_visible()
    assert house.admin.get(f"/jobs/{job['id']}").json["status"] == "aborted"


def test_entries_are_held_released_and_left_out(house: House, vendor: Person, opens: Opens) -> None:
    one, other = file(fresh("one.mov"), 3), file(fresh("other.mov"), 3)
    job = vendor.job(one, other)
    page = opens(house.admin, f"/jobs/{job['id']}")
    page.get_by_role("button", name=f"Hold: {one['filename']}").click()
    expect(page.get_by_text("On hold", exact=True)).to_be_visible()
    page.get_by_role("button", name=f"Release: {one['filename']}").click()
    expect(page.get_by_text("On hold", exact=True)).to_have_count(0)
    page.get_by_role("button", name=f"Leave out: {other['filename']}").click()
    page.get_by_role("button", name="Leave it out").click()
    expect(page.get_by_text("Left out", exact=True)).to_be_visible()


def test_queue_and_metadata_of_a_job_are_changed(house: House, vendor: Person, opens: Opens) -> None:
    job = vendor.job(file(size=9))
    page = opens(house.admin, f"/jobs/{job['id']}")
    page.get_by_role("button", name="Move to another queue").press("Enter")
    dialog = page.get_by_role("dialog", name="Move to another queue")
    expect(dialog.get_by_label("Queue").locator("option")).to_have_count(2)
    dialog.get_by_label("Queue").select_option(label="high (priority 999)")
    dialog.get_by_role("button", name="Move it").click()
    expect(page.locator("dd").get_by_text("high", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Move to another queue")).to_be_focused()
    page.get_by_role("button", name="Change the metadata").click()
    page.get_by_label("For the studio").fill("reel=12\nnot a pair")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text('"not a pair" is no key=value.')).to_be_visible()
    page.get_by_label("For the studio").fill("reel=12")
    address = f"**/api/v1/jobs/{job['id']}"
    page.route(address, lambda route: route.abort() if route.request.method == "PATCH" else route.continue_())
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog").get_by_text("The server does not answer.")).to_be_visible()
    page.unroute(address)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("reel (internal)")).to_be_visible()
    assert house.admin.get(f"/jobs/{job['id']}").json["metadata"]["internal"] == {"reel": "12"}


def test_files_receipt_and_what_was_done_are_there_on_demand(house: House, vendor: Person, opens: Opens) -> None:
    entry = {
        **folder(fresh("shot")),
        "files": [{"filename": "sub", "is_dir": True, "files": [{"filename": "deep.exr", "size": 2}]}],
    }
    job = vendor.done(entry)
    page = opens(house.admin, f"/jobs/{job['id']}")
    page.get_by_text("Files", exact=True).click()
    page.locator("summary").filter(has_text="sub").press("Enter")
    expect(page.get_by_text("deep.exr")).to_be_visible()
    with page.expect_download() as found:
        page.get_by_role("link", name="Receipt (JSON)").click()
    assert found.value.suggested_filename == f"receipt-{job['id']}.json"
    page.get_by_text("Lines of the audit log").click()
    expect(page.get_by_role("region", name="What was done to the job").get_by_text("finish job")).to_be_visible()


def test_a_vendor_sees_their_own_and_nothing_of_the_studio(house: House, vendor: Person, opens: Opens) -> None:
    other = house.vendor()
    foreign = other.job(file(fresh("secret.mov")))
    entry = folder(fresh("broken"), a=3)
    own = vendor.done(entry)
    assert own["status"] == "failed"
    page = opens(vendor, "/jobs?show=all")
    expect(page.get_by_role("link", name=own["code"])).to_be_visible()
    assert foreign["tasks"][0]["filename"] not in page.content()
    page.goto(f"/jobs/{own['id']}")
    expect(page.get_by_text("Reference")).to_be_visible()
    expect(page.get_by_text("The studio sees it among what has failed")).to_be_visible()
    for word in (str(house.studio.volume), "no such shot", "publish-server", "exited with", "Queue", other.code):
        assert word not in page.content(), word
    page.goto(f"/jobs/{foreign['id']}")
    expect(page.get_by_role("heading", name="There is no such job")).to_be_visible()


def test_a_status_is_shown_as_the_vendor_chose_it(house: House, opens: Opens) -> None:
    other = house.vendor()
    entry = file()
    other.plan(statuses=[{"label": "For review", "value": "rev"}, {"label": "Final", "value": "fin"}])
    job = other.done(entry, files=[{"id": entry["id"], "status": "rev"}])
    for who in (house.admin, other):
        page = opens(who, f"/jobs/{job['id']}")
        expect(page.locator("dd").get_by_text("For review", exact=True)).to_be_visible()
        expect(page.get_by_text("rev", exact=True)).to_have_count(0)


def test_an_unfinished_upload_of_ones_own_goes_on_on_the_publish_page(vendor: Person, opens: Opens) -> None:
    job = vendor.job(file(size=9))
    page = opens(vendor, f"/jobs/{job['id']}")
    expect(page.get_by_role("link", name="Continue on the publish page")).to_have_attribute(
        "href", f"/publish?job={job['id']}"
    )
    page.locator("#continue").focus()
    assert vendor.part(job["tasks"][0]["upload"], bytes(3), total=9).status == 200
    expect(page.get_by_text("33 % has arrived")).to_be_visible()
    expect(page.locator("#continue")).to_be_focused()
    page.get_by_role("button", name="Cancel this publish").click()
    page.get_by_role("button", name="Cancel the publish").click()
    expect(page.locator(".badge").get_by_text("Cancelled", exact=True)).to_be_visible()


def test_names_comments_and_what_hooks_say_are_shown_and_not_run(house: House, opens: Opens) -> None:
    """Nor do they break the layout."""
    hostile = house.vendor()
    entry = folder(fresh("broken"), a=3)
    finding = {"code": "x", "title": HOSTILE, "files": [HOSTILE], "fix": HOSTILE}
    accepted = {
        "can_publish": True,
        "path": f"volume=projects/in/{entry['filename']}",
        "warning": HOSTILE,
        "info": HOSTILE,
    }
    hostile.plan({entry["filename"]: {**accepted, "ident": "y" * 400, "findings": [finding]}}, comment=True)
    job = hostile.done(entry, files=[{"id": entry["id"], "comment": HOSTILE + "z" * 500}])
    named(job, hostile, HOSTILE[:200])
    hostile.plan({"bad.mov": {"rejected": True, "warning": HOSTILE, "findings": [finding]}})
    hostile.offered(file("bad.mov"))
    run = house.admin.get(f"/runs?job={job['id']}&hook=publish-server").json["items"][0]["id"]
    page = opens(house.admin, "/jobs?show=all", viewport={"width": 390, "height": 844})
    for address in (
        f"/jobs?show=all&where=user%20%3D%20{quote(hostile.code)}",
        f"/jobs/{job['id']}",
        "/today",
        "/refused",
        f"/runs/{run}",
        "/log",
    ):
        page.goto(address)
        page.wait_for_load_state("networkidle") if address.startswith("/runs") else page.locator(
            "table, pre"
        ).first.wait_for()
        if address.startswith("/runs"):
            page.locator("summary", has_text="stdout").click()
            expect(page.get_by_label("stdout")).to_contain_text("<script>")
            expect(page.get_by_label("stdout")).to_contain_text("\\x1b[31mred")
        assert page.locator("main img, main script").count() == 0
        assert page.title() != "run"
        assert fits(page), (address, page.evaluate(TOO_WIDE))


TOO_WIDE = """[...document.querySelectorAll('main *')]
    .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 4).map(element => element.outerHTML.slice(0, 150))"""


def fits(page: Page) -> bool:
    """No scrolling of the page sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


# --- the studio's things -------------------------------------------------------------------------------------------


def test_somebody_is_invited_and_the_invitation_revoked(house: House, opens: Opens) -> None:
    email = f"{fresh('guest')}@vendor.example"
    page = opens(house.admin, "/people")
    page.get_by_role("button", name="Invite somebody").click()
    page.get_by_label("E-mail address").fill(email)
    expect(page.get_by_role("option", name="Admin: may do everything")).to_have_count(1)
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.get_by_label("Invitation", exact=True)
    expect(link).to_have_value(re.compile(r"/invitation#\S{40,}"))
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("cell", name=email, exact=True)).to_be_visible()
    page.get_by_role("button", name=f"Revoke the invitation of {email}").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("cell", name=email, exact=True)).to_have_count(0)


def test_a_user_is_disabled_and_a_key_made_and_revoked(house: House, opens: Opens) -> None:
    other = house.vendor()
    page = opens(house.admin, f"/people?where={quote(f'code = {other.code}')}")
    page.get_by_role("button", name=f"Manage {other.code}").click()
    page.get_by_text("API keys").click()
    page.get_by_role("button", name="Make a key").click()
    key = page.get_by_label("API key", exact=True).input_value()
    assert house.send("GET", "/me", headers=basic(other.code, key)).status == 200
    page.get_by_role("button", name="Revoke the key made at the desk").click()
    page.get_by_role("button", name="Revoke it").click()
    until(lambda: house.send("GET", "/me", headers=basic(other.code, key)).status == 401)
    page.get_by_role("button", name="Disable", exact=True).click()
    page.get_by_role("button", name="Disable them").click()
    expect(page.get_by_role("button", name="Enable", exact=True)).to_be_visible()
    assert other.get("/me").status == 401


def test_what_only_admins_may_do_is_not_offered_to_employees(house: House, opens: Opens) -> None:
    employee = house.vendor("employee")
    page = opens(employee, "/hooks")
    expect(page.get_by_role("heading", name="Hooks")).to_be_visible()
    expect(page.get_by_text("publish-server").first).to_be_visible()
    expect(page.get_by_role("link", name="Settings")).to_have_count(0)
    for word in ("Disable", "Unset", "Change", "Replay it", "Set a hook"):
        expect(page.get_by_role("button", name=word, exact=True)).to_have_count(0)
    for address in ("/volumes", "/queues"):
        page.goto(address)
        expect(page.get_by_text("Default", exact=True).first).to_be_visible()
        expect(page.locator("main").get_by_role("button")).to_have_count(0)
    page.goto("/people")
    expect(page.get_by_role("button", name=f"Manage {house.admin.code}")).to_have_count(0)
    page.get_by_role("button", name="Invite somebody").click()
    expect(page.get_by_label("Role").locator("option")).to_have_count(1)


def test_todays_check_is_tried_on_one_run_and_on_many(house: House, opens: Opens) -> None:
    other = house.vendor()
    entry = file(fresh("take.mov"))
    other.offered(entry)
    other.plan({entry["filename"]: {"rejected": True, "warning": "Not any more."}})
    run = house.admin.get(f"/runs?hook=pre-publish-server&user={other.id}").json["items"][0]["id"]
    page = opens(house.admin, f"/runs/{run}")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("1 of 1 verdict changes.")).to_be_visible()
    expect(page.get_by_role("cell", name="Refused")).to_be_visible()
    house.write("UPDATE hook_runs SET started = started - 172800000 WHERE user_id != ?", other.id)
    page.goto("/hooks")
    page.get_by_label("Every run of").select_option(label="the last day")
    page.get_by_role("button", name="Replay them").click()
    expect(page.get_by_text("1 of 1 verdict changes.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)


def test_of_what_a_replay_says_only_what_differs_is_listed(house: House, opens: Opens) -> None:
    other = house.vendor()
    one, two = file(fresh("one.mov")), file(fresh("two.mov"))
    other.offered(one, two)
    run = house.admin.get(f"/runs?hook=pre-publish-server&user={other.id}").json["items"][0]["id"]
    page = opens(house.admin, f"/runs/{run}")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("It would say the same. 0 of 2 verdicts change.")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)
    elsewhere = {"can_publish": True, "path": f"volume=projects/elsewhere/{two['filename']}", "warning": "Look."}
    other.plan({two["filename"]: elsewhere}, comment=True)
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("It would say something else. 0 of 2 verdicts change; 1 more")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(two["filename"])
    house.write("UPDATE hook_runs SET started = started - 172800000 WHERE user_id != ?", other.id)
    page.goto("/hooks")
    page.get_by_label("Every run of").select_option(label="the last day")
    page.get_by_role("button", name="Replay them").click()
    entries = page.get_by_role("region", name="Runs that differ").get_by_role("listitem")
    expect(entries).to_have_text(
        [f"{two['filename']} Accepted another path, warning", "asks the vendor otherwise: comment"]
    )


def test_a_line_is_tried_before_it_is_set(house: House, studio: Studio, opens: Opens) -> None:
    other = house.vendor()
    entry = file(fresh("take.mov"))
    other.offered(entry)
    strict = studio.folder / "strict.py"
    strict.write_text(
        "import json, sys\n"
        "files = [{'id': one['id'], 'rejected': True, 'warning': 'No.'} for one in json.load(open(sys.argv[1]))['files']]\n"
        "json.dump({'files': files}, open(sys.argv[2], 'w'))\n"
    )
    page = opens(house.admin, "/hooks")
    card = page.get_by_role("region", name="pre-publish-server", exact=True)
    before = card.locator("code").first.inner_text()
    card.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog", name="Change pre-publish-server")
    line = before.replace("pre-publish-server.py", "strict.py")
    dialog.get_by_label("Command line").fill(line)
    house.write("UPDATE hook_runs SET started = started - 172800000 WHERE user_id != ?", other.id)
    dialog.get_by_role("button", name="Try it first").click()
    expect(dialog.locator("strong")).to_have_text(re.compile(r"^\d+ of \d+ verdicts? changes?[.;]"))
    expect(dialog.get_by_role("listitem").filter(has_text=entry["filename"]).last).to_contain_text("Accepted → Refused")
    assert violations(page) == []
    dialog.get_by_label("Command line").fill(line.replace("strict.py", "no-such.py"))
    dialog.get_by_role("button", name="Try it first").click()
    expect(dialog.get_by_text("no-such.py does not exist on this machine.")).to_be_visible()
    expect(dialog.get_by_text(re.compile(r"It fails on (\d+) of \1 offers?: .*No such file"))).to_be_visible()
    dialog.get_by_label("Command line").fill("/bin/true")
    dialog.get_by_role("button", name="Try it first").click()
    expect(dialog.get_by_text("needs ${PATH_JSON_INPUT}")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    assert before in house.admin.get("/hooks").body.decode()


def test_where_nothing_was_offered_yet_a_line_is_tried_on_what_is_made_up(house: House, opens: Opens) -> None:
    page = opens(house.admin, "/hooks")
    line = page.get_by_role("region", name="pre-publish-server", exact=True).locator("code").first.inner_text()
    page.get_by_role("button", name="Set a hook").click()
    dialog = page.get_by_role("dialog", name="Set a hook")
    dialog.get_by_label("Command line").fill(line)
    elsewhere = "UPDATE hook_runs SET hook = ? WHERE hook = ?"
    house.write(elsewhere, "post-done-server", "pre-publish-server")
    try:
        dialog.get_by_role("button", name="Try it first").click()
        expect(dialog.get_by_text("Nothing has been offered yet")).to_be_visible()
    finally:
        house.write(elsewhere, "pre-publish-server", "post-done-server")
    expect(dialog.get_by_role("listitem").first).to_contain_text("demo_sq010_sh0010_comp_v001 Accepted")
    dialog.get_by_label("Hook").select_option("publish-server")
    expect(dialog.get_by_role("button", name="Try it first")).to_have_count(0)
    expect(dialog.get_by_text("stagedoor hook test SCRIPT PATH")).to_be_visible()


def test_runs_tell_whom_and_what_they_are_about(house: House, opens: Opens) -> None:
    other = house.vendor()
    entry = file(fresh("take.mov"))
    job = named(other.done(entry, file()), other, fresh("renamed"))
    other.offered(file(fresh("again.mov")))
    page = opens(house.admin, f"/hooks?where={quote(f'user = {other.code}')}")
    runs = page.get_by_role("region", name="Runs of hooks, the newest first").locator("tbody tr")
    expect(runs).to_have_count(3)
    expect(runs.nth(1)).to_contain_text(f"publish-server{job['code']} and 1 more{other.code}")
    expect(runs.nth(1).get_by_role("link", name=job["code"])).to_have_attribute("href", f"/jobs/{job['id']}")
    expect(runs.nth(2)).to_contain_text(entry["filename"])
    for cell in runs.get_by_role("link", name=re.compile("-server$")).all():
        box = cell.bounding_box()
        assert box
        assert box["height"] < 30, "one line"
    option = page.get_by_label("One run").locator("option").filter(has_text=entry["filename"])
    expect(option).to_have_text(re.compile(rf"^.*\d.*, {entry['filename']} and 1 more, {other.code}$"))
    card = page.get_by_role("region", name="pre-publish-server", exact=True)
    expect(card.get_by_role("link", name=re.compile(r"^Succeeded, .*\d:\d\d:\d\d")).first).to_be_visible()
    expect(card.get_by_role("link", name="Succeeded", exact=True)).to_have_count(0)


def test_a_hook_is_switched_off_and_on(house: House, opens: Opens) -> None:
    page = opens(house.admin, "/hooks")
    card = page.get_by_role("region", name="publish-server", exact=True)
    card.get_by_role("button", name="Disable").click()
    page.get_by_role("button", name="Disable it").click()
    expect(card.get_by_text("Disabled")).to_be_visible()
    expect(card.get_by_text("It is switched off and does not run.")).to_be_visible()
    assert violations(page) == []
    card.get_by_role("button", name="Enable").click()
    expect(card.get_by_text("Enabled")).to_be_visible()


def test_a_queue_rests_and_a_setting_is_changed(house: House, opens: Opens) -> None:
    page = opens(house.admin, "/queues")
    page.get_by_role("button", name="Pause: low").click()
    page.get_by_role("button", name="Pause it").click()
    expect(page.get_by_role("button", name="Resume: low")).to_be_visible()
    page.get_by_role("button", name="Resume: low").click()
    expect(page.get_by_role("button", name="Pause: low")).to_be_visible()
    page.goto("/settings")
    page.get_by_role("button", name="Change offer_entries").click()
    page.get_by_label("Value").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Value").fill("123")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="offer_entries").get_by_text("123")).to_be_visible()
    page.get_by_role("button", name="Unset offer_entries").click()
    expect(page.get_by_role("row", name="offer_entries").get_by_text("123")).to_have_count(0)


def test_refusals_are_told_by_reason_by_vendor_and_one_by_one(house: House, opens: Opens) -> None:
    other = house.vendor()
    other.plan({"wrong.mov": {"rejected": True, "warning": "Frames 1001 to 1005 are missing."}})
    for _ in range(2):
        other.offered(file("wrong.mov"))
    house.write("UPDATE audit SET created = created - 172800000 WHERE user != ?", other.code)  # others stumble more
    page = opens(house.admin, "/refused?days=1")
    expect(page.get_by_text("Frames # to # are missing.").first).to_be_visible()
    page.get_by_role("button", name=other.code).click()
    expect(page.get_by_role("status").filter(has_text="2 refusals")).to_be_visible()
    expect(page.get_by_role("region", name="Refusals, the newest first").locator("tbody tr")).to_have_count(1)
    expect(page.get_by_text("2 times", exact=True)).to_be_visible()
    page.get_by_role("link", name="The run that refused wrong.mov").click()
    expect(page.get_by_role("heading", name="pre-publish-server")).to_be_visible()


def test_a_mistake_that_is_checked_again_counts_once_and_is_told_in_words(house: House, opens: Opens) -> None:
    other = house.vendor()
    code = fresh("gaps")
    finding = {"code": code, "title": f"Frames are missing: {code}."}
    said = {"rejected": True, "warning": "Not like this.", "findings": [finding]}
    other.plan({"one.mov": said, "two.mov": said})
    other.offered(file("one.mov"))
    other.offered(file("one.mov"), file("two.mov"))
    page = opens(house.admin, "/refused")
    row = page.get_by_role("region", name="Reasons, the most frequent first").get_by_role("row").filter(has_text=code)
    expect(row.get_by_role("cell").first.locator("div")).to_have_text(re.compile("^2"))
    expect(row.get_by_text("3 refusals", exact=True)).to_be_visible()
    expect(row.locator("strong")).to_have_text(finding["title"])
    expect(row.locator("code")).to_have_text(code)


def test_today_tells_who_published_what_and_what_hangs(house: House, opens: Opens) -> None:
    other = house.vendor()
    other.done(folder(fresh("came"), a=1, b=2))
    came = [named(other.job(file(), file()), other, fresh("take")) for _ in range(3)]
    stuck = other.done(folder(fresh("broken"), a=1))
    page = opens(house.admin, "/today")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=other.code)).filter(has_text="1 done")
    expect(row).to_contain_text("1 failed")
    newest = [f"{job['code']} (2 entries)" for job in reversed(came[1:])]
    expect(row.get_by_role("listitem")).to_have_text([stuck["code"], *newest, "2 more"])
    expect(row.get_by_role("link", name=came[2]["code"])).to_have_attribute("href", f"/jobs/{came[2]['id']}")
    expect(page.get_by_role("region", name="Jobs that hang").get_by_role("link", name=stuck["code"])).to_be_visible()


def test_the_log_is_saved_without_formulas(house: House, opens: Opens) -> None:
    other = house.vendor()
    other.plan({"=cmd.mov": {"rejected": True, "warning": '=HYPERLINK("x","y")'}})
    other.offered(file("=cmd.mov"))
    page = opens(house.admin, f"/log?where={quote(f'user_hr = {other.code}')}")
    page.locator("tbody tr").first.wait_for()
    with page.expect_download() as found:
        page.get_by_role("button", name="Save as CSV").click()
    text = found.value.path().read_text()
    assert text.startswith("id,created,user_hr,")
    assert '"\'=HYPERLINK(""x"",""y"")"' in text
    assert ",'=cmd.mov," in text


# --- every page ----------------------------------------------------------------------------------------------------

PAGES = ("/jobs?show=all", "/jobs/{job}", "/jobs/{open}", "/today", "/refused", "/hooks", "/runs/{run}")
PAGES += ("/people", "/volumes", "/queues", "/settings", "/log")


@pytest.fixture(scope="module")
def things(house: House) -> dict[str, str]:
    """What pages need to have something to show."""
    person = house.vendor()
    job = person.done(folder(fresh("broken"), a=1, b=2))
    person.plan({"no.mov": {"rejected": True, "warning": "No."}})
    person.offered(file("no.mov"))
    person.plan()
    waiting = person.job(file(size=9), file())
    run = house.admin.get(f"/runs?job={job['id']}").json["items"][0]["id"]
    return {"job": job["id"], "open": waiting["id"], "run": run}


@pytest.mark.parametrize("address", PAGES)
def test_pages_can_be_used_by_everybody(house: House, things: dict[str, str], opens: Opens, address: str) -> None:
    """axe finds nothing in either theme, nor on a phone, and there nothing is wider than the page."""
    page = opens(house.admin, address.format(**things))
    page.locator("main h1").wait_for()
    page.wait_for_timeout(300)
    assert violations_in_both_themes(page) == {}
    page.set_viewport_size({"width": 390, "height": 844})
    assert violations(page) == []
    assert fits(page)


SCROLLS = """[...document.querySelectorAll('.wide')].filter(element => element.scrollWidth > element.clientWidth + 1)
    .map(element => element.ariaLabel)"""
TORN = """[...document.querySelectorAll('td.person')].flatMap(cell => {
    const found = [], walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (walk.nextNode()) {
        range.selectNodeContents(walk.currentNode);
        if (new Set([...range.getClientRects()].map(({top}) => top)).size > 1) found.push(walk.currentNode.data);
    }
    return found;
})"""


def test_long_addresses_fit_screens_of_every_width_and_break_between_words(house: House, opens: Opens) -> None:
    stem = fresh("artist").replace("_", ".")
    code = f"{stem}.with-a.first-name.and_lastname@a-subdomain.of-a-vendor.far-away.example"
    made = house.admin.post("/users", {"code": code, "role": "standard"}).json
    other = Person(house, Account(made["user"], made["id"], made["api_key"]))
    other.done(file())
    house.admin.post("/invitations", {"email": f"another.{code}", "role": "standard"})
    page = opens(house.admin, "/jobs")
    found: list[object] = []
    where = quote(f"user = {code}")
    for address in (f"/people?where={quote(f'code = {code}')}", f"/jobs?show=all&where={where}", "/today", "/hooks"):
        page.goto(address)
        page.locator("td.person").first.wait_for()
        for width in (390, 700, 768, 1024, 1153, 1280, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            found += [(address, width, "page")] if not fits(page) else []
            found += [(address, width, name) for name in page.evaluate(SCROLLS)]
            found += [(address, width, word) for word in page.evaluate(TORN)]
    assert not found


TINY = """() => [...document.querySelectorAll("button, summary, select, input, nav a")]
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([, {width, height}]) => width && height && Math.min(width, height) < 32)
    .map(([element]) => element.outerHTML.slice(0, 100))"""


@pytest.mark.parametrize("address", ["/jobs?show=all", "/jobs/{job}", "/refused", "/hooks", "/people"])
def test_what_fingers_press_is_large_enough(house: House, things: dict[str, str], opens: Opens, address: str) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = opens(house.admin, address.format(**things), **phone)
    page.locator("main h1").wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate(TINY) == []


def test_a_session_that_ends_leads_to_the_sign_in(house: House, opens: Opens) -> None:
    other = house.vendor()
    page = opens(other, "/jobs")
    page.locator("main h1").wait_for()
    assert house.admin.ask("PATCH", f"/users/{other.id}", {"status": "disabled"}).status == 200
    page.evaluate("document.querySelector('.chip:last-child')?.click()")
    expect(page).to_have_url(re.compile("/sign-in"))
