"""lftp: mirrors whole trees, and sends raw UTF-8 in Destination."""

from pathlib import Path

import pytest

from tests.live.client_contract import ClientContract, is_tree
from tests.live.dav import Dav, href
from tests.live.programs import run_program
from tests.live.server import clean_environment
from tests.live.trees import contents, odd_tree

pytestmark = pytest.mark.needs("lftp")

_SETTINGS = (
    "set cmd:fail-exit true",
    "set net:max-retries 2",
    "set http:use-mkcol true",
    # With it, lftp 4.9.2 sends PROPPATCH after every upload, and in it the
    # Authorization after the body, which no server can read.
    "set http:use-propfind false",
    "set file:charset UTF-8",
    "set http:cache false",
    "set cmd:interactive false",
)


def quoted(name: str) -> str:
    """Quote an argument for lftp's command line."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Lftp:
    """lftp against the home that *box* sees; one process for each call."""

    def __init__(self, box: Dav, home: Path) -> None:
        assert box.account is not None
        self._home = home
        trust = [f"set ssl:ca-file {quoted(str(box.authority))}"] if box.is_encrypted else []
        login = f"{quoted(box.account.email)},{quoted(box.account.password)}"
        self._first = (*_SETTINGS, *trust, f"open -u {login} {box.url()}")

    def run(self, *commands: str) -> bytes:
        """Run lftp commands; the first that fails, fails."""
        script = "\n".join((*self._first, *commands, "")).encode()
        command = ("lftp", "-f", "/dev/stdin")
        environment = clean_environment(self._home)
        return run_program(*command, home=self._home, environment=environment, stdin=script).stdout

    def put(self, local: Path, remote: str) -> None:
        self.run(f"put {quoted(str(local))} -o {quoted(remote)}")

    def get(self, remote: str) -> bytes:
        return self.run(f"cat {quoted(remote)}")

    def move(self, source: str, destination: str) -> None:
        self.run(f"mv {quoted(source)} {quoted(destination)}")

    def names(self, collection: str) -> set[str]:
        commands = ("set http:use-propfind true", f"cd {quoted(collection)}", "cls -1 -a")
        listed = self.run(*commands).decode().splitlines()
        return {name.rstrip("/") for name in listed} - {".", ".."}

    def make_collection(self, remote: str) -> None:
        self.run(f"mkdir {quoted(remote)}")

    def remove(self, remote: str) -> None:
        self.run(f"rm {quoted(remote)}")


@pytest.fixture(scope="module")
def client(box: Dav, tmp_path_factory: pytest.TempPathFactory) -> Lftp:
    """lftp with the module's account."""
    return Lftp(box, tmp_path_factory.mktemp("lftp"))


class TestLftp(ClientContract):
    """Everything that every client can do, by lftp."""


def test_a_tree_is_mirrored_there_and_back(
    client: Lftp, box: Dav, folder: str, tmp_path: Path
) -> None:
    """`mirror -R` uploads a tree, and `mirror` brings the same tree back."""
    local_tree = odd_tree(tmp_path / "local")
    client.run(f"mirror -R {quoted(str(local_tree))} {quoted(folder)}")
    is_tree(box, folder, contents(local_tree))
    client.run(f"mirror {quoted(folder)} {quoted(str(tmp_path / 'back'))}")
    assert contents(tmp_path / "back") == contents(local_tree)


def test_a_mirror_with_delete_removes_what_is_gone(
    client: Lftp, box: Dav, folder: str, tmp_path: Path
) -> None:
    """`mirror -R --delete` makes the drive equal to a tree that has changed."""
    local_tree = odd_tree(tmp_path / "local")
    client.run(f"mirror -R {quoted(str(local_tree))} {quoted(folder)}")
    box.put(href(folder, "only here.txt"), b"goes")
    (local_tree / "empty.txt").write_bytes(b"no longer empty")
    client.run(f"mirror -R --delete {quoted(str(local_tree))} {quoted(folder)}")
    is_tree(box, folder, contents(local_tree))
