"""Directories come in through the one door and go out whole, on both databases."""

import os
import stat
from collections.abc import Iterator
from itertools import count as count_up
from pathlib import Path
from threading import Barrier, Thread, current_thread
from typing import Any, BinaryIO

import pytest

from davhost.blobs import Upload, adopting
from davhost.blobs.local import LocalBlobs
from davhost.errors import DiskFull, IncompleteBody, QuotaExceeded
from davhost.transfer import Existing, Intake, NotEmpty, Outlet, Report, count, walk
from tests.instance import Home, Instance, path_

#: A date with microseconds, long ago.
DATE_NS = 1_234_567_890_123_456_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty directory to take in."""
    made = tmp_path / "source"
    made.mkdir()
    return made


def fill(folder: Path, **contents: str) -> None:
    """Write files; two underscores stand for a slash, one for a dot."""
    for name, content in contents.items():
        file = folder / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        os.utime(file, ns=(DATE_NS, DATE_NS))


def take(home: Home, folder: Path, to: str = "/", **options: object) -> Report:
    """Import a directory."""
    return Intake(home.tree, path_(to), **options).run(walk(folder))  # type: ignore[arg-type]


def give(home: Home, target: Path, path: str = "/", **options: object) -> Report:
    """Export a collection."""
    return Outlet(home.tree, path_(path), target, **options).run()  # type: ignore[arg-type]


def reasons(report: Report) -> dict[str, str]:
    """What was refused, and why."""
    return {trouble.path: trouble.reason for trouble in report.refused}


# In


def test_a_directory_comes_in_with_names_and_dates(ann: Home, folder: Path) -> None:
    """Folders too, empty files too, and the quota counts."""
    fill(folder, a_txt="aa", b__c__d_txt="ddd", empty_txt="")
    (folder / "hollow").mkdir()
    os.utime(folder / "b", ns=(DATE_NS, DATE_NS))
    report = take(ann, folder)
    assert report.is_complete
    assert (report.files, report.size_bytes, report.collections) == (3, 5, 3)
    assert ann.names() == ["/a.txt", "/b", "/b/c", "/b/c/d.txt", "/empty.txt", "/hollow"]
    assert ann.get("/b/c/d.txt") == b"ddd"
    assert ann.used() == 5
    for path in ("/a.txt", "/b", "/b/c/d.txt"):
        assert ann.tree.look(path_(path)).resource.modified_us == DATE_NS // 1000


def test_a_second_run_finds_everything_there(ann: Home, folder: Path) -> None:
    """By length and date; by content where the date was lost."""
    fill(folder, a_txt="aa", b__c_txt="cc")
    take(ann, folder)
    os.utime(folder / "a.txt")
    journal = ann.tree.sync_seq()
    report = take(ann, folder)
    assert (report.files, report.unchanged, report.is_complete) == (0, 2, True)
    assert ann.tree.sync_seq() == journal


def test_refusals_are_listed_and_the_rest_comes_in(ann: Home, folder: Path) -> None:
    """A name, a content, and what hides behind a temporary's name."""
    fill(folder, a_exe="MZ", b__fine_txt="f", c_png="no picture", d_txt_bak="kept?")
    (folder / "b" / "noextension").write_text("x")
    report = take(ann, folder)
    assert set(reasons(report)) == {"a.exe", "b/noextension", "c.png", "d.txt.bak"}
    assert "not be kept" in reasons(report)["d.txt.bak"]
    assert ann.names() == ["/b", "/b/fine.txt"]
    assert not report.is_complete


def test_what_programs_leave_about_is_not_missed(ann: Home, folder: Path) -> None:
    """Litter is left out, and does not make the import fail."""
    for name in (".DS_Store", "._a.txt", "~$a.docx", "Thumbs.db"):
        (folder / name).write_text("x")
    report = take(ann, folder)
    assert report.is_complete
    assert len(report.left_out) == 4
    assert ann.names() == []


def test_links_and_devices_are_named_and_never_followed(ann: Home, folder: Path) -> None:
    """S1: nothing from outside the directory comes in, and nothing waits for ever."""
    outside = folder.parent / "outside"
    fill(outside, secret_txt="secret")
    (folder / "file.txt").symlink_to(outside / "secret.txt")
    (folder / "folder").symlink_to(outside)
    os.mkfifo(folder / "pipe.txt")
    report = take(ann, folder)
    assert set(reasons(report)) == {"file.txt", "folder", "pipe.txt"}
    assert ann.names() == []


def test_names_that_cannot_be_are_refused(ann: Home, folder: Path) -> None:
    """Bytes that are no text, and two spellings of one name."""
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("latin-1")
    (folder / "cafe\u0301.txt").write_text("one")
    (folder / "caf\u00e9.txt").write_text("two")
    (folder / "con.txt").write_text("device")
    report = take(ann, folder)
    assert len(report.refused) == 3
    assert ann.names() == ["/caf\u00e9.txt"]


