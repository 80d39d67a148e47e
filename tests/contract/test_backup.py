"""Backups of both databases, restored into both."""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from davhost.backup import (
    Backup,
    BadBackup,
    Maker,
    NoSuchSpace,
    complete,
    items_of,
    newest,
    restore_all,
    thin,
    verify,
)
from davhost.blobs.local import LocalBlobs
from davhost.catalogue import Catalogue
from davhost.model import PropertyUpdate
from davhost.transfer import Existing, Intake
from tests.instance import Home, Instance, path_

MakeEmpty = Callable[[], tuple[Catalogue, LocalBlobs]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "backups"


@pytest.fixture(params=["sqlite", "postgresql"])
def make_empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeEmpty]:
    """Make an empty place to restore into, of each kind."""
    made: list[Catalogue] = []
    url = f"sqlite:///{tmp_path}/restored.sqlite"
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres_server")
        database = postgres.create_database()
        url = postgres.url(database)

    def make() -> tuple[Catalogue, LocalBlobs]:
        catalogue = Catalogue(url, durable=False)
        made.append(catalogue)
        return catalogue, LocalBlobs(tmp_path / "restored", durable=False)

    yield make
    for catalogue in made:
        catalogue.close()
    if request.param == "postgresql":
        postgres.drop_database(database)


def back_up(instance: Instance, folder: Path, **options: bool) -> Backup:
    """Make one backup, a minute after the last."""
    instance.clock.pass_(60)
    maker = Maker(instance.catalogue, instance.blobs, folder, davhost="test", **options)
    return maker.make(instance.clock.now_us())


def files_below(folder: Path) -> set[Path]:
    """All files of a backup that are blobs."""
    return {path for path in (folder / "blobs").rglob("*") if path.is_file()}


def fill(home: Home) -> None:
    """Make some of everything that an account can hold."""
    home.mkcol("/b")
    home.mkcol("/a")
    home.mkcol("/a/deep")
    home.move("/a/deep", "/b/deep")  # a parent with a greater id than its member's
    home.mkcol("/later")
    home.move("/b", "/later/b")
    home.put("/later/b/deep/ä 😀.txt", b"old")
    home.put("/later/b/deep/ä 😀.txt", b"new")
    home.put("/empty.txt")
    home.put("/~$a.docx", b"who")
    home.put("/gone.txt", b"gone")
    home.delete("/gone.txt")
    home.tree.patch(path_("/empty.txt"), [PropertyUpdate("{urn:p}c", "<c>é</c>")])
    home.lock("/empty.txt")


def test_a_restored_instance_is_the_same(
    instance: Instance, ann: Home, folder: Path, make_empty: MakeEmpty
) -> None:
    """From each database into each: names, bytes, versions, trash, quota, journal, passwords."""
    fill(ann)
    bob = instance.home("bob@example.org", quota_bytes=100, allow="*")
    bob.put("/tool.exe", b"MZ")
    backup = back_up(instance, folder)
    assert list(verify(backup)) == []
    catalogue, blobs = make_empty()
    restored = restore_all(backup, catalogue, blobs)
    assert restored.faults == []
    catalogue.check_schema()
    again = Instance(catalogue, blobs, instance.clock)
    for home in (ann, bob):
        email = home.tree.principal.email
        other = again.open(email)
        assert other.names() == home.names()
        assert other.tree.principal == home.tree.principal
        assert (other.used(), other.scratch()) == (home.used(), home.scratch())
        assert other.tree.sync_seq() == home.tree.sync_seq()
        assert other.tree.trash() == home.tree.trash()
    ann_again = again.open("ann@example.org")
    path = "/later/b/deep/ä 😀.txt"
    assert ann_again.get(path) == b"new"
    assert ann_again.tree.versions(path_(path)) == ann.tree.versions(path_(path))
    ann_again.tree.restore_departed(ann_again.tree.trash()[0].resource.id)
    assert ann_again.get("/gone.txt") == b"gone"
    assert again.open("bob@example.org").get("/tool.exe") == b"MZ"
    assert ann_again.tree.sync_token() != ann.tree.sync_token(), "another history begins"
    again.accounts.authenticate("ann@example.org", "correct horse battery", "192.0.2.1")


