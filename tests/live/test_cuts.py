"""Uploads that are cut short, at every stage, by every cause."""

import errno
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.live.client_contract import is_tree, new_name, some_bytes
from tests.live.conftest import MakeServer
from tests.live.dav import Dav, href, read_answer
from tests.live.mounts import tmpfs
from tests.live.server import Server
from tests.live.storage import TIDY, nothing_is_left_over
from tests.live.wait import eventually

OLD = some_bytes(200_000, "old")
NEW = some_bytes(3_000_000, "new")
MEGABYTE = 1_000_000


def chunk(body: bytes) -> bytes:
    """Spell one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(body), body)


LENGTH = f"Content-Length: {len(NEW)}"
CHUNKED = "Transfer-Encoding: chunked"

#: How a client can be gone: the header that announces the body, and what it still sends.
CUTS = {
    "after the headers": (LENGTH, b""),
    "in the middle": (LENGTH, NEW[: len(NEW) // 2]),
    "one byte before the end": (LENGTH, NEW[:-1]),
    "before the first chunk": (CHUNKED, b""),
    "in the size of a chunk": (CHUNKED, chunk(NEW[:MEGABYTE]) + b"4000"),
    "in a chunk": (CHUNKED, chunk(NEW[:MEGABYTE]) + chunk(NEW[MEGABYTE:])[:-MEGABYTE]),
    "between two chunks": (CHUNKED, chunk(NEW[:MEGABYTE])),
    "before the last, empty chunk": (CHUNKED, chunk(NEW)),
    "in the end of the last chunk": (CHUNKED, chunk(NEW) + b"0\r\n"),
}


def close(connection: socket.socket) -> None:
    """Leave as a program does that ends."""
    connection.close()


def reset(connection: socket.socket) -> None:
    """Leave as a machine does that has lost its memory of the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def half_close(connection: socket.socket) -> None:
    """Say that nothing more will come, and hear what the server says to that."""
    connection.shutdown(socket.SHUT_WR)
    try:
        answer = read_answer(connection)
    except (HTTPException, ConnectionResetError):
        pass  # no answer is an answer, too: not a yes
    else:
        assert answer.status >= 400, answer.status
    connection.close()


@pytest.fixture(scope="module")
def tidy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that throws away at once what nobody needs."""
    home = tmp_path_factory.mktemp("tidy")
    with Server(home / "data", home, settings=TIDY) as running:
        yield running


@pytest.fixture(scope="module")
def tidy_box(tidy: Server) -> Dav:
    """The only home on the tidy server."""
    return tidy.new_user("cut")


@pytest.mark.parametrize("leave", [close, reset, half_close])
@pytest.mark.parametrize(("announced", "sent"), CUTS.values(), ids=CUTS.keys())
@pytest.mark.parametrize("old", [OLD, None], ids=["over a file", "to a new name"])
def test_a_cut_upload_changes_nothing(
    tidy: Server,
    tidy_box: Dav,
    announced: str,
    sent: bytes,
    leave: Callable[[socket.socket], None],
    old: bytes | None,
) -> None:
    """Whenever and however the client goes, the old file stays and nothing is left over."""
    folder = new_name()
    tidy_box.make_collection(href(folder))
    path = href(folder, "a;b?.pdf")
    expected = {"a;b?.pdf": old} if old is not None else {}
    if old is not None:
        tidy_box.put(path, old)
    etag = tidy_box.etag(path) if old is not None else None
    head = tidy_box.head_of_put(path, announced, f"User-Agent: {folder}")

    connection = tidy_box.connect()
    connection.sendall(head + sent)
    leave(connection)

    # Not before the server has noticed: until then nothing could have changed.
    eventually(partial(ended_badly, tidy, folder))
    is_tree(tidy_box, folder, expected)
    assert etag is None or tidy_box.etag(path) == etag
    eventually(partial(nothing_is_left_over, tidy.data, tidy_box))


def ended_badly(server: Server, agent: str) -> None:
    """See that the server has logged the one PUT of *agent*, and no success."""
    ends = re.findall(rf'"PUT [^"]+" (\d+) .*"{agent}"', server.output)
    assert len(ends) == 1
    assert not ends[0].startswith("2")


@pytest.mark.parametrize("kill", [Server.kill, Server.kill_all], ids=["supervisor", "everybody"])
@pytest.mark.parametrize("old", [OLD, None], ids=["over a file", "to a new name"])
def test_a_server_killed_during_an_upload_keeps_what_was(
    make_server: MakeServer, kill: Callable[[Server], None], old: bytes | None
) -> None:
    """After kill -9 in the middle of a PUT the old file is there, and no remains are."""
    server = make_server(workers=2, settings=TIDY)
    with server:
        box = server.new_user("killed")
        expected = {"other.txt": b"other"} | ({"a.pdf": old} if old is not None else {})
        for name, body in expected.items():
            box.put(href(name), body)
        half = some_bytes(30 * MEGABYTE)
        with box.connect() as connection:
            connection.sendall(box.head_of_put("/a.pdf", f"Content-Length: {2 * len(half)}"))
            # More than the buffers on the way hold: when it is sent, most has been read.
            connection.sendall(half)
            kill(server)

        server.start()
        is_tree(box, "", expected)
        eventually(partial(nothing_is_left_over, server.data, box))
        box.put("/a.pdf", NEW)
        is_tree(box, "", expected | {"a.pdf": NEW})


def test_what_was_acknowledged_survives_kill_9(make_server: MakeServer) -> None:
    """Every PUT that was answered is readable after kill -9; every other is old or new."""
    server = make_server(workers=2, settings=TIDY)
    with server:
        box = server.new_user("killed")
        writers = [Writer(box, number) for number in range(4)]
        for writer in writers:
            writer.start()
        eventually(lambda: wrote_enough(writers))
        server.kill_all()
        for writer in writers:
            writer.join()

        server.start()
        found = box.tree()
        for writer in writers:
            writer.check(found)
        assert set(found) <= {name for writer in writers for name in writer.sent}
        eventually(partial(nothing_is_left_over, server.data, box))


def wrote_enough(writers: list["Writer"]) -> None:
    """See that there is something to lose."""
    assert all(len(writer.acknowledged) >= 20 for writer in writers)


class Writer(threading.Thread):
    """Writes new files, and one file again and again, until the server is gone."""

    def __init__(self, box: Dav, number: int) -> None:
        super().__init__()
        self._box = box
        self._number = number
        #: Per name: all contents that were sent, and how many were acknowledged.
        self.sent: dict[str, list[bytes]] = {}
        self.acknowledged: dict[str, int] = {}

    def run(self) -> None:
        """Write until a request fails."""
        for round_number in range(100_000):
            names = (f"w{self._number} new {round_number}.txt", f"w{self._number} again.txt")
            for name in names:
                body = some_bytes(20_000 + round_number % 7, (self._number, name, round_number))
                self.sent.setdefault(name, []).append(body)
                try:
                    self._box.put(href(name), body)
                except (OSError, HTTPException):
                    return
                self.acknowledged[name] = len(self.sent[name])

    def check(self, found: dict[str, bytes | None]) -> None:
        """See that each file is the last that was acknowledged, or one sent later."""
        for name, bodies in self.sent.items():
            acknowledged = self.acknowledged.get(name, 0)
            if acknowledged == 0:
                assert found.get(name) in (None, *bodies)
            else:
                assert found.get(name) in bodies[acknowledged - 1 :], f"{name} is torn or lost"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Make a file system of so many megabytes, which is gone after the test."""
    with ExitStack() as stack:

        def make(megabytes: int) -> Path:
            point = tmp_path / f"disk of {megabytes} MB"
            stack.enter_context(tmpfs(point, f"size={megabytes}m"))
            return point

        yield make