def test_a_refused_folder_stops_at_itself(ann: Home, folder: Path) -> None:
    """What is in it is listed too: somebody looks for it."""
    fill(folder, aux__a_txt="a", zz_txt="z")
    report = take(ann, folder)
    assert list(reasons(report)) == ["aux", "aux/a.txt"]
    assert ann.names() == ["/zz.txt"]


def test_other_content_is_kept_unless_told_otherwise(ann: Home, folder: Path) -> None:
    """Refused, skipped, or a version: nothing is lost in any case."""
    fill(folder, a_txt="theirs")
    ann.put("/a.txt", b"mine")
    assert "another file" in reasons(take(ann, folder))["a.txt"]
    assert take(ann, folder, existing=Existing.SKIP).is_complete
    assert ann.get("/a.txt") == b"mine"
    assert take(ann, folder, existing=Existing.OVERWRITE).is_complete
    assert ann.get("/a.txt") == b"theirs"
    assert len(ann.tree.versions(path_("/a.txt"))) == 1


def test_a_file_where_a_folder_is(ann: Home, folder: Path) -> None:
    """And the other way round."""
    fill(folder, x_txt="x", y_txt__in_txt="y")
    ann.mkcol("/x.txt")
    ann.put("/y.txt", b"y")
    assert set(reasons(take(ann, folder))) == {"x.txt", "y.txt", "y.txt/in.txt"}


def test_the_place_is_made(ann: Home, folder: Path) -> None:
    """--to names a path of folders."""
    fill(folder, a_txt="a")
    take(ann, folder, to="/in/here")
    assert ann.names() == ["/in", "/in/here", "/in/here/a.txt"]


def test_the_quota_stops_what_is_too_large(instance: Instance, folder: Path) -> None:
    """Smaller files that still fit come in."""
    ann = instance.home("ann@example.org", quota_bytes=10)
    fill(folder, a_txt="12345", b_txt="12345678901", c_txt="12345")
    report = take(ann, folder)
    assert list(reasons(report)) == ["b.txt"]
    assert ann.used() == 10


