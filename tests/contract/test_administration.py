"""What the pages of administrators ask of the catalogue, on both databases."""

import pytest

from davhost.errors import NameRefused
from davhost.model import Rules
from tests.instance import PASSWORD, Home, Instance

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
