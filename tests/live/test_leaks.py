"""Thousands of requests of every kind leave a worker as it was."""

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

from tests.live.client_contract import some_bytes
from tests.live.conftest import MakeServer
from tests.live.dav import Answer, Dav, KeptDav
from tests.live.server import Server
from tests.live.storage import TIDY
from tests.live.wait import eventually
from tests.memory import MIB, resident_bytes

BODY = some_bytes(100_000)
REQUESTS = 500
ROUNDS = 4

#: What allocators keep for themselves, and grow by now and then.
SLACK_BYTES = 12 * MIB


def cut_off(box: Dav) -> None:
    """Announce more than is sent, and go."""
    with box.connect() as connection:
        connection.sendall(box.head_of_put("/cut.pdf", "Content-Length: 1000000") + BODY)
        connection.shutdown(socket.SHUT_RDWR)


def read_half(box: Dav) -> None:
    """Ask for a file and go before it is there."""
    with box.connect() as connection:
        head = box.head_of_put("/a.pdf").replace(b"PUT ", b"GET ", 1)
        connection.sendall(head)
        connection.recv(1000)


def locked_and_unlocked(box: Dav) -> Answer:
    """Take a lock and give it back."""
    token = box.lock("/a.pdf").headers["Lock-Token"]
    return box.request("UNLOCK", "/a.pdf", headers={"Lock-Token": token})


MIX: list[Callable[[Dav], object]] = [
    lambda box: box.request("PUT", "/a.pdf", BODY),
    lambda box: box.request("PUT", "/b.pdf", iter([BODY, BODY])),
    lambda box: box.request("PUT", "/none/a.pdf", BODY),  # 409
    lambda box: box.request("GET", "/a.pdf"),
    lambda box: box.request("GET", "/a.pdf", headers={"Range": "bytes=5-99"}),
    lambda box: box.request("GET", "/nothing.pdf"),  # 404
    lambda box: box.request("HEAD", "/a.pdf"),
    lambda box: box.request("PROPFIND", "/", headers={"Depth": "1"}),
    lambda box: box.request("PROPFIND", "/", b"<no xml", {"Depth": "1"}),  # 400
    lambda box: box.copy("/a.pdf", "/c.pdf"),
    lambda box: box.move("/c.pdf", "/b.pdf"),
    lambda box: box.request("DELETE", "/b.pdf"),
    lambda box: box.request("MKCOL", "/d"),
    lambda box: box.request("DELETE", "/d"),
    lambda box: box.request("NONSENSE", "/"),  # 501
    locked_and_unlocked,
    cut_off,
    read_half,
]


def test_nothing_is_left_of_thousands_of_requests(make_server: MakeServer) -> None:
    """Descriptors and memory come back, however the requests end."""
    with make_server(workers=1, settings=TIDY) as server:
        box = server.new_user("leaks")
        box.put("/a.pdf", BODY)
        rng = random.Random("leaks")
        ask_often(box, rng)  # caches are filled, and pools are as large as they get
        eventually(lambda: is_idle(server))
        before_bytes = memory(server)
        descriptors = open_files(server)
        for _ in range(ROUNDS):
            ask_often(box, rng)
        eventually(lambda: is_idle(server))
        assert memory(server) - before_bytes < SLACK_BYTES
        # A pooled connection of the database is three of them.
        assert len(open_files(server)) <= len(descriptors) + 3, (open_files(server), descriptors)


def ask_often(box: Dav, rng: random.Random) -> None:
    """Send the mix, on kept connections and on new ones."""
    with KeptDav(box) as kept:
        for _ in range(REQUESTS):
            rng.choice(MIX)(rng.choice([kept, box]))


def is_idle(server: Server) -> None:
    """See that no client is connected and no upload is pending."""
    files = open_files(server)
    assert not any("/blobs/" in file or "/users/" in file for file in files), files
    assert sum(file.startswith("socket:") for file in files) <= 1, files


def open_files(server: Server) -> list[str]:
    """List what the worker has open."""
    (worker,) = server.workers()
    found = []
    for descriptor in Path(f"/proc/{worker}/fd").iterdir():
        try:
            found.append(os.readlink(descriptor))  # noqa: PTH115  # a socket is no path
        except FileNotFoundError:
            continue
    return sorted(found)


def memory(server: Server) -> int:
    """The memory of the worker."""
    (worker,) = server.workers()
    return resident_bytes(worker)