def test_small_files_come_in_at_once(
    ann: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for the disk together; and each is behind us once, in its order."""
    fill(folder, **{f"f{number:02}_txt": "x" for number in range(40)})
    both = Barrier(2, timeout=60)
    real = LocalBlobs.adopt

    def adopt(*args: Any, **options: Any) -> Any:
        both.wait()
        return real(*args, **options)

    monkeypatch.setattr(LocalBlobs, "adopt", adopt)
    done: list[str] = []
    report = Intake(ann.tree, path_("/")).run(walk(folder), lambda item: done.append(item.shown))
    assert (report.files, report.size_bytes, report.is_complete) == (40, 40, True)
    assert done == [name.strip("/") for name in ann.names()]


def test_a_large_file_comes_in_alone(
    ann: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody who interrupts the program waits for the end of it."""
    fill(folder, a_txt="small", b_txt="x" * (1 << 20) + "y")
    threads: dict[int, Thread] = {}
    real = LocalBlobs.adopt

    def adopt(blobs: LocalBlobs, space_id: int, source: BinaryIO, **options: Any) -> Any:
        threads[os.fstat(source.fileno()).st_size] = current_thread()
        return real(blobs, space_id, source, **options)

    monkeypatch.setattr(LocalBlobs, "adopt", adopt)
    assert take(ann, folder).is_complete
    assert threads[(1 << 20) + 1] is current_thread()
    assert threads[5] is not current_thread()


def test_refusals_are_listed_in_the_order_of_names(ann: Home, folder: Path) -> None:
    """Whatever was quicker: what waits for the disk, a large file, or a look at the name."""
    fill(folder, a_png="no picture", b__a_png="no picture", b__c_txt_bak="x", b_exe="x")
    (folder / "b" / "b.png").write_bytes(bytes((1 << 20) + 1))
    (folder / "b.png").write_bytes(bytes((1 << 20) + 1))
    assert list(reasons(take(ann, folder))) == [
        "a.png",
        "b/a.png",
        "b/b.png",
        "b/c.txt.bak",
        "b.exe",
        "b.png",
    ]


def test_a_full_disk_ends_it_and_a_second_run_goes_on(
    ann: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came in before is there, also what was on its way; the rest is not tried."""
    fill(folder, **{f"f{number:02}_txt": "x" for number in range(60)})
    real = LocalBlobs.adopt
    calls = count_up()

    def adopt(*args: Any, **options: Any) -> Any:
        if next(calls) == 20:
            raise DiskFull("The disk is full.")
        return real(*args, **options)

    monkeypatch.setattr(LocalBlobs, "adopt", adopt)
    report = take(ann, folder)
    assert report.stopped == "The disk is full."
    assert report.refused == []
    assert report.files == len(ann.names()) == ann.used() < 60
    report = take(ann, folder)
    assert report.is_complete
    assert report.files + report.unchanged == len(ann.names()) == 60


def test_a_dry_run_changes_nothing(ann: Home, folder: Path) -> None:
    """And says what would be refused."""
    fill(folder, a_txt="a", b_exe="b", c__d_txt="d")
    journal = ann.tree.sync_seq()
    report = take(ann, folder, to="/new", dry_run=True)
    assert (report.files, report.collections, list(reasons(report))) == (2, 1, ["b.exe"])
    assert ann.names() == []
    assert ann.tree.sync_seq() == journal


def test_what_is_avoided_is_not_looked_into(ann: Home, folder: Path) -> None:
    """The server's own data, when it is below."""
    fill(folder, data__a_txt="a", b_txt="b")
    status = (folder / "data").stat()
    avoid = frozenset({(status.st_dev, status.st_ino)})
    assert count(folder, avoid=avoid) == (1, 1)
    Intake(ann.tree, path_("/")).run(walk(folder, avoid=avoid))
    assert ann.names() == ["/b.txt"]


# Linking instead of copying


def inode_of(instance: Instance, folder: Path) -> tuple[int, int]:
    """The inode of the only blob, and how many names it has."""
    (key,) = dict(instance.blobs.keys())
    space, name = key.split("/")
    status = (folder / "blobs" / space / name[:2] / name).stat()
    assert stat.S_IMODE(status.st_mode) == 0o444
    return status.st_ino, status.st_nlink


def test_a_hard_link_is_made_only_when_asked_for(
    instance: Instance, folder: Path, tmp_path: Path
) -> None:
    """Then the file is the blob, and read-only."""
    ann, bob = instance.home("ann@example.org"), instance.home("bob@example.org")
    fill(folder, a_txt="a" * 5000)
    take(ann, folder)
    assert inode_of(instance, tmp_path) != ((folder / "a.txt").stat().st_ino, 2)
    ann.delete("/a.txt")
    ann.tree.empty_trash()
    take(bob, folder, hard_links=True)
    assert inode_of(instance, tmp_path) == ((folder / "a.txt").stat().st_ino, 2)
    assert bob.get("/a.txt") == b"a" * 5000
    bob.delete("/a.txt")
    bob.tree.empty_trash()
    assert (folder / "a.txt").read_text() == "a" * 5000


def test_a_refused_file_is_linked_nowhere(instance: Instance, folder: Path, tmp_path: Path) -> None:
    """The original has its one name as before, and nothing is pending."""
    ann = instance.home("ann@example.org")
    (folder / "a.png").write_bytes(b"no picture")
    take(ann, folder, hard_links=True)
    assert (folder / "a.png").stat().st_nlink == 1
    assert list((tmp_path / "blobs" / "pending").iterdir()) == []


def test_a_clone_is_read_from_the_blob(
    instance: Instance, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system clones, not a byte is written, and the hash is the clone's."""

    def fake(source: int, target: int) -> bool:
        os.write(target, os.pread(source, 1 << 20, 0))
        return True

    monkeypatch.setattr("davhost.blobs.pending.clone", fake)
    ann = instance.home("ann@example.org")
    fill(folder, a_txt="abc" * 1000)
    assert take(ann, folder).is_complete
    assert ann.get("/a.txt") == b"abc" * 1000
    assert take(ann, folder, existing=Existing.OVERWRITE).unchanged == 1


def test_a_file_that_changes_meanwhile_is_refused(
    ann: Home, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the old and half of the new is neither."""
    monkeypatch.setattr(adopting, "BLOCK_BYTES", 4)
    fill(folder, a_txt="12345678")

    blobs = LocalBlobs(folder.parent / "other", durable=False)
    with (folder / "a.txt").open("rb", buffering=0) as source:
        upload = blobs.adopt(1, source)  # type: ignore[arg-type]
        blocks = upload.blocks()
        upload.write(next(blocks))
        (folder / "a.txt").write_text("abcdefgh")
        with pytest.raises(IncompleteBody), upload:
            write_all(upload, blocks)
    assert list(blobs.keys()) == []


def write_all(upload: Upload, blocks: Iterator[bytes]) -> None:
    """Pass on what is left."""
    for block in blocks:
        upload.write(block)


# Out


def test_what_goes_out_is_what_is_there(ann: Home, tmp_path: Path) -> None:
    """Names, content and dates; what is in the trash is not there."""
    fill(tmp_path / "in", a_txt="a", b__c_txt="ccc", b__gone_txt="g", empty_txt="")
    take(ann, tmp_path / "in")
    ann.delete("/b/gone.txt")
    report = give(ann, tmp_path / "out")
    assert (report.files, report.is_complete) == (3, True)
    found = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*")}
    assert found == {"a.txt", "b", "b/c.txt", "empty.txt"}
    for file in ("a.txt", "b/c.txt"):
        assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "in" / file).read_bytes()
        assert (tmp_path / "out" / file).stat().st_mtime_ns == DATE_NS


def test_a_part_goes_out(ann: Home, tmp_path: Path) -> None:
    """A folder's members, or one file."""
    ann.mkcol("/a")
    ann.put("/a/x.txt", b"x")
    ann.put("/b.txt", b"b")
    give(ann, tmp_path / "1", "/a")
    give(ann, tmp_path / "2", "/a/x.txt")
    for target in ("1", "2"):
        assert [p.name for p in (tmp_path / target).iterdir()] == ["x.txt"]


def test_a_directory_that_holds_something_is_left_alone(ann: Home, tmp_path: Path) -> None:
    """Until it is said otherwise; then other files stay."""
    ann.put("/a.txt", b"a")
    fill(tmp_path / "out", b_txt="b", a_txt="other")
    with pytest.raises(NotEmpty):
        give(ann, tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_text() == "other"
    give(ann, tmp_path / "out", overwrite=True)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"a.txt", "b.txt"}
    assert (tmp_path / "out" / "a.txt").read_text() == "a"


def test_a_lost_blob_is_reported_and_the_rest_goes_out(
    ann: Home, instance: Instance, tmp_path: Path
) -> None:
    """The second run, after it is found, goes on."""
    key = ann.put("/a.txt", b"a").resource.blob_key
    ann.put("/b.txt", b"b")
    instance.blobs.delete(str(key))
    report = give(ann, tmp_path / "out")
    assert list(reasons(report)) == ["/a.txt"]
    assert (tmp_path / "out" / "b.txt").read_text() == "b"
    assert not (tmp_path / "out" / "a.txt").exists()
    ann.put("/a.txt", b"again")
    report = give(ann, tmp_path / "out")
    assert (report.files, report.unchanged, report.is_complete) == (1, 1, True)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"a.txt", "b.txt"}


def test_links_in_the_target_lead_nowhere(ann: Home, tmp_path: Path) -> None:
    """A planted link is replaced or refused, never written through."""
    ann.mkcol("/folder")
    ann.put("/folder/a.txt", b"a")
    ann.put("/b.txt", b"b")
    outside = tmp_path / "outside"
    fill(outside, b_txt="safe")
    out = tmp_path / "out"
    out.mkdir()
    (out / "folder").symlink_to(outside)
    (out / "b.txt").symlink_to(outside / "b.txt")
    report = give(ann, out, overwrite=True)
    assert list(reasons(report)) == ["/folder"]
    assert (outside / "b.txt").read_text() == "safe"
    assert [p.name for p in outside.iterdir()] == ["b.txt"]
    assert not (out / "b.txt").is_symlink()


def test_temporaries_stay_here(ann: Home, tmp_path: Path) -> None:
    """They mean nothing elsewhere."""
    ann.put("/~$a.docx", b"who")
    ann.put("/a.txt", b"a")
    report = give(ann, tmp_path / "out")
    assert len(report.left_out) == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.txt"]


def test_out_and_in_again_is_the_same(instance: Instance, tmp_path: Path) -> None:
    """A round trip keeps names, bytes and dates."""
    ann, bob = instance.home("ann@example.org"), instance.home("bob@example.org")
    ann.mkcol("/ä 😀")
    ann.put("/ä 😀/100% 'x'.txt", b"1")
    ann.put("/-rf.txt", b"2")
    give(ann, tmp_path / "out")
    assert take(bob, tmp_path / "out").is_complete
    assert bob.names() == ann.names()
    for name in ("/ä 😀/100% 'x'.txt", "/-rf.txt"):
        mine, theirs = (h.tree.look(path_(name)).resource for h in (ann, bob))
        assert (mine.size_bytes, mine.modified_us) == (theirs.size_bytes, theirs.modified_us)


def test_the_quota_error_is_the_trees_own(instance: Instance, folder: Path) -> None:
    """Adopting is a write like any other."""
    ann = instance.home("ann@example.org", quota_bytes=1)
    fill(folder, a_txt="12")
    with (folder / "a.txt").open("rb") as source, pytest.raises(QuotaExceeded):
        ann.tree.adopt(path_("/a.txt"), source, modified_us=1)
