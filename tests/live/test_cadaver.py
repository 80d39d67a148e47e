"""cadaver: the command line of neon, as davfs2 and Subversion speak WebDAV."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.live.client_contract import ClientContract, a_file, holds, is_tree
from tests.live.dav import Dav, href
from tests.live.programs import trusting
from tests.live.server import clean_environment
from tests.live.wait import eventually
from tests.needs import program

pytestmark = pytest.mark.needs("cadaver")


def quoted(name: str) -> str:
    """Quote an argument for cadaver's command line, in which a backslash escapes."""
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Cadaver:
    """cadaver against the home that *box* sees; one process for each call.

    It ends with 0 whatever happened, so what it says is what counts.
    """

    def __init__(self, box: Dav, home: Path) -> None:
        assert box.account is not None
        self._home = home
        self._command = [*trusting(box.authority), program("cadaver"), box.url()]
        netrc = home / ".netrc"
        login = f"login {box.account.email} password {box.account.password}"
        netrc.write_text(f"machine {box.host} {login}\n")
        netrc.chmod(0o600)

    def run(self, *commands: str) -> str:
        """Run cadaver commands; any that fails, fails the test."""
        with self.start() as session:
            said, _ = session.communicate("".join(f"{command}\n" for command in commands))
        assert session.returncode == 0, (commands, said)
        assert not re.search(r"fail|error|could not|syntax|unrecogni[sz]ed|[45]\d\d ", said), (
            commands,
            said,
        )
        return said

    def start(self) -> subprocess.Popen[str]:
        """Start a session that reads commands from its stdin."""
        return subprocess.Popen(
            self._command,
            cwd=self._home,
            env=clean_environment(self._home) | {"TERM": "dumb"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # To show a long command it cuts it, where need be within a letter.
            errors="replace",
        )

    def put(self, local: Path, remote: str) -> None:
        said = self.run(f"put {quoted(str(local))} {quoted(remote)}")
        assert "succeeded" in said, said

    def get(self, remote: str) -> bytes:
        target = self._home / "downloaded"
        target.unlink(missing_ok=True)
        self.run(f"get {quoted(remote)} {quoted(str(target))}")
        return target.read_bytes()

    def move(self, source: str, destination: str) -> None:
        said = self.run(f"move {quoted(source)} {quoted(destination)}")
        assert "succeeded" in said, said

    def copy(self, source: str, destination: str) -> None:
        """Make a second file."""
        said = self.run(f"copy {quoted(source)} {quoted(destination)}")
        assert "succeeded" in said, said

    def names(self, collection: str) -> set[str]:
        listed = self.run(f"ls {quoted(collection)}")
        line = re.compile(r"^(?:Coll:|Ref:|Error:)? *\*?(\S.*?) +\d+ +\w{3} +\d+ +[\d:]+$", re.M)
        return set(line.findall(listed.replace("\n        ", "\n")))

    def make_collection(self, remote: str) -> None:
        said = self.run(f"mkcol {quoted(remote)}")
        assert "succeeded" in said, said

    def remove(self, remote: str) -> None:
        said = self.run(f"delete {quoted(remote)}")
        assert "succeeded" in said, said


@pytest.fixture(scope="module")
def client(box: Dav, tmp_path_factory: pytest.TempPathFactory) -> Cadaver:
    """cadaver with the module's account."""
    return Cadaver(box, tmp_path_factory.mktemp("cadaver"))


class TestCadaver(ClientContract):
    """Everything that every client can do, by cadaver."""


def test_copy_copies(client: Cadaver, box: Dav, folder: str) -> None:
    """`copy` makes a second file and leaves the first."""
    box.put(href(folder, "a;b?.txt"), b"content")
    client.copy(f"{folder}/a;b?.txt", f"{folder}/c;d?.txt")
    is_tree(box, folder, {"a;b?.txt": b"content", "c;d?.txt": b"content"})


def test_a_collection_is_removed_with_everything_in_it(
    client: Cadaver, box: Dav, folder: str
) -> None:
    """`rmcol` removes a collection and its members."""
    box.make_collection(href(folder, "goes"))
    box.put(href(folder, "goes", "inside.txt"), b"inside")
    client.run(f"rmcol {quoted(f'{folder}/goes')}")
    is_tree(box, folder, {})


def test_a_lock_keeps_others_out(client: Cadaver, box: Dav, folder: str, tmp_path: Path) -> None:
    """The holder of a lock writes; everybody else is refused until `unlock`."""
    path, remote = href(folder, "a.txt"), quoted(f"{folder}/a.txt")
    box.put(path, b"before")
    local = quoted(str(a_file(tmp_path, b"changed under the lock")))

    def is_locked() -> None:
        assert box.request("PUT", path, b"before").status == 423

    with client.start() as session:
        assert session.stdin is not None
        session.stdin.write(f"lock {remote}\n")
        session.stdin.flush()
        eventually(is_locked)
        said, _ = session.communicate(f"put {local} {remote}\nunlock {remote}\n")
    assert said.count("succeeded") == 3, said
    holds(box, f"{folder}/a.txt", b"changed under the lock")
    box.put(path, b"after")


def test_a_property_is_kept(client: Cadaver, box: Dav, folder: str) -> None:
    """A property that was set is read back, and listed by its name."""
    box.put(href(folder, "a.txt"), b"content")
    remote = quoted(f"{folder}/a.txt")
    space = "set namespace urn:example"
    client.run(space, f"propset {remote} colour 'blue and green'")
    assert "blue and green" in client.run(space, f"propget {remote} colour")
    assert "colour" in client.run(f"propnames {remote}")
