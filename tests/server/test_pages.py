"""The files of the pages, as a browser gets them."""

from __future__ import annotations

import gzip
import re

import pytest

from rest import House


def test_every_page_is_the_same_document_and_needs_nobody(house: House) -> None:
    first = house.fetch("/")
    assert first.status == 200
    assert first.body.startswith(b"<!doctype html>")
    for path in ("/sign-in", "/publish", "/jobs/0123456789abcdef01234567"):
        assert house.fetch(path).body == first.body


def test_what_is_no_page_is_not_found_and_still_says_it_in_a_page(house: House) -> None:
    answer = house.fetch("/nowhere")
    assert answer.status == 404
    assert answer.body.startswith(b"<!doctype html>")


def test_the_policy_runs_nothing_that_is_written_into_a_page(house: House) -> None:
    policy = house.fetch("/").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


def test_files_are_kept_for_good_under_their_version_and_the_document_is_always_asked_for(house: House) -> None:
    document = house.fetch("/")
    assert document.headers["cache-control"] == "no-cache"
    again = house.fetch("/", headers={"If-None-Match": document.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert "content-length" not in again.headers
    for address in re.findall(rb'(?:src|href)="(/assets/[^"]+)"', document.body):
        answer = house.fetch(address.decode())
        assert answer.status == 200, address
        assert "immutable" in answer.headers["cache-control"]


def test_a_file_under_another_version_is_served_but_not_kept(house: House) -> None:
    answer = house.fetch("/assets/0000000000000000/js/app.js")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/assets/", "/assets/x", "/assets/x/../index.html", "/assets/x/js/%2e%2e/%2e%2e/api/app.py"]
)
def test_nothing_beside_the_files_is_served(house: House, path: str) -> None:
    answer = house.fetch(path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_file_travels_packed_where_the_browser_can_unpack_it(house: House) -> None:
    plain = house.fetch("/assets/x/js/app.js")
    packed = house.fetch("/assets/x/js/app.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


def test_head_of_a_page_has_no_body(house: House) -> None:
    answer = house.fetch("/", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_writing_to_a_page_needs_a_sign_in(house: House) -> None:
    assert house.fetch("/", method="POST").status == 401


def test_a_page_that_is_refused_gets_no_dialogue_of_the_browser(house: House) -> None:
    answer = house.fetch("/api/v1/me", headers={"X-Stagedoor-Page": "1"})
    assert answer.status == 401
    assert "www-authenticate" not in answer.headers
    assert "www-authenticate" in house.fetch("/api/v1/me").headers
