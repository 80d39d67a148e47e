"""What every blob store promises (`davhost.blobs`)."""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from davhost.blobs import BlobMissing, BlobStore
from davhost.blobs.local import LocalBlobs
from davhost.blobs.memory import MemoryBlobs
from davhost.errors import DiskFull
from davhost.model import Stored

HOSTILE_KEYS = [
    "",
    "/",
    "..",
    "../../etc/passwd",
    "1/../../etc/passwd",
    "1/" + "0" * 31,
    "1/" + "0" * 33,
    "1/" + "A" * 32,
    "1/" + "0" * 32 + "\n",
    "1/" + "0" * 32 + "\0",
    "-1/" + "0" * 32,
    "01/" + "0" * 32,
    "١/" + "0" * 32,
    "pending/1-" + "0" * 32,
    "/1/" + "0" * 32,
]

MakeStore = Callable[..., BlobStore]


def none_live(keys: object) -> set[str]:
    """Tell a sweep that no row names any key."""
    return set()


def all_live(keys: object) -> set[str]:
    """Tell a sweep that every key has a row."""
    return set(keys)  # type: ignore[call-overload]


def put(store: BlobStore, content: bytes, space_id: int = 1) -> str:
    """Store *content* as a live blob."""
    with store.upload(space_id) as upload:
        upload.write(content)
        key = upload.finish().key
        upload.keep()
    assert key is not None
    return key


def abandon(store: BlobStore, content: bytes, space_id: int = 1) -> str:
    """Store *content*, and leave open whether a row names it."""
    with store.upload(space_id) as upload:
        upload.write(content)
        key = upload.finish().key
    assert key is not None
    return key


def read(store: BlobStore, key: str) -> bytes:
    """Read a whole blob."""
    with store.open(key) as blob:
        return blob.read()


