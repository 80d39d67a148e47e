"""rclone: copy, check, sync, move, and a mount of its own."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.live.client_contract import Client, ClientContract, a_file, is_tree, some_bytes
from tests.live.dav import Dav, href
from tests.live.mounts import MountedFolder, mounted
from tests.live.programs import free_port, run_program
from tests.live.server import clean_environment
from tests.live.trees import contents, odd_tree
from tests.live.wait import eventually
from tests.needs import program

pytestmark = pytest.mark.needs("rclone")


class Rclone:
    """rclone against the home that *box* sees, configured by its environment."""

    def __init__(self, box: Dav, home: Path) -> None:
        assert box.account is not None
        self.home = home
        self.environment = clean_environment(home) | {
            "RCLONE_CONFIG": str(home / "rclone.conf"),
            "RCLONE_CONFIG_DRIVE_TYPE": "webdav",
            "RCLONE_CONFIG_DRIVE_URL": box.url(),
            "RCLONE_CONFIG_DRIVE_VENDOR": "other",
            "RCLONE_CONFIG_DRIVE_USER": box.account.email,
            "RCLONE_RETRIES": "1",
        }
        if box.is_encrypted:
            self.environment["RCLONE_CA_CERT"] = str(box.authority)
        (home / "rclone.conf").touch()
        obscured = self.run("obscure", "-", stdin=box.account.password.encode())
        self.environment["RCLONE_CONFIG_DRIVE_PASS"] = obscured.decode().strip()

    def run(self, *command: str, stdin: bytes = b"") -> bytes:
        """Run an rclone command that must succeed."""
        return run_program(
            "rclone", *command, home=self.home, environment=self.environment, stdin=stdin
        ).stdout

    def put(self, local: Path, remote: str) -> None:
        # The size and time of a test's two uploads may agree: do not compare them.
        self.run("copyto", "--ignore-times", str(local), f"drive:{remote}")

    def get(self, remote: str) -> bytes:
        return self.run("cat", f"drive:{remote}")

    def move(self, source: str, destination: str) -> None:
        self.run("moveto", f"drive:{source}", f"drive:{destination}")

    def copy(self, source: str, destination: str) -> None:
        """Make a second file, without downloading the first."""
        self.run("copyto", f"drive:{source}", f"drive:{destination}")

    def names(self, collection: str) -> set[str]:
        listed = self.run("lsf", f"drive:{collection}").decode().splitlines()
        return {name.rstrip("/") for name in listed}

    def make_collection(self, remote: str) -> None:
        self.run("mkdir", f"drive:{remote}")

    def remove(self, remote: str) -> None:
        self.run("deletefile", f"drive:{remote}")


@pytest.fixture(scope="module")
def rclone(box: Dav, tmp_path_factory: pytest.TempPathFactory) -> Rclone:
    """rclone with the module's account."""
    return Rclone(box, tmp_path_factory.mktemp("rclone"))


@pytest.fixture
def client(rclone: Rclone) -> Client:
    """rclone; the mount's tests put the mounted folder in its place."""
    return rclone


class TestRclone(ClientContract):
    """Everything that every client can do, by rclone."""


def test_copy_brings_a_tree_and_check_agrees(
    rclone: Rclone, box: Dav, folder: str, tmp_path: Path
) -> None:
    """`copy` uploads a tree byte by byte, and `check --download` finds no difference."""
    local = odd_tree(tmp_path / "local")
    rclone.run("copy", "--create-empty-src-dirs", str(local), f"drive:{folder}")
    is_tree(box, folder, contents(local))
    rclone.run("check", "--download", str(local), f"drive:{folder}")
    rclone.run("copy", "--create-empty-src-dirs", f"drive:{folder}", str(tmp_path / "back"))
    assert contents(tmp_path / "back") == contents(local)


def test_sync_makes_the_drive_equal(rclone: Rclone, box: Dav, folder: str, tmp_path: Path) -> None:
    """`sync` uploads what changed and removes what is gone."""
    local = odd_tree(tmp_path / "local")
    rclone.run("sync", str(local), f"drive:{folder}")
    box.put(href(folder, "only here.txt"), b"goes")
    (local / "empty.txt").write_bytes(b"no longer empty")
    rclone.run("sync", "--create-empty-src-dirs", str(local), f"drive:{folder}")
    is_tree(box, folder, contents(local))


def test_move_moves_a_tree(rclone: Rclone, box: Dav, folder: str, tmp_path: Path) -> None:
    """`move` from one folder of the drive to another takes everything along."""
    local = odd_tree(tmp_path / "local")
    rclone.run("copy", "--create-empty-src-dirs", str(local), f"drive:{folder}/from; here")
    rclone.run("move", f"drive:{folder}/from; here", f"drive:{folder}/to? there")
    expected: dict[str, bytes | None] = {"to? there": None}
    expected |= {f"to? there/{name}": body for name, body in contents(local).items()}
    is_tree(box, folder, expected)


