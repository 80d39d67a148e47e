"""davfs2: the drive as a file system of the Linux kernel.

Ordinary programs work on the mount; then it is unmounted, which sends whatever
davfs2 still holds back, and everything is compared from outside.
"""

import os
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.live.client_contract import (
    Client,
    ClientContract,
    a_file,
    holds,
    is_tree,
    new_name,
    some_bytes,
)
from tests.live.dav import Dav, href
from tests.live.mounts import MountedFolder, unmount
from tests.live.names import ODD_NAMES
from tests.live.trees import contents, odd_tree
from tests.live.wait import eventually
from tests.needs import program

pytestmark = pytest.mark.needs("mount.davfs", "root", "/dev/fuse")

_MEGABYTE = 1_000_000


class Davfs:
    """The configuration with which the home that *box* sees is mounted."""

    def __init__(self, box: Dav, folder: Path) -> None:
        assert box.account is not None
        self.point = folder / "drive"
        self.point.mkdir(parents=True)
        self._url = box.url()
        cache = folder / "cache"
        cache.mkdir()
        cache.chmod(0o777)
        secrets = folder / "secrets"
        secrets.write_text(f'{self.point} "{box.account.email}" "{box.account.password}"\n')
        secrets.chmod(0o600)
        self._configuration = folder / "davfs2.conf"
        settings: dict[str, object] = {
            "secrets": secrets,
            "cache_dir": cache,
            "ask_auth": 0,
            "use_locks": 1,
            # Since Linux 6.16 every folder looks empty with the buffer of before.
            "buf_size": 64,
            "delay_upload": 0,
            "dir_refresh": 1,
            "gui_optimize": 0,
        }
        if box.authority is not None:
            # Where the user davfs2 may read it, as it may in /etc/davfs2/certs.
            settings["trust_ca_cert"] = authority = folder / "ca.pem"
            shutil.copyfile(box.authority, authority)
            authority.chmod(0o644)
        lines = (f"{name} {value}\n" for name, value in settings.items())
        self._configuration.write_text("".join(lines))

    @contextmanager
    def mounted(self) -> Iterator[MountedFolder]:
        """Mount the drive, and unmount it at the end, which waits for the last upload."""
        command = [program("mount.davfs"), self._url, str(self.point)]
        command += ["-o", f"conf={self._configuration},rw"]
        done = subprocess.run(command, input="", capture_output=True, text=True, check=False)
        try:
            assert done.returncode == 0, done.stderr
            assert self.point.is_mount()
            yield MountedFolder(self.point)
            # Here davfs2 shows what the server did not take.
            assert not list((self.point / "lost+found").iterdir())
        finally:
            unmount(self.point, "umount")


@pytest.fixture(scope="module")
def davfs_folder() -> Iterator[Path]:
    """A folder that the user davfs2 may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="davhost-davfs2-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def davfs(box: Dav, davfs_folder: Path) -> Davfs:
    """How to mount the home of the module's account."""
    return Davfs(box, davfs_folder / "many-times")


@pytest.fixture(scope="module")
def mount(box: Dav, davfs_folder: Path) -> Iterator[MountedFolder]:
    """The drive, mounted once for all tests of the contract."""
    with Davfs(box, davfs_folder / "once").mounted() as mount:
        yield mount


class TestDavfs2(ClientContract):
    """Everything that every client can do, through one mount."""

    @pytest.fixture
    def client(self, mount: MountedFolder) -> Client:
        """The mounted folder, worked on with ordinary system calls."""
        return mount

    @pytest.fixture
    def folder(self, client: Client) -> str:
        """A collection of the test's own, made through the mount."""
        name = new_name()
        client.make_collection(name)
        return name


@pytest.fixture
def folder(box: Dav) -> str:
    """A collection of the test's own, made before the drive is mounted."""
    name = new_name()
    box.make_collection(href(name))
    return name


def test_a_tree_is_copied_there_and_back(
    davfs: Davfs, box: Dav, folder: str, tmp_path: Path
) -> None:
    """`cp -r` of a tree, remounted, is the same tree."""
    local = odd_tree(tmp_path / "local")
    with davfs.mounted() as mount:
        subprocess.run(["cp", "-r", f"{local}/.", f"{mount.point / folder}/"], check=True)
    is_tree(box, folder, contents(local))
    with davfs.mounted() as mount:
        assert contents(mount.point / folder) == contents(local)


def test_a_hundred_megabytes(davfs: Davfs, box: Dav, folder: str, tmp_path: Path) -> None:
    """A large file goes through the mount and comes back, byte by byte."""
    body = some_bytes(100 * _MEGABYTE)
    local = a_file(tmp_path, body)
    with davfs.mounted() as mount:
        mount.put(local, f"{folder}/big.pdf")
    holds(box, f"{folder}/big.pdf", body)
    with davfs.mounted() as mount:
        subprocess.run(["cmp", str(local), str(mount.point / folder / "big.pdf")], check=True)


