"""What the tree promises about resources, on both databases."""

import threading
from collections.abc import Iterator

import pytest

from davhost.conditions import Conditions, Etags
from davhost.errors import (
    AlreadyMapped,
    BadName,
    Conflict,
    ContentLost,
    DigestMismatch,
    Forbidden,
    IncompleteBody,
    MethodNotAllowed,
    NameRefused,
    NotFound,
    PreconditionFailed,
    PropertyTooLarge,
    QuotaExceeded,
)
from davhost.model import PropertyUpdate, Rules
from davhost.tree import Digest
from tests.instance import Home, Instance, path_


def test_a_written_file_reads_back(ann: Home) -> None:
    """What was saved is what is read."""
    assert ann.put("/letter.txt", b"Dear Bob").created
    assert ann.get("/letter.txt") == b"Dear Bob"


def test_an_overwrite_changes_the_etag_and_not_the_identity(ann: Home) -> None:
    """Two writes within one tick of the clock have two entity tags."""
    first = ann.put("/a.txt", b"one").resource
    second = ann.put("/a.txt", b"two")
    assert not second.created
    assert second.resource.id == first.id
    assert second.resource.etag != first.etag


def test_an_empty_file_needs_no_blob(ann: Home, instance: Instance) -> None:
    """Explorer and Finder create every file empty first; that costs no bytes."""
    ann.put("/empty.txt")
    assert ann.get("/empty.txt") == b""
    assert list(instance.blobs.keys()) == []


@pytest.mark.parametrize("sent", [b"", b"12", b"12345"])
def test_a_body_of_another_length_changes_nothing(
    ann: Home, instance: Instance, sent: bytes
) -> None:
    """An upload that is cut short, or too long, leaves the old content and no bytes."""
    ann.put("/a.txt", b"old")
    with pytest.raises(IncompleteBody):
        ann.tree.write(path_("/a.txt"), [sent] if sent else [], length=4)
    assert ann.get("/a.txt") == b"old"
    assert len(list(instance.blobs.keys())) == 1


def test_a_body_that_breaks_off_changes_nothing(ann: Home, instance: Instance) -> None:
    """A connection that dies in the middle leaves no trace."""

    def body() -> Iterator[bytes]:
        yield b"half"
        raise IncompleteBody("gone")

    with pytest.raises(IncompleteBody):
        ann.tree.write(path_("/new.txt"), body(), length=8)
    assert ann.names() == []
    assert list(instance.blobs.keys()) == []


def test_a_wrong_checksum_changes_nothing(ann: Home) -> None:
    """A body that is not what the client hashed is refused."""
    with pytest.raises(DigestMismatch):
        ann.tree.write(path_("/a.txt"), [b"abc"], length=3, digests=[Digest("md5", b"\0" * 16)])
    assert ann.names() == []


@pytest.mark.parametrize(("length", "asks_first"), [(None, False), (65_537, False), (10, True)])
def test_refusals_come_before_the_body(ann: Home, length: int | None, *, asks_first: bool) -> None:
    """Nothing of a refused body is taken from the client, unless it came with the request."""

    def body() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    with pytest.raises(NameRefused):
        ann.tree.write(path_("/evil.exe"), body(), length=length, asks_first=asks_first)
    assert ann.names() == []


def test_a_short_body_is_refused_when_it_is_there(instance: Instance, ann: Home) -> None:
    """It is taken, and leaves nothing."""
    taken: list[bytes] = []

    def body() -> Iterator[bytes]:
        taken.append(b"0123456789")
        yield taken[0]

    with pytest.raises(NameRefused):
        ann.tree.write(path_("/evil.exe"), body(), length=10)
    assert taken
    assert ann.names() == []
    assert list(instance.blobs.keys()) == []


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/missing/a.txt", Conflict),
        ("/a.txt/b.txt", Conflict),
        ("/folder", MethodNotAllowed),
        ("/", MethodNotAllowed),
        ("/con.txt", BadName),
        ("/trail.txt.", BadName),
        ("/back\\slash.txt", BadName),
        ("/bell\a.txt", BadName),
        ("/program.exe", NameRefused),
        ("/noextension", NameRefused),
    ],
)
def test_a_write_that_cannot_be_is_refused(ann: Home, path: str, refusal: type) -> None:
    """Each reason has its own refusal, and nothing is left behind."""
    ann.put("/a.txt", b"a")
    ann.mkcol("/folder")
    before = ann.names()
    with pytest.raises(refusal):
        ann.put(path, b"x")
    assert ann.names() == before


