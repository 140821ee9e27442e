"""What vendors see of their jobs, and what they come to where a page is not theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from axe import violations_in_both_themes
from rest import House, Person, file, folder, fresh
from studio import Studio

Opens = Callable[..., Page]
expect.set_options(timeout=15_000)  # a busy machine must not make one fail

INGEST = """
import pathlib, time
if "broken" in text:
    sys.exit("no such shot")
while "slow" in text and not pathlib.Path({go!r}).exists():
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def house(studio: Studio) -> House:
    """Its ingest fails for what is called broken; for what is called slow it waits until `go` is there."""
    made = House(studio)
    made.ingests(INGEST.format(go=str(studio.folder / "go")))
    return made


def state(page: Page) -> Locator:
    """The badge of the job."""
    return page.locator("h1 ~ div .badge")


def entry(page: Page, name: str) -> Locator:
    """The badges of an entry."""
    return page.locator(".job-entry").filter(has_text=name).locator(".badge")


def test_an_entry_is_published_once_the_job_is_done_and_not_before(
    studio: Studio, house: House, vendor: Person, opens: Opens
) -> None:
    shot, loose = file(fresh("slow.mov")), file(fresh("loose.mov"))
    vendor.plan({loose["filename"]: {"can_upload": True, "path": f"volume=projects/in/{loose['filename']}"}})
    job = vendor.job(shot, loose)
    vendor.send_all(job)
    page = opens(vendor, f"/jobs/{job['id']}")
    expect(state(page)).to_have_text("Being ingested")
    expect(entry(page, shot["filename"])).to_have_text("Has arrived")
    expect(entry(page, loose["filename"])).to_have_text(["Upload only", "Has arrived"])
    (studio.folder / "go").touch()
    expect(state(page)).to_have_text("Published")
    expect(entry(page, shot["filename"])).to_have_text("Published")
    expect(entry(page, loose["filename"])).to_have_text(["Upload only", "Uploaded"])


def test_an_entry_whose_ingest_failed_has_arrived_and_is_not_published(vendor: Person, opens: Opens) -> None:
    job = vendor.done(folder(fresh("broken"), a=3))
    page = opens(vendor, f"/jobs/{job['id']}")
    expect(state(page)).to_have_text("Ingest failed")
    expect(page.locator(".job-entry .badge")).to_have_text("Has arrived")


def test_of_a_failed_ingest_vendors_read_what_is_true_and_the_studio_the_cause_first(
    house: House, vendor: Person, opens: Opens
) -> None:
    """No hook that would tell the studio is set here."""
    job = vendor.done(folder(fresh("broken"), a=3))
    page = opens(vendor, f"/jobs/{job['id']}")
    expect(page.locator("#next")).to_contain_text("The studio sees it among what has failed")
    expect(page.locator("#next")).to_contain_text("Retry has the studio's own work on it done once more")
    expect(page.get_by_role("button", name="Retry")).not_to_have_class(re.compile("primary"))
    assert "been told" not in page.locator("main").inner_text()
    page = opens(house.admin, f"/jobs/{job['id']}")
    expect(page.locator(".notice p").first).to_have_text(house.admin.get(f"/jobs/{job['id']}").json["detail"])
    expect(page.get_by_role("button", name="Retry")).to_have_class(re.compile("primary"))


def test_a_job_without_a_publish_is_uploaded(house: House, opens: Opens) -> None:
    other = house.vendor()
    loose = file(fresh("loose.mov"))
    other.plan({loose["filename"]: {"can_upload": True, "path": f"volume=projects/in/{loose['filename']}"}})
    page = opens(other, f"/jobs/{other.done(loose)['id']}")
    expect(state(page)).to_have_text("Uploaded")
    expect(page.locator(".job-entry .badge")).to_have_text(["Upload only", "Uploaded"])


def test_a_paused_job_has_no_speed_and_no_time_left(house: House, vendor: Person, opens: Opens) -> None:
    job = vendor.job(file(size=8_000_000))
    assert vendor.part(job["tasks"][0]["upload"], bytes(2_000_000), total=8_000_000).status == 200
    page = opens(house.admin, f"/jobs/{job['id']}")
    expect(page.locator(".progress")).to_contain_text("/s")
    assert house.admin.post(f"/jobs/{job['id']}/pause").status == 200
    expect(state(page)).to_have_text("Paused")
    expect(page.locator(".progress")).to_have_text("25 %", timeout=3000)  # Its speed is counted for ten seconds more.


STAFF = (
    "/today",
    "/refused",
    "/hooks",
    "/people",
    "/volumes",
    "/queues",
    "/log",
    "/runs/018f3b6e-0000-7000-8000-000000000000",
)


@pytest.mark.parametrize("address", STAFF)
def test_a_page_of_the_studios_says_so_and_leads_back(vendor: Person, opens: Opens, address: str) -> None:
    page = opens(vendor, address)
    expect(page.get_by_role("heading", level=1)).to_have_text("This page is for the studio's people")
    expect(page.locator("main h1, main p")).to_have_count(2)
    page.get_by_role("link", name="Go to your first page").click()
    expect(page.get_by_role("heading", name="Publish", exact=True)).to_be_visible()


def test_a_page_of_administrators_says_so_to_employees(house: House, opens: Opens) -> None:
    page = opens(house.vendor("employee"), "/settings")
    expect(page.get_by_role("heading", level=1)).to_have_text("This page is for administrators")
    assert violations_in_both_themes(page) == {}


@pytest.fixture(scope="module")
def things(house: House) -> dict[str, Any]:
    """A vendor's jobs, of every kind."""
    other = house.vendor()
    loose = file(fresh("loose.mov"))
    other.plan({loose["filename"]: {"can_upload": True, "path": f"volume=projects/in/{loose['filename']}"}})
    failed = other.done(folder(fresh("broken"), a=1, b=2))
    done = other.done(folder(fresh("shot"), a=1, b=2), loose)
    waiting = other.job(file(fresh("a_name_that_is_longer_than_most_and_has_no_place_to_break.mov"), size=9), file())
    return {"vendor": other, "failed": failed["id"], "done": done["id"], "open": waiting["id"]}


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize(
    "address", ["/jobs", "/jobs?show=all", "/jobs/{failed}", "/jobs/{done}", "/jobs/{open}", "/hooks"]
)
def test_pages_of_vendors_can_be_used_by_everybody(
    things: dict[str, Any], opens: Opens, address: str, width: int
) -> None:
    """axe finds nothing in either theme, and nothing is wider than the page."""
    page = opens(things["vendor"], address.format(**things), viewport={"width": width, "height": 844})
    page.locator("main h1").wait_for()
    page.wait_for_timeout(300)
    assert violations_in_both_themes(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
