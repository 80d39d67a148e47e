"""The readable tree: plain files that follow the journal of each space."""

import os
import stat
import threading
from pathlib import Path

import pytest

from davhost.projection import Follower
from davhost.projection import run as run_module
from davhost.projection.control import locked
from tests.instance import Home, Instance, path_
from tests.readable import Readable, descriptors, shown


@pytest.fixture
def readable(instance: Instance, tmp_path: Path) -> Readable:
    """The trees of the instance."""
    return Readable(instance, tmp_path / "users")


def fill(home: Home) -> None:
    """Make a small tree."""
    home.mkcol("/a")
    home.mkcol("/a/b")
    home.put("/a/one.txt", b"one")
    home.put("/a/b/two.txt", b"two")
    home.put("/empty.txt")


# What is shown


def test_every_file_stands_under_its_own_name(ann: Home, readable: Readable) -> None:
    """Files, empty files and folders, at once and after changes."""
    fill(ann)
    readable.catch_up(ann)
    assert readable.shown(ann) == {
        "/a": None,
        "/a/b": None,
        "/a/b/two.txt": b"two",
        "/a/one.txt": b"one",
        "/empty.txt": b"",
    }
    ann.put("/a/one.txt", b"uno")
    ann.delete("/empty.txt")
    ann.move("/a/b", "/c")
    ann.copy("/a", "/d")
    ann.put("/empty.txt", b"no more")
    readable.catch_up(ann)
    assert readable.shown(ann)["/c/two.txt"] == b"two"
    assert readable.is_exact(ann)


def test_files_are_links_to_the_blobs(ann: Home, readable: Readable) -> None:
    """They cost no space, and nobody edits a blob by mistake."""
    ann.put("/a.txt", b"content")
    readable.catch_up(ann)
    status = (readable.top(ann) / "a.txt").stat()
    assert status.st_nlink == 2
    assert stat.S_IMODE(status.st_mode) == 0o444


def test_the_gate_is_one_folder(ann: Home, readable: Readable) -> None:
    """All trees are behind one closed folder, whatever the umask."""
    old = os.umask(0o077)
    try:
        fill(ann)
        readable.catch_up(ann)
    finally:
        os.umask(old)
    assert stat.S_IMODE(readable.users.stat().st_mode) == 0o700
    assert stat.S_IMODE((readable.top(ann) / "a/b").stat().st_mode) == 0o755


def test_deleted_files_and_old_versions_are_not_shown(ann: Home, readable: Readable) -> None:
    """The tree is what its user sees, temporaries included."""
    ann.put("/a.txt", b"1")
    ann.put("/a.txt", b"2")
    ann.put("/gone.txt", b"3")
    ann.put("/~WRD0001.tmp", b"4")
    readable.catch_up(ann)
    ann.delete("/gone.txt")
    readable.catch_up(ann)
    assert readable.shown(ann) == {"/a.txt": b"2", "/~WRD0001.tmp": b"4"}


def test_a_save_as_word_does_it(ann: Home, readable: Readable) -> None:
    """The document under its name, after every step."""
    ann.put("/a.txt", b"old")
    for step in (
        lambda: ann.put("/~WRD0000.tmp", b"new"),
        lambda: ann.move("/a.txt", "/~WRL0001.tmp"),
        lambda: ann.move("/~WRD0000.tmp", "/a.txt"),
        lambda: ann.delete("/~WRL0001.tmp"),
    ):
        step()
        readable.catch_up(ann)
        assert readable.is_exact(ann)


def test_odd_names_are_shown_as_they_are(instance: Instance, readable: Readable) -> None:
    """Also the longest, those that are options elsewhere, and no UTF-8 of ours."""
    bob = instance.home("bob@example.org", allow="*")
    for name in ("x" * 255, "né.txt", "-rf", "a b", "\u202egnp.exe", "…", "\U0001f600", ".state"):
        bob.put(f"/{name}", name.encode())
    readable.catch_up(bob)
    assert readable.is_exact(bob)


def test_a_path_may_be_longer_than_the_system_takes(ann: Home, readable: Readable) -> None:
    """5,000 bytes deep and back, with a handful of descriptors."""
    names = ["d" * 250] * 20
    for depth in range(1, len(names) + 1):
        ann.mkcol("/" + "/".join(names[:depth]))
    deepest = "/" + "/".join(names)
    ann.put(f"{deepest}/a.txt", b"deep")
    before = descriptors()
    readable.catch_up(ann)
    assert readable.projection.compare(ann.tree.principal.user_id).differences == []
    ann.move("/" + names[0], "/e")
    ann.delete("/e")
    readable.catch_up(ann)
    assert readable.shown(ann) == {}
    _mark(readable, ann)  # nothing else is left there
    assert descriptors() == before