@pytest.mark.needs("rsync")
def test_rsync_keeps_a_folder_equal(davfs: Davfs, box: Dav, folder: str, tmp_path: Path) -> None:
    """rsync, which writes `.name.XXXXXX` and renames, updates and removes."""
    local = odd_tree(tmp_path / "local")
    # rsync cuts a long name to make room for its suffix, in the middle of a letter.
    (local / "deep; er" / "what?" / ODD_NAMES["long"]).unlink()
    with davfs.mounted() as mount:
        sync = ["rsync", "-r", "--checksum", "--delete", f"{local}/", f"{mount.point / folder}/"]
        subprocess.run(sync, check=True)
        (local / "empty.txt").write_bytes(b"no longer empty")
        (local / "deep; er" / "what?" / "-rf.txt").unlink()
        subprocess.run(sync, check=True)
    is_tree(box, folder, contents(local))


@pytest.mark.needs("vim")
@pytest.mark.parametrize("backup", ["nowritebackup", "writebackup backupcopy=no"])
def test_vim_saves(davfs: Davfs, box: Dav, folder: str, backup: str) -> None:
    """vim edits a file and saves it, in place or by renaming, and leaves nothing else."""
    name = "a; b?.txt"
    box.put(href(folder, name), b"first line\nsecond line\n")
    with davfs.mounted() as mount:
        edit = ["vim", "-es", "-u", "NONE", "-i", "NONE", "-c", f"set swapfile {backup}"]
        edit += ["-c", "%s/second/2nd/", "-c", "wq", str(mount.point / folder / name)]
        subprocess.run(edit, check=True, stdin=subprocess.DEVNULL)
    is_tree(box, folder, {name: b"first line\n2nd line\n"})


def test_sed_edits_in_place(davfs: Davfs, box: Dav, folder: str) -> None:
    """`sed -i`, which renames a nameless temporary file over the old, keeps the document."""
    box.put(href(folder, "a.txt"), b"first line\nsecond line\n")
    with davfs.mounted() as mount:
        edit = ["sed", "-i", "s/second/2nd/", str(mount.point / folder / "a.txt")]
        subprocess.run(edit, check=True)
    is_tree(box, folder, {"a.txt": b"first line\n2nd line\n"})


def test_files_are_moved_over_others(davfs: Davfs, box: Dav, folder: str) -> None:
    """`mv` over an existing file replaces it."""
    box.put(href(folder, "new;.txt"), b"new")
    box.put(href(folder, "old?.txt"), b"old")
    with davfs.mounted() as mount:
        where = mount.point / folder
        subprocess.run(["mv", "-f", str(where / "new;.txt"), str(where / "old?.txt")], check=True)
    is_tree(box, folder, {"old?.txt": b"new"})


def test_a_tree_is_removed(davfs: Davfs, box: Dav, folder: str, tmp_path: Path) -> None:
    """`rm -r` removes a tree and nothing beside it."""
    local = odd_tree(tmp_path / "local")
    with davfs.mounted() as mount:
        subprocess.run(["cp", "-r", str(local), str(mount.point / folder / "goes")], check=True)
        (mount.point / folder / "stays.txt").write_bytes(b"stays")
    assert "goes/empty.txt" in box.tree(href(folder) + "/")
    with davfs.mounted() as mount:
        subprocess.run(["rm", "-r", str(mount.point / folder / "goes")], check=True)
    is_tree(box, folder, {"stays.txt": b"stays"})


def test_a_decomposed_name_is_the_composed_name(davfs: Davfs, box: Dav, folder: str) -> None:
    """A name written as Macs decompose it (NFD) is stored as NFC, and found by both."""
    composed = "Größe déjà vu.txt"
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    with davfs.mounted() as mount:
        (mount.point / folder / decomposed).write_bytes(b"content")
    is_tree(box, folder, {composed: b"content"})
    assert box.read(href(folder, decomposed)) == b"content"
    with davfs.mounted() as mount:
        assert os.listdir(mount.point / folder) == [composed]  # noqa: PTH208  # what ls does
        assert (mount.point / folder / composed).read_bytes() == b"content"


def test_edits_within_one_second_are_all_kept(davfs: Davfs, box: Dav, folder: str) -> None:
    """Saves that follow each other at once, of the same size, are all kept (strong ETags)."""
    with davfs.mounted() as mount:
        file = mount.point / folder / "a.txt"
        for round_number in range(100, 120):
            body = b"%d" % round_number
            file.write_bytes(body)
            eventually(partial(holds, box, f"{folder}/a.txt", body))


def test_what_others_change_is_seen(davfs: Davfs, box: Dav, folder: str) -> None:
    """A file that another client replaces is read new through the mount."""
    box.put(href(folder, "a.txt"), b"before")
    with davfs.mounted() as mount:
        file = mount.point / folder / "a.txt"
        assert file.read_bytes() == b"before"
        box.put(href(folder, "a.txt"), b"after!")

        def is_new() -> None:
            list((mount.point / folder).iterdir())
            assert file.read_bytes() == b"after!"

        eventually(is_new)


def test_a_refused_type_is_an_error(strict_box: Dav, davfs_folder: Path) -> None:
    """A type that is not allowed is refused at once, and nothing of it stays."""
    with (
        Davfs(strict_box, davfs_folder / "strict").mounted() as mount,
        pytest.raises(OSError),  # which one is davfs2's affair
        (mount.point / "tool.exe").open("wb"),
    ):
        pass
    is_tree(strict_box, "", {})