def test_collections_are_made_once(ann: Home) -> None:
    """MKCOL needs an unmapped URL with a parent."""
    ann.mkcol("/a")
    with pytest.raises(AlreadyMapped):
        ann.mkcol("/a")
    with pytest.raises(AlreadyMapped):
        ann.mkcol("/")
    with pytest.raises(Conflict):
        ann.mkcol("/b/c")


def test_a_tree_moves_with_everything_in_it(ann: Home) -> None:
    """Members, their content and their properties follow the collection."""
    ann.mkcol("/a")
    ann.mkcol("/a/a")
    ann.put("/a/a/x.txt", b"x")
    ann.tree.patch(path_("/a/a/x.txt"), [PropertyUpdate("{urn:p}color", "<color/>")])
    assert ann.move("/a", "/b")
    assert ann.names() == ["/b", "/b/a", "/b/a/x.txt"]
    entries = ann.tree.listing(path_("/b/a/x.txt"), depth=0, dead=True, locks=False).entries
    assert [p.name for p in entries[0].properties] == ["{urn:p}color"]


def test_a_copy_has_its_own_life(ann: Home) -> None:
    """Writing to the copy leaves the original, and the other way round."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"x")
    ann.tree.patch(path_("/a/x.txt"), [PropertyUpdate("{urn:p}color", "<color/>")])
    ann.copy("/a", "/b")
    ann.put("/b/x.txt", b"changed")
    assert ann.get("/a/x.txt") == b"x"
    ann.delete("/a")
    assert ann.get("/b/x.txt") == b"changed"
    entries = ann.tree.listing(path_("/b/x.txt"), depth=0, dead=True, locks=False).entries
    assert [p.name for p in entries[0].properties] == ["{urn:p}color"]


def test_a_shallow_copy_of_a_collection_is_empty(ann: Home) -> None:
    """COPY with Depth 0 copies the collection and none of its members."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"x")
    ann.copy("/a", "/b", deep=False)
    assert ann.names("/b") == []


def test_a_path_of_any_length_is_followed(ann: Home) -> None:
    """To its end, and no further than it exists; one statement takes 32 names."""
    folder = ""
    for depth in range(1, 71):
        if depth in (31, 32, 33, 64, 65, 70):
            path = folder + "/a.txt"
            ann.put(path, b"deep")
            assert ann.get(path) == b"deep"
            assert ann.tree.find(path_(path + "/b.txt")) is None
            assert ann.tree.find(path_(folder + "/none/a.txt")) is None
            with pytest.raises(Conflict):
                ann.put(folder + "/none/a.txt", b"x")
        folder += "/n"
        ann.mkcol(folder)


def test_a_wide_and_deep_tree_is_copied_whole(ann: Home) -> None:
    """More members than one statement takes, on several levels."""
    ann.mkcol("/a")
    ann.mkcol("/a/deep")
    for number in range(30):
        ann.put(f"/a/{number}.txt", b"x")
        ann.put(f"/a/deep/{number}.txt", b"y")
    ann.copy("/a", "/b")
    assert [n.replace("/b", "/a", 1) for n in ann.names("/b")] == ann.names("/a")
    assert ann.used() == 120


@pytest.mark.parametrize(
    ("source", "destination"),
    [("/a", "/a"), ("/a", "/a/b/c"), ("/a/b", "/a"), ("/a", "/"), ("/", "/c")],
)
@pytest.mark.parametrize("verb", ["move", "copy"])
def test_a_tree_cannot_go_into_itself_or_over_its_parent(
    ann: Home, verb: str, source: str, destination: str
) -> None:
    """Moving /x/x over /x must not delete both, as it does elsewhere."""
    ann.mkcol("/a")
    ann.mkcol("/a/b")
    ann.put("/a/b/x.txt", b"x")
    before = ann.names()
    with pytest.raises((Forbidden, PreconditionFailed)):
        getattr(ann, verb)(source, destination)
    assert ann.names() == before
    assert ann.get("/a/b/x.txt") == b"x"


def test_overwriting_can_be_forbidden(ann: Home) -> None:
    """Overwrite: F leaves an existing destination alone."""
    ann.put("/a.txt", b"a")
    ann.put("/b.txt", b"b")
    with pytest.raises(PreconditionFailed):
        ann.move("/a.txt", "/b.txt", overwrite=False)
    with pytest.raises(PreconditionFailed):
        ann.copy("/a.txt", "/b.txt", overwrite=False)
    assert ann.get("/b.txt") == b"b"


