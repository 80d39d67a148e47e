"""A transaction that reads sees one moment, whatever others write meanwhile."""

from davhost.paths import DavPath
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
        assert reading.members(reading.get(DavPath())) == []
    assert ann.names() == ["/b.txt"]
