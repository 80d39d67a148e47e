"""What every client must be able to do, written once.

A suite gives a driver (`Client`) as the fixture `client`, subclasses
`ClientContract`, and has these tests run with its program. `box` is the same
home seen by the tests' own eyes, so that a client is never its own witness.
"""

import itertools
import random
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from tests.live.dav import Dav, href
from tests.live.names import ODD_NAMES
from tests.live.wait import eventually

_numbers = itertools.count(1)

odd_names = pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES.keys())


class Client(Protocol):
    """A program that works on a drive; paths are unquoted and relative to the home.

    Each method fails (raises) when the program says that it failed.
    """

    def put(self, local: Path, remote: str) -> None:
        """Copy the local file to *remote*, over what is there."""

    def get(self, remote: str) -> bytes:
        """Read a file."""

    def move(self, source: str, destination: str) -> None:
        """Rename a resource; the destination is free."""

    def names(self, collection: str) -> set[str]:
        """List the names in a collection."""

    def make_collection(self, remote: str) -> None:
        """Make a collection."""

    def remove(self, remote: str) -> None:
        """Remove a file."""


def new_name() -> str:
    """Make a name that no other test of this process uses."""
    return f"test {next(_numbers)}"


def some_bytes(size_bytes: int, seed: object = 0) -> bytes:
    """Make bytes that are the same in every run and alike nowhere."""
    return random.Random(repr((size_bytes, seed))).randbytes(size_bytes)


def a_file(folder: Path, body: bytes, name: str = "local.bin") -> Path:
    """Write a local file for a client to upload."""
    file = folder / name
    file.write_bytes(body)
    return file


class ClientContract:
    """The tests; `folder` is a collection of each test's own, made by the client."""

    def test_a_file_arrives_byte_by_byte(
        self, client: Client, box: Dav, folder: str, tmp_path: Path
    ) -> None:
        """What a client uploads is what everybody downloads."""
        body = some_bytes(3_000_001)
        client.put(a_file(tmp_path, body), f"{folder}/big.pdf")
        eventually(lambda: holds(box, f"{folder}/big.pdf", body))
        assert client.get(f"{folder}/big.pdf") == body

    def test_an_upload_replaces_a_file(
        self, client: Client, box: Dav, folder: str, tmp_path: Path
    ) -> None:
        """A second upload under the same name replaces the first, also by fewer bytes."""
        for body in (some_bytes(70_000), some_bytes(10_000), some_bytes(10_000, "other")):
            client.put(a_file(tmp_path, body), f"{folder}/a.txt")
            eventually(partial(holds, box, f"{folder}/a.txt", body))
        assert client.names(folder) == {"a.txt"}

    def test_an_empty_file_is_a_file(
        self, client: Client, box: Dav, folder: str, tmp_path: Path
    ) -> None:
        """A file of no bytes is stored, listed and read."""
        client.put(a_file(tmp_path, b""), f"{folder}/empty.txt")
        eventually(lambda: holds(box, f"{folder}/empty.txt", b""))
        assert client.names(folder) == {"empty.txt"}
        assert client.get(f"{folder}/empty.txt") == b""

    @odd_names
    def test_an_odd_name_is_kept(
        self, client: Client, box: Dav, folder: str, tmp_path: Path, name: str
    ) -> None:
        """A file comes back under exactly the name it was given."""
        body = some_bytes(2_000, name)
        client.put(a_file(tmp_path, body), f"{folder}/{name}")
        eventually(lambda: holds(box, f"{folder}/{name}", body))
        assert set(box.members(href(folder) + "/")) == {name}
        assert client.names(folder) == {name}
        assert client.get(f"{folder}/{name}") == body

    @odd_names
    def test_an_odd_name_survives_move(
        self, client: Client, box: Dav, folder: str, tmp_path: Path, name: str
    ) -> None:
        """A file can be renamed to every name, from it, and keeps its content."""
        body = some_bytes(2_000, name)
        client.put(a_file(tmp_path, body), f"{folder}/plain.txt")
        # rclone's mount answers before it has uploaded, and may rename too early.
        eventually(lambda: is_tree(box, folder, {"plain.txt": body}))
        client.move(f"{folder}/plain.txt", f"{folder}/{name}")
        eventually(lambda: is_tree(box, folder, {name: body}))
        client.move(f"{folder}/{name}", f"{folder}/plain again.txt")
        eventually(lambda: is_tree(box, folder, {"plain again.txt": body}))

    def test_a_collection_moves_with_its_members(
        self, client: Client, box: Dav, folder: str, tmp_path: Path
    ) -> None:
        """A renamed collection keeps everything in it."""
        client.make_collection(f"{folder}/old; name")
        client.put(a_file(tmp_path, b"inside"), f"{folder}/old; name/in;side.txt")
        uploaded = {"old; name": None, "old; name/in;side.txt": b"inside"}
        eventually(lambda: is_tree(box, folder, uploaded))
        client.move(f"{folder}/old; name", f"{folder}/new? name")
        expected = {"new? name": None, "new? name/in;side.txt": b"inside"}
        eventually(lambda: is_tree(box, folder, expected))

    def test_a_removed_file_is_gone(
        self, client: Client, box: Dav, folder: str, tmp_path: Path
    ) -> None:
        """A removed file is gone; its neighbour stays."""
        client.put(a_file(tmp_path, b"stays"), f"{folder}/stays.txt")
        client.put(a_file(tmp_path, b"goes"), f"{folder}/goes.txt")
        eventually(lambda: is_tree(box, folder, {"stays.txt": b"stays", "goes.txt": b"goes"}))
        client.remove(f"{folder}/goes.txt")
        eventually(lambda: is_tree(box, folder, {"stays.txt": b"stays"}))
        assert client.names(folder) == {"stays.txt"}

    def test_a_deep_tree_stands(
        self, client: Client, box: Dav, folder: str, tmp_path: Path
    ) -> None:
        """A file twenty collections down is stored and read."""
        deep = folder
        for level in range(20):
            deep += f"/level {level}"
            client.make_collection(deep)
        client.put(a_file(tmp_path, b"down here"), f"{deep}/deep.txt")
        eventually(lambda: holds(box, f"{deep}/deep.txt", b"down here"))
        assert client.get(f"{deep}/deep.txt") == b"down here"


def holds(box: Dav, remote: str, body: bytes) -> None:
    """See that the file *remote* is there and is *body*."""
    assert box.request("HEAD", href(remote)).status == 200
    is_content(box.read(href(remote)), body)


def is_tree(box: Dav, remote: str, expected: dict[str, bytes | None] | dict[str, bytes]) -> None:
    """See that the collection *remote* holds *expected* and nothing else."""
    found = box.tree(href(remote).rstrip("/") + "/")
    assert sorted(found) == sorted(expected)
    for name, content in expected.items():
        is_content(found[name], content)


def is_content(found: bytes | None, expected: bytes | None) -> None:
    """See that contents are the same; None is that of a collection.

    Where nothing is cut short (``CI``, ``-vv``) pytest takes minutes to compare what
    differs in thousands of bytes, and whoever waits for a change asks only once.
    """
    if found != expected:
        raise AssertionError(f"{_shown(found)} instead of {_shown(expected)}")


def _shown(content: bytes | None) -> str:
    return "no file" if content is None else f"{len(content)} bytes {content[:40]!r}"
