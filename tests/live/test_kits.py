"""The ready files of mount kits, used as people use them."""

import configparser
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from davhost.kits import KITS, Drive
from davhost.kits.linux import secrets, unit
from tests.live.dav import Dav
from tests.live.mounts import unmount
from tests.live.server import Server
from tests.needs import program


@pytest.fixture
def drive(server: Server, box: Dav) -> Drive:
    """The drive of an account, with an app password that sees one folder."""
    assert box.account is not None
    if box.request("MKCOL", "/Kit/").status == 201:
        assert box.request("PUT", "/Kit/a.txt", b"from the kit").status == 201
    command = ["user", "app-password", "add", box.account.email]
    password = server.administer(*command, "--label", "kit", "--folder", "/Kit").strip()
    return Drive(server.url, box.account.email, password, "My kit")


@pytest.mark.needs("rclone")
def test_rclone_takes_its_file(drive: Drive, tmp_path: Path) -> None:
    """With the section in its configuration it lists, reads and writes."""
    file = tmp_path / "rclone.conf"
    file.write_text(KITS["rclone"](drive).content)
    (section,) = [line.strip("[]") for line in file.read_text().splitlines() if line[0] == "["]

    def rclone(*arguments: str, stdin: str = "") -> str:
        command = ["rclone", "--config", str(file), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert rclone("lsf", f"{section}:").splitlines() == ["a.txt"]
    assert rclone("cat", f"{section}:a.txt") == "from the kit"
    rclone("rcat", f"{section}:b.txt", stdin="by rclone")
    assert rclone("cat", f"{section}:b.txt") == "by rclone"
    rclone("deletefile", f"{section}:b.txt")


@pytest.fixture
def davfs_folder() -> Iterator[Path]:
    """A folder that the user davfs2 may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="davhost-kit-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.needs("mount.davfs", "root", "/dev/fuse")
def test_davfs2_mounts_what_the_unit_says(drive: Drive, davfs_folder: Path) -> None:
    """With the line of secrets, what to mount, where and how taken from the unit."""
    point = davfs_folder / "drive"
    point.mkdir()
    unit_file = configparser.ConfigParser(interpolation=None)
    unit_file.optionxform = str  # type: ignore[assignment]
    unit_file.read_string(unit(drive, str(point), uid="0", gid="0"))
    mount = unit_file["Mount"]
    secrets_file = davfs_folder / "secrets"
    secrets_file.write_text(secrets(drive, str(point)))
    secrets_file.chmod(0o600)
    cache = davfs_folder / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    configuration = davfs_folder / "davfs2.conf"
    settings = f"secrets {secrets_file}\ncache_dir {cache}\nask_auth 0\nbuf_size 64\n"
    configuration.write_text(settings + "delay_upload 0\n")
    options = f"{mount['Options']},conf={configuration}"
    command = [program("mount.davfs"), mount["What"].replace("%%", "%"), mount["Where"]]
    done = subprocess.run(
        [*command, "-o", options], input="", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    try:
        assert point.is_mount()
        assert (point / "a.txt").read_text() == "from the kit"
        (point / "c.txt").write_text("by davfs2")
    finally:
        unmount(point, "umount")
