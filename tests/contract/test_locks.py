"""Write locks, on both databases (RFC 4918 sections 6 and 7)."""

import contextlib
import threading

import pytest

from davhost.conditions import NO_CONDITIONS, Conditions, StateCondition, StateList
from davhost.errors import (
    Forbidden,
    LockConflict,
    Locked,
    LockTokenMismatch,
    PreconditionFailed,
    TooManyLocks,
)
from davhost.model import PropertyUpdate
from davhost.policy import Limits, Policy
from davhost.tree import Tree
from tests.instance import Home, Instance, path_, with_token


def test_a_locked_file_needs_the_token(ann: Home) -> None:
    """Every way to change it is refused without, and granted with the token."""
    ann.put("/a.txt", b"a")
    token = ann.lock("/a.txt")
    for change in (
        lambda: ann.put("/a.txt", b"b"),
        lambda: ann.delete("/a.txt"),
        lambda: ann.move("/a.txt", "/b.txt"),
        lambda: ann.tree.patch(path_("/a.txt"), [PropertyUpdate("{u}p", "<p/>")]),
    ):
        with pytest.raises(Locked) as refused:
            change()
        assert refused.value.hrefs == ("/a.txt",)
    ann.put("/a.txt", b"b", with_token(token))
    assert ann.get("/a.txt") == b"b"


def test_a_member_locked_by_a_lock_keeps_its_collection(ann: Home) -> None:
    """A collection with a locked member is neither deleted nor moved without the token."""
    ann.mkcol("/d")
    ann.put("/d/a.txt", b"a")
    token = ann.lock("/d/a.txt")
    with pytest.raises(Locked):
        ann.delete("/d")
    with pytest.raises(Locked):
        ann.move("/d", "/e")
    assert ann.get("/d/a.txt") == b"a"
    ann.delete("/d", _any_state(token))
    assert ann.names() == []


def test_a_lock_of_depth_0_guards_the_names_in_a_collection(ann: Home) -> None:
    """Members come and go only with the token; their content may change."""
    ann.mkcol("/d")
    ann.put("/d/a.txt", b"a")
    ann.lock("/d")
    for change in (
        lambda: ann.put("/d/new.txt", b"n"),
        lambda: ann.delete("/d/a.txt"),
        lambda: ann.move("/d/a.txt", "/b.txt"),
        lambda: ann.mkcol("/d/sub"),
    ):
        with pytest.raises(Locked):
            change()
    ann.put("/d/a.txt", b"changed")


def test_a_lock_of_depth_infinity_covers_what_comes_later(ann: Home) -> None:
    """A member made with the token is locked too."""
    ann.mkcol("/d")
    token = ann.lock("/d", infinite=True)
    ann.put("/d/a.txt", b"a", _any_state(token))
    with pytest.raises(Locked):
        ann.put("/d/a.txt", b"b")
    with pytest.raises(LockConflict):
        ann.lock("/d/a.txt")


def test_exclusive_locks_exclude_and_shared_ones_share(ann: Home) -> None:
    """The compatibility table of RFC 4918 section 6.2."""
    ann.put("/a.txt", b"a")
    first = ann.lock("/a.txt", exclusive=False)
    second = ann.lock("/a.txt", exclusive=False)
    with pytest.raises(LockConflict):
        ann.lock("/a.txt")
    ann.put("/a.txt", b"b", with_token(first))
    ann.put("/a.txt", b"c", with_token(second))
    with pytest.raises(Locked):
        ann.put("/a.txt", b"d")


def test_an_infinite_lock_meets_locks_below(ann: Home) -> None:
    """A collection with a locked member cannot be locked as a whole."""
    ann.mkcol("/d")
    ann.put("/d/a.txt", b"a")
    ann.lock("/d/a.txt")
    with pytest.raises(LockConflict) as refused:
        ann.lock("/d", infinite=True)
    assert refused.value.hrefs == ("/d/a.txt",)
    ann.lock("/d")


def test_locking_an_unmapped_url_makes_an_empty_file(ann: Home) -> None:
    """The lock of a file that is about to be (RFC 4918 section 7.3)."""
    token = ann.lock("/new.txt")
    assert ann.names() == ["/new.txt"]
    with pytest.raises(Locked):
        ann.put("/new.txt", b"x")
    ann.put("/new.txt", b"x", with_token(token))


def test_a_refused_lock_leaves_no_empty_file(ann: Home) -> None:
    """Neither under somebody's lock nor with a forbidden name."""
    ann.mkcol("/d")
    ann.lock("/d", infinite=True)
    with pytest.raises(LockConflict):
        ann.lock("/d/new.txt")
    with pytest.raises(Forbidden):
        ann.lock("/evil.exe")
    assert ann.names() == ["/d"]


def test_locks_leave_with_delete_and_move(ann: Home) -> None:
    """A lock never stays on a URL whose resource is gone."""
    ann.put("/a.txt", b"a")
    ann.delete("/a.txt", with_token(ann.lock("/a.txt")))
    ann.put("/a.txt", b"again")
    token = ann.lock("/a.txt")
    ann.tree.move(path_("/a.txt"), path_("/b.txt"), overwrite=True, conditions=with_token(token))
    ann.put("/a.txt", b"free")
    ann.put("/b.txt", b"free too")


