"""What is kept of listings, and how much of it."""

from __future__ import annotations

import errno
import gc
import os
from pathlib import Path

import pytest

from davhost.dav.kept_listings import Kept, KeptListings, LongListing
from davhost.tree import Revision

NOW = Revision("epoch", 1, None, 0)
LATER = NOW._replace(journal_seq=2)


def test_what_is_kept_is_found_with_its_revision() -> None:
    """Whoever asks sees of which state it is."""
    listings = KeptListings(10)
    listings.keep("a", Kept(NOW, [b"12", b"3"]))
    assert listings.find("a") == Kept(NOW, [b"12", b"3"])
    assert listings.find("b") is None


def test_a_newer_listing_takes_the_place_of_the_older() -> None:
    """Each question has one answer."""
    listings = KeptListings(10)
    listings.keep("a", Kept(NOW, [b"1234567"]))
    listings.keep("a", Kept(LATER, [b"12345678"]))
    assert listings.find("a") == Kept(LATER, [b"12345678"])


def test_what_nobody_asked_for_the_longest_goes_first() -> None:
    """Together they are never longer than they may be."""
    listings = KeptListings(10)
    for key in "abc":
        listings.keep(key, Kept(NOW, [b"123"]))
    listings.find("a")
    listings.keep("d", Kept(NOW, [b"12345"]))
    assert [key for key in "abcd" if listings.find(key)] == ["a", "d"]


def test_what_is_too_long_is_not_kept() -> None:
    """It also ends what was kept before, which is out of date."""
    listings = KeptListings(10)
    listings.keep("a", Kept(NOW, [b"123"]))
    listings.keep("a", Kept(LATER, [b"1" * 11]))
    assert listings.find("a") is None


def test_a_long_body_is_kept_when_it_has_been_made_to_its_end() -> None:
    """One that was cut off is not, and one that grows too long is not either."""
    listings = KeptListings(10)
    cut = listings.noted("cut", NOW, iter([b"12", b"34"]))
    assert next(cut) == b"12"
    cut.close()
    long = [b"1" * 40, b"2" * 40, b"3"]
    assert list(listings.noted("long", NOW, iter(long))) == long
    assert list(listings.noted("whole", NOW, iter([b"12", b"34"]))) == [b"12", b"34"]
    assert listings.find("cut") is None
    assert listings.find("long") is None
    assert _found(listings, "whole") == b"1234"


def test_long_ones_do_not_crowd_out_short_ones() -> None:
    """They are in files, which have a limit of their own."""
    listings = KeptListings(10)
    listings.keep("short", Kept(NOW, [b"123"]))
    for key in "abc":
        assert list(listings.noted(key, NOW, iter([key.encode() * 30]))) == [key.encode() * 30]
    assert listings.find("short") is not None
    assert listings.find("a") is None
    assert [_found(listings, key) for key in "bc"] == [b"b" * 30, b"c" * 30]
    listings.keep("b", Kept(LATER, [b"1"]))
    assert listings.find("b") == Kept(LATER, [b"1"])


def test_a_long_listing_is_read_in_pieces_and_sent_from_its_file() -> None:
    """Whatever its length; who still sends it has it to the end."""
    content = os.urandom((2 << 20) + 5)
    before = _descriptors()
    listings = KeptListings(1 << 20)
    for _ in listings.noted("a", NOW, iter([content[:100_000], content[100_000:]])):
        pass
    kept = listings.find("a")
    assert kept is not None
    body = kept.body
    assert isinstance(body, LongListing)
    del kept
    listings.drop("a")
    sent: list[bytes] = []
    body.send_through(sent.append, lambda file, at, size: sent.append(os.pread(file, size, at)))
    assert b"".join(sent) == b"".join(body) == content
    assert len(sent) == 3
    del body
    assert _descriptors() == before


@pytest.mark.parametrize("failing", ["TemporaryFile", "os.write"])
def test_without_room_on_the_disk_a_listing_is_answered_and_not_kept(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is no reason not to read."""

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = _descriptors()
    monkeypatch.setattr(f"davhost.dav.kept_listings.{failing}", fail)
    listings = KeptListings(10)
    assert list(listings.noted("a", NOW, iter([b"12", b"34"]))) == [b"12", b"34"]
    assert listings.find("a") is None
    assert _descriptors() == before


def test_none_are_kept_where_none_may_be() -> None:
    """Nor is a file made."""
    listings = KeptListings(0)
    assert list(listings.noted("a", NOW, iter([b"12"]))) == [b"12"]
    listings.keep("b", Kept(NOW, [b"1"]))
    assert listings.find("a") is listings.find("b") is None


def _found(listings: KeptListings, key: str) -> bytes:
    kept = listings.find(key)
    assert kept is not None
    return b"".join(kept.body)


def _descriptors() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_out_of_date_makes_room() -> None:
    """It is gone before the next one is made."""
    listings = KeptListings(10)
    listings.keep("a", Kept(NOW, [b"1234567"]))
    listings.keep("b", Kept(NOW, [b"123"]))
    listings.drop("a")
    listings.drop("never kept")
    listings.keep("c", Kept(NOW, [b"1234567"]))
    assert [key for key in "abc" if listings.find(key)] == ["b", "c"]