def test_a_second_copy_sends_nothing(rclone: Rclone, box: Dav, folder: str, tmp_path: Path) -> None:
    """A tree that is there already is not sent again."""
    local = odd_tree(tmp_path / "local")
    rclone.run("copy", "--size-only", str(local), f"drive:{folder}")
    before = box.etag(href(folder, "empty.txt"))
    rclone.run("copy", "--size-only", str(local), f"drive:{folder}")
    assert box.etag(href(folder, "empty.txt")) == before


@pytest.mark.parametrize("vendor", ["owncloud", "nextcloud"])
def test_a_file_keeps_its_time(
    box: Dav, rclone: Rclone, folder: str, tmp_path: Path, vendor: str
) -> None:
    """A client of the ownCloud family keeps the time of a file (X-OC-Mtime)."""
    local = a_file(tmp_path, b"content")
    os.utime(local, (1_000_000_000, 1_000_000_000))
    rclone.run("copyto", "--webdav-vendor", vendor, str(local), f"drive:{folder}/a.txt")
    answer = box.request("HEAD", href(folder, "a.txt"))
    assert answer.headers["Last-Modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"


class RcloneMount(MountedFolder):
    """The folder that an rclone mounts: its *cache*, and where it answers questions."""

    def __init__(self, point: Path, cache: Path, control: str) -> None:
        super().__init__(point)
        self._cache = cache
        self._control = control

    def put(self, local: Path, remote: str) -> None:
        super().put(local, remote)
        self.settle()

    def settle(self) -> None:
        """Wait until rclone has uploaded what was written, and has noted that it has.

        It uploads behind the back of whoever writes. A file that is written or
        renamed between the answer to its PUT and rclone's note of it meets an
        rclone (1.60) that holds the old object for the new one.
        """
        eventually(self._holds_nothing_back)

    def _holds_nothing_back(self) -> None:
        # The kernel closes a file after close() has returned; until then only
        # the cache knows that it is to be uploaded.
        for file in (self._cache / "vfsMeta").rglob("*"):
            assert file.is_dir() or not _is_dirty(file)
        uploads = requests.post(f"{self._control}/vfs/stats", timeout=10).json()["diskCache"]
        assert (uploads["uploadsQueued"], uploads["uploadsInProgress"]) == (0, 0)


def _is_dirty(file: Path) -> bool:
    """Read what the cache notes of one file; a note that is just being written is no answer."""
    try:
        return bool(json.loads(file.read_bytes())["Dirty"])
    except (FileNotFoundError, json.JSONDecodeError):
        return True


@contextmanager
def rclone_mounted(rclone: Rclone, point: Path) -> Iterator[RcloneMount]:
    """Mount the drive with the cache that lets programs write freely."""
    address, cache = f"127.0.0.1:{free_port()}", rclone.home / "cache"
    command = [program("rclone"), "mount", "drive:", str(point)]
    command += ["--vfs-cache-mode", "writes", "--vfs-write-back", "0s", "--dir-cache-time", "1ns"]
    command += ["--cache-dir", str(cache), "--log-file", str(rclone.home / "log")]
    command += ["--rc", "--rc-no-auth", "--rc-addr", address]
    with mounted(point, command, rclone.environment):
        yield RcloneMount(point, cache, f"http://{address}")


@pytest.fixture(scope="module")
def mount(rclone: Rclone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RcloneMount]:
    """The drive mounted by rclone."""
    with rclone_mounted(rclone, tmp_path_factory.mktemp("rclone-mount")) as folder:
        yield folder


@pytest.mark.needs("fusermount3", "/dev/fuse")
class TestRcloneMount(ClientContract):
    """Everything that every client can do, through rclone's mount."""

    @pytest.fixture
    def client(self, mount: RcloneMount) -> Client:
        """The mounted folder, worked on with ordinary system calls."""
        return mount

    def test_a_file_can_be_edited_in_place(self, mount: RcloneMount, box: Dav, folder: str) -> None:
        """A program may write into the middle of a file and append to it."""
        body = bytearray(some_bytes(500_000))
        box.put(href(folder, "a.pdf"), bytes(body))
        with (mount.point / folder / "a.pdf").open("r+b") as file:
            file.seek(1_000)
            file.write(b"edited")
            file.seek(0, 2)
            file.write(b"appended")
        body[1_000:1_006] = b"edited"
        mount.settle()
        is_tree(box, folder, {"a.pdf": bytes(body) + b"appended"})