@pytest.fixture(params=["local", "memory"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Make an empty store of each kind."""
    if request.param == "memory":
        return MemoryBlobs

    def make(**options: object) -> BlobStore:
        return LocalBlobs(tmp_path / "blobs", **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def store(make_store: MakeStore) -> BlobStore:
    """Give an empty store of each kind."""
    return make_store()


@pytest.fixture
def small_store(make_store: MakeStore, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    """Give a store that has room for ten bytes."""
    if make_store is MemoryBlobs:
        return MemoryBlobs(capacity_bytes=10)
    disk = SimpleNamespace(f_blocks=1000, f_bavail=60, f_frsize=1)  # 5 % are kept free
    monkeypatch.setattr(os, "statvfs", lambda path: disk)
    return make_store()


# -- writing and reading


def test_what_was_written_is_read(store: BlobStore) -> None:
    """Blocks come back in their order."""
    with store.upload(1) as upload:
        upload.write(b"one ")
        upload.write(b"two")
        stored = upload.finish()
        upload.keep()
    assert read(store, stored.key or "") == b"one two"


def test_finish_tells_size_and_hash(store: BlobStore) -> None:
    """The catalogue gets the length and the SHA-256 of the content."""
    content = os.urandom(300_000)
    with store.upload(7) as upload:
        upload.write(content[:100_000])
        upload.write(content[100_000:])
        stored = upload.finish()
        upload.keep()
    assert stored == Stored(stored.key, 300_000, hashlib.sha256(content).hexdigest())


def test_a_key_names_the_space(store: BlobStore) -> None:
    """A key is the space id and 32 hex digits."""
    space, _, random = put(store, b"x", space_id=42).partition("/")
    assert space == "42"
    assert len(bytes.fromhex(random)) == 16


def test_size_counts_while_writing(store: BlobStore) -> None:
    """The upload knows how much has come so far."""
    with store.upload(1) as upload:
        sizes = [upload.size_bytes]
        for block in (b"abc", b"", b"de"):
            upload.write(block)
            sizes.append(upload.size_bytes)
    assert sizes == [0, 3, 3, 5]


@pytest.mark.parametrize("blocks", [[], [b""], [b"", b""]], ids=["none", "empty", "two"])
def test_empty_content_is_not_stored(store: BlobStore, blocks: list[bytes]) -> None:
    """An empty file has no blob, whatever was written to get there."""
    with store.upload(1) as upload:
        for block in blocks:
            upload.write(block)
        stored = upload.finish()
        upload.keep()
    assert stored == Stored(None, 0, hashlib.sha256().hexdigest())
    assert list(store.keys()) == []


def test_the_same_content_twice_is_two_blobs(store: BlobStore) -> None:
    """Blobs of one content do not know of each other."""
    first, second = put(store, b"same"), put(store, b"same")
    store.delete(first)
    assert read(store, second) == b"same"


def test_a_blob_can_seek(store: BlobStore) -> None:
    """A range of a blob is read without what comes before it."""
    key = put(store, b"0123456789")
    with store.open(key) as blob:
        assert blob.seekable()
        assert blob.seek(0, os.SEEK_END) == 10
        blob.seek(4)
        assert blob.read(3) == b"456"


def test_two_readers_do_not_meet(store: BlobStore) -> None:
    """Each open blob has a position of its own."""
    key = put(store, b"0123456789")
    with store.open(key) as first, store.open(key) as second:
        first.read(5)
        assert second.read(2) == b"01"


def test_a_used_key_is_not_used_again(make_store: MakeStore) -> None:
    """Should chance repeat itself, the blob that is there stays as it is."""
    drawn = iter(["a" * 32, "a" * 32, "b" * 32])
    store = make_store(random_hex=lambda: next(drawn))
    assert [put(store, b"first"), put(store, b"second")] == ["1/" + "a" * 32, "1/" + "b" * 32]
    assert read(store, "1/" + "a" * 32) == b"first"


def test_parallel_uploads_do_not_mix(store: BlobStore) -> None:
    """Uploads of many threads end as many whole blobs."""
    contents = [bytes([number]) * 50_000 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda content: put(store, content), contents))
    assert [read(store, key) for key in keys] == contents


# -- what is not there


def test_an_absent_blob_is_missing(store: BlobStore) -> None:
    """Opening what was never stored raises BlobMissing."""
    with pytest.raises(BlobMissing):
        store.open("1/" + "0" * 32)


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_a_hostile_key_is_missing(store: BlobStore, key: str) -> None:
    """A key that no store has made names nothing."""
    with pytest.raises(BlobMissing):
        store.open(key)


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_deleting_a_hostile_key_does_nothing(store: BlobStore, key: str) -> None:
    """A key that no store has made deletes nothing."""
    kept = put(store, b"stays")
    store.delete(key)
    assert read(store, kept) == b"stays"


def test_a_deleted_blob_is_missing(store: BlobStore) -> None:
    """After delete nothing is stored under the key."""
    key = put(store, b"x")
    store.delete(key)
    with pytest.raises(BlobMissing):
        store.open(key)


def test_delete_is_idempotent(store: BlobStore) -> None:
    """Deleting twice, or what never was, is no error."""
    key = put(store, b"x")
    store.delete(key)
    store.delete(key)
    store.delete("9/" + "0" * 32)


def test_reading_goes_on_after_delete(store: BlobStore) -> None:
    """A download that began before a delete gets every byte."""
    content = os.urandom(2_000_000)
    key = put(store, content)
    with store.open(key) as blob:
        head = blob.read(10)
        store.delete(key)
        assert head + blob.read() == content


# -- the life of an upload


def test_discard_deletes(store: BlobStore) -> None:
    """Discarded bytes are gone at once."""
    with store.upload(1) as upload:
        upload.write(b"x")
        key = upload.finish().key
        upload.discard()
    with pytest.raises(BlobMissing):
        store.open(key or "")


def test_discard_after_discard_does_nothing(store: BlobStore) -> None:
    """The second discard finds nothing to do."""
    with store.upload(1) as upload:
        upload.write(b"x")
        upload.discard()
        upload.discard()


def test_discard_after_the_blob_was_deleted_does_nothing(store: BlobStore) -> None:
    """Bytes that are already gone are no reason to fail."""
    with store.upload(1) as upload:
        upload.write(b"x")
        store.delete(upload.finish().key or "")
        upload.discard()
    assert store.sweep(none_live) == 0


@pytest.mark.parametrize("late", ["discard", "release"])
def test_what_is_kept_stays(store: BlobStore, late: str) -> None:
    """Nothing that comes after keep touches a live blob."""
    with store.upload(1) as upload:
        upload.write(b"x")
        key = upload.finish().key
        upload.keep()
        getattr(upload, late)()
    store.sweep(none_live)
    assert read(store, key or "") == b"x"


def test_leaving_an_open_upload_discards(store: BlobStore) -> None:
    """An upload that was never finished leaves nothing, also without an error."""
    with store.upload(1) as upload:
        upload.write(b"x")
    asked: list[str] = []
    store.sweep(lambda keys: set(asked.extend(keys) or ()))
    assert (asked, list(store.keys())) == ([], [])


def test_an_error_in_an_open_upload_discards(store: BlobStore) -> None:
    """A body that is cut off leaves nothing."""
    with suppress(ConnectionError), store.upload(1) as upload:
        upload.write(b"x")
        raise ConnectionError
    asked: list[str] = []
    store.sweep(lambda keys: set(asked.extend(keys) or ()))
    assert (asked, list(store.keys())) == ([], [])


def test_an_error_after_finish_releases(store: BlobStore) -> None:
    """When a commit fails half-way, the bytes wait for the sweep to ask."""
    with suppress(ConnectionError), store.upload(1) as upload:
        upload.write(b"x")
        key = upload.finish().key
        raise ConnectionError
    assert read(store, key or "") == b"x"
    assert store.sweep(all_live) == 0
    assert list(store.keys()) == [(key, 1)]


@pytest.mark.parametrize("end", ["finish", "discard", "release"])
def test_nothing_is_written_after_the_end(store: BlobStore, end: str) -> None:
    """A finished or ended upload takes no more bytes."""
    with store.upload(1) as upload:
        upload.write(b"x")
        getattr(upload, end)()
        with pytest.raises(ValueError):
            upload.write(b"y")


def test_only_a_finished_upload_is_kept(store: BlobStore) -> None:
    """Half a body never becomes a live blob."""
    with store.upload(1) as upload:
        upload.write(b"x")
        with pytest.raises(ValueError):
            upload.keep()


@pytest.mark.parametrize("space_id", [-1, 10**19], ids=str)
def test_a_space_that_cannot_be_has_no_blobs(store: BlobStore, space_id: int) -> None:
    """A number that is no space id is a defect of the caller."""
    with store.upload(space_id) as upload, pytest.raises(ValueError):
        upload.write(b"x")


# -- sweeping


def test_a_sweep_deletes_what_no_row_names(store: BlobStore) -> None:
    """Bytes of an upload without a row are given back and counted."""
    keys = [abandon(store, b"x") for _ in range(40)]
    assert store.sweep(none_live) == 40
    for key in keys:
        with pytest.raises(BlobMissing):
            store.open(key)


def test_a_sweep_keeps_what_a_row_names(store: BlobStore) -> None:
    """A blob whose row was committed before a crash becomes live."""
    alive, dead = abandon(store, b"alive"), abandon(store, b"dead")
    assert store.sweep(lambda keys: {alive}) == 1
    assert list(store.keys()) == [(alive, 5)]
    with pytest.raises(BlobMissing):
        store.open(dead)


def test_a_sweep_settles_for_good(store: BlobStore) -> None:
    """What one sweep has settled, the next does not ask about."""
    abandon(store, b"x"), abandon(store, b"y")
    store.sweep(lambda keys: {min(keys)})
    asked: list[str] = []
    assert store.sweep(lambda keys: set(asked.extend(keys) or ())) == 0
    assert asked == []


@pytest.mark.parametrize("finished", [False, True], ids=["open", "finished"])
def test_a_sweep_leaves_an_upload_that_goes_on(store: BlobStore, finished: bool) -> None:
    """An upload between its first byte and its decision is not looked at."""
    with store.upload(1) as upload:
        upload.write(b"x")
        stored = upload.finish() if finished else None
        assert store.sweep(none_live) == 0
        stored = stored or upload.finish()
        upload.keep()
    assert read(store, stored.key or "") == b"x"


def test_a_sweep_asks_only_about_pending_blobs(store: BlobStore) -> None:
    """Live blobs are no business of a sweep: it does not grow with the store."""
    put(store, b"live")
    pending = abandon(store, b"pending")
    asked: list[str] = []
    store.sweep(lambda keys: set(asked.extend(keys) or ()))
    assert asked == [pending]


def test_a_sweep_without_an_answer_changes_nothing(store: BlobStore) -> None:
    """When the catalogue is away, everything waits for the next sweep."""
    key = abandon(store, b"x")

    def away(keys: object) -> set[str]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.sweep(away)
    assert read(store, key) == b"x"
    assert store.sweep(none_live) == 1


def test_sweeping_while_uploads_go_on_loses_nothing(store: BlobStore) -> None:
    """Sweeps beside a storm of uploads never take a byte of them."""
    with ThreadPoolExecutor(5) as pool:
        uploads = [pool.submit(put, store, bytes([number % 256])) for number in range(400)]
        deleted = 0
        while not all(upload.done() for upload in uploads):
            deleted += store.sweep(none_live)
    assert deleted == 0
    assert [read(store, upload.result()) for upload in uploads] == [
        bytes([number % 256]) for number in range(400)
    ]


# -- listing and removing


def test_keys_lists_every_blob_with_its_size(store: BlobStore) -> None:
    """The check of the catalogue sees each live blob once."""
    stored = {put(store, b"x" * size, space_id=size % 3): size for size in range(1, 30)}
    listed = list(store.keys())
    assert dict(listed) == stored
    assert len(listed) == len(stored)


def test_keys_leaves_pending_blobs_out(store: BlobStore) -> None:
    """A blob that nobody has decided about is neither missing nor too many."""
    live = put(store, b"live")
    abandon(store, b"abandoned")
    with store.upload(1) as upload:
        upload.write(b"going on")
        assert list(store.keys()) == [(live, 4)]


def test_removing_a_space_takes_its_blobs_alone(store: BlobStore) -> None:
    """Other spaces, also of similar numbers, keep theirs."""
    gone, stays = put(store, b"gone", space_id=1), put(store, b"stays", space_id=11)
    store.remove_space(1)
    assert list(store.keys()) == [(stays, 5)]
    with pytest.raises(BlobMissing):
        store.open(gone)


def test_removing_a_space_twice_is_no_error(store: BlobStore) -> None:
    """A space that is not there is removed."""
    put(store, b"x")
    store.remove_space(1)
    store.remove_space(1)
    assert list(store.keys()) == []


def test_a_removed_space_leaves_nothing_to_sweep(store: BlobStore) -> None:
    """Undecided bytes of a removed space go with it."""
    abandon(store, b"x")
    store.remove_space(1)
    assert store.sweep(none_live) == 0


def test_a_space_can_be_used_after_it_was_removed(store: BlobStore) -> None:
    """Removing leaves nothing that is in the way later."""
    put(store, b"old")
    store.remove_space(1)
    assert read(store, put(store, b"new")) == b"new"


# -- a full store


def test_a_full_store_refuses_with_disk_full(small_store: BlobStore) -> None:
    """What does not fit is 507, before a byte of it is stored."""
    with small_store.upload(1) as upload, pytest.raises(DiskFull) as refused:
        upload.write(b"x" * 11)
    assert refused.value.status == 507
    assert "/" not in refused.value.sentence


def test_a_refused_upload_is_over(small_store: BlobStore) -> None:
    """After DiskFull nothing of the upload is left, and nothing more is taken."""
    with small_store.upload(1) as upload:
        with pytest.raises(DiskFull):
            upload.write(b"x" * 11)
        with pytest.raises(ValueError):
            upload.write(b"x")
    asked: list[str] = []
    small_store.sweep(lambda keys: set(asked.extend(keys) or ()))
    assert asked == []


def test_a_full_store_takes_what_fits(small_store: BlobStore) -> None:
    """A refusal of a large blob does not stop a small one."""
    with small_store.upload(1) as upload, pytest.raises(DiskFull):
        upload.write(b"x" * 11)
    assert read(small_store, put(small_store, b"x" * 10)) == b"x" * 10


def test_a_store_says_how_much_room_it_has(small_store: BlobStore) -> None:
    """As many bytes as an upload may have."""
    room_bytes = small_store.room_bytes()
    assert room_bytes is not None
    with small_store.upload(1) as upload, pytest.raises(DiskFull):
        upload.write(b"x" * (room_bytes + 1))
    assert put(small_store, b"x" * room_bytes)


# -- files that are there already


@pytest.mark.parametrize("hard_link", [False, True])
def test_a_file_becomes_a_blob(store: BlobStore, tmp_path: Path, hard_link: bool) -> None:
    """Hashed like any upload; the original keeps its bytes whatever becomes of the blob."""
    original = tmp_path / "original"
    original.write_bytes(b"content")
    with original.open("rb") as source, store.adopt(1, source, hard_link=hard_link) as upload:
        for block in upload.blocks():
            upload.write(block)
        stored = upload.finish()
        upload.keep()
    assert stored.sha256 == hashlib.sha256(b"content").hexdigest()
    assert list(store.keys()) == [(stored.key, 7)]
    assert stored.key is not None
    store.delete(stored.key)
    assert original.read_bytes() == b"content"


def test_an_empty_file_is_no_blob(store: BlobStore, tmp_path: Path) -> None:
    """As with an upload without bytes."""
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("rb") as source, store.adopt(1, source) as upload:
        assert list(upload.blocks()) == []
        assert upload.finish().key is None
        upload.keep()
    assert list(store.keys()) == []


def test_a_file_that_is_not_wanted_leaves_no_trace(store: BlobStore, tmp_path: Path) -> None:
    """Discarded or broken off: the original stays, nothing is stored."""
    original = tmp_path / "original"
    original.write_bytes(b"content")
    for finish in (True, False):
        with original.open("rb") as source, store.adopt(1, source, hard_link=True) as upload:
            for block in upload.blocks():
                upload.write(block)
            if finish:
                upload.finish()
                upload.discard()
    assert list(store.keys()) == []
    assert original.read_bytes() == b"content"
    assert original.stat().st_nlink == 1
