"""Byte ranges (RFC 9110 section 14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davhost.dav.ranges import ByteRange, if_range_holds, select
from davhost.errors import RangeNotSatisfiable


def pairs(value: str, size_bytes: int = 1000) -> list[tuple[int, int]]:
    return [(r.first, r.last) for r in select(value, size_bytes)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-0", [(0, 0)]),
        ("bytes=0-", [(0, 999)]),
        ("bytes=900-2000", [(900, 999)]),
        ("bytes=-1", [(999, 999)]),
        ("bytes=-2000", [(0, 999)]),
        ("Bytes = 5-9", [(5, 9)]),
        ("bytes=0-9,500-509", [(0, 9), (500, 509)]),
        ("bytes=500-509, 0-9", [(500, 509), (0, 9)]),
        ("bytes=0-9,5-20", [(0, 20)]),
        ("bytes=0-9,40-50", [(0, 50)]),
        ("bytes=0-9,2000-", [(0, 9)]),
        ("bytes=-0,0-9", [(0, 9)]),
    ],
)
def test_the_bytes_that_are_asked_for_are_chosen(
    value: str, expected: list[tuple[int, int]]
) -> None:
    """Several ranges keep their order; those that touch are joined."""
    assert pairs(value) == expected


@pytest.mark.parametrize(
    "value",
    ["items=0-5", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-1", "bytes=0-5,x", "0-5",
     "bytes=1 2-3", "bytes=0-0" + ",0-0" * 32],
)  # fmt: skip
def test_a_range_that_is_none_is_ignored(value: str) -> None:
    """Another unit, nonsense or too many ranges: the whole file is sent."""
    assert pairs(value) == []


@pytest.mark.parametrize("value", ["bytes=-0", "bytes=1000-", "bytes=2000-3000,4000-"])
def test_bytes_that_do_not_exist_are_416(value: str) -> None:
    """No range that can be satisfied is a refusal, never a made-up range."""
    with pytest.raises(RangeNotSatisfiable):
        select(value, 1000)


def test_an_empty_file_is_sent_whole() -> None:
    """Clients that add `bytes=0-` to everything get the empty file."""
    assert pairs("bytes=0-", 0) == []


def test_if_range_lets_only_the_same_content_go_on() -> None:
    """A strong tag or the exact date; anything else sends the whole file."""
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    assert if_range_holds(None, "e", 0)
    assert if_range_holds('"e"', "e", 0)
    assert if_range_holds(date, "e", 784111777)
    assert not if_range_holds('W/"e"', "e", 0)
    assert not if_range_holds('"f"', "e", 0)
    assert not if_range_holds(date, "e", 784111778)
    assert not if_range_holds("nonsense", "e", 0)


@given(st.text(alphabet="bytes=0123456789-, ", max_size=60), st.integers(0, 5000))
def test_no_range_header_leaves_the_file(value: str, size_bytes: int) -> None:
    """Whatever is asked, the bytes chosen exist, and no byte is sent twice."""
    try:
        chosen = select(value, size_bytes)
    except RangeNotSatisfiable:
        return
    assert all(0 <= r.first <= r.last < size_bytes for r in chosen)
    assert sum(r.size_bytes for r in chosen) <= size_bytes
    assert all(isinstance(r, ByteRange) for r in chosen)
