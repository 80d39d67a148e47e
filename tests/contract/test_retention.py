"""How long what was overwritten and deleted is kept, on both databases."""

import logging

import pytest

from tests.instance import Home, Instance, path_

HOUR, DAY = 3600.0, 86_400.0


def contents(home: Home, path: str = "/x.txt") -> list[bytes]:
    """The contents of before, the first one first."""
    versions = f"/.davhost/versions{path}"
    listing = home.tree.listing(path_(versions), depth=1, dead=False, locks=False)
    return [home.get(entry.path.text) for entry in listing.entries[1:]]


def save(home: Home, instance: Instance, *, times: int, every_seconds: float) -> None:
    """Save a document so many times, each with its number."""
    for number in range(times):
        home.put("/x.txt", b"%d" % number)
        instance.clock.pass_(every_seconds)


@pytest.fixture(autouse=True)
def full_hour(instance: Instance) -> None:
    """Begin at the first second of a day in UTC."""
    instance.clock.seconds = 20_000 * DAY


def test_all_is_kept_for_a_day(ann: Home, instance: Instance) -> None:
    """Every save can be gone back to."""
    save(ann, instance, times=31, every_seconds=600)
    instance.clock.pass_(DAY / 2)
    instance.housekeeping().round()
    assert contents(ann) == [b"%d" % number for number in range(30)]


def test_then_the_last_of_every_hour_for_a_week(ann: Home, instance: Instance) -> None:
    """Of what was replaced in one hour, what it held at the end of the hour's work."""
    save(ann, instance, times=18, every_seconds=600)
    instance.clock.pass_(2 * DAY)
    instance.housekeeping().round()
    # Replaced at 10, 20 … 170 minutes: the last of each hour, and what is open.
    assert contents(ann) == [b"4", b"10", b"16"]


def test_then_the_last_of_every_day_for_a_month(ann: Home, instance: Instance) -> None:
    """And then nothing."""
    save(ann, instance, times=8, every_seconds=DAY / 4)
    instance.clock.pass_(8 * DAY)
    keeper = instance.housekeeping()
    keeper.round()
    assert contents(ann) == [b"2", b"6"]
    instance.clock.pass_(30 * DAY)
    keeper.round()
    listing = ann.tree.listing(path_("/.davhost/versions"), depth=1, dead=False, locks=False)
    assert len(listing.entries) == 1


def test_thinning_gives_the_bytes_back(ann: Home, instance: Instance) -> None:
    """The blobs of what was thinned out are gone."""
    save(ann, instance, times=6, every_seconds=60)
    instance.clock.pass_(2 * DAY)
    instance.housekeeping().round()
    assert len(instance.catalogue.named_blobs()) == 2


def test_trash_makes_room_beyond_its_share_the_oldest_first(instance: Instance) -> None:
    """What is kept may fill the room that files leave, or half of the quota."""
    home = instance.home("cal@example.org", quota_bytes=1000)
    for name in ("a", "b", "c"):
        home.put(f"/{name}.txt", b"x" * 300)
        home.delete(f"/{name}.txt")
        instance.clock.pass_(60)
    home.put("/full.txt", b"x" * 900)
    instance.clock.pass_(2 * DAY)
    instance.housekeeping().round()
    assert [left.name for left in home.tree.trash()] == ["c.txt"]


def test_an_empty_drive_keeps_more_than_the_share(instance: Instance) -> None:
    """As long as files leave the room, nothing is given up."""
    home = instance.home("cal@example.org", quota_bytes=1000)
    for name in ("a", "b", "c"):
        home.put(f"/{name}.txt", b"x" * 300)
        home.delete(f"/{name}.txt")
    instance.clock.pass_(2 * DAY)
    instance.housekeeping().round()
    assert len(home.tree.trash()) == 3


def test_nothing_of_the_last_day_makes_room(instance: Instance) -> None:
    """Who fills a drive to empty its trash has to wait a day, and be noticed."""
    home = instance.home("cal@example.org", quota_bytes=1000)
    home.put("/a.txt", b"x" * 900)
    home.put("/a.txt", b"y" * 900)
    instance.clock.pass_(HOUR)
    instance.housekeeping().round()
    assert contents(home, "/a.txt") == [b"x" * 900]
    instance.clock.pass_(DAY)
    instance.housekeeping().round()
    assert len(instance.catalogue.named_blobs()) == 1


def test_a_round_tells_the_log_what_it_did(
    ann: Home, instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """In a line without what it did not do; none about a round that did nothing."""
    caplog.set_level(logging.INFO, "davhost.housekeeping")
    keeper = instance.housekeeping()
    keeper.round()
    assert not caplog.messages
    save(ann, instance, times=6, every_seconds=60)
    instance.clock.pass_(2 * DAY)
    keeper.round()
    assert caplog.messages == ["versions=4 dead_blobs=4"]
