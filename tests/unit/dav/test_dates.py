"""Dates of HTTP and DAV."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davhost.dav.dates import http_date, iso_date, parse_http_date


@given(st.integers(0, 253_402_300_799))
def test_a_date_that_was_written_is_read_again(at: int) -> None:
    """What Last-Modified says, If-Modified-Since may say back."""
    written = http_date(at * 1_000_000 + 999_999)
    assert written == formatdate(at, usegmt=True)
    assert parse_http_date(written) == at


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_all_three_forms_are_read(text: str) -> None:
    """RFC 9110 section 5.6.7."""
    assert parse_http_date(text) == 784111777


@pytest.mark.parametrize("text", ["", "yesterday", "1", "Sun, 06 Foo 1994 08:49:37 GMT",
                                  "Sun, 99 Nov 1994 08:49:37 GMT", "784111777"])  # fmt: skip
def test_a_date_that_is_none_is_ignored(text: str) -> None:
    """It is None, not an error."""
    assert parse_http_date(text) is None


@given(st.text())
def test_no_date_breaks_the_parser(text: str) -> None:
    """Whatever is sent, there is a time or nothing."""
    assert parse_http_date(text) is None or text


def test_times_that_no_date_can_say_are_bounded() -> None:
    """A broken client's year 60000 does not spoil a listing."""
    assert http_date(2**62).startswith("Fri, 31 Dec 9999")
    assert iso_date(-1) == "1970-01-01T00:00:00Z"