def test_locks_end_in_time(ann: Home, instance: Instance) -> None:
    """A client that went away blocks nobody for ever."""
    ann.put("/a.txt", b"a")
    token = ann.lock("/a.txt")
    instance.clock.pass_(599)
    ann.tree.refresh(path_("/a.txt"), timeout_seconds=100, conditions=with_token(token))
    instance.clock.pass_(99)
    with pytest.raises(Locked):
        ann.put("/a.txt", b"b")
    instance.clock.pass_(2)
    ann.put("/a.txt", b"b")
    with pytest.raises(PreconditionFailed):
        ann.tree.refresh(path_("/a.txt"), timeout_seconds=100, conditions=with_token(token))


def test_no_lock_lives_longer_than_the_setting(ann: Home, instance: Instance) -> None:
    """Timeout: Infinite is bounded."""
    lock = ann.tree.lock(
        path_("/a.txt"), exclusive=True, infinite=False, owner_xml="", timeout_seconds=10**9
    ).lock
    assert lock.timeout_seconds == instance.limits.lock_timeout_max_seconds


def test_only_the_right_token_unlocks(ann: Home) -> None:
    """UNLOCK compares token and URL (RFC 4918 section 9.11)."""
    ann.put("/a.txt", b"a")
    ann.put("/b.txt", b"b")
    token = ann.lock("/a.txt")
    with pytest.raises(LockTokenMismatch):
        ann.tree.unlock(path_("/b.txt"), token)
    with pytest.raises(LockTokenMismatch):
        ann.tree.unlock(path_("/a.txt"), "urn:uuid:invented")
    ann.tree.unlock(path_("/a.txt"), token)
    ann.put("/a.txt", b"free")


def test_a_wrong_token_fails_the_if_header(ann: Home) -> None:
    """412 comes before 423: the client's picture of the lock is outdated."""
    ann.put("/a.txt", b"a")
    ann.lock("/a.txt")
    with pytest.raises(PreconditionFailed):
        ann.put("/a.txt", b"b", with_token("urn:uuid:invented"))


def test_of_eight_exclusive_locks_one_is_granted(ann: Home) -> None:
    """The race that check-then-insert loses on PostgreSQL."""
    ann.put("/a.txt", b"a")
    granted = []

    def lock() -> None:
        with contextlib.suppress(LockConflict):
            granted.append(ann.lock("/a.txt"))

    threads = [threading.Thread(target=lock) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 1


def test_locks_survive_a_restart(ann: Home, instance: Instance) -> None:
    """They are rows, not memory."""
    ann.put("/a.txt", b"a")
    ann.lock("/a.txt")
    instance.catalogue.close()
    with pytest.raises(Locked):
        ann.put("/a.txt", b"b")


def test_a_user_holds_a_bounded_number_of_locks(ann: Home, instance: Instance) -> None:
    """One client cannot fill the lock table."""
    few = Policy(instance.policy.rules_of(ann.tree.space()), Limits(locks_max=2))
    home = Home(Tree(instance.catalogue, instance.blobs, few, instance.clock, ann.tree.principal))
    home.lock("/a.txt")
    home.lock("/b.txt")
    with pytest.raises(TooManyLocks):
        home.lock("/c.txt")
    assert home.names() == ["/a.txt", "/b.txt"]


def _any_state(token: str) -> Conditions:
    """Submit *token* in a list that holds whatever the request URI is locked by."""
    return Conditions(
        lists=(
            StateList((StateCondition(negated=False, token=token),)),
            StateList((StateCondition(negated=True, token="DAV:no-lock"),)),
        )
    )


def test_a_lock_that_is_granted_while_a_writer_waits_stops_the_writer(ann: Home) -> None:
    """Whether there are any locks is asked when it is its turn, not when it came."""
    ann.put("/a.txt", b"a")
    refused: list[Exception] = []

    def write() -> None:
        try:
            ann.put("/a.txt", b"b")
        except Locked as error:
            refused.append(error)

    with ann.tree._writing() as tx:
        target = tx.get(path_("/a.txt"))
        assert not tx.space().has_locks
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(0.3)  # it stands at the mutex of the space
        assert writer.is_alive()
        new = ann.tree._new_lock(path_("/a.txt"), True, False, "", None)
        ann.tree._grant(tx, target, new, NO_CONDITIONS)
        assert tx.space().has_locks
    writer.join(30)
    assert [type(error) for error in refused] == [Locked]
    assert ann.get("/a.txt") == b"a"


def test_locks_end_with_what_they_lock_also_one_that_is_only_just_granted(ann: Home) -> None:
    """What a transaction has locked itself counts for its own next steps."""
    ann.put("/a.txt", b"a")
    token = ann.lock("/a.txt")
    ann.delete("/a.txt", with_token(token))
    ann.put("/a.txt", b"b")  # a new file of the same name is not locked
    with ann.tree._reading() as reading:
        assert not reading.space().has_locks
        assert reading.locks_touching([path_("/a.txt")], below=True) == []
