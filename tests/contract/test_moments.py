"""What others do between two steps of a request changes nothing about its answer."""

from typing import Any

import pytest

from davhost.catalogue.transactions import Transaction
from davhost.conditions import Conditions, Etags
from davhost.errors import Unavailable
from davhost.paths import DavPath
from davhost.tree import Tree
from tests.instance import Home, Instance


def test_a_reader_sees_one_moment(instance: Instance, ann: Home) -> None:
    """What the first statement of a reader has found is there for the second, too."""
    ann.put("/a.txt", b"text")
    ann.delete("/a.txt")
    (left,) = ann.tree.trash()
    space_id = ann.tree.principal.space_id
    with instance.catalogue.read(space_id, lease=instance.clock.lease()) as reading:
        absent = reading.get_by_id(left.resource.id)
        ann.tree.erase_departed(absent.id)  # as housekeeping does, in its own time
        ann.put("/b.txt", b"new")
        assert reading.path_of(absent) is None
        assert list(reading.members(reading.get(DavPath()))) == []
    assert ann.names() == ["/b.txt"]


def test_what_runs_without_a_transaction_is_one_statement(
    ann: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two would see two moments; a path of more than 32 names takes two."""
    asked: dict[Transaction, int] = {}
    run = Transaction._run

    def count(self: Transaction, *arguments: Any) -> Any:
        asked[self] = asked.get(self, 0) + 1
        return run(self, *arguments)

    deep = "/" + "/".join("d" * 40)
    for length in range(1, 41):
        ann.mkcol(deep[: 2 * length])
    ann.put("/a.txt", b"text")
    monkeypatch.setattr(Transaction, "_run", count)
    for path in map(DavPath.from_text, ("/", "/a.txt", "/d/d", deep)):
        assert ann.tree.find(path) == ann.tree.look(path).resource
        ann.tree.look(path, Conditions(if_none_match=Etags(strong=frozenset({"x"}))))
        ann.tree.listing(path, depth=0, dead=False, locks=False)
        listing = ann.tree.listing(path, depth=1, dead=False, locks=False)
        assert listing.revision is not None
        assert ann.tree.is_unchanged(path, listing.revision, locks=False)
    singles = {transaction: n for transaction, n in asked.items() if transaction._single}
    assert set(singles.values()) == {1}
    kinds = ("find", "look", "look if", "one resource", "nothing new")
    assert len(singles) == 3 * len(kinds)
    assert len(asked) > len(singles)


def test_a_move_that_is_done_says_so(instance: Instance, ann: Home) -> None:
    """Whoever takes the file away a moment later does not turn 201 into 404."""
    ann.put("/a.txt", b"text")
    parts = (instance.catalogue, instance.blobs, instance.policy, instance.clock)
    hurried = Tree(*parts, ann.tree.principal, lambda _space_id: ann.delete("/b.txt"))
    outcome = hurried.move(DavPath.from_text("/a.txt"), DavPath.from_text("/b.txt"), overwrite=True)
    assert outcome.created
    assert outcome.resource.name == "b.txt"
    assert ann.names() == []


def test_bytes_that_cannot_be_deleted_now_are_deleted_later(
    instance: Instance, ann: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that is done is not refused because of the content that it replaced."""

    def fail(_key: str) -> None:
        raise Unavailable

    ann.put("/~WRD1.tmp", b"first")
    with monkeypatch.context() as patch:
        patch.setattr(instance.blobs, "delete", fail)
        ann.put("/~WRD1.tmp", b"second")
    assert ann.get("/~WRD1.tmp") == b"second"
    assert len(list(instance.blobs.keys())) == 2
    assert instance.housekeeping().round().dead_blobs == 1
    assert len(list(instance.blobs.keys())) == 1
