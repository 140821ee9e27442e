"""The headers of a part."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagedoor.model.tape import Range
from stagedoor.wire.parts import (
    Digest,
    format_content_digest,
    format_content_range,
    parse_content_digest,
    parse_content_range,
)

WHOLE = st.integers(0, 10**15)
SIZES = {"sha-256": 32, "blake3": 32, "xxh128-runs": 16}
ZERO = base64.b64encode(bytes(32)).decode()


@given(WHOLE, WHOLE, WHOLE)
def test_a_range_that_is_written_is_read_again(start: int, size: int, rest: int) -> None:
    part, total = Range(start, start + size + 1), start + size + 1 + rest
    assert parse_content_range(format_content_range(part, total)) == (part, total)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes",
        "bytes 0-9",
        "bytes 0-9/*",
        "bytes */10",
        "bytes 0-/10",
        "bytes -9/10",
        "bytes 9-0/10",
        "bytes 0-10/10",
        "bytes 0-0/0",
        "bytes=0-9/10",
        "Bytes 0-9/10",
        "bytes 0x0-9/10",
        "bytes 0-9/10, 20-29/30",
        "bytes ٠-٩/10",
        "bytes 0-9/1" + "0" * 16,
        "bytes 0-9/10\nX: y",
    ],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Content-Range"):
        parse_content_range(text)


@given(st.text(max_size=40))
def test_whatever_comes_is_a_range_within_its_total_or_refused(text: str) -> None:
    try:
        part, total = parse_content_range(text)
    except ValueError:
        return
    assert 0 <= part.start < part.end <= total


@given(st.sampled_from(sorted(SIZES)), st.binary(min_size=32, max_size=32))
def test_a_digest_that_is_written_is_read_again(algorithm: str, value: bytes) -> None:
    digest = Digest(algorithm, value[: SIZES[algorithm]])
    assert parse_content_digest(format_content_digest(digest)) == digest


def test_the_form_is_that_of_rfc_9530() -> None:
    digest = Digest("sha-256", hashlib.sha256(b'{"hello": "world"}').digest())
    assert format_content_digest(digest) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"


def test_other_digests_beside_ours_are_ignored_and_the_quickest_comes_first() -> None:
    text = f"md5=:AAAA:, sha-256=:{ZERO}: , blake3=:{base64.b64encode(b'x' * 32).decode()}:"
    assert parse_content_digest(text) == Digest("blake3", b"x" * 32)
    runs = f"xxh128-runs=:{base64.b64encode(b'y' * 16).decode()}:"
    assert parse_content_digest(f"{text}, {runs}") == Digest("xxh128-runs", b"y" * 16)
    assert parse_content_digest(f"id-sha-256=:AAAA:,sha-256=:{ZERO}:") == Digest("sha-256", bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ZERO,
        f"sha-256={ZERO}",
        f"sha-256=:{ZERO}",
        f"SHA-256=:{ZERO}:",
        "sha-256=:AAAA:",
        f"sha-512=:{ZERO}:",
        "blake3=:#:",
        "blake3=:AAA:",
        f"xxh128-runs=:{ZERO}:",
        f"sha-256=:{ZERO}:,",
        f"sha-256=:{ZERO}:;blake3=:{ZERO}:",
    ],
)
def test_what_is_no_digest_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"digest|Content-Digest"):
        parse_content_digest(text)


@given(st.text(max_size=60) | st.text("sha-256blke3xrun1=:,A/+ ", max_size=90))
def test_whatever_comes_is_a_digest_of_the_right_size_or_refused(text: str) -> None:
    try:
        digest = parse_content_digest(text)
    except ValueError:
        return
    assert len(digest.value) == SIZES[digest.algorithm]