def _mark(readable: Readable, home: Home) -> Path:
    control = readable.users / ".state" / str(home.tree.principal.user_id)
    [mark] = control.iterdir()
    return mark


# How it follows


def test_a_big_tree_is_moved_at_once(
    ann: Home, readable: Readable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is renamed; no file in it is touched."""
    fill(ann)
    readable.catch_up(ann)
    before = (readable.top(ann) / "a/one.txt").stat().st_ctime_ns
    monkeypatch.setattr(run_module.Run, "_fill", _never)
    ann.move("/a", "/moved")
    ann.move("/moved", "/again")
    readable.catch_up(ann)
    assert (readable.top(ann) / "again/one.txt").stat().st_ctime_ns == before
    assert readable.is_exact(ann)


def _never(*_: object) -> None:
    raise AssertionError("a folder was compared")


def test_folders_change_places_with_writes_between(ann: Home, readable: Readable) -> None:
    """What was written before a move goes with it, what was written after does not."""
    fill(ann)
    ann.mkcol("/c")
    ann.put("/c/three.txt", b"three")
    readable.catch_up(ann)
    ann.put("/a/one.txt", b"before")
    ann.move("/a", "/x")
    ann.move("/c", "/a")
    ann.put("/a/one.txt", b"after")
    ann.mkcol("/c")
    ann.put("/c/three.txt", b"new three")
    ann.move("/x/b", "/c/b")
    ann.delete("/x/one.txt")
    readable.catch_up(ann)
    assert readable.is_exact(ann)


def test_nothing_is_done_twice(ann: Home, readable: Readable) -> None:
    """Without a new entry nothing is written."""
    fill(ann)
    readable.catch_up(ann)
    before = _mark(readable, ann).stat().st_ctime_ns
    readable.catch_up(ann)
    assert _mark(readable, ann).stat().st_ctime_ns == before
    assert readable.projection.lagging() == []


def test_many_entries_are_applied_in_parts(
    ann: Home, readable: Readable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far it lags."""
    monkeypatch.setattr(run_module, "BATCH", 3)
    readable.catch_up(ann)
    fill(ann)
    ann.move("/a", "/b")
    fill_again(ann)
    assert readable.projection.lagging() == [ann.tree.principal.user_id]
    readable.catch_up(ann)
    assert readable.is_exact(ann)


def fill_again(home: Home) -> None:
    """Put other folders in the places of those that were moved."""
    home.mkcol("/a")
    home.put("/a/one.txt", b"another one")
    home.move("/b/b", "/a/b")
    home.copy("/a", "/c")
    home.delete("/b")
    home.move("/c", "/b")


def test_a_lost_tree_comes_back(ann: Home, readable: Readable) -> None:
    """Whatever was lost: the folder, the mark, or both."""
    fill(ann)
    readable.catch_up(ann)
    readable.top(ann).rename(readable.users / "elsewhere")
    assert readable.projection.lagging() == [ann.tree.principal.user_id]
    readable.catch_up(ann)
    assert readable.is_exact(ann)
    _mark(readable, ann).unlink()
    (readable.top(ann) / "foreign.txt").write_bytes(b"")
    readable.catch_up(ann)
    assert readable.is_exact(ann)


def test_a_missing_folder_comes_back_with_the_next_file_in_it(
    ann: Home, readable: Readable
) -> None:
    """With everything that belongs in it."""
    fill(ann)
    readable.catch_up(ann)
    (readable.top(ann) / "a").rename(readable.users / "elsewhere")
    ann.put("/a/b/new.txt", b"new")
    readable.catch_up(ann)
    assert readable.is_exact(ann)


def test_a_journal_with_another_past_is_noticed(
    ann: Home, instance: Instance, readable: Readable
) -> None:
    """As after a restored database: the number is the same, the entry is not."""
    fill(ann)
    readable.catch_up(ann)
    mark = _mark(readable, ann)
    mark.rename(mark.with_name(mark.name.replace(str(instance.clock.now_us()), "1")))
    (readable.top(ann) / "a/one.txt").unlink()
    ann.put("/new.txt", b"")
    readable.catch_up(ann)
    assert readable.is_exact(ann)


def test_the_tree_of_a_removed_account_goes(
    ann: Home, instance: Instance, readable: Readable
) -> None:
    """With its control folder; nothing of it stays."""
    fill(ann)
    readable.catch_up(ann)
    user_id = ann.tree.principal.user_id
    instance.accounts.remove("ann@example.org")
    assert readable.projection.lagging() == [user_id]
    readable.catch_up(ann)
    assert list((readable.users / ".state").iterdir()) == []
    assert [path.name for path in readable.users.iterdir()] == [".state"]
    assert readable.projection.lagging() == []


def test_rebuild_makes_the_tree_anew(ann: Home, readable: Readable) -> None:
    """In another folder, put in the place of the damaged one."""
    fill(ann)
    readable.catch_up(ann)
    top = readable.top(ann)
    (top / "a/one.txt").unlink()
    (top / "foreign").mkdir()
    inode = top.stat().st_ino
    readable.projection.rebuild(ann.tree.principal.user_id)
    assert readable.is_exact(ann)
    assert top.stat().st_ino != inode


def test_the_last_copy_of_a_lost_blob_survives(
    ann: Home, readable: Readable, tmp_path: Path
) -> None:
    """The link in the tree is as good as the blob: mending and making anew keep it."""
    ann.put("/a.txt", b"precious")
    readable.catch_up(ann)
    [blob] = (tmp_path / "blobs/1").rglob("??/*")
    blob.unlink()
    readable.projection.mend(ann.tree.principal.user_id)
    readable.projection.rebuild(ann.tree.principal.user_id)
    assert readable.shown(ann) == {"/a.txt": b"precious"}


def test_two_at_once_do_not_meet(ann: Home, readable: Readable) -> None:
    """Threads catch up while another writes; the lock keeps them apart."""
    done = threading.Event()
    failures: list[BaseException] = []

    def follow() -> None:
        try:
            while not done.is_set():
                readable.catch_up(ann)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=follow) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(15):
            fill(ann)
            ann.move("/a", f"/n{number}")
            ann.copy(f"/n{number}", "/a")
            ann.move(f"/n{number}/b", "/a/c")
            ann.delete("/a")
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    readable.catch_up(ann)
    assert readable.is_exact(ann)


