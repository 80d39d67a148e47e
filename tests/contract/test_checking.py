"""Every invariant is broken on purpose: it is found, and mended where that is safe."""

import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from davhost.blobs.memory import MemoryBlobs
from davhost.catalogue import Catalogue
from davhost.catalogue.audit import INVARIANTS
from davhost.checking import Checking, Report
from davhost.errors import ContentLost
from davhost.paths import DavPath
from tests.instance import Home, Instance
from tests.readable import Readable


@pytest.fixture
def readable(instance: Instance, tmp_path: Path) -> Readable:
    """The trees of the instance."""
    return Readable(instance, tmp_path / "users")


@pytest.fixture
def home(ann: Home, readable: Readable) -> Home:
    """A home with some of everything, shown in its tree."""
    ann.mkcol("/a")
    ann.put("/a/one.txt", b"one")
    ann.put("/a/one.txt", b"one again")
    ann.put("/two.txt", b"two")
    ann.copy("/two.txt", "/copy.txt")
    ann.put("/gone.txt", b"gone")
    ann.delete("/gone.txt")
    ann.put("/~WRD0001.tmp", b"scratch")
    ann.lock("/two.txt")
    readable.catch_up(ann)
    return ann


def check(
    instance: Instance, readable: Readable | None, *, deep: bool = False, repair: bool = False
) -> Report:
    """Check everything."""
    projection = readable.projection if readable else None
    checking = Checking(instance.catalogue, instance.blobs, instance.clock, projection)
    return checking.run(deep=deep, repair=repair)


def codes(report: Report, *, repaired: bool | None = None) -> set[str]:
    """The kinds of what was found."""
    return {f.code for f in report.findings if repaired in (None, f.repaired)}


def execute(instance: Instance, *statements: str) -> None:
    """Change rows behind the catalogue's back, against all its rules."""
    engine = instance.catalogue._engine
    with engine.connect() as connection:
        raw = connection.execution_options(isolation_level="AUTOCOMMIT")
        if engine.dialect.name == "sqlite":
            driver = raw.connection.dbapi_connection
            assert driver is not None
            driver.execute("ROLLBACK") if driver.in_transaction else None  # type: ignore[attr-defined]
            driver.execute("PRAGMA foreign_keys = OFF")  # type: ignore[attr-defined]
            for statement in statements:
                driver.execute(statement)  # type: ignore[attr-defined]
            driver.execute("PRAGMA foreign_keys = ON")  # type: ignore[attr-defined]
            return
        raw.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            raw.execute(text(statement))
        raw.execute(text("SET session_replication_role = DEFAULT"))


ONE = "(SELECT id FROM resource WHERE name = 'one.txt')"
FOLDER = "(SELECT id FROM resource WHERE name = 'a')"
TWO_KEY = "(SELECT blob_key FROM resource WHERE name = 'two.txt')"

#: How each invariant is broken, and whether `check` can mend it.
BREAKS: dict[str, tuple[str, bool]] = {
    "counter": ("UPDATE space SET used_bytes = used_bytes + 7, scratch_bytes = 1", True),
    "root": ("UPDATE resource SET kind = 'file' WHERE name = ''", False),
    "owner": ('UPDATE "user" SET space_id = 77', False),
    "parent": (f"UPDATE resource SET parent_id = {ONE} WHERE name = 'two.txt'", False),
    "adrift": (f"UPDATE resource SET parent_id = {FOLDER} WHERE name = 'a'", False),
    "departed": ("UPDATE resource SET departed_us = 5 WHERE name = 'two.txt'", False),
    "kind": ("UPDATE resource SET kind = 'device' WHERE name = 'two.txt'", False),
    "content": ("UPDATE resource SET blob_key = '1/nothing' WHERE name = 'two.txt'", False),
    "size": ("UPDATE version SET size_bytes = 99", False),
    "dead-but-named": (f"UPDATE blob SET dead = true WHERE key = {TWO_KEY}", True),
    "unnamed": ("DELETE FROM version", True),
    "blob-space": ("UPDATE blob SET sha256 = 'short'", False),
    "ownerless": ("INSERT INTO property VALUES (999, '{DAV:}x', '<x/>')", False),
    "journal": ("DELETE FROM journal WHERE seq = 2", False),
    "home": ("UPDATE resource SET home_name = 'x.txt' WHERE name = 'two.txt'", True),
}


# Rows


def test_a_sound_instance_is_clean(home: Home, instance: Instance, readable: Readable) -> None:
    """And it is said how much was looked at."""
    report = check(instance, readable, deep=True)
    assert report.findings == []
    assert report.is_clean
    assert report.looked_at["blobs"] == 5
    assert report.looked_at["readable trees"] == 1


