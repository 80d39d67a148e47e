"""The readable tree and the disk: what is planted there, and what goes wrong.

The database does not matter here, so there is one.
"""

import errno
import os
import shutil
from pathlib import Path

import pytest

from davhost.model import Resource
from davhost.projection import Follower, Kind
from davhost.projection import disk as disk_module
from tests.contract.test_projection import fill
from tests.instance import Home, Instance
from tests.readable import Readable


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    """SQLite only."""
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'davhost.sqlite')}"


@pytest.fixture
def readable(instance: Instance, tmp_path: Path) -> Readable:
    """The trees of the instance."""
    return Readable(instance, tmp_path / "users")


# What is planted


PLANTS = {
    "link to a folder": lambda place, outside: place.symlink_to(outside),
    "link to a file": lambda place, outside: place.symlink_to(outside / "secret.txt"),
    "dangling link": lambda place, outside: place.symlink_to(outside / "made.txt"),
    "fifo": lambda place, outside: os.mkfifo(place),
    "file": lambda place, outside: place.write_bytes(b"planted"),
    "folder": lambda place, outside: (place / "x/y").mkdir(parents=True),
}


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("place", ["a", "a/b", "a/one.txt", "a/b/two.txt", ""])
def test_nothing_planted_is_followed(
    ann: Home, readable: Readable, tmp_path: Path, plant: str, place: str
) -> None:
    """It is replaced; what it leads to is not read, written or removed."""
    fill(ann)
    readable.catch_up(ann)
    outside = tmp_path / "outside"
    (outside / "b").mkdir(parents=True)
    (outside / "secret.txt").write_bytes(b"secret")
    planted = readable.top(ann) / place
    planted.rename(tmp_path / "taken")
    PLANTS[plant](planted, outside)
    ann.put("/a/one.txt", b"uno")
    ann.put("/a/b/two.txt", b"due")
    ann.put("/a/b/three.txt", b"tre")
    ann.move("/a/b", "/a/c")
    ann.delete("/empty.txt")
    if plant == "folder":  # it could be ours: only a comparison finds it
        readable.projection.mend(ann.tree.principal.user_id)
    readable.catch_up(ann)
    assert readable.is_exact(ann)
    assert shown_anyway(outside) == {"b": None, "secret.txt": b"secret"}


def shown_anyway(top: Path) -> dict[str, bytes | None]:
    """Read a folder of any modes."""
    return {
        path.relative_to(top).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(top.rglob("*"))
    }


@pytest.mark.parametrize("name", [".state", ".state/1", "1"])
def test_the_own_folders_are_not_links(
    ann: Home, readable: Readable, tmp_path: Path, name: str
) -> None:
    """A link in the place of a control folder is replaced too."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (readable.users / name).parent.mkdir(exist_ok=True)
    (readable.users / name).symlink_to(outside)
    fill(ann)
    readable.catch_up(ann)
    assert readable.is_exact(ann)
    assert list(outside.iterdir()) == []


# What goes wrong


@pytest.mark.parametrize("code", [errno.EMLINK, errno.EXDEV, errno.EPERM])
def test_without_links_there_are_copies(
    ann: Home, readable: Readable, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Which are known again, so that they are not made twice."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("davhost.blobs.local.os.link", refuse)
    fill(ann)
    readable.catch_up(ann)
    file = readable.top(ann) / "a/one.txt"
    assert file.stat().st_nlink == 1
    assert readable.is_exact(ann)
    inode = file.stat().st_ino
    readable.projection.mend(ann.tree.principal.user_id)
    assert file.stat().st_ino == inode


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_is_told_once_and_tried_again(
    ann: Home,
    readable: Readable,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: int,
) -> None:
    """No request fails for it, and nothing is lost."""
    follower = Follower(readable.projection)
    fill(ann)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr("davhost.projection.disk.Disk.place", refuse)
        for _ in range(3):
            follower.look_around()
            follower.settle()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert os.strerror(code) in caplog.text
    follower.look_around()
    follower.settle()
    assert readable.is_exact(ann)


def test_a_name_that_the_disk_cannot_hold_stops_nothing(
    ann: Home, readable: Readable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems have shorter names; all others are shown."""
    fill(ann)
    put = disk_module.Disk._put

    def refuse(
        self: disk_module.Disk, folder: int, name: bytes, file: Resource, *, is_free: bool
    ) -> None:
        if name == b"one.txt":
            raise OSError(errno.ENAMETOOLONG, "File name too long")
        put(self, folder, name, file, is_free=is_free)

    monkeypatch.setattr(disk_module.Disk, "_put", refuse)
    readable.catch_up(ann)
    assert sorted(readable.shown(ann)) == ["/a", "/a/b", "/a/b/two.txt", "/empty.txt"]
    [difference] = readable.projection.compare(ann.tree.principal.user_id).differences
    assert (difference.path, difference.kind) == ("/a/one.txt", Kind.MISSING)
    only_the_mark(ann, readable)


def only_the_mark(home: Home, readable: Readable) -> None:
    """See that nothing is left of what was on its way into the tree, or out of it."""
    assert len(list((readable.users / ".state" / readable.top(home).name).iterdir())) == 1