def test_a_busy_tree_is_not_waited_for(ann: Home, readable: Readable) -> None:
    """Another space's turn comes first."""
    user_id = ann.tree.principal.user_id
    with locked(readable.users, user_id, wait=True):
        assert not readable.projection.catch_up(user_id, wait=False)
    assert readable.projection.catch_up(user_id, wait=False)


def test_the_follower_follows(instance: Instance, readable: Readable) -> None:
    """What is written is shown a moment later."""
    bob = instance.home("bob@example.org")
    bob.put("/before.txt", b"1")
    follower, stop = Follower(readable.projection), threading.Event()
    thread = follower.start(stop)
    try:
        bob.tree._after_commit = follower.note
        bob.put("/after.txt", b"2")
        for _ in range(200):
            if readable.top(bob).exists() and len(shown(readable.top(bob))) == 2:
                break
            threading.Event().wait(0.02)
        assert shown(readable.top(bob)) == {"/after.txt": b"2", "/before.txt": b"1"}
    finally:
        stop.set()
        follower.note(0)  # wakes it
        thread.join()


def test_comparing_says_what_is_different(ann: Home, readable: Readable) -> None:
    """Both ways; what an entry explains that is not applied yet is no difference."""
    fill(ann)
    readable.catch_up(ann)
    top = readable.top(ann)
    (top / "a/one.txt").unlink()
    (top / "empty.txt").chmod(0o644)
    (top / "empty.txt").write_bytes(b"not empty")
    (top / "foreign").mkdir()
    ann.put("/pending.txt", b"")
    ann.move("/a/b", "/pending")
    compared = readable.projection.compare(ann.tree.principal.user_id)
    assert compared.known
    assert compared.pending == 2
    assert {(d.path, str(d.kind)) for d in compared.differences} == {
        ("/a/one.txt", "missing"),
        ("/empty.txt", "other"),
        ("/foreign", "foreign"),
    }
    assert ann.tree.look(path_("/pending")).resource.is_collection