def test_every_invariant_is_broken_here() -> None:
    """A new one comes with its damage."""
    assert set(BREAKS) == set(INVARIANTS)


@pytest.mark.parametrize("code", BREAKS)
def test_a_broken_invariant_is_found(
    home: Home, instance: Instance, readable: Readable, code: str
) -> None:
    """And nothing is changed by finding it."""
    execute(instance, BREAKS[code][0])
    report = check(instance, readable)
    assert code in codes(report)
    assert not report.is_clean
    assert codes(check(instance, readable)) == codes(report)


@pytest.mark.parametrize("code", [code for code, (_, mends) in BREAKS.items() if mends])
def test_what_leaves_no_choice_is_mended(
    home: Home, instance: Instance, readable: Readable, code: str
) -> None:
    """Then a second check is clean, and every file is there."""
    execute(instance, BREAKS[code][0])
    report = check(instance, readable, repair=True)
    assert code in codes(report, repaired=True)
    assert report.is_clean
    assert check(instance, readable, deep=True).findings == []
    assert home.get("/two.txt") == b"two"
    assert (home.used(), home.scratch()) == (15, 7)


def test_a_lock_on_nothing_is_found_and_dropped(
    home: Home, instance: Instance, readable: Readable
) -> None:
    """An expired one is none, and only counted."""
    execute(instance, "UPDATE lock SET path = '/nothing.txt'")
    assert codes(check(instance, readable)) == {"lock"}
    assert check(instance, readable, repair=True).is_clean
    assert check(instance, readable).findings == []
    home.lock("/two.txt")
    instance.clock.pass_(100_000)
    report = check(instance, readable)
    assert report.findings == []
    assert report.looked_at["locks that have expired"] == 1


# Bytes


def blob_of(home: Home, instance: Instance, path: str, tmp_path: Path) -> Path:
    """The file with the bytes of a file."""
    key = home.tree.look(DavPath.from_text(path)).resource.blob_key
    assert key is not None
    space, _, name = key.partition("/")
    return tmp_path / "blobs" / space / name[:2] / name


def test_lost_bytes_are_named_with_what_is_left(
    home: Home, instance: Instance, readable: Readable, tmp_path: Path
) -> None:
    """Whose file it is, where, and which earlier contents there are."""
    blob_of(home, instance, "/a/one.txt", tmp_path).unlink()
    [finding] = check(instance, None).findings
    assert (finding.code, finding.account, finding.path) == (
        "blob-lost",
        "ann@example.org",
        "/a/one.txt",
    )
    assert "earlier contents that are there: 2027-" in finding.sentence
    assert not check(instance, None, repair=True).is_clean


def test_lost_bytes_come_back_from_the_readable_tree(
    home: Home, instance: Instance, readable: Readable, tmp_path: Path
) -> None:
    """They have the right hash, so there is no choice to make."""
    blob_of(home, instance, "/a/one.txt", tmp_path).unlink()
    assert codes(check(instance, readable)) == {"blob-lost"}
    assert check(instance, readable, repair=True).is_clean
    assert home.get("/a/one.txt") == b"one again"
    assert check(instance, readable, deep=True).findings == []


def test_wrong_bytes_in_the_tree_do_not_come_back(
    home: Home, instance: Instance, readable: Readable, tmp_path: Path
) -> None:
    """Somebody else's file is not taken for the lost one."""
    blob_of(home, instance, "/a/one.txt", tmp_path).unlink()
    shown = readable.top(home) / "a/one.txt"
    shown.unlink()
    shown.write_bytes(b"something")
    assert not check(instance, readable, repair=True).is_clean
    with pytest.raises(ContentLost):
        home.get("/a/one.txt")


def test_only_a_deep_check_finds_a_flipped_byte(
    home: Home, instance: Instance, readable: Readable, tmp_path: Path
) -> None:
    """Of the same length."""
    blob = blob_of(home, instance, "/two.txt", tmp_path)
    blob.chmod(0o644)
    blob.write_bytes(b"twp")
    assert check(instance, readable).is_clean
    report = check(instance, readable, deep=True, repair=True)
    assert {finding.path for finding in report.findings} == {"/two.txt", "/copy.txt"}
    assert codes(report, repaired=False) == {"blob-damaged"}


def test_a_cut_blob_is_found(
    home: Home, instance: Instance, readable: Readable, tmp_path: Path
) -> None:
    """Its size is enough to see it."""
    blob = blob_of(home, instance, "/a/one.txt", tmp_path)
    blob.chmod(0o644)
    blob.write_bytes(b"on")
    assert "blob-size" in codes(check(instance, readable))


