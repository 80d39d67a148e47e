"""What the pages of administrators ask of the catalogue, on both databases."""

import pytest

from davhost.errors import Forbidden, Locked, LockTokenMismatch, NameRefused
from davhost.model import Rules
from tests.instance import PASSWORD, Home, Instance, path_

ANN = "ann@example.org"
SERVER = Rules.parse("txt")


def test_the_last_use_of_an_account_is_known(ann: Home, instance: Instance) -> None:
    """By any way in; of an account that nobody used nothing is known."""
    accounts = instance.accounts
    account = accounts.get(ANN)
    assert accounts.last_seen() == {}
    accounts.authenticate(ANN, PASSWORD, "192.0.2.1")
    first = accounts.last_seen()[account.id]
    _, secret = accounts.devices.add(account, "laptop")
    assert accounts.last_seen() == {account.id: first}
    accounts.authenticate(ANN, secret, "192.0.2.1")
    assert accounts.last_seen()[account.id] >= first


def test_a_refused_type_is_asked_for_once_and_allowed(ann: Home, instance: Instance) -> None:
    """A second time changes nothing, and a yes lets the next upload in."""
    requests = instance.accounts.requests
    with pytest.raises(NameRefused):
        ann.put("/list.csv", b"1")
    account = instance.accounts.get(ANN)
    for _ in range(2):
        requests.ask(account, "csv", SERVER)
    (request,) = requests.open_()["csv"]
    assert (request.email, request.path) == (ANN, "/list.csv")
    assert requests.allow(account.id, "csv", SERVER)
    assert not requests.allow(account.id, "csv", SERVER)
    assert requests.open_() == {}
    ann.put("/list.csv", b"1")


def test_the_journal_tells_what_happened(ann: Home, instance: Instance) -> None:
    """In one home and in all, the newest first, with what is left of it."""
    bob = instance.home("bob@example.org")
    ann.mkcol("/d")
    ann.put("/d/a.txt", b"one")
    ann.put("/d/a.txt", b"two")
    ann.delete("/d/a.txt")
    bob.put("/b.txt", b"b")
    activity = instance.accounts.activity
    page = activity.of(instance.accounts.get(ANN), SERVER)
    assert [(deed.verb, deed.path, deed.departed) for deed in page.deeds] == [
        ("unbind", "/d/a.txt", True),
        ("write", "/d/a.txt", True),
        ("bind", "/d/a.txt", True),
        ("bind", "/d", False),
    ]
    assert page.deeds[1].kept
    assert not page.deeds[3].kept
    assert page.next is None
    every = activity.latest(SERVER).deeds
    assert {deed.owner for deed in every} == {ANN, "bob@example.org"}
    assert len(every) == 5
    assert activity.latest(SERVER, skip=5).deeds == []


def test_locks_are_listed_until_they_end(ann: Home, instance: Instance) -> None:
    """Of one home and of all, the newest first, with what is known about each."""
    bob = instance.home("bob@example.org")
    account = instance.accounts.get(ANN)
    ann.mkcol("/d")
    ann.lock("/d", infinite=True)
    made_us = instance.clock.now_us()
    instance.clock.pass_(60)
    tablet = instance.open(ANN)
    tablet.tree.principal = tablet.tree.principal._replace(via="tablet")
    tablet.lock("/a.txt", exclusive=False)
    instance.clock.pass_(60)
    bob.lock("/b.txt")
    mine = instance.accounts.locks.of(account, 9)
    assert [(it.lock.path.text, it.lock.via, it.covers_members) for it in mine.locks] == [
        ("/a.txt", "tablet", False),
        ("/d", None, True),
    ]
    assert mine.locks[1].lock.made_us == made_us
    assert mine.locks[1].until_us == made_us + 600_000_000
    every = instance.accounts.locks.everywhere(2)
    assert [it.owner for it in every.locks] == ["bob@example.org", ANN]
    assert every.total == 3
    instance.clock.pass_(500)
    assert [it.lock.path.text for it in instance.accounts.locks.of(account, 9).locks] == ["/a.txt"]


def test_a_broken_lock_is_journalled(ann: Home, instance: Instance) -> None:
    """With who did it, and so that clients and readable trees go on as before."""
    token = ann.lock("/a.txt")
    before = ann.tree.sync_seq()
    admin = instance.accounts.register("boss@example.org", PASSWORD, admin=True)
    tree = instance.open(ANN).tree
    tree.principal = tree.principal._replace(user_id=admin.id)
    tree.break_lock(token)
    ann.put("/a.txt", b"free")
    changed = ann.tree.changed_since(path_("/"), before, deep=True, dead=False)
    assert [entry.path.text for entry in changed.entries] == ["/a.txt"]
    deeds = instance.accounts.activity.of(instance.accounts.get(ANN), SERVER).deeds
    assert [(deed.verb, deed.user_id) for deed in deeds[:2]] == [
        ("write", ann.tree.principal.user_id),
        ("unlock", admin.id),
    ]
    with pytest.raises(LockTokenMismatch):
        tree.break_lock(token)


def test_only_who_may_unlock_breaks_a_lock(ann: Home, instance: Instance) -> None:
    """Neither a sign-in that only reads, nor one that ends at another folder, nor another's."""
    ann.mkcol("/d")
    token = ann.lock("/a.txt")
    for limits in ({"read_only": True}, {"root": path_("/d")}):
        tree = instance.open(ANN).tree
        tree.principal = tree.principal._replace(**limits)
        with pytest.raises(Forbidden):
            tree.break_lock(token)
    with pytest.raises(LockTokenMismatch):
        instance.home("bob@example.org").tree.break_lock(token)
    with pytest.raises(Locked):
        ann.put("/a.txt", b"x")
