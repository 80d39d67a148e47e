"""What comes back from the trash and from versions, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from davhost.errors import Locked, NameRefused, NotFound, QuotaExceeded, ReadOnly
from davhost.model import PropertyUpdate, Rules
from davhost.tree import Tree
from tests.instance import Home, Instance, path_


def only(home: Home) -> int:
    """The id of the one resource in the trash."""
    (left,) = home.tree.trash()
    return left.resource.id


def restore(home: Home, name: str | None = None) -> str:
    """Restore the one resource in the trash, or the one of that name."""
    for left in home.tree.trash():
        if name is None or left.name == name:
            return home.tree.restore_departed(left.resource.id).text
    raise AssertionError(f"{name} is not in the trash")


def test_a_deleted_file_comes_back_where_it_was(ann: Home) -> None:
    """With its identity, its content and its properties; the trash is empty then."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"x")
    ann.tree.patch(path_("/a/x.txt"), [PropertyUpdate("{urn:p}color", "<color/>")])
    identity = ann.id_of("/a/x.txt")
    ann.delete("/a/x.txt")
    assert restore(ann) == "/a/x.txt"
    assert ann.get("/a/x.txt") == b"x"
    assert ann.id_of("/a/x.txt") == identity
    listing = ann.tree.listing(path_("/a/x.txt"), depth=0, dead=True, locks=False)
    assert [p.name for p in listing.entries[0].properties] == ["{urn:p}color"]
    assert ann.tree.trash() == []


def test_the_trash_says_what_is_in_it(ann: Home, instance: Instance) -> None:
    """The last one first: name, place, how many files and bytes, and when it left."""
    ann.mkcol("/a")
    ann.mkcol("/a/b")
    ann.put("/a/b/x.txt", b"12345")
    ann.put("/a/y.txt", b"12")
    ann.delete("/a/y.txt")
    instance.clock.pass_(5)
    ann.delete("/a/b")
    last, first = ann.tree.trash()
    assert (last.name, last.place.text, last.files, last.size_bytes) == ("b", "/a", 1, 5)
    assert (first.name, first.files, first.size_bytes) == ("y.txt", 1, 2)
    assert last.departed_us - first.departed_us == 5_000_000
    assert last.place_is_there


def test_the_trash_of_thousands_is_read_in_parts(ann: Home) -> None:
    """Page by page, in the same order, with as many statements for a page as for one."""
    for number in range(7):
        ann.mkcol(f"/f{number}")
        ann.mkcol(f"/f{number}/in")
        ann.put(f"/f{number}/in/a.txt", b"x")
        ann.delete(f"/f{number}/in")
        ann.delete(f"/f{number}")
    every = ann.tree.trash()
    assert len(every) == 14
    assert every == [ann.tree.trash(at, 1)[0] for at in range(14)]
    assert ann.tree.trash(12, 100) == every[12:]
    assert ann.tree.trash(14, 100) == []

    def statements(first: int, count: int) -> int:
        with counted() as seen:
            ann.tree.trash(first, count)
        return len(seen)

    assert statements(0, 14) == statements(0, 1)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Note every statement that is sent to a database."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_whole_tree_comes_back_as_one_change(ann: Home) -> None:
    """Members keep their identity, the quota counts them again, one line in the journal."""
    ann.mkcol("/a")
    ann.mkcol("/a/b")
    ann.put("/a/b/x.txt", b"x" * 10)
    ann.put("/a/~$x.docx", b"who")
    identity = ann.id_of("/a/b/x.txt")
    before, used, scratch = ann.names(), ann.used(), ann.scratch()
    ann.delete("/a")
    assert ann.used() == ann.scratch() == 0
    seq = ann.tree.sync_seq()
    assert restore(ann) == "/a"
    assert ann.names() == before
    assert (ann.used(), ann.scratch()) == (used, scratch)
    assert ann.id_of("/a/b/x.txt") == identity
    assert ann.tree.sync_seq() == seq + 1
    changed = ann.tree.changed_since(path_("/"), seq, deep=True, dead=False)
    assert {e.path.text for e in changed.entries} == {"/a", "/a/b", "/a/b/x.txt", "/a/~$x.docx"}


