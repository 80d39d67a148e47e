"""The past of a space, shown in it: versions and trash, to look at and copy out of."""

from datetime import UTC, datetime

import pytest

from davhost.errors import Forbidden, NotFound
from davhost.model import PropertyUpdate
from tests.instance import Home, Instance, path_

VERSIONS, TRASH = "/.davhost/versions", "/.davhost/trash"


def at(instance: Instance) -> str:
    """The clock's time as names have it."""
    return f"{datetime.fromtimestamp(instance.clock.seconds, UTC):%Y-%m-%d %H.%M.%S}"


def members(home: Home, path: str) -> list[str]:
    """List the names in a collection."""
    listing = home.tree.listing(path_(path), depth=1, dead=True, locks=True)
    return [entry.path.name for entry in listing.entries[1:]]


def test_versions_mirror_the_tree(ann: Home, instance: Instance) -> None:
    """Where the tree has a file that was overwritten, there are its contents of before."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"one")
    first = f"x {at(instance)}.txt"
    instance.clock.pass_(61)
    ann.put("/a/x.txt", b"two")
    second = f"x {at(instance)}.txt"
    instance.clock.pass_(61)
    ann.put("/a/x.txt", b"three")
    ann.put("/a/never changed.txt", b"same")
    assert members(ann, "/.davhost") == ["versions", "trash"]
    assert members(ann, VERSIONS) == ["a"]
    assert members(ann, f"{VERSIONS}/a") == ["x.txt"]
    assert members(ann, f"{VERSIONS}/a/x.txt") == [first, second]
    assert ann.get(f"{VERSIONS}/a/x.txt/{first}") == b"one"
    assert ann.get(f"{VERSIONS}/a/x.txt/{second}") == b"two"


def test_saves_of_one_second_are_told_apart(ann: Home, instance: Instance) -> None:
    """Each version has a name of its own."""
    for content in (b"1", b"2", b"3"):
        ann.put("/x.txt", content)
    now = at(instance)
    names = members(ann, f"{VERSIONS}/x.txt")
    assert names == [f"x {now}.txt", f"x {now} (2).txt"]
    assert [ann.get(f"{VERSIONS}/x.txt/{name}") for name in names] == [b"1", b"2"]


def test_the_trash_holds_whole_trees(ann: Home, instance: Instance) -> None:
    """What was deleted can be opened, to the last member."""
    ann.mkcol("/a")
    ann.mkcol("/a/b")
    ann.put("/a/b/x.txt", b"deep")
    ann.put("/y.txt", b"y")
    ann.delete("/y.txt")
    instance.clock.pass_(1)
    ann.delete("/a")
    tree = f"a {at(instance)}"
    assert sorted(members(ann, TRASH))[0] == tree
    assert members(ann, f"{TRASH}/{tree}/b") == ["x.txt"]
    assert ann.get(f"{TRASH}/{tree}/b/x.txt") == b"deep"
    listed = ann.tree.listing(path_(TRASH), depth=None, dead=False, locks=False)
    assert path_(f"{TRASH}/{tree}/b/x.txt") in [entry.path for entry in listed.entries]


def test_a_copy_out_of_the_past_is_a_file_like_any_other(ann: Home, instance: Instance) -> None:
    """It counts, it can be written, and the past stays what it is."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"one")
    ann.put("/a/x.txt", b"twoo")
    (name,) = members(ann, f"{VERSIONS}/a/x.txt")
    ann.copy(f"{VERSIONS}/a/x.txt/{name}", "/back.txt")
    assert ann.get("/back.txt") == b"one"
    ann.copy(f"{VERSIONS}/a/x.txt/{name}", "/a/x.txt")
    assert ann.get("/a/x.txt") == b"one"
    assert len(members(ann, f"{VERSIONS}/a/x.txt")) == 2
    ann.delete("/a")
    (gone,) = members(ann, TRASH)
    ann.copy(f"{TRASH}/{gone}", "/a again")
    assert ann.get("/a again/x.txt") == b"one"
    ann.copy(f"{TRASH}/{gone}/x.txt", "/just one.txt")
    assert ann.get("/just one.txt") == b"one"
    assert ann.tree.space().used_bytes == 9


def test_nothing_writes_to_the_past(ann: Home) -> None:
    """By no method, at no depth, neither as source nor as destination; and nothing changes."""
    ann.put("/x.txt", b"one")
    ann.put("/x.txt", b"two")
    ann.mkcol("/d")
    ann.put("/d/z.txt", b"z")
    ann.delete("/d")
    (version,) = members(ann, f"{VERSIONS}/x.txt")
    (gone,) = members(ann, TRASH)
    before = ann.tree.listing(path_("/.davhost"), depth=None, dead=False, locks=False).entries
    places = [
        "/.davhost",
        VERSIONS,
        TRASH,
        f"{VERSIONS}/x.txt",
        f"{VERSIONS}/x.txt/{version}",
        f"{TRASH}/{gone}",
        f"{TRASH}/{gone}/z.txt",
        f"{TRASH}/new.txt",
        "/.davhost/other",
    ]
    for place in places:
        for write in (
            lambda p: ann.put(p, b"new"),
            ann.mkcol,
            ann.delete,
            lambda p: ann.move(p, "/moved.txt"),
            lambda p: ann.move("/x.txt", p),
            lambda p: ann.copy("/x.txt", p),
            ann.lock,
            lambda p: ann.tree.patch(path_(p), [PropertyUpdate("{urn:p}a", "<a/>")]),
        ):
            with pytest.raises(Forbidden):
                write(place)
    after = ann.tree.listing(path_("/.davhost"), depth=None, dead=False, locks=False).entries
    assert after == before
    assert ann.names() == ["/x.txt"]


@pytest.mark.parametrize(
    "path", ["/.davhost/other", f"{VERSIONS}/no.txt", f"{TRASH}/no.txt", f"{TRASH}/no/deeper"]
)
def test_what_never_was_is_not_found(ann: Home, path: str) -> None:
    """Invented names in the past are as unmapped as any."""
    with pytest.raises(NotFound):
        ann.get(path)


def test_the_past_of_one_home_is_nobody_elses(ann: Home, instance: Instance) -> None:
    """The same URL shows each their own."""
    ann.put("/x.txt", b"one")
    ann.delete("/x.txt")
    bob = instance.home("bob@example.org")
    assert members(bob, TRASH) == []
    assert members(bob, VERSIONS) == []


def test_the_past_is_listed_where_it_is_asked_for(ann: Home) -> None:
    """At the root only, and not in the listing of a whole tree."""
    root = path_("/")
    shown = ann.tree.listing(root, depth=1, dead=False, locks=False, past=True)
    assert [entry.path.text for entry in shown.entries] == ["/", "/.davhost"]
    assert len(ann.tree.listing(root, depth=None, dead=False, locks=False, past=True).entries) == 1
