"""curl: the plainest client, and the one whose every byte can be chosen."""

import subprocess
from pathlib import Path

import pytest

from tests.live.client_contract import (
    ClientContract,
    a_file,
    holds,
    is_content,
    is_tree,
    some_bytes,
)
from tests.live.dav import Account, Dav, href
from tests.live.programs import run_program
from tests.live.server import clean_environment

pytestmark = pytest.mark.needs("curl")


class Curl:
    """curl against the home that *box* sees."""

    def __init__(self, box: Dav, home: Path, account: Account | None = None) -> None:
        self._box = box
        self._home = home
        self._account = account or box.account
        self._trust = ["--cacert", str(box.authority)] if box.is_encrypted else []

    def run(
        self, path: str, *options: str, stdin: bytes = b"", may_fail: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        """Ask for *path*; without `may_fail`, an answer of 400 or more fails the test."""
        assert self._account is not None
        command = ["curl", "--silent", "--show-error", "--path-as-is", "--globoff"]
        command += ["--basic", "--user", f"{self._account.email}:{self._account.password}"]
        command += self._trust if may_fail else ["--fail", *self._trust]
        command += [*options, self._box.url(path)]
        environment = clean_environment(self._home)
        return run_program(*command, home=self._home, environment=environment, stdin=stdin)

    def status(self, path: str, *options: str, stdin: bytes = b"") -> int:
        """Ask for *path* and give back the status only."""
        options += ("--output", "/dev/null", "--write-out", "%{http_code}")
        return int(self.run(path, *options, stdin=stdin, may_fail=True).stdout)

    def put(self, local: Path, remote: str) -> None:
        self.run(href(remote), "--upload-file", str(local))

    def get(self, remote: str) -> bytes:
        return self.run(href(remote)).stdout

    def move(self, source: str, destination: str) -> None:
        where = self._box.url(href(destination))
        self.run(href(source), "-X", "MOVE", "-H", f"Destination: {where}", "-H", "Overwrite: F")

    def copy(self, source: str, destination: str) -> None:
        """Make a second file."""
        where = self._box.url(href(destination))
        self.run(href(source), "-X", "COPY", "-H", f"Destination: {where}")

    def names(self, collection: str) -> set[str]:
        listing = self.run(href(collection) + "/", "-X", "PROPFIND", "-H", "Depth: 1").stdout
        assert listing.startswith(b"<?xml")
        return set(self._box.members(href(collection) + "/"))

    def make_collection(self, remote: str) -> None:
        self.run(href(remote) + "/", "-X", "MKCOL")

    def remove(self, remote: str) -> None:
        self.run(href(remote), "-X", "DELETE")


@pytest.fixture(scope="module")
def client(box: Dav, tmp_path_factory: pytest.TempPathFactory) -> Curl:
    """curl with the module's account."""
    return Curl(box, tmp_path_factory.mktemp("curl"))


class TestCurl(ClientContract):
    """Everything that every client can do, by curl."""


def test_stdin_is_uploaded_in_chunks(client: Curl, box: Dav, folder: str) -> None:
    """An upload of unknown length, in chunks, is stored whole."""
    body = some_bytes(1_500_000)
    trace = client.run(href(folder, "a.pdf"), "--upload-file", "-", "--verbose", stdin=body).stderr
    assert b"> Transfer-Encoding: chunked" in trace
    holds(box, f"{folder}/a.pdf", body)


def test_continue_is_awaited_and_comes(client: Curl, box: Dav, folder: str, tmp_path: Path) -> None:
    """A client that waits for 100 Continue gets it and then stores its file."""
    body = some_bytes(2_000_000)
    options = ("--expect100-timeout", "600", "--verbose", "-H", "Expect: 100-continue")
    local = str(a_file(tmp_path, body))
    trace = client.run(href(folder, "a.pdf"), "--upload-file", local, *options).stderr
    assert b"< HTTP/1.1 100" in trace
    holds(box, f"{folder}/a.pdf", body)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("0-0", slice(0, 1)),
        ("100-199", slice(100, 200)),
        ("-5", slice(-5, None)),
        ("999990-", slice(999_990, None)),
    ],
)
def test_a_range_is_that_part(
    client: Curl, box: Dav, folder: str, asked: str, expected: slice
) -> None:
    """A range of a file is exactly these bytes, with status 206."""
    body = some_bytes(1_000_000)
    box.put(href(folder, "a.pdf"), body)
    assert client.run(href(folder, "a.pdf"), "--range", asked).stdout == body[expected]
    assert client.status(href(folder, "a.pdf"), "--range", asked) == 206


