"""What is kept of listings, and how much of it."""

from __future__ import annotations

from davhost.dav.kept_listings import Kept, KeptListings
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


def test_a_body_is_kept_when_it_has_been_made_to_its_end() -> None:
    """One that was cut off is not, and one that grows too long is not either."""
    listings = KeptListings(10)
    cut = listings.noted("cut", NOW, iter([b"12", b"34"]))
    assert next(cut) == b"12"
    cut.close()
    assert list(listings.noted("long", NOW, iter([b"1" * 9, b"22", b"3"]))) == [
        b"1" * 9,
        b"22",
        b"3",
    ]
    assert list(listings.noted("whole", NOW, iter([b"12", b"34"]))) == [b"12", b"34"]
    assert listings.find("cut") is None
    assert listings.find("long") is None
    assert listings.find("whole") == Kept(NOW, [b"12", b"34"])


def test_what_is_out_of_date_makes_room() -> None:
    """It is gone before the next one is made."""
    listings = KeptListings(10)
    listings.keep("a", Kept(NOW, [b"1234567"]))
    listings.keep("b", Kept(NOW, [b"123"]))
    listings.drop("a")
    listings.drop("never kept")
    listings.keep("c", Kept(NOW, [b"1234567"]))
    assert [key for key in "abc" if listings.find(key)] == ["b", "c"]