def test_what_took_the_place_stays(ann: Home) -> None:
    """The restored one stands beside it, and the next one beside both."""
    for content in (b"1", b"2"):
        ann.put("/a.b.txt", content)
        ann.move("/a.b.txt", "/moved.txt")
        ann.tree.patch(path_("/moved.txt"), [PropertyUpdate("{urn:p}c", "<c/>")])
        ann.move("/moved.txt", "/a.b.txt")
        ann.delete("/a.b.txt")
    ann.put("/a.b.txt", b"new")
    places = {restore(ann), restore(ann)}
    assert places == {"/a.b (restored).txt", "/a.b (restored 2).txt"}
    assert ann.get("/a.b.txt") == b"new"
    assert {ann.get(place) for place in places} == {b"1", b"2"}


def test_long_names_stay_short_enough(ann: Home) -> None:
    """255 bytes, characters kept whole, the extension kept."""
    name = "ä" * 125 + ".txt"
    ann.put(f"/{name}", b"old")
    ann.delete(f"/{name}")
    ann.mkcol(f"/{name}")
    place = restore(ann)
    assert place.endswith("ä (restored).txt")
    assert ann.get(place) == b"old"


def test_what_moved_over_a_tree_replaced_comes_back(ann: Home) -> None:
    """MOVE over a collection puts it into the trash."""
    ann.mkcol("/a")
    ann.put("/a/old.txt", b"old")
    ann.mkcol("/b")
    ann.move("/b", "/a")
    assert restore(ann) == "/a (restored)"
    assert ann.get("/a (restored)/old.txt") == b"old"


def test_a_file_of_a_deleted_collection_comes_back_above_it(ann: Home) -> None:
    """Into the nearest collection that is left; and where it was, when that is back first."""
    for path in ("/a", "/a/b", "/a/b/c"):
        ann.mkcol(path)
    ann.put("/a/b/c/x.txt", b"x")
    ann.put("/a/b/c/y.txt", b"y")
    ann.delete("/a/b/c/x.txt")
    ann.delete("/a/b/c/y.txt")
    ann.delete("/a/b")
    left = {left.name: left for left in ann.tree.trash()}
    assert not left["x.txt"].place_is_there
    assert restore(ann, "x.txt") == "/a/x.txt"
    assert restore(ann, "b") == "/a/b"
    assert restore(ann, "y.txt") == "/a/b/c/y.txt"


def test_without_any_collection_left_it_comes_back_at_the_top(ann: Home) -> None:
    """Also when the collection was removed for good."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"x")
    ann.delete("/a/x.txt")
    ann.delete("/a")
    folder = next(left for left in ann.tree.trash() if left.name == "a")
    ann.tree.erase_departed(folder.resource.id)
    assert restore(ann) == "/x.txt"


def test_the_quota_is_judged(instance: Instance) -> None:
    """What has no room stays in the trash, whole."""
    ann = instance.home("ann@example.org", quota_bytes=10)
    ann.put("/a.txt", b"123456")
    ann.delete("/a.txt")
    ann.put("/b.txt", b"12345")
    with pytest.raises(QuotaExceeded):
        restore(ann)
    assert (ann.names(), ann.used()) == (["/b.txt"], 5)
    ann.delete("/b.txt")
    assert restore(ann, "a.txt") == "/a.txt"
    assert ann.used() == 6


def test_restoring_creates_names_and_is_judged_as_such(ann: Home, instance: Instance) -> None:
    """A type that is no longer allowed does not come back, alone or in a tree."""
    instance.accounts.set_rules("ann@example.org", Rules(None))
    ann.mkcol("/a")
    ann.put("/a/tool.exe", b"MZ")
    ann.put("/tool.exe", b"MZ")
    ann.delete("/a")
    ann.delete("/tool.exe")
    instance.accounts.set_rules("ann@example.org", None)
    for name in ("a", "tool.exe"):
        with pytest.raises(NameRefused):
            restore(ann, name)
    assert ann.names() == []
    assert len(ann.tree.trash()) == 2


def test_a_lock_on_the_collection_holds(ann: Home) -> None:
    """What comes back is a member like any other."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"x")
    ann.delete("/a/x.txt")
    ann.lock("/a", infinite=True)
    with pytest.raises(Locked):
        restore(ann)


