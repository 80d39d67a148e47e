"""A listing in parts says what it says entry by entry, on both databases."""

import pytest

from davhost.model import Columns, Property, PropertyUpdate
from davhost.paths import DavPath
from davhost.tree import Entry, Part, Run, parts_of
from tests.instance import Home, path_


def fill(home: Home, *, properties: bool, locks: bool) -> None:
    """Make a collection with files, collections and temporaries in turn."""
    home.mkcol("/d")
    for number in range(6):
        home.put(f"/d/{number}.txt", b"x" * number)
        home.mkcol(f"/d/{number}_d")
        home.put(f"/d/~${number}.docx", b"owner")
    if properties:
        home.tree.patch(path_("/d/3.txt"), [PropertyUpdate("{u}p", "<p/>")])
    if locks:
        home.lock("/d/2.txt")


def told(parts: list[Part]) -> list[tuple[object, ...]]:
    """What parts say of each resource, in their order."""
    every: list[tuple[object, ...]] = []
    for part in parts:
        run, properties = (part, ()) if isinstance(part, Run) else (Run.of(part), part.properties)
        locks = list(run.locks) or [()] * run.size
        for index, name in enumerate(run.members.names):
            values = tuple(column[index] for column in run.members)
            every.append((run.parent, run.is_collection, name, values, properties, locks[index]))
    return every


@pytest.mark.parametrize("properties", [False, True])
@pytest.mark.parametrize("locks", [False, True])
@pytest.mark.parametrize("path", ["/", "/d", "/d/1.txt", "/d/1_d"])
def test_parts_are_the_entries(ann: Home, *, properties: bool, locks: bool, path: str) -> None:
    """Whatever there is among them; each in its place."""
    fill(ann, properties=properties, locks=locks)

    def listing() -> tuple[list[Entry], list[Part]]:
        found = ann.tree.listing(path_(path), depth=1, dead=True, locks=True)
        return list(found.entries), list(found.take_parts())

    entries, parts = listing()
    assert told(parts) == told(list(parts_of(entries)))
    assert [entry.name for entry in entries] == [name for _, _, name, *_ in told(parts)]
    without_top = ann.tree.listing(path_(path), depth=1, dead=True, locks=True).take_parts(first=1)
    assert told(list(without_top)) == told(parts)[1:]


@pytest.mark.parametrize("path", ["/d/1.txt", "/d/2.txt", "/d/3.txt"])
def test_one_resource_is_told_as_its_collection_tells_it(ann: Home, path: str) -> None:
    """Whether or not there is more of it than one statement finds."""
    fill(ann, properties=True, locks=True)
    name = path.rpartition("/")[2]
    members = ann.tree.listing(path_("/d"), depth=1, dead=True, locks=True).entries
    (one,) = ann.tree.listing(path_(path), depth=0, dead=True, locks=True).entries
    (member,) = (entry for entry in members if entry.name == name)
    assert list(one.properties) == list(member.properties)
    assert list(one.locks) == list(member.locks)
    (bare,) = ann.tree.listing(path_(path), depth=0, dead=False, locks=False).entries
    assert bare == member._replace(properties=(), locks=())


def test_a_run_is_alike(ann: Home) -> None:
    """Files and collections are told apart; what is not plain stands alone."""
    fill(ann, properties=True, locks=True)
    listing = ann.tree.listing(path_("/d"), depth=1, dead=True, locks=True)
    for part in listing.take_parts():
        if isinstance(part, Run):
            kinds = {kind == "collection" for kind in part.members.kinds}
            assert kinds == {part.is_collection}
        else:
            assert part.properties or part.locks


@pytest.mark.parametrize("fields", [(), ("etags",), ("sizes_bytes", "modified_us")])
def test_only_the_fields_are_fetched_that_are_wanted(ann: Home, fields: tuple[str, ...]) -> None:
    """With the names and the kinds, which tell what there is."""
    fill(ann, properties=False, locks=False)
    whole = ann.tree.listing(path_("/d"), depth=1, dead=True, locks=True)
    some = ann.tree.listing(path_("/d"), depth=1, dead=True, locks=True, fields=fields)
    every = zip(whole.take_parts(first=1), some.take_parts(first=1), strict=True)
    for complete, part in every:
        assert isinstance(complete, Run)
        assert isinstance(part, Run)
        for field in Columns._fields:
            wanted = field in (*fields, "names", "kinds")
            expected = getattr(complete.members, field) if wanted else ()
            assert getattr(part.members, field) == expected


def test_properties_are_told_whatever_fields_are_wanted(ann: Home) -> None:
    """Who has some is told of with all that it has."""
    fill(ann, properties=True, locks=False)
    listing = ann.tree.listing(path_("/d"), depth=1, dead=True, locks=False, fields=("etags",))
    (having,) = [part for part in listing.take_parts() if isinstance(part, Entry)]
    assert having.path == DavPath.of("d", "3.txt")
    assert having.properties == [Property("{u}p", "<p/>")]
    assert having.resource.size_bytes == 3
