"""The allow-list of an account, changed while the server runs."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from davhost.cli.common import parse_rules
from tests.live.client_contract import new_name
from tests.live.dav import Account, href
from tests.live.server import Server
from tests.samples import EXE, PDF

#: Enough that every worker has taken one.
CONNECTIONS_MAX = 200


@pytest.fixture
def account(each_server: Server) -> Account:
    """An account with the default allow-list."""
    return each_server.add_user("list", allow=None)


@pytest.fixture
def connections(each_server: Server) -> Iterator[list[http.client.HTTPConnection]]:
    """One open connection to each of the two worker processes."""
    with ExitStack() as stack:
        found: dict[int, http.client.HTTPConnection] = {}
        for _ in range(CONNECTIONS_MAX):
            connection = http.client.HTTPConnection("127.0.0.1", each_server.port, timeout=60)
            stack.callback(connection.close)
            connection.request("OPTIONS", "/")  # the answer comes from whoever took it
            connection.getresponse().read()
            found.setdefault(owner(each_server, connection), connection)
            if len(found) == 2:
                break
        assert len(found) == 2, "one worker takes every connection"
        yield list(found.values())


def owner(server: Server, connection: http.client.HTTPConnection) -> int:
    """Say which process of *server* has the other end of *connection*."""
    inode = f"socket:[{server_inode(server.port, connection.sock.getsockname()[1])}]"
    for pid in server.processes():
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if str(descriptor.readlink()) == inode:
                    return pid
            except FileNotFoundError:
                continue
    raise AssertionError("nobody has the connection")


def server_inode(port: int, client_port: int) -> str:
    """Find the socket of the server that talks to *client_port*."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        here, there = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
        if (here, there) == (port, client_port):
            return fields[9]
    raise AssertionError("the connection is closed")


def test_a_change_counts_on_the_next_request_in_every_process(
    each_server: Server, account: Account, connections: list[http.client.HTTPConnection]
) -> None:
    """Narrower, wider, everything, and back to the server's list."""
    for allow, kept in (
        ("default", {"txt", "pdf"}),
        ("*", {"txt", "pdf", "exe"}),
        ("txt", {"txt"}),
        ("default", {"txt", "pdf"}),
        ("exe", {"exe"}),
        ("*", {"txt", "pdf", "exe"}),
        ("default", {"txt", "pdf"}),
    ):
        set_allowed(each_server, account, allow)
        for connection in connections:
            for extension in ("txt", "pdf", "exe"):
                status = put(connection, account, href(f"{new_name()}.{extension}"), PDF)
                assert status == (201 if extension in kept else 403), (allow, extension)


def test_where_everything_is_allowed_nothing_is_judged(
    each_server: Server, account: Account, connections: list[http.client.HTTPConnection]
) -> None:
    """And where not, content must be what its name says, in every process."""
    for allow, status in (("default", 403), ("*", 201), ("default", 403)):
        set_allowed(each_server, account, allow)
        for connection in connections:
            assert put(connection, account, href(f"{new_name()}.pdf"), EXE) == status


def set_allowed(server: Server, account: Account, allow: str) -> None:
    """Change the list as `davhost user set` does, from a process that serves nobody."""
    with server.opened() as services:
        services.accounts.set_rules(account.email, parse_rules(allow))


def put(connection: http.client.HTTPConnection, account: Account, path: str, body: bytes) -> int:
    """PUT on an open connection; give back the status."""
    connection.request("PUT", path, body, {"Authorization": account.authorization})
    response = connection.getresponse()
    response.read()
    return response.status


def test_a_refusal_can_be_read(each_server: Server, account: Account) -> None:
    """The status line, the DAV:error body and a sentence name the rule."""
    connection = http.client.HTTPConnection("127.0.0.1", each_server.port, timeout=60)
    connection.request("PUT", "/plan.pdf", EXE, {"Authorization": account.authorization})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    assert (response.status, response.reason) == (403, "Content is not a PDF document")
    assert 'content-fits-type xmlns:h="https://davhost.example/ns"' in body
    assert "A file named .pdf must hold what its name says." in body
    listed = each_server.administer("refusals", "--user", account.email, "--json")
    assert '"path": "/plan.pdf"' in listed
