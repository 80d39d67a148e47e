"""Where the server listens, and the URL it shows for that."""

import resource
import socket
from typing import Any

import pytest

from davhost.server.admission import client_network, unmap
from davhost.server.listener import listen, raise_descriptor_limit, url_of
from davhost.server.options import ServerOptions
from tests.server import apps
from tests.server.conftest import Serve
from tests.server.wire import Client


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("localhost", "localhost"),
        pytest.param("::1", "[::1]", marks=needs_ipv6),
        pytest.param("::", "localhost", marks=needs_ipv6),
    ],
)
def test_the_url_can_be_opened_on_this_machine(host: str, shown: str) -> None:
    """It carries the real port, and IPv6 addresses in brackets."""
    options = ServerOptions(host=host, port=0)
    with listen(options) as listener:
        assert url_of(listener, options) == f"http://{shown}:{listener.getsockname()[1]}/"


def test_the_url_says_https_with_a_certificate(tmp_path: Any) -> None:
    """A client that is shown http would get a 400."""
    options = ServerOptions(port=0, certificate_path=tmp_path / "c.pem")
    with listen(options) as listener:
        assert url_of(listener, options).startswith("https://127.0.0.1:")


@needs_ipv6
def test_ipv6_clients_are_served(serve: Serve) -> None:
    """Their address arrives as they know it."""
    client = serve(apps.echo_environ, host="::1").client()
    body = client.ask(b"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n").body.decode()
    assert "REMOTE_ADDR=::1\n" in body


@needs_ipv6
def test_all_addresses_means_both_kinds(serve: Serve) -> None:
    """On ``::`` an IPv4 client is served, and seen under its IPv4 address."""
    server = serve(apps.echo_environ, host="::")
    with Client(server.port, host="127.0.0.1") as client:
        body = client.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").body.decode()
    assert "REMOTE_ADDR=127.0.0.1\n" in body


def test_a_port_that_is_taken_is_an_error() -> None:
    """Two servers do not share a port by accident."""
    with listen(ServerOptions(port=0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            listen(ServerOptions(port=port))


def test_an_unknown_host_is_an_error() -> None:
    """The name is in the message of the resolver."""
    with pytest.raises(OSError):
        listen(ServerOptions(host="no-such-host.invalid", port=0))


def test_the_descriptor_limit_is_raised() -> None:
    """1,024 open files are too few for a thousand clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 1 << 20)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", client_network("2001:db8:1:2::1")),
        ("fe80::1%eth0", client_network("fe80::2")),
    ],
)
def test_an_ipv6_network_counts_as_one_client(address: str, network: str) -> None:
    """A household has 2**64 addresses, but only one limit."""
    assert client_network(address) == network


def test_an_ipv4_address_in_ipv6_clothes_is_ipv4() -> None:
    """Logs and limits see one address for one client."""
    assert unmap("::ffff:192.0.2.1") == "192.0.2.1"
    assert unmap("::1") == "::1"