def test_a_move_over_a_collection_replaces_it(ann: Home) -> None:
    """Source and destination are not merged (RFC 4918 section 9.9.3)."""
    ann.mkcol("/a")
    ann.put("/a/new.txt", b"n")
    ann.mkcol("/b")
    ann.put("/b/old.txt", b"o")
    assert not ann.move("/a", "/b")
    assert ann.names() == ["/b", "/b/new.txt"]


def test_every_forbidden_member_stops_a_copy(ann: Home, instance: Instance) -> None:
    """When the list was narrowed, a tree with what is now forbidden stays where it is."""
    instance.accounts.set_rules("ann@example.org", Rules(None))
    ann.mkcol("/a")
    ann.put("/a/tool.exe", b"MZ")
    instance.accounts.set_rules("ann@example.org", Rules.parse("txt"))
    before = ann.names()
    for verb in (ann.move, ann.copy):
        with pytest.raises(NameRefused):
            verb("/a", "/b")
    assert ann.names() == before
    instance.accounts.set_rules("ann@example.org", None)
    with pytest.raises(NameRefused):
        ann.move("/a/tool.exe", "/a/again.exe")


def test_deleting_a_missing_url_says_so(ann: Home) -> None:
    """404, and the root stays."""
    with pytest.raises(NotFound):
        ann.delete("/nothing.txt")
    with pytest.raises(Forbidden):
        ann.delete("/")


def test_composed_and_decomposed_names_are_one_file(ann: Home) -> None:
    """A Mac that asks in NFD finds what Linux wrote in NFC."""
    ann.put("/caf\u00e9.txt", b"c")
    assert ann.get("/cafe\u0301.txt") == b"c"
    assert not ann.put("/cafe\u0301.txt", b"d").created
    assert ann.names() == ["/caf\u00e9.txt"]


def test_names_differ_by_case_and_by_byte(ann: Home) -> None:
    """Names are compared as they are, on both databases."""
    for name in ("/a.txt", "/A.txt", "/ä.txt", "/%.txt", "/_.txt", "/😀.txt"):
        ann.put(name, name.encode())
    for name in ("/a.txt", "/A.txt", "/ä.txt", "/%.txt", "/_.txt", "/😀.txt"):
        assert ann.get(name) == name.encode()


def test_the_quota_counts_what_stands_in_the_tree(instance: Instance) -> None:
    """New bytes count, replaced and deleted ones are given back, copies count again."""
    ann = instance.home("ann@example.org", quota_bytes=100)
    ann.put("/a.txt", b"x" * 60)
    ann.put("/a.txt", b"y" * 80)
    assert ann.used() == 80
    with pytest.raises(QuotaExceeded):
        ann.copy("/a.txt", "/b.txt")
    with pytest.raises(QuotaExceeded):
        ann.put("/b.txt", b"z" * 21)
    ann.put("/b.txt", b"z" * 20)
    ann.delete("/a.txt")
    assert ann.used() == 20
    ann.mkcol("/d")
    ann.move("/b.txt", "/d/b.txt")
    ann.delete("/d")
    assert ann.used() == 0


def test_a_body_of_unknown_length_stops_at_the_quota(instance: Instance) -> None:
    """A chunked upload cannot fill the disk: it ends where the room ends."""
    ann = instance.home("ann@example.org", quota_bytes=10)
    taken = []

    def body() -> Iterator[bytes]:
        for _ in range(1000):
            taken.append(1)
            yield b"12345678"

    with pytest.raises(QuotaExceeded):
        ann.tree.write(path_("/a.txt"), body(), length=None)
    assert len(taken) == 2
    assert list(instance.blobs.keys()) == []


