"""Clients that are slow, silent or greedy: what they cost the server and others."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from cheroot.makefile import BufferedWriter

from davhost.server.channel import Cancellation, Channel
from tests.defects.known import defect, note
from tests.defects.target import Target
from tests.memory import MIB, Peak
from tests.server.wire import Client

# The stock server gives up on slow clients after seconds; on a busy machine the crowd
# may come together too late to hold it, which says nothing of davhost.
pytestmark = pytest.mark.flaky(reruns=4)


BODY_MIB = 60
BOUND_BYTES = 24 * MIB


def send_mebibytes(client: Client) -> None:
    """Send a large body until it is gone or the server has had enough."""
    block = bytes(MIB)
    with suppress(OSError):
        for _ in range(BODY_MIB):
            client.send(block)


def is_bounded(growth_bytes: int) -> bool:
    return growth_bytes < BOUND_BYTES


def is_a_copy_of_the_body(growth_bytes: int) -> bool:
    return growth_bytes > BODY_MIB * MIB * 3 // 4


@defect("C1", here=is_bounded, stock=is_a_copy_of_the_body)
def test_a_refused_upload_costs_no_memory(server: Target) -> object:
    """60 MiB of somebody who is not signed in."""
    peak = Peak(server.program.processes)
    with server.client() as client:
        length = f"Content-Length: {BODY_MIB * MIB}"
        client.send(server.head("PUT", server.path("a.bin"), length, account=None))
        send_mebibytes(client)
        with suppress(EOFError, OSError):
            client.reply()
        return peak.growth_bytes()


@defect("C4", here=is_bounded, stock=is_a_copy_of_the_body)
def test_a_large_chunk_costs_no_memory(server: Target) -> object:
    """It declares 1 GiB, and is never finished."""
    server.put("a.bin")
    peak = Peak(server.program.processes)
    with server.client() as client:
        coding = "Transfer-Encoding: chunked"
        client.send(server.head("PUT", server.path("a.bin"), coding) + b"40000000\r\n")
        send_mebibytes(client)
        return peak.growth_bytes()


def is_served(server: Target) -> bool:
    """Whether somebody else gets an answer soon, while the crowd is still there."""
    with server.client() as client:
        client.socket.settimeout(2)
        try:
            return client.ask(server.head("OPTIONS", "/")).status == 200
        except TimeoutError:
            return False


@contextmanager
def crowd(server: Target, data: bytes) -> Iterator[None]:
    """Thirty clients that send *data* and then nothing."""
    with ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(server.client()).send(data)
        yield


@defect("C3", here=True, stock=False)
def test_slow_headers_do_not_keep_others_out(server: Target) -> object:
    """Thirty clients have sent half a header."""
    with crowd(server, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow:"):
        return is_served(server)


@defect("C13", here=True, stock=False)
def test_stalled_uploads_do_not_keep_others_out(server: Target) -> object:
    """Thirty clients have sent half a body."""
    head = server.head("PUT", server.path("a.txt"), "Content-Length: 1000")
    with crowd(server, head + b"x" * 500):
        return is_served(server)


class Sip:
    """What takes 16 KiB at a time, and counts what was copied to be handed over."""

    def __init__(self) -> None:
        self.taken = 0
        self.copied = 0

    def write(self, data: bytes | memoryview) -> int:
        size = min(len(data), 16384)
        self.copied += 0 if isinstance(data, memoryview) else len(data)
        self.taken += size
        return size

    send = write

    def writable(self) -> bool:
        return True

    def setblocking(self, flag: bool) -> None:
        assert not flag

    closed = False


@note("C11")
def test_a_large_piece_of_an_answer_is_not_copied_again_and_again() -> None:
    """1 MiB to a client that takes 16 KiB at a time."""
    stock, here = Sip(), Sip()
    data = bytes(MIB)
    writer = BufferedWriter(stock)
    writer.write(data)
    Channel(here, Cancellation()).send_within(data, 1)  # type: ignore[arg-type]
    assert stock.taken == here.taken == MIB
    assert stock.copied > 30 * MIB
    assert here.copied == 0
