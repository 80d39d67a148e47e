"""Versions and trash on the drive itself, through real clients."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.dav import Dav
from tests.live.mounts import MountedFolder
from tests.live.server import Server
from tests.live.test_davfs2 import Davfs, davfs_folder  # noqa: F401  # a fixture
from tests.live.test_rclone import Rclone
from tests.live.wait import eventually


@pytest.fixture(scope="module")
def past(box: Dav) -> Dav:
    """A home in which a document was saved twice and a folder was deleted."""
    box.put("/plan.txt", b"first")
    box.put("/plan.txt", b"second")
    box.request("MKCOL", "/photos/")
    box.put("/photos/a.png", b"\x89PNG\r\n\x1a\n the picture")
    box.request("DELETE", "/photos/")
    return box


@pytest.fixture(scope="module")
def drive(past: Dav, davfs_folder: Path) -> Iterator[MountedFolder]:  # noqa: F811
    """That home, mounted."""
    with Davfs(past, davfs_folder / "past").mounted() as mount:
        yield mount


@pytest.mark.needs("mount.davfs", "root", "/dev/fuse")
def test_a_mounted_drive_shows_its_past(drive: MountedFolder, tmp_path: Path) -> None:
    """`ls` finds it, `cp` copies out of it, files and whole folders."""
    top = drive.point / ".davhost"
    (version,) = (top / "versions" / "plan.txt").iterdir()
    assert version.name.startswith("plan 20")
    assert version.suffix == ".txt"
    assert version.read_bytes() == b"first"
    (deleted,) = (top / "trash").iterdir()
    subprocess.run(["cp", "-r", str(deleted), str(tmp_path / "back")], check=True)
    assert (tmp_path / "back" / "a.png").read_bytes() == b"\x89PNG\r\n\x1a\n the picture"
    subprocess.run(["cp", "-r", str(deleted), str(drive.point / "photos")], check=True)
    assert (drive.point / "photos" / "a.png").read_bytes().endswith(b"the picture")


@pytest.mark.needs("mount.davfs", "root", "/dev/fuse")
def test_a_mounted_drive_cannot_change_its_past(drive: MountedFolder, past: Dav) -> None:
    """Not by writing, and not by deleting all one can."""
    top = drive.point / ".davhost"
    (version,) = (top / "versions" / "plan.txt").iterdir()
    subprocess.run(["rm", "-rf", str(top / "versions")], check=False, capture_output=True)
    with pytest.raises(OSError):
        (top / "trash" / "new").mkdir()
    name = version.name.replace(" ", "%20")
    answer = past.request("GET", f"/.davhost/versions/plan.txt/{name}")
    assert answer.body == b"first"


@pytest.mark.needs("rclone")
def test_who_synchronises_does_not_copy_the_past(past: Dav, tmp_path: Path) -> None:
    """A sync takes and leaves what is there today; by its name the past opens all the same."""
    home = tmp_path / "home"
    home.mkdir()
    rclone = Rclone(past, home)
    assert ".davhost" not in rclone.names("")
    rclone.run("sync", "drive:", str(tmp_path / "copy"))
    rclone.run("sync", str(tmp_path / "copy"), "drive:")
    (version,) = rclone.names(".davhost/versions/plan.txt")
    assert rclone.get(f".davhost/versions/plan.txt/{version}") == b"first"
    rclone.run("copyto", f"drive:.davhost/versions/plan.txt/{version}", "drive:plan of before.txt")
    assert rclone.get("plan of before.txt") == b"first"


def test_an_account_that_was_spoilt_is_stopped_and_put_back(
    make_server: Callable[..., Server],
) -> None:
    """From the burst to the refusal people read, and back, while the server runs."""
    settings = {"DAVHOST_BRAKE_CHANGES": "3", "DAVHOST_BRAKE_MINUTES": "0.05"}
    with make_server(settings=settings) as server:
        box = server.new_user()
        assert box.account is not None
        for number in range(5):
            box.put(f"/{number}.txt", b"mine")

        def spoilt() -> None:
            time.sleep(3.5)  # what was touched a moment ago is no prey
            for number in range(5):
                answer = box.request("PUT", f"/{number}.txt", body=b"not yours")
                if answer.status == 403:
                    assert "can only be read" in answer.body.decode()
                    return
            raise AssertionError("nothing stopped it")

        eventually(spoilt)
        (stopped,) = json.loads(server.administer("brake", "list", "--json"))
        assert stopped["email"] == box.account.email
        user = ("--user", box.account.email)
        server.administer("rewind", *user, "--to-brake", "--yes")
        assert server.administer("brake", "list") == "No account is stopped.\n"
        assert box.request("PUT", "/after.txt", body=b"goes again").status == 201
        assert box.read("/0.txt") in (b"mine", b"not yours")