def test_a_restored_instance_goes_on(
    instance: Instance, ann: Home, folder: Path, make_empty: MakeEmpty
) -> None:
    """New rows get new numbers, and a second restore into it is refused."""
    fill(ann)
    backup = back_up(instance, folder)
    catalogue, blobs = make_empty()
    restore_all(backup, catalogue, blobs)
    again = Instance(catalogue, blobs, instance.clock)
    home = again.open("ann@example.org")
    home.put("/new.txt", b"1")
    home.put("/new.txt", b"2")
    assert again.home("eve@example.org").names() == []
    with pytest.raises(ValueError, match="empty"):
        restore_all(backup, catalogue, blobs)
    assert home.get("/new.txt") == b"2"


def test_the_next_backup_links_what_it_shares(instance: Instance, ann: Home, folder: Path) -> None:
    """And is complete without the one before."""
    ann.put("/a.txt", b"a" * 1000)
    first = back_up(instance, folder)
    ann.put("/b.txt", b"b" * 1000)
    second = back_up(instance, folder)
    assert (first.manifest().copied, second.manifest().copied) == (1, 1)
    assert sorted(path.stat().st_nlink for path in files_below(second.folder)) == [1, 2]
    assert (folder / "latest").resolve() == second.folder
    assert thin(folder, 1) == [first]
    assert [path.name for path in complete(folder)[0].folder.parent.iterdir() if path.is_dir()]
    assert list(verify(newest(folder))) == []
    assert second.manifest().blobs == 2


def test_the_live_blobs_are_not_the_backups(instance: Instance, ann: Home, folder: Path) -> None:
    """What damages a file on the server's disk leaves the backup alone."""
    key = str(ann.put("/a.txt", b"a" * 1000).resource.blob_key)
    backup = back_up(instance, folder)
    live = folder.parent / "blobs" / key.replace("/", f"/{key.partition('/')[2][:2]}/")
    assert live.stat().st_ino != backup.blob(key).stat().st_ino
    sums = (backup.folder / "blobs.sha256").read_text()
    assert sums.startswith(hashlib.sha256(b"a" * 1000).hexdigest() + "  blobs/")


def test_two_backups_in_one_second(instance: Instance, ann: Home, folder: Path) -> None:
    """Each has its own name."""
    maker = Maker(instance.catalogue, instance.blobs, folder, davhost="test")
    names = {maker.make(instance.clock.now_us()).name for _ in range(3)}
    assert len(names) == 3


def test_what_dies_before_the_rows_are_written_is_not_in_it(
    instance: Instance, ann: Home, folder: Path
) -> None:
    """Blobs that were brought in first and deleted meanwhile need no room."""
    for number in range(5):
        ann.put(f"/{number}.txt", str(number).encode())

    def on_blob(done: int, _all: int) -> None:
        if done == 3:
            ann.delete("/0.txt")
            ann.tree.empty_trash()

    maker = Maker(instance.catalogue, instance.blobs, folder, davhost="test")
    backup = maker.make(instance.clock.now_us(), on_blob)
    assert backup.manifest().blobs == 4
    assert len(files_below(backup.folder)) == 4
    assert list(verify(backup)) == []