def test_orphans_are_deleted_when_they_are_old(
    home: Home, instance: Instance, readable: Readable, tmp_path: Path
) -> None:
    """A young one is only named."""
    orphan = tmp_path / "blobs/1/ab" / ("ab" * 16)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"orphan")
    os.utime(orphan, times=(instance.clock.seconds - 60,) * 2)
    assert codes(check(instance, readable, repair=True), repaired=False) == {"blob-orphan"}
    assert orphan.exists()
    instance.clock.pass_(3600)
    assert check(instance, readable, repair=True).is_clean
    assert not orphan.exists()
    assert check(instance, readable).findings == []


def test_an_upload_that_goes_on_is_no_orphan(
    home: Home, instance: Instance, readable: Readable
) -> None:
    """Its bytes have no row yet, and are not looked at."""
    with instance.blobs.upload(1) as upload:
        upload.write(b"coming")
        upload.finish()
        assert check(instance, readable, repair=True).findings == []


def test_what_waits_for_housekeeping_is_no_problem(
    home: Home, instance: Instance, readable: Readable
) -> None:
    """Dead blobs are counted; a repair deletes them now."""
    execute(instance, "DELETE FROM version", "UPDATE blob SET dead = true WHERE size_bytes = 3")
    execute(instance, f"UPDATE blob SET dead = false WHERE key = {TWO_KEY}")
    report = check(instance, readable)
    assert report.looked_at["blobs to be deleted"] == 1
    assert report.findings == []
    check(instance, readable, repair=True)
    assert check(instance, readable).looked_at["blobs to be deleted"] == 0


# The readable tree


def test_differences_of_the_tree_are_found_and_mended(
    home: Home, instance: Instance, readable: Readable
) -> None:
    """Both ways, and its mark."""
    top = readable.top(home)
    (top / "a/one.txt").unlink()
    (top / "foreign\n.txt").write_bytes(b"")
    (top / "copy.txt").unlink()
    (top / "copy.txt").mkdir()
    report = check(instance, readable)
    assert codes(report) == {"tree-missing", "tree-foreign", "tree-other"}
    assert check(instance, readable, repair=True).is_clean
    assert readable.is_exact(home)


def test_a_lost_mark_is_found(home: Home, instance: Instance, readable: Readable) -> None:
    """Nobody knows how far the tree has come then."""
    [mark] = (readable.users / ".state/1").iterdir()
    mark.unlink()
    assert codes(check(instance, readable)) == {"tree-unknown"}
    assert check(instance, readable, repair=True).is_clean
    assert check(instance, readable).findings == []


def test_a_lost_tree_is_found(home: Home, instance: Instance, readable: Readable) -> None:
    """All of it."""
    readable.top(home).rename(readable.users / "elsewhere")
    assert "tree-missing" in codes(check(instance, readable))
    assert check(instance, readable, repair=True).is_clean
    assert readable.is_exact(home)


def test_a_tree_that_is_a_moment_behind_is_no_problem(
    home: Home, instance: Instance, readable: Readable
) -> None:
    """One that is behind for minutes is."""
    home.put("/new.txt", b"new")
    report = check(instance, readable)
    assert report.findings == []
    assert report.notes == ["ann@example.org: the readable tree is 1 changes behind"]
    instance.clock.pass_(301)
    assert codes(check(instance, readable)) == {"tree-late"}
    assert check(instance, readable, repair=True).is_clean
    assert readable.is_exact(home)


# While others write


def test_nothing_is_damaged_while_others_write(
    home: Home, instance: Instance, readable: Readable
) -> None:
    """What is on its way is not reported, whatever the moment."""
    done = threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        try:
            number = 0
            while not done.is_set():
                number += 1
                home.put("/busy.txt", b"%d" % number)
                home.mkcol("/f")
                home.put("/f/x.txt", b"x" * number)
                home.move("/f", "/g")
                home.copy("/g", "/h")
                home.delete("/g")
                home.delete("/h")
                instance.housekeeping(trash_seconds=-1, version_seconds=-1).round()
                readable.catch_up(home)
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(8):
            assert check(instance, readable, deep=True).findings == []
    finally:
        done.set()
        writer.join()
    assert failures == []


def test_stores_without_files_are_checked_too(database_url: str, tmp_path: Path) -> None:
    """Sizes and hashes through the same three methods."""
    catalogue = Catalogue(database_url, durable=False)
    blobs = MemoryBlobs()
    instance = Instance(catalogue, blobs)
    bob = instance.home("bob@example.org")
    bob.put("/a.txt", b"content")
    assert check(instance, None, deep=True).is_clean
    [(key, _)] = blobs.keys()
    blobs.delete(key)
    assert codes(check(instance, None)) == {"blob-lost"}
    catalogue.close()
