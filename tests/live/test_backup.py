"""Backup, restore and import from outside: under load, killed, and on a full disk."""

import glob
import hashlib
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.dav import Dav
from tests.live.server import DAVHOST, Server
from tests.live.wait import PATIENCE_SECONDS
from tests.needs import program

#: How often a command is killed before it may finish.
_KILLS = 2


def run(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that takes no --data."""
    return subprocess.run(
        [str(DAVHOST), *arguments],
        cwd=server.home,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def kill_at_random(server: Server, *arguments: str, seed: int, begun: Callable[[], bool]) -> int:
    """Start a command, and kill it with SIGKILL a moment after it has begun its work.

    Returns:
        How it ended; 0 when it was quicker.
    """
    process = subprocess.Popen(
        [str(DAVHOST), *arguments, "--data", str(server.data)],
        cwd=server.home,
        env=server.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not begun():
        time.sleep(0.002)
    try:
        return process.wait(random.Random(seed).uniform(0, 0.3))
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def put_many(home: Dav, count: int) -> dict[str, str]:
    """Store files; return what was acknowledged: the hash by path."""
    stored = {}
    for number in range(count):
        body = random.Random(number).randbytes(20_000)
        home.put(f"/{number}.bin", body)
        stored[f"/{number}.bin"] = hashlib.sha256(body).hexdigest()
    return stored


def assert_holds(home: Dav, stored: dict[str, str]) -> None:
    """Compare every file by hash."""
    for path, sha256 in stored.items():
        assert hashlib.sha256(home.read(path)).hexdigest() == sha256, path


class Hammer(threading.Thread):
    """Writes, overwrites, deletes and moves until it is told to stop."""

    def __init__(self, home: Dav) -> None:
        super().__init__()
        self.home = home
        self.stop = threading.Event()
        self.written: dict[str, set[str]] = {}
        self.failures: list[object] = []

    def run(self) -> None:
        """Send requests, and note the hash of everything that was sent."""
        number = 0
        while not self.stop.is_set():
            number += 1
            path = f"/h{number % 40}.txt"
            body = f"{number} ".encode() * 400
            self.written.setdefault(path, set()).add(hashlib.sha256(body).hexdigest())
            answers = [self.home.request("PUT", path, body)]
            if number % 3 == 0:
                answers.append(self.home.request("PUT", "/~WRD0001.tmp", body))
                answers.append(self.home.move("/~WRD0001.tmp", path))
            if number % 5 == 0:
                answers.append(self.home.request("DELETE", path))
            self.failures += [answer for answer in answers if answer.status >= 400]


def test_backups_under_load_hold_every_acknowledged_file(each_server, make_server, tmp_path):
    """What was acknowledged before is there; what came meanwhile is whole or absent."""
    home = each_server.new_user("busy")
    stored = put_many(home, 30)
    hammer = Hammer(home)
    hammer.start()
    try:
        for _ in range(3):
            each_server.administer("backup", str(tmp_path / "backups"))
    finally:
        hammer.stop.set()
        hammer.join()
    assert hammer.failures == []
    verified = run(each_server, "backup", str(tmp_path / "backups"), "--verify")
    assert verified.returncode == 0, verified.stderr
    restored = make_server()
    restored.administer("restore", str(tmp_path / "backups"))
    with restored:
        again = restored.dav(home.account)
        assert_holds(again, stored)
        for name in again.members():
            if name.startswith("h"):
                found = hashlib.sha256(again.read(f"/{name}")).hexdigest()
                assert found in hammer.written[f"/{name}"], name


def unfinished(folder: Path) -> set[str]:
    """List what backups that are not complete hold, also while one becomes complete."""
    # Path.glob stumbles over directories that are renamed meanwhile.
    return set(glob.glob(f"{folder}/.*partial/blobs/*/*/*"))  # noqa: PTH207


def test_a_backup_that_is_killed_and_made_again(make_server, tmp_path):
    """Whatever moment it dies at, the backups that are there are whole."""
    server = make_server(workers=1)
    folder = tmp_path / "backups"
    with server:
        home = server.new_user("ada")
        stored = put_many(home, 100)
        ends: list[int] = []
        for seed in range(_KILLS):
            before = unfinished(folder)
            ends.append(
                kill_at_random(
                    server,
                    *("backup", str(folder)),
                    seed=seed,
                    begun=lambda: unfinished(folder) != before,  # noqa: B023
                )
            )
            if list(folder.glob("[0-9]*")):
                verified = run(server, "backup", str(folder), "--verify")
                assert verified.returncode == 0, verified.stderr
            stored["/more.bin"] = hashlib.sha256(bytes([seed])).hexdigest()
            home.put("/more.bin", bytes([seed]))
        assert -9 in ends, "no backup was killed"
        server.administer("backup", str(folder))
    restored = make_server(workers=1)
    for seed in range(_KILLS):
        blobs = restored.data / "blobs"
        if not kill_at_random(
            restored,
            "restore",
            str(folder),
            seed=seed,
            begun=lambda: any(glob.iglob(f"{blobs}/*/*/*")),  # noqa: B023, PTH207
        ):
            break
    else:
        restored.administer("restore", str(folder))
    with restored:
        assert_holds(restored.dav(home.account), stored)
    assert not list(folder.glob(".*partial"))


def test_an_import_that_is_killed_goes_on(make_server, tmp_path):
    """While the server serves; nothing is half, nothing is there twice."""
    source = tmp_path / "source"
    source.mkdir()
    wanted: dict[str, str] = {}
    for number in range(150):
        body = random.Random(number).randbytes(5_000)
        (source / f"{number}.bin").write_bytes(body)
        wanted[f"/{number}.bin"] = hashlib.sha256(body).hexdigest()
    server = make_server(workers=1)
    with server:
        home = server.new_user("ada")
        assert home.account is not None
        command = ("import", str(source), "--user", home.account.email)
        for seed in range(_KILLS):
            before = len(home.members())
            kill_at_random(
                server,
                *command,
                seed=seed,
                begun=lambda: len(home.members()) > before,  # noqa: B023
            )
            for name in home.members():
                assert hashlib.sha256(home.read(f"/{name}")).hexdigest() == wanted[f"/{name}"]
        server.administer(*command)
        assert_holds(home, wanted)
        assert len(home.members()) == len(wanted)
        assert home.quota_used_bytes() == 150 * 5_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(
        [program("mount"), "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True
    )
    yield folder
    subprocess.run([program("umount"), str(folder)], check=True)


@pytest.mark.needs("root", "mount", "umount")
def test_a_full_disk_costs_no_backup_that_is_there(make_server, small_disk):
    """One line says so, the last backup stays whole, and the room is given back."""
    server = make_server(workers=1)
    with server:
        home = server.new_user("ada")
        home.put("/a.bin", os.urandom(1 << 20))
        server.administer("backup", str(small_disk))
        free = os.statvfs(small_disk).f_bfree
        home.put("/b.bin", os.urandom(4 << 20))
        failed = server.run("backup", str(small_disk))
        assert failed.returncode == 1
        assert len(failed.stderr.splitlines()) == 1, failed.stderr
        assert "space" in failed.stderr
        assert os.statvfs(small_disk).f_bfree == free
        verified = run(server, "backup", str(small_disk), "--verify")
        assert verified.returncode == 0, verified.stderr
        home.request("DELETE", "/b.bin")
        assert home.account is not None
        server.administer("trash", "empty", "--user", home.account.email, "--yes")
        server.administer("backup", str(small_disk))
