"""What others do between two steps of a request changes nothing about its answer."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from davhost.catalogue.connections import Connections
from davhost.catalogue.transactions import Transaction
from davhost.conditions import Conditions, Etags
from davhost.errors import Unavailable
from davhost.paths import DavPath
from davhost.tree import Revision, Tree
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


@pytest.mark.parametrize("path", ["/", "/a.txt", "/d/d"])
def test_what_is_asked_most_is_one_statement(
    ann: Home, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no transaction around it."""
    ann.mkcol("/d")
    ann.mkcol("/d/d")
    ann.put("/a.txt", b"text")
    place = DavPath.from_text(path)
    listing = ann.tree.listing(place, depth=1, dead=False, locks=False)
    assert listing.revision is not None
    asked = counting(monkeypatch)
    for number, ask in enumerate(glances(ann.tree, place, listing.revision), 1):
        ask()
        assert asked == Counter(alone=number)


def test_what_takes_two_statements_is_a_transaction(
    ann: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path of more than 32 names does: each of two statements would see another moment."""
    deep = "/" + "/".join("d" * 40)
    for length in range(1, 41):
        ann.mkcol(deep[: 2 * length])
    place = DavPath.from_text(deep)
    listing = ann.tree.listing(place, depth=1, dead=False, locks=False)
    assert listing.revision is not None
    asked = counting(monkeypatch)
    for number, ask in enumerate(glances(ann.tree, place, listing.revision), 1):
        ask()
        assert asked == Counter(transactions=number)


def counting(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count from now on what goes to the database."""
    asked: Counter[str] = Counter()
    row, enter = Connections.row, Transaction.__enter__

    def count_row(self: Connections, *arguments: Any, **values: Any) -> Any:
        asked["alone"] += 1
        return row(self, *arguments, **values)

    def count_transaction(self: Transaction) -> Transaction:
        asked["transactions"] += 1
        return enter(self)

    monkeypatch.setattr(Connections, "row", count_row)
    monkeypatch.setattr(Transaction, "__enter__", count_transaction)
    return asked


def glances(tree: Tree, path: DavPath, revision: Revision) -> list[Callable[[], object]]:
    """What mounted drives ask over and over."""
    other = Conditions(if_none_match=Etags(strong=frozenset({"x"})))
    return [
        lambda: tree.find(path),
        lambda: tree.look(path),
        lambda: tree.look(path, other),
        lambda: tree.listing(path, depth=0, dead=False, locks=False),
        lambda: tree.listing(path, depth=0, dead=True, locks=True),
        lambda: tree.is_unchanged(path, revision, locks=False),
    ]


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