def test_nobody_restores_what_is_another_persons(instance: Instance) -> None:
    """Ids are counted over all spaces; they open only one's own."""
    ann, bob = instance.home("ann@example.org"), instance.home("bob@example.org")
    ann.put("/a.txt", b"1")
    ann.put("/a.txt", b"2")
    (version,) = ann.tree.versions(path_("/a.txt"))
    ann.delete("/a.txt")
    bob.put("/a.txt", b"b")
    for act in (bob.tree.restore_departed, bob.tree.erase_departed):
        with pytest.raises(NotFound):
            act(only(ann))
    with pytest.raises(NotFound):
        bob.tree.restore_version(path_("/a.txt"), version.id)
    assert bob.tree.trash() == []
    assert len(ann.tree.trash()) == 1


def test_what_is_there_is_not_in_the_trash(ann: Home) -> None:
    """Nor can it be restored or erased through it, twice neither."""
    ann.put("/a.txt", b"a")
    with pytest.raises(NotFound):
        ann.tree.erase_departed(ann.id_of("/a.txt"))
    ann.delete("/a.txt")
    id_ = only(ann)
    ann.tree.restore_departed(id_)
    with pytest.raises(NotFound):
        ann.tree.restore_departed(id_)


def test_emptying_gives_the_bytes_back(ann: Home, instance: Instance) -> None:
    """Versions too; what is older than a time, or everything."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"1")
    ann.put("/a/x.txt", b"2")
    ann.put("/keep.txt", b"3")
    ann.delete("/a")
    instance.clock.pass_(10)
    ann.put("/b.txt", b"4")
    ann.delete("/b.txt")
    assert ann.tree.empty_trash(before_us=instance.clock.now_us()) == 1
    assert [left.name for left in ann.tree.trash()] == ["b.txt"]
    assert ann.tree.empty_trash() == 1
    assert len(list(instance.blobs.keys())) == 1
    assert ann.get("/keep.txt") == b"3"


def test_reading_alone_does_not_empty_the_trash(ann: Home, instance: Instance) -> None:
    """S12: a read-only sign-in changes nothing."""
    ann.put("/a.txt", b"a")
    ann.delete("/a.txt")
    owner = ann.tree.principal
    reader = type(owner)(owner.user_id, owner.email, owner.space_id, read_only=True)
    tree = Tree(instance.catalogue, instance.blobs, instance.policy, instance.clock, reader)
    for act in (tree.restore_departed, tree.erase_departed):
        with pytest.raises(ReadOnly):
            act(only(ann))
    with pytest.raises(ReadOnly):
        tree.empty_trash()
    assert len(ann.tree.trash()) == 1


def test_content_of_before_comes_back_and_the_present_is_kept(ann: Home) -> None:
    """Back and forth: nothing is lost, the entity tag is new each time."""
    etags = [ann.put("/a.txt", content).resource.etag for content in (b"one", b"two", b"three")]
    first = ann.tree.versions(path_("/a.txt"))[-1]
    etags.append(ann.tree.restore_version(path_("/a.txt"), first.id).etag)
    assert ann.get("/a.txt") == b"one"
    assert ann.used() == 3
    assert len(set(etags)) == 4
    latest = ann.tree.versions(path_("/a.txt"))[0]
    ann.tree.restore_version(path_("/a.txt"), latest.id)
    assert ann.get("/a.txt") == b"three"


def test_content_of_before_needs_room_too(instance: Instance) -> None:
    """The larger old content may not fit any more."""
    ann = instance.home("ann@example.org", quota_bytes=10)
    ann.put("/a.txt", b"12345678")
    ann.put("/a.txt", b"1")
    ann.put("/b.txt", b"12345")
    (version,) = ann.tree.versions(path_("/a.txt"))
    with pytest.raises(QuotaExceeded):
        ann.tree.restore_version(path_("/a.txt"), version.id)
    assert ann.get("/a.txt") == b"1"


def test_a_version_of_another_file_is_none(ann: Home) -> None:
    """Nor of a file that has none."""
    ann.put("/a.txt", b"1")
    ann.put("/a.txt", b"2")
    ann.put("/b.txt", b"b")
    (version,) = ann.tree.versions(path_("/a.txt"))
    with pytest.raises(NotFound):
        ann.tree.restore_version(path_("/b.txt"), version.id)