def test_threads_that_fill_one_quota_end_exactly_at_it(instance: Instance) -> None:
    """Eight writers at once: the sum never passes the quota, and reaches it."""
    ann = instance.home("ann@example.org", quota_bytes=100)
    refused = []

    def fill(writer: int) -> None:
        for number in range(5):
            try:
                ann.put(f"/{writer}-{number}.txt", b"x" * 10)
            except QuotaExceeded:
                refused.append(writer)

    threads = [threading.Thread(target=fill, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ann.used() == 100
    assert len(ann.names()) == 10
    assert len(refused) == 30


def test_only_one_of_many_creates(ann: Home) -> None:
    """If-None-Match: * lets one writer win."""
    wins = []

    def create() -> None:
        try:
            ann.put("/one.txt", b"x", Conditions(if_none_match=Etags(any=True)))
            wins.append(1)
        except PreconditionFailed:
            pass

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wins == [1]


def test_if_match_prevents_a_lost_update(ann: Home) -> None:
    """A writer who read an older version is told so."""
    etag = ann.put("/a.txt", b"1").resource.etag
    expected = Conditions(if_match=Etags(strong=frozenset({etag})))
    ann.put("/a.txt", b"2", expected)
    with pytest.raises(PreconditionFailed):
        ann.put("/a.txt", b"3", expected)
    assert ann.get("/a.txt") == b"2"


def test_properties_are_set_and_removed_in_order(ann: Home) -> None:
    """The instructions of one PROPPATCH are taken one after the other."""
    ann.put("/a.txt", b"a")
    ann.tree.patch(
        path_("/a.txt"),
        [
            PropertyUpdate("{urn:p}x", "<x>1</x>"),
            PropertyUpdate("{urn:p}x", None),
            PropertyUpdate("{urn:p}x", "<x>2</x>"),
            PropertyUpdate("{urn:p}gone", None),
        ],
    )
    listing = ann.tree.listing(path_("/a.txt"), depth=0, dead=True, locks=False)
    assert [p.xml for p in listing.entries[0].properties] == ["<x>2</x>"]


@pytest.mark.parametrize(
    "updates",
    [
        [PropertyUpdate("{urn:p}x", "x" * 70_000)],
        [PropertyUpdate("{urn:p}" + "n" * 2000, "<n/>")],
        [PropertyUpdate(f"{{urn:p}}{n}", "<n/>") for n in range(1001)],
    ],
    ids=["value", "name", "number"],
)
def test_properties_are_limited(ann: Home, updates: list[PropertyUpdate]) -> None:
    """One property, its name and their number have an end; then nothing changes."""
    ann.put("/a.txt", b"a")
    with pytest.raises(PropertyTooLarge):
        ann.tree.patch(path_("/a.txt"), [PropertyUpdate("{urn:p}ok", "<ok/>"), *updates])
    listing = ann.tree.listing(path_("/a.txt"), depth=0, dead=True, locks=False)
    assert not listing.entries[0].properties


def test_properties_of_a_deleted_file_do_not_come_back(ann: Home) -> None:
    """A new file under an old name starts without properties."""
    ann.put("/a.txt", b"a")
    ann.tree.patch(path_("/a.txt"), [PropertyUpdate("{urn:p}x", "<x/>")])
    ann.delete("/a.txt")
    ann.put("/a.txt", b"b")
    listing = ann.tree.listing(path_("/a.txt"), depth=0, dead=True, locks=False)
    assert not listing.entries[0].properties


def test_two_homes_never_meet(instance: Instance) -> None:
    """The same paths, and neither sees names, locks, bytes or properties of the other."""
    ann, bob = instance.home("ann@example.org"), instance.home("bob@example.org")
    ann.put("/same.txt", b"ann")
    token = ann.lock("/same.txt")
    assert bob.names() == []
    bob.put("/same.txt", b"bob's")
    assert (ann.get("/same.txt"), bob.get("/same.txt")) == (b"ann", b"bob's")
    assert (ann.used(), bob.used()) == (3, 5)
    listing = bob.tree.listing(path_("/same.txt"), depth=0, dead=True, locks=True)
    assert not listing.entries[0].locks
    bob.delete("/same.txt")
    assert (
        ann.tree.listing(path_("/same.txt"), depth=0, dead=False, locks=True)
        .entries[0]
        .locks[0]
        .token
        == token
    )


def test_a_lost_blob_is_reported_and_spoils_no_listing(ann: Home, instance: Instance) -> None:
    """The catalogue is the truth; a missing blob is one damaged file, no more."""
    key = ann.put("/a.txt", b"a").resource.blob_key
    assert key is not None
    ann.put("/b.txt", b"b")
    instance.blobs.delete(key)
    assert ann.names() == ["/a.txt", "/b.txt"]
    with pytest.raises(ContentLost):
        ann.get("/a.txt")


def test_a_file_that_took_its_old_place_again_can_be_deleted(ann: Home) -> None:
    """Rename away, save anew, delete the renamed one, then the new one: all of it works."""
    for _ in range(2):
        ann.put("/w.txt", b"x")
        ann.move("/w.txt", "/t.txt")
        ann.put("/w.txt", b"x")
        ann.delete("/t.txt")
        assert ann.names() == ["/w.txt"]
        ann.delete("/w.txt")
        assert ann.names() == []
