"""TLS: who keeps others out, and who is told what went wrong."""

import dataclasses
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.defects.conftest import STALL_SECONDS
from tests.defects.known import defect
from tests.defects.target import Target, start_davhost, start_stock
from tests.server.wire import Client

pytestmark = pytest.mark.needs("openssl")

Certificate = Callable[[str], tuple[Path, Path]]


@pytest.fixture(scope="module", params=["davhost", "stock"])
def tls_server(
    request: pytest.FixtureRequest,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Target]:
    """One of the two, with a certificate."""
    chain, key = certificate("localhost")
    home = tmp_path_factory.mktemp("tls")
    if request.param == "davhost":
        names = {"DAVHOST_TLS_CERTIFICATE": str(chain), "DAVHOST_TLS_PRIVATE_KEY": str(key)}
        target = start_davhost(home, **names)
    else:
        pair = [str(chain), str(key)]
        target = start_stock(home, certificate=pair, timeout=STALL_SECONDS)
    yield dataclasses.replace(target, root=chain)
    target.program.end()


@defect("C2", here=401, stock=None)
def test_a_silent_tls_client_keeps_nobody_out(tls_server: Target) -> object:
    """Three have connected and say nothing; somebody else asks."""
    context = ssl.create_default_context(cafile=tls_server.root)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(Client(tls_server.program.port))
        client = stack.enter_context(Client(tls_server.program.port))
        client.socket.settimeout(STALL_SECONDS)
        try:
            client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
            return client.ask(tls_server.head("OPTIONS", "/", account=None)).status
        except TimeoutError:
            return None


@defect("C17", here=True, stock=False)
def test_plain_http_on_the_tls_port_is_told_so(tls_server: Target) -> object:
    """A 400 that says HTTPS, instead of a connection that breaks."""
    with Client(tls_server.program.port) as client:
        client.send(tls_server.head("OPTIONS", "/", account=None))
        answer = client.rest()
    return answer.startswith(b"HTTP/1.1 400 ") and b"HTTPS" in answer