def test_long_ranges_come_in_one_answer(client: Curl, box: Dav, folder: str) -> None:
    """Each behind its head; they are long enough to be sent without being read."""
    body = some_bytes(3_000_000)
    box.put(href(folder, "long.pdf"), body)
    wanted = "10-999999,2000000-2999999"
    answer = client.run(href(folder, "long.pdf"), "--range", wanted).stdout
    boundary = answer[: answer.index(b"\r\n", 2)]
    parts = [part.partition(b"\r\n\r\n")[2] for part in answer.split(boundary)[1:-1]]
    is_content(parts[0], body[10:1_000_000])
    is_content(parts[1], body[2_000_000:])


def test_a_download_resumes(client: Curl, box: Dav, folder: str, tmp_path: Path) -> None:
    """A download that was interrupted goes on where it stopped."""
    body = some_bytes(1_000_000)
    box.put(href(folder, "a.pdf"), body)
    partial = a_file(tmp_path, body[:300_000])
    client.run(href(folder, "a.pdf"), "--continue-at", "-", "--output", str(partial))
    assert partial.read_bytes() == body


def test_a_wrong_password_is_401(box: Dav, folder: str, tmp_path: Path) -> None:
    """A wrong password reads and writes nothing, and is answered 401 with a challenge."""
    assert box.account is not None
    stranger = Curl(box, tmp_path, Account(box.account.email, "wrong"))
    box.put(href(folder, "a.txt"), b"mine")
    answer = stranger.run(href(folder, "a.txt"), "--include", may_fail=True).stdout
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"\r\nwww-authenticate: basic realm=" in answer.lower()
    assert b"mine" not in answer
    upload = ("--upload-file", "-")
    assert stranger.status(href(folder, "a.txt"), *upload, stdin=b"theirs") == 401
    holds(box, f"{folder}/a.txt", b"mine")


def test_a_refused_type_leaves_nothing(strict_box: Dav, tmp_path: Path) -> None:
    """A type that is not allowed is 403 with the reason, before the body is sent."""
    strict = Curl(strict_box, tmp_path)
    local = str(a_file(tmp_path, some_bytes(3_000_000)))
    options = ["--expect100-timeout", "600", "-H", "Expect: 100-continue"]
    options += ["--upload-file", local, "--write-out", "\n%{http_code} %{size_upload}"]
    sent = strict.run("/tool.exe", *options, may_fail=True).stdout.decode()
    reason, _, numbers = sent.rpartition("\n")
    assert numbers == "403 0"
    assert "exe" in reason
    is_tree(strict_box, "", {})


def test_a_move_to_a_refused_type_changes_nothing(strict_box: Dav, tmp_path: Path) -> None:
    """A file cannot be renamed to a type that is not allowed."""
    strict_box.put("/a.txt", b"text")
    with pytest.raises(AssertionError, match="403"):
        Curl(strict_box, tmp_path).move("a.txt", "a.exe")
    is_tree(strict_box, "", {"a.txt": b"text"})


def test_a_listing_without_the_trailing_slash_is_no_redirect(client: Curl, folder: str) -> None:
    """A collection's URL without its slash is answered, not redirected."""
    assert client.status(href(folder), "-X", "PROPFIND", "-H", "Depth: 0") == 207
    assert client.status(href(folder)) == 200
    assert client.status(href(folder), "--head") == 200
