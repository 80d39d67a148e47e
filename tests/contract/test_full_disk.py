"""A full disk: what people delete makes room, though deleted files are kept."""

from collections.abc import Iterator

import pytest

from davhost.blobs.memory import MemoryBlobs
from davhost.catalogue import Catalogue
from davhost.errors import DiskFull
from tests.instance import Instance, path_


@pytest.fixture
def small(database_url: str) -> Iterator[Instance]:
    """An instance whose store holds 1,000 bytes."""
    catalogue = Catalogue(database_url, durable=False)
    yield Instance(catalogue, MemoryBlobs(capacity_bytes=1000), allow="*")
    catalogue.close()


def test_the_oldest_trash_is_given_up_first(small: Instance) -> None:
    """Files that stand in the tree stay, and so does what was deleted last."""
    ann = small.home("ann@example.org")
    for name in ("kept", "first", "second"):
        small.clock.pass_(1)
        ann.put(f"/{name}", name.encode() * 65)
    with pytest.raises(DiskFull):
        ann.put("/more", b"x" * 200)
    for name in ("first", "second"):
        small.clock.pass_(1)
        ann.delete(f"/{name}")
    small.clock.pass_(1)
    assert small.housekeeping().round().given_up == 1
    assert [left.name for left in ann.tree.trash()] == ["second"]
    ann.put("/more", b"x" * 200)
    assert ann.get("/kept") == b"kept" * 65


def test_old_versions_are_given_up_after_the_trash(small: Instance) -> None:
    """Of a file that was saved again and again only as many go as must."""
    ann = small.home("ann@example.org")
    for number in range(9):
        small.clock.pass_(1)
        ann.put("/report", bytes([number]) * 105)
    small.clock.pass_(1)
    assert small.housekeeping().round().given_up == 1
    assert len(ann.tree.versions(path_("/report"))) == 7
    assert ann.get("/report") == bytes([8]) * 105


def test_nothing_is_given_up_while_there_is_room(small: Instance) -> None:
    """The trash is for thirty days."""
    ann = small.home("ann@example.org")
    ann.put("/a", b"x" * 100)
    ann.delete("/a")
    small.clock.pass_(1)
    assert small.housekeeping().round().given_up == 0
