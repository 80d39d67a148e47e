"""The readable tree of a real server: there within moments, exact after kill -9."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.dav import Dav
from tests.live.server import Server
from tests.live.wait import eventually
from tests.readable import shown


@pytest.fixture
def running(make_server) -> Iterator[Server]:
    """A server of the test's own, with two workers."""
    server: Server = make_server(workers=2)
    with server:
        yield server


def top_of(server: Server, dav: Dav) -> Path:
    """Find the folder of an account: accounts are numbered in the order they were made."""
    assert dav.account is not None
    server.administer("tree", "rebuild", "--user", dav.account.email)
    folders = [path for path in (server.data / "users").iterdir() if path.name != ".state"]
    return max(folders, key=lambda path: int(path.name))


def is_shown(server: Server, dav: Dav, top: Path) -> None:
    """Compare what HTTP lists with what stands on the disk."""
    listed = {f"/{path}": content for path, content in dav.tree().items()}
    assert shown(top) == listed


def test_changes_are_shown_within_moments(running: Server) -> None:
    """A PUT, a MOVE of a folder and a DELETE."""
    dav = running.new_user()
    top = top_of(running, dav)
    dav.make_collection("/d")
    dav.put("/d/a.txt", b"a")
    dav.put("/empty.txt", b"")
    eventually(lambda: is_shown(running, dav, top))
    assert (top / "d/a.txt").read_bytes() == b"a"
    assert dav.move("/d", "/e").status == 201
    assert dav.request("DELETE", "/empty.txt").status == 204
    dav.put("/e/a.txt", b"b")
    eventually(lambda: is_shown(running, dav, top))
    assert shown(top) == {"/e": None, "/e/a.txt": b"b"}


def test_a_removed_account_leaves_no_tree(running: Server) -> None:
    """It goes with the command that removes the account."""
    dav = running.new_user()
    dav.put("/a.txt", b"a")
    top = top_of(running, dav)
    assert dav.account is not None
    running.administer("user", "remove", "--yes", dav.account.email)
    eventually(lambda: _is_gone(top))


def _is_gone(top: Path) -> None:
    assert not top.exists()


def load(dav: Dav, name: str, stop: threading.Event) -> None:
    """Write, move, copy and delete until the server is gone."""
    number = 0
    while not stop.is_set():
        number += 1
        try:
            dav.request("MKCOL", f"/{name}")
            dav.request("PUT", f"/{name}/a.txt", b"%d" % number)
            dav.move(f"/{name}", f"/{name}{number % 3}")
            dav.request("PUT", f"/{name}{number % 3}/b.txt", b"%d" % number)
            dav.copy(f"/{name}{number % 3}", f"/{name}-copy")
            if number % 5 == 0:
                dav.request("DELETE", f"/{name}-copy")
        except (OSError, http.client.HTTPException):
            return


@pytest.mark.parametrize("seconds", [0.4, 0.9, 1.5])
def test_the_tree_is_exact_after_a_kill(running: Server, seconds: float) -> None:
    """In the middle of a load; the next start makes up for what was cut off."""
    dav = running.new_user()
    top = top_of(running, dav)
    stop = threading.Event()
    threads = [threading.Thread(target=load, args=(dav, name, stop)) for name in "xyz"]
    for thread in threads:
        thread.start()
    stop.wait(seconds)
    running.kill_all()
    stop.set()
    for thread in threads:
        thread.join()
    running.start()
    eventually(lambda: is_shown(running, running.dav(dav.account), top))
    done = running.run("check", "--deep")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing is wrong." in done.stdout


def test_it_can_be_switched_off(make_server) -> None:
    """Then there is no folder for it."""
    server: Server = make_server(settings={"DAVHOST_READABLE_TREE": "false"})
    with server:
        dav = server.new_user()
        dav.put("/a.txt", b"a")
        assert not (server.data / "users").exists()
        assert server.run("tree", "rebuild").returncode == 1
        assert server.run("check").returncode == 0


def test_damage_is_found_and_repaired(running: Server) -> None:
    """With names that must not reach a terminal as they are."""
    dav = running.new_user()
    dav.put("/a.txt", b"a")
    top = top_of(running, dav)
    (top / "a.txt").unlink()
    (top / "\x1b[31mred").write_bytes(b"")
    found = running.run("check")
    assert found.returncode == 1
    assert "\x1b" not in found.stdout
    assert "/a.txt: is missing from the readable tree" in found.stdout
    mended = running.run("check", "--repair")
    assert mended.returncode == 0, mended.stdout
    is_shown(running, dav, top)
