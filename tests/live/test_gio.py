"""GNOME's gio: what Files (Nautilus) and every GTK program use, without a screen."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.client_contract import Client, ClientContract, a_file, is_tree, some_bytes
from tests.live.dav import Dav, href
from tests.live.programs import run_program, trusting
from tests.live.server import clean_environment
from tests.live.wait import PATIENCE_SECONDS
from tests.needs import program

pytestmark = pytest.mark.needs("gio", "gvfsd", "gvfsd-dav", "dbus-run-session")


class Gio:
    """A session bus with gvfsd on it, on which the home that *box* sees is mounted."""

    def __init__(self, box: Dav, home: Path) -> None:
        assert box.account is not None
        self._account = box.account
        self._home = home
        self._root = f"dav{'s' * box.is_encrypted}://{box.host}:{box.port}"
        runtime = home / "runtime"
        runtime.mkdir(mode=0o700)
        self._environment = clean_environment(home) | {
            "XDG_RUNTIME_DIR": str(runtime),
            # No monitor of volumes: it would ask for a desktop.
            "GIO_USE_VOLUME_MONITOR": "unix",
            "GVFS_DISABLE_FUSE": "1",
        }
        session = f'echo "$DBUS_SESSION_BUS_ADDRESS"; {program("gvfsd")} --no-fuse & cat; kill $!'
        self._session = subprocess.Popen(
            [*trusting(box.authority), program("dbus-run-session"), "--", "sh", "-c", session],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._session.stdout is not None
        self._environment["DBUS_SESSION_BUS_ADDRESS"] = self._session.stdout.readline().strip()

    def mount(self) -> None:
        """Sign in, as a person does in the dialog that asks for name and password."""
        answers = f"{self._account.email}\n{self._account.password}\n"
        self.run("mount", f"{self._root}/", stdin=answers.encode())

    def unmount(self) -> None:
        """Sign out."""
        self.run("mount", "--unmount", f"{self._root}/")

    def close(self) -> None:
        """End the session bus, and with it everything that was started on it."""
        self._session.communicate(timeout=PATIENCE_SECONDS)

    def run(self, *command: str, stdin: bytes = b"") -> bytes:
        """Run a gio command that must succeed."""
        return run_program(
            "gio", *command, home=self._home, environment=self._environment, stdin=stdin
        ).stdout

    def uri(self, remote: str) -> str:
        """Spell the URI of a resource as GNOME does."""
        return self._root + href(remote)

    def put(self, local: Path, remote: str) -> None:
        self.run("copy", str(local), self.uri(remote))

    def save(self, body: bytes, remote: str) -> None:
        """Save as an editor does."""
        self.run("save", self.uri(remote), stdin=body)

    def get(self, remote: str) -> bytes:
        return self.run("cat", self.uri(remote))

    def move(self, source: str, destination: str) -> None:
        self.run("move", "--no-copy-fallback", self.uri(source), self.uri(destination))

    def copy(self, source: str, destination: str) -> None:
        """Make a second file."""
        self.run("copy", self.uri(source), self.uri(destination))

    def names(self, collection: str) -> set[str]:
        return set(self.run("list", "--hidden", self.uri(collection)).decode().splitlines())

    def make_collection(self, remote: str) -> None:
        self.run("mkdir", self.uri(remote))

    def remove(self, remote: str) -> None:
        self.run("remove", self.uri(remote))


@pytest.fixture(scope="module")
def session(box: Dav, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gio]:
    """A desktop session of the module's account."""
    session = Gio(box, tmp_path_factory.mktemp("gio"))
    yield session
    session.close()


@pytest.fixture
def gio(session: Gio) -> Iterator[Gio]:
    """gio with the home mounted.

    For each test anew: gvfs 1.50 never lets go of the connection of a MOVE,
    whatever the server answers, and after 32 of them it hangs.
    """
    session.mount()
    yield session
    session.unmount()


@pytest.fixture
def client(gio: Gio) -> Client:
    """gio as the client of the contract."""
    return gio


class TestGio(ClientContract):
    """Everything that every client can do, by gio."""


def test_an_editor_saves_again_and_again(gio: Gio, box: Dav, folder: str) -> None:
    """Saving over a file replaces its content."""
    for body in (b"first", some_bytes(300_000), b"", b"last"):
        gio.save(body, f"{folder}/a; b?.txt")
        is_tree(box, folder, {"a; b?.txt": body})


def test_a_file_is_renamed_where_it_is(gio: Gio, box: Dav, folder: str) -> None:
    """Rename, as by F2 in Files, gives a file its new name."""
    box.put(href(folder, "a.txt"), b"content")
    gio.run("rename", gio.uri(f"{folder}/a.txt"), "b; c? #1.txt")
    is_tree(box, folder, {"b; c? #1.txt": b"content"})


def test_a_rename_never_overwrites(gio: Gio, box: Dav, folder: str) -> None:
    """Rename to a name that is taken is refused and changes nothing."""
    box.put(href(folder, "a.txt"), b"a")
    box.put(href(folder, "b.txt"), b"b")
    with pytest.raises(AssertionError, match="already exists"):
        gio.run("rename", gio.uri(f"{folder}/a.txt"), "b.txt")
    is_tree(box, folder, {"a.txt": b"a", "b.txt": b"b"})


def test_the_listing_tells_size_and_time(gio: Gio, box: Dav, folder: str, tmp_path: Path) -> None:
    """Files shows each file's size, type, time and ETag."""
    gio.put(a_file(tmp_path, b"12345"), f"{folder}/a.txt")
    told = gio.run("info", gio.uri(f"{folder}/a.txt")).decode()
    assert re.search(r"size: +5$", told, re.M)
    assert "standard::content-type: text/plain" in told
    assert re.search(r"time::modified: \d{9}", told)
    assert "etag::value:" in told


def test_the_free_space_is_the_quota(gio: Gio, box: Dav) -> None:
    """Files shows what is left of the account's own quota."""
    told = gio.run("info", "--filesystem", gio.uri("")).decode()
    assert f"filesystem::free: {box.quota_available_bytes()}\n" in told