@pytest.mark.needs("root", "mount")
@pytest.mark.parametrize("chunked", [False, True], ids=["length known", "chunked"])
@pytest.mark.parametrize(
    ("megabytes", "reserve"), [(100, "64 MiB"), (32, "0")], ids=["reserve", "to the last byte"]
)
def test_a_full_disk_is_507_and_costs_nothing(
    make_server: MakeServer,
    small_disk: Callable[[int], Path],
    megabytes: int,
    reserve: str,
    chunked: bool,
) -> None:
    """A full disk refuses what does not fit, gives its space back, and all else goes on."""
    disk = small_disk(megabytes)
    settings = TIDY | {"DAVHOST_DISK_RESERVE": reserve}
    with make_server(data=disk / "data", settings=settings) as server:
        box = server.new_user("full")
        box.put("/old.pdf", OLD)
        box.put("/other.pdf", OLD[::-1])
        too_much = some_bytes(megabytes * MEGABYTE * 11 // 10)

        for path in ("/old.pdf", "/new.pdf"):
            body = pieces(too_much) if chunked else too_much
            answer = box.request("PUT", path, body)
            assert answer.status == 507, answer.status
            is_tree(box, "", {"old.pdf": OLD, "other.pdf": OLD[::-1]})
            eventually(partial(nothing_is_left_over, server.data, box))

        box.put("/old.pdf", NEW)
        assert box.request("DELETE", "/other.pdf").status == 204
        is_tree(box, "", {"old.pdf": NEW})
        eventually(partial(nothing_is_left_over, server.data, box))


def pieces(body: bytes) -> Iterator[bytes]:
    """Cut a body into pieces of a client's usual size."""
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


def fill(filler: Path) -> None:
    """Write until there is no byte left."""
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017  # a helper, not a test


@pytest.mark.needs("root", "mount")
def test_a_disk_that_others_filled_is_survived(
    make_server: MakeServer, small_disk: Callable[[int], Path]
) -> None:
    """With no byte left on the disk, files can be read; with room again, all goes on."""
    disk = small_disk(100)
    with make_server(data=disk / "data", settings=TIDY) as server:
        box = server.new_user("full")
        box.put("/old.pdf", OLD)
        filler = disk / "filler"
        fill(filler)

        for path in ("/old.pdf", "/new.pdf"):
            assert box.request("PUT", path, NEW).status == 507
        assert box.read("/old.pdf") == OLD
        assert set(box.members()) == {"old.pdf"}

        filler.unlink()
        box.put("/old.pdf", NEW)
        is_tree(box, "", {"old.pdf": NEW})
        assert box.request("DELETE", "/old.pdf").status == 204
        eventually(partial(nothing_is_left_over, server.data, box))
