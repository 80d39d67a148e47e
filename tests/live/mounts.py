"""Drives and disks that are mounted, and surely unmounted again."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.live.wait import PATIENCE_SECONDS, eventually
from tests.needs import program


class MountedFolder:
    """A mounted drive as a `Client`: ordinary system calls, as any program makes them."""

    def __init__(self, point: Path) -> None:
        self.point = point

    def put(self, local: Path, remote: str) -> None:
        subprocess.run(["cp", "--", str(local), str(self.point / remote)], check=True)

    def get(self, remote: str) -> bytes:
        return (self.point / remote).read_bytes()

    def move(self, source: str, destination: str) -> None:
        subprocess.run(
            ["mv", "-n", "--", str(self.point / source), str(self.point / destination)], check=True
        )
        assert not (self.point / source).exists()

    def names(self, collection: str) -> set[str]:
        return set(os.listdir(self.point / collection))  # noqa: PTH208  # what ls does

    def make_collection(self, remote: str) -> None:
        (self.point / remote).mkdir()

    def remove(self, remote: str) -> None:
        (self.point / remote).unlink()


@contextmanager
def mounted(
    point: Path, command: list[str], environment: Mapping[str, str]
) -> Iterator[MountedFolder]:
    """Run a program that mounts *point* as long as it runs, and unmount at the end."""
    mounter = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)

    def is_mounted() -> None:
        if mounter.poll() is not None:
            raise RuntimeError(f"{command} ended with {mounter.returncode}")
        assert point.is_mount()

    try:
        eventually(is_mounted)
        yield MountedFolder(point)
    finally:
        unmount(point, "fusermount3", "-u")
        try:
            mounter.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            mounter.send_signal(signal.SIGKILL)
            mounter.wait()


@contextmanager
def tmpfs(point: Path, options: str) -> Iterator[None]:
    """Make a file system in memory at the new folder *point*; it is gone at the end."""
    point.mkdir()
    command = [program("mount"), "-t", "tmpfs", "-o", f"{options},mode=0755"]
    subprocess.run([*command, "davhost", str(point)], check=True)
    try:
        yield
    finally:
        unmount(point, "umount")


def remount(point: Path, options: str) -> None:
    """Change the options of a mount: ``ro`` or ``rw``."""
    subprocess.run([program("mount"), "-o", f"remount,{options}", str(point)], check=True)


def unmount(point: Path, *command: str) -> None:
    """Unmount *point*; one that stays busy is detached, and that fails the test."""
    tool = program(command[0])
    if not os.path.ismount(point):  # Path.is_mount hides a dead mount
        return

    def try_to_unmount() -> None:
        done = subprocess.run([tool, *command[1:], str(point)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()

    try:
        eventually(try_to_unmount)
    except AssertionError:
        subprocess.run(["umount", "--lazy", str(point)], check=False)
        raise