def test_deletions_at_the_worst_moment_lose_nothing(
    instance: Instance, ann: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is deleted right after the rows were held: the backup has it all."""
    for number in range(20):
        ann.put(f"/{number}.txt", str(number).encode())
    monkeypatch.setattr(Maker, "_keep_most", lambda *_: None)
    held = instance.catalogue.snapshot

    def snapshot():
        context = held()
        found = context.__enter__()
        let_write = found.let_write

        def then_delete() -> None:
            let_write()
            for number in range(20):
                ann.delete(f"/{number}.txt")
            ann.tree.empty_trash()
            assert list(instance.blobs.keys()) == []

        found.let_write = then_delete
        return _Context(found, context)

    monkeypatch.setattr(instance.catalogue, "snapshot", snapshot)
    backup = back_up(instance, folder)
    assert backup.manifest().blobs == 20
    assert list(verify(backup)) == []


class _Context:
    """A context manager that was entered already."""

    def __init__(self, value: object, context: object) -> None:
        self.value, self.context = value, context

    def __enter__(self) -> object:
        return self.value

    def __exit__(self, *error: object) -> None:
        self.context.__exit__(*error)  # type: ignore[attr-defined]


def test_writers_wait_only_for_the_moment(instance: Instance, ann: Home) -> None:
    """Readers never; writers until `let_write`; and the snapshot stays as it was."""
    ann.put("/a.txt", b"a")
    written = threading.Event()

    def write() -> None:
        ann.put("/b.txt", b"b")
        written.set()

    with instance.catalogue.snapshot() as snapshot:
        writer = threading.Thread(target=write)
        writer.start()
        assert ann.get("/a.txt") == b"a"
        assert not written.wait(0.3)
        snapshot.let_write()
        assert written.wait(10)
        names = [row for rows in snapshot.tables() if rows.table == "resource" for row in rows.rows]
        assert len(names) == 2  # the root and one file
    writer.join()


def test_a_writer_hammers_meanwhile(
    instance: Instance, ann: Home, folder: Path, make_empty: MakeEmpty
) -> None:
    """Overwrites, deletes and scratch: every restored file has the bytes that it says."""
    stop = threading.Event()

    def hammer() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            ann.put(f"/{number % 7}.txt", str(number).encode() * 50)
            ann.put("/~$x.docx", str(number).encode())
            ann.delete("/~$x.docx")
            if number % 5 == 0:
                ann.delete(f"/{number % 7}.txt")
                ann.tree.empty_trash()

    writer = threading.Thread(target=hammer)
    writer.start()
    try:
        backups = [back_up(instance, folder) for _ in range(5)]
    finally:
        stop.set()
        writer.join()
    for backup in backups:
        assert backup.manifest().is_whole
        assert list(verify(backup)) == []
    catalogue, blobs = make_empty()
    assert restore_all(backups[-1], catalogue, blobs).faults == []
    again = Instance(catalogue, blobs, instance.clock).open("ann@example.org")
    for name in again.names():
        content = again.get(name)
        assert again.tree.sha256_of(path_(name)) == hashlib.sha256(content).hexdigest()


def test_what_is_lost_or_damaged_is_said_and_the_rest_is_saved(
    instance: Instance, ann: Home, folder: Path, make_empty: MakeEmpty
) -> None:
    """Damaged bytes are kept aside, never linked to, and never served again."""
    keys = [str(ann.put(f"/{n}.txt", n.encode() * 10).resource.blob_key) for n in "abc"]
    instance.blobs.delete(keys[0])
    bad = folder.parent / "blobs" / keys[1].replace("/", f"/{keys[1].partition('/')[2][:2]}/")
    bad.chmod(0o600)
    bad.write_bytes(b"x" * 10)
    for _ in range(2):
        backup = back_up(instance, folder)
        manifest = backup.manifest()
        assert (manifest.lost, manifest.damaged) == ((keys[0],), (keys[1],))
        assert manifest.blobs == 1
        assert len(list(verify(backup))) == 2
    catalogue, blobs = make_empty()
    restored = restore_all(backup, catalogue, blobs)
    assert len(restored.faults) == 2
    again = Instance(catalogue, blobs, instance.clock).open("ann@example.org")
    assert again.get("/c.txt") == b"c" * 10


@pytest.mark.parametrize("name", ["catalogue.jsonl.gz", "blobs.sha256", "blob"])
def test_verifying_finds_every_kind_of_damage(
    instance: Instance, ann: Home, folder: Path, name: str
) -> None:
    """One bit, a cut end, a missing file; --full heals what is linked on."""
    key = str(ann.put("/a.txt", b"a" * 100).resource.blob_key)
    backup = back_up(instance, folder)
    file = backup.blob(key) if name == "blob" else backup.folder / name
    file.chmod(0o600)
    content = file.read_bytes()
    file.write_bytes(content[:-5] + b"X" + content[-4:])
    assert list(verify(backup))
    file.write_bytes(content[:-5])
    assert list(verify(backup))
    file.unlink()
    assert list(verify(backup))
    assert list(verify(back_up(instance, folder, full=True))) == []


def test_rows_that_are_damaged_restore_nothing(
    instance: Instance, ann: Home, folder: Path, make_empty: MakeEmpty
) -> None:
    """The place stays empty."""
    backup = back_up(instance, folder)
    dump = backup.folder / "catalogue.jsonl.gz"
    dump.write_bytes(dump.read_bytes()[:-20])
    catalogue, blobs = make_empty()
    with pytest.raises(BadBackup):
        restore_all(backup, catalogue, blobs)
    assert catalogue.is_empty()


def test_a_restore_that_broke_off_is_run_again(
    instance: Instance, ann: Home, folder: Path, make_empty: MakeEmpty
) -> None:
    """With half of the blobs, a half one, and the tables without rows."""
    for number in range(10):
        ann.put(f"/{number}.txt", str(number).encode())
    backup = back_up(instance, folder)
    catalogue, blobs = make_empty()

    def break_off(done: int, _all: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_all(backup, catalogue, blobs, break_off)
    catalogue.upgrade()
    assert restore_all(backup, catalogue, blobs).faults == []
    again = Instance(catalogue, blobs, instance.clock).open("ann@example.org")
    assert [again.get(name) for name in again.names()] == [str(n).encode() for n in range(10)]


def test_a_backup_that_broke_off_is_none(instance: Instance, ann: Home, folder: Path) -> None:
    """The next one goes on with what is there, and leaves no remains."""
    for number in range(10):
        ann.put(f"/{number}.txt", str(number).encode())

    def break_off(done: int, _all: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    maker = Maker(instance.catalogue, instance.blobs, folder, davhost="test")
    with pytest.raises(KeyboardInterrupt):
        maker.make(instance.clock.now_us(), break_off)
    with pytest.raises(BadBackup):
        newest(folder)
    partial = next(folder.glob(".*.partial"))
    (next(iter(files_below(partial))).parent / "partial").write_bytes(b"half")
    backup = back_up(instance, folder)
    assert backup.manifest().copied == 5
    assert list(verify(backup)) == []
    assert {path.name for path in folder.iterdir()} == {backup.name, "latest"}


def test_one_backup_at_a_time(instance: Instance, ann: Home, folder: Path) -> None:
    """The second says so and does nothing."""
    ann.put("/a.txt", b"a")
    maker = Maker(instance.catalogue, instance.blobs, folder, davhost="test")

    def another(_done: int, _all: int) -> None:
        with pytest.raises(BadBackup, match="going on"):
            maker.make(instance.clock.now_us())

    maker.make(instance.clock.now_us(), another)
    assert len(complete(folder)) == 1


def test_a_moment_names_the_backup_before_it(instance: Instance, ann: Home, folder: Path) -> None:
    """--at takes the newest that is not younger."""
    first, second = back_up(instance, folder), back_up(instance, folder)
    assert newest(folder) == second
    assert newest(folder, second.at) == second
    assert newest(folder, datetime.fromtimestamp(second.at.timestamp() - 1, UTC)) == first
    with pytest.raises(BadBackup):
        newest(folder, datetime.fromtimestamp(first.at.timestamp() - 1, UTC))


# One account, one path


def bring_back(
    home: Home, backup: Backup, to: str, path: str = "/", email: str = "ann@example.org"
) -> None:
    """Take items of a backup in again."""
    items = items_of(backup, email, path_(path))
    report = Intake(home.tree, path_(to), existing=Existing.OVERWRITE).run(items)
    assert report.is_complete, report


def test_a_space_comes_back_beside_what_is_there(
    instance: Instance, ann: Home, folder: Path
) -> None:
    """Files and folders, dates and properties; what was in the trash or temporary stays away."""
    fill(ann)
    ann.tree.patch(path_("/later/b"), [PropertyUpdate("{urn:p}d", "<d/>")])
    before, date = ann.names(), ann.tree.look(path_("/later/b/deep/ä 😀.txt")).resource.modified_us
    backup = back_up(instance, folder)
    ann.delete("/later")
    bring_back(ann, backup, "/Restored")
    wanted = {f"/Restored{name}" for name in before if "~$" not in name}
    assert set(ann.names("/Restored")) == wanted
    restored = ann.tree.look(path_("/Restored/later/b/deep/ä 😀.txt")).resource
    assert ann.get("/Restored/later/b/deep/ä 😀.txt") == b"new"
    assert restored.modified_us == date
    kept = {
        entry.path.text: [p.name for p in entry.properties]
        for entry in ann.tree.listing(path_("/"), depth=None, dead=True, locks=False).entries
        if entry.properties
    }
    assert kept == {
        "/empty.txt": ["{urn:p}c"],
        "/Restored/empty.txt": ["{urn:p}c"],
        "/Restored/later/b": ["{urn:p}d"],
    }


def test_in_place_nothing_of_the_present_is_lost(
    instance: Instance, ann: Home, folder: Path
) -> None:
    """What is missing comes back, what differs becomes a version, what is new stays."""
    ann.mkcol("/d")
    ann.put("/d/a.txt", b"then")
    ann.put("/d/b.txt", b"then")
    backup = back_up(instance, folder)
    ann.put("/d/a.txt", b"now!")
    ann.delete("/d/b.txt")
    ann.put("/d/new.txt", b"new")
    bring_back(ann, backup, "/", "/d")
    assert ann.names() == ["/d", "/d/a.txt", "/d/b.txt", "/d/new.txt"]
    assert ann.get("/d/a.txt") == ann.get("/d/b.txt") == b"then"
    versions = ann.tree.versions(path_("/d/a.txt"))
    ann.tree.restore_version(path_("/d/a.txt"), versions[0].id)
    assert ann.get("/d/a.txt") == b"now!"


def test_one_file_comes_back(instance: Instance, ann: Home, folder: Path) -> None:
    """By its path at that time."""
    ann.mkcol("/d")
    ann.put("/d/a.txt", b"then")
    backup = back_up(instance, folder)
    ann.delete("/d")
    bring_back(ann, backup, "/Restored", "/d/a.txt")
    assert ann.get("/Restored/a.txt") == b"then"


@pytest.mark.parametrize(
    ("email", "path"), [("eve@example.org", "/"), ("ann@example.org", "/nothing.txt")]
)
def test_what_was_not_there_is_said(
    instance: Instance, ann: Home, folder: Path, email: str, path: str
) -> None:
    """No such account, or nothing at the path."""
    backup = back_up(instance, folder)
    with pytest.raises(NoSuchSpace):
        items_of(backup, email, path_(path))


def test_a_damaged_copy_is_not_brought_back(instance: Instance, ann: Home, folder: Path) -> None:
    """The other files are."""
    key = str(ann.put("/a.txt", b"a").resource.blob_key)
    ann.put("/b.txt", b"b")
    backup = back_up(instance, folder)
    backup.blob(key).chmod(0o600)
    backup.blob(key).write_bytes(b"x")
    report = Intake(ann.tree, path_("/r")).run(items_of(backup, "ann@example.org", path_("/")))
    assert [trouble.path for trouble in report.refused] == ["a.txt"]
    assert ann.names("/r") == ["/r/b.txt"]


def test_no_key_leads_out_of_the_backup(instance: Instance, ann: Home, folder: Path) -> None:
    """A list that somebody has changed reads and writes nowhere else."""
    ann.put("/a.txt", b"a")
    backup = back_up(instance, folder)
    sums = backup.folder / "blobs.sha256"
    sums.write_text("0" * 64 + "  blobs/../../../etc/passwd\n")
    with pytest.raises(BadBackup):
        list(backup.sums())
    assert list(verify(backup))
    with pytest.raises(BadBackup):
        backup.blob("1/../../secret")


def test_without_hard_links_everything_is_copied(
    instance: Instance, ann: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On file systems that have none, backups are larger and as good."""

    def no_links(*_: object, **__: object) -> None:
        raise PermissionError

    ann.put("/a.txt", b"a")
    monkeypatch.setattr(os, "link", no_links)
    back_up(instance, folder)
    backup = back_up(instance, folder)
    shutil.rmtree(complete(folder)[0].folder)
    assert backup.manifest().copied == 1
    assert list(verify(backup)) == []
