"""A sign-in that may only read writes by no method."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from davhost.errors import ReadOnly
from davhost.model import PropertyUpdate
from davhost.tree import Tree
from tests.instance import Home, Instance, make_instance, path_

WRITES: dict[str, Callable[[Home], object]] = {
    "write a new file": lambda home: home.put("/new.txt", b"x"),
    "write over a file": lambda home: home.put("/a.txt", b"x"),
    "make an empty file": lambda home: home.put("/empty.txt"),
    "make a collection": lambda home: home.mkcol("/new"),
    "unbind a file": lambda home: home.delete("/a.txt"),
    "unbind a collection": lambda home: home.delete("/d"),
    "move": lambda home: home.move("/a.txt", "/b.txt"),
    "move over a file": lambda home: home.move("/a.txt", "/d/b.txt"),
    "copy": lambda home: home.copy("/a.txt", "/b.txt"),
    "copy a collection": lambda home: home.copy("/d", "/e", deep=False),
    "lock a file": lambda home: home.lock("/a.txt"),
    "lock a new name": lambda home: home.lock("/new.txt"),
    "change properties": lambda home: home.tree.patch(
        path_("/a.txt"), [PropertyUpdate("{u:}x", '<x xmlns="u:"/>')]
    ),
    "change the date": lambda home: home.tree.patch(path_("/a.txt"), [], modified_us=1),
}


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """An instance on SQLite."""
    made = make_instance(f"sqlite:///{tmp_path}/davhost.sqlite", tmp_path)
    yield made
    made.catalogue.close()


@pytest.mark.parametrize("write", WRITES)
def test_a_reader_writes_by_no_method(instance: Instance, write: str) -> None:
    """Refused, and everything is as it was; reading works."""
    owner = instance.home("ann@example.org")
    owner.put("/a.txt", b"mine")
    owner.mkcol("/d")
    owner.put("/d/b.txt", b"mine too")
    before = owner.tree.sync_seq()
    principal = owner.tree.principal._replace(read_only=True)
    reader = Home(
        Tree(instance.catalogue, instance.blobs, instance.policy, instance.clock, principal)
    )
    with pytest.raises(ReadOnly):
        WRITES[write](reader)
    assert owner.tree.sync_seq() == before
    assert owner.names() == ["/a.txt", "/d", "/d/b.txt"]
    assert reader.get("/a.txt") == b"mine"
