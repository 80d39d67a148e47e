"""A burst of changes to old files stops itself, and can be gone back on."""

import dataclasses

import pytest

from davhost.errors import Braked
from davhost.model import PropertyUpdate, Rules
from davhost.policy import Policy
from tests.instance import Home, Instance, path_

HOUR = 3600.0


@pytest.fixture
def careful(instance: Instance) -> Instance:
    """An instance whose brake takes three files for too many."""
    limits = dataclasses.replace(instance.limits, brake_changes=3, brake_seconds=600)
    instance.policy = Policy(instance.policy.rules, limits, instance.policy.contents)
    return instance


@pytest.fixture
def bea(careful: Instance) -> Home:
    """A home with five files that nobody has touched for an hour."""
    home = careful.home("bea@example.org")
    home.mkcol("/d")
    for number in range(5):
        home.put(f"/d/{number}.txt", b"mine")
    careful.clock.pass_(HOUR)
    return home


def spoil(home: Home) -> None:
    """Do what a blackmailer's program does, until it is stopped."""
    home.put("/d/0.txt", b"not yours")
    home.move("/d/1.txt", "/d/1 locked.txt")
    home.delete("/d/2.txt")


def test_too_many_changes_to_old_files_stop_the_next_one(bea: Home) -> None:
    """Overwriting, renaming and deleting count; then everything is refused, in words."""
    spoil(bea)
    for forbidden in (
        lambda: bea.put("/d/3.txt", b"not yours"),
        lambda: bea.put("/ransom.txt", b"pay"),
        lambda: bea.delete("/d/4.txt"),
        lambda: bea.mkcol("/e"),
        lambda: bea.tree.patch(path_("/d"), [PropertyUpdate("{urn:p}a", "<a/>")]),
        lambda: bea.lock("/d/3.txt"),
    ):
        with pytest.raises(Braked) as refused:
            forbidden()
        assert refused.value.status == 403
        assert "can only be read" in refused.value.sentence
    assert bea.get("/d/3.txt") == b"mine"


def test_new_files_and_the_same_few_may_change_as_often_as_one_likes(
    bea: Home, careful: Instance
) -> None:
    """What was touched a moment ago is no prey; nor is a burst made of one file."""
    for number in range(10):
        bea.put(f"/new {number}.txt", b"a")
        bea.put(f"/new {number}.txt", b"b")
        bea.put("/d/0.txt", b"%d" % number)
        bea.delete(f"/new {number}.txt")
        careful.clock.pass_(1)
    bea.put("/d/1.txt", b"fine")


def test_changes_that_take_their_time_are_no_burst(bea: Home, careful: Instance) -> None:
    """Who deletes a file every six minutes is tidying up."""
    for number in range(5):
        bea.delete(f"/d/{number}.txt")
        careful.clock.pass_(360)
    bea.put("/d/0.txt", b"fine")


def test_one_home_that_is_stopped_stops_no_other(bea: Home, careful: Instance) -> None:
    """The brake is of one space."""
    spoil(bea)
    careful.home("cal@example.org").put("/a.txt", b"fine")


def test_going_back_to_before_the_burst_undoes_it(bea: Home, careful: Instance) -> None:
    """The moment is marked; what was done since goes to versions and the trash."""
    spoil(bea)
    space = bea.tree.space()
    assert space.braked_us == careful.clock.now_us()
    done = bea.tree.rewind(space.braked_us - 1)
    assert (done.contents, done.moved, done.restored) == (1, 1, 1)
    assert [bea.get(f"/d/{n}.txt") for n in range(5)] == [b"mine"] * 5
    assert bea.names() == ["/d", *(f"/d/{n}.txt" for n in range(5))]


def test_the_brake_stays_on_until_it_is_released(bea: Home, careful: Instance) -> None:
    """Going back does not release it; releasing begins to count anew."""
    spoil(bea)
    bea.tree.rewind((bea.tree.space().braked_us or 0) - 1)
    careful.clock.pass_(HOUR)
    with pytest.raises(Braked):
        bea.put("/a.txt", b"a")
    bea.tree.release_brake()
    bea.put("/a.txt", b"a")
    spoil(bea)
    with pytest.raises(Braked):
        bea.put("/a.txt", b"b")


def test_nothing_is_tidied_away_while_the_brake_is_on(bea: Home, careful: Instance) -> None:
    """What is needed to go back stays, however old it becomes."""
    spoil(bea)
    braked_us = bea.tree.space().braked_us or 0
    careful.clock.pass_(90 * 24 * HOUR)
    careful.housekeeping().round()
    bea.tree.rewind(braked_us - 1)
    assert [bea.get(f"/d/{n}.txt") for n in range(5)] == [b"mine"] * 5


def test_what_is_gone_for_good_is_named(bea: Home, careful: Instance) -> None:
    """Going back far behind the end of the trash says what it cannot bring back."""
    then_us = careful.clock.now_us()
    careful.clock.pass_(1)
    bea.delete("/d/0.txt")
    bea.tree.empty_trash()
    done = bea.tree.rewind(then_us)
    assert [path.text for path in done.lost] == ["/d/0.txt"]
    assert bea.names() == ["/d", *(f"/d/{n}.txt" for n in range(1, 5))]


def test_going_back_goes_through_what_is_locked(bea: Home, careful: Instance) -> None:
    """Otherwise a lock that the culprit left would keep the damage."""
    then_us = careful.clock.now_us()
    careful.clock.pass_(1)
    bea.put("/d/0.txt", b"not yours")
    bea.lock("/d", infinite=True)
    bea.tree.rewind(then_us)
    assert bea.get("/d/0.txt") == b"mine"


def test_going_back_ends_the_locks_on_what_it_takes_away(bea: Home, careful: Instance) -> None:
    """A token without its file would keep everybody from the name."""
    then_us = careful.clock.now_us()
    careful.clock.pass_(1)
    bea.put("/new.txt", b"text")
    bea.move("/d/0.txt", "/d/moved.txt")
    for path in ("/new.txt", "/d/moved.txt"):
        bea.lock(path)
    bea.tree.rewind(then_us)
    assert bea.names() == ["/d", *[f"/d/{number}.txt" for number in range(5)]]
    bea.put("/new.txt", b"again")
    bea.put("/d/moved.txt", b"again")


def test_what_the_rules_refuse_by_now_is_named_and_stays_away(careful: Instance, bea: Home) -> None:
    """The rest goes back all the same."""
    then_us = careful.clock.now_us()
    careful.clock.pass_(1)
    bea.put("/d/x.pdf")
    bea.delete("/d/0.txt")
    bea.delete("/d/1.txt")
    careful.policy = Policy(Rules.parse("pdf"))
    strict = careful.open("bea@example.org")
    done = strict.tree.rewind(then_us)
    assert {path.text for path in done.refused} == {"/d/0.txt", "/d/1.txt"}
    assert all(".txt is not on the allowed list" in why for why in done.refused.values())
    assert strict.names() == ["/d", "/d/2.txt", "/d/3.txt", "/d/4.txt"]
