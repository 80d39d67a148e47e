"""A folder of thousands, listed again and again through a socket: the same to the last byte."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from davhost.paths import DavPath
from tests.live.conftest import MakeServer
from tests.live.dav import Answer, Dav
from tests.live.server import Server
from tests.live.wait import eventually

#: With names of this length a listing of everything is more than 4 MiB long.
NAMES = [f"{'ü' * 100} {number}" for number in range(4000)]

ALL = b'<propfind xmlns="DAV:"><allprop/></propfind>'


def fill(server: Server, box: Dav) -> None:
    """Make the folders; in this process, which is sooner done."""
    assert box.account is not None
    with server.opened() as services:
        tree = services.tree_of(services.accounts.principal(box.account.email))
        for name in NAMES:
            tree.make_collection(DavPath.of(name))


def listing(box: Dav) -> Answer:
    """Ask for everything."""
    return box.request("PROPFIND", "/", ALL, {"Depth": "1"})


def go_in_the_middle(box: Dav) -> None:
    """Ask, read a little, and go."""
    assert box.account is not None
    head = f"PROPFIND / HTTP/1.1\r\nHost: x\r\nAuthorization: {box.account.authorization}\r\n"
    with socket.create_connection(("127.0.0.1", box.port)) as connection:
        connection.sendall(f"{head}Depth: 1\r\nContent-Length: {len(ALL)}\r\n\r\n".encode() + ALL)
        assert connection.recv(1000).startswith(b"HTTP/1.1 207")


def temporary_files(server: Server) -> int:
    """Count the files without a name that its worker holds."""
    (worker,) = server.workers()
    links = [str(link.readlink()) for link in Path(f"/proc/{worker}/fd").iterdir()]
    return sum(link.startswith("/tmp/") and "deleted" in link for link in links)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_long_listing_is_whole_every_time(make_server: MakeServer, *, encrypted: bool) -> None:
    """Made, kept, asked for by several at once, left in the middle, and out of date."""
    server: Server = make_server(
        settings={"DAVHOST_DURABILITY": "fast", "TMPDIR": "/tmp"}, workers=1
    )
    if encrypted:
        server.administer("tls", "init")
    with server:
        box = server.new_user("long")
        fill(server, box)
        first = listing(box)
        assert first.status == 207
        assert len(first.body) > 4 << 20
        assert sum(member.tag == "{DAV:}response" for member in first.xml) == len(NAMES) + 1
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: listing(box), range(8)))
        for again in answers:
            assert again.body == first.body
            assert again.headers["Content-Length"] == str(len(first.body))
        assert temporary_files(server) == 1
        if not encrypted:
            go_in_the_middle(box)
        assert box.request("MKCOL", "/new").status == 201
        changed = listing(box)
        assert b"/new/" in changed.body
        assert listing(box).body == changed.body
        eventually(lambda: _holds_one(server))


def _holds_one(server: Server) -> None:
    assert temporary_files(server) == 1
