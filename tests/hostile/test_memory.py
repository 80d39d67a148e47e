"""No request costs more than 64 MiB of memory, whatever it declares or sends."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.defects.target import ANN, Target
from tests.live.dav import Account
from tests.memory import MIB, Peak

#: The promise, and what a process needs to breathe.
BOUND_BYTES = (64 + 16) * MIB
BLOCK = bytes(MIB)

Pieces = Iterator[bytes]


def wrong_password(server: Target) -> Pieces:
    stranger = Account(ANN.email, "wrong")
    head = server.head(
        "PUT", server.path("a.bin"), f"Content-Length: {150 * MIB}", account=stranger
    )
    yield head
    yield from [BLOCK] * 150


def endless_chunk(server: Target) -> Pieces:
    yield server.head("PUT", server.path("a.bin"), "Transfer-Encoding: chunked")
    yield b"1000000000\r\n"
    yield from [BLOCK] * 150


def trickle(server: Target) -> Pieces:
    """One byte in each segment, and in each chunk."""
    yield server.head("PUT", server.path("a.bin"), "Transfer-Encoding: chunked")
    yield from [b"1\r\nx\r\n"] * 20_000


def long_header(server: Target) -> Pieces:
    yield server.head("GET", "/")[:-2] + b"X-Long: "
    yield from [b"a" * MIB] * 200


def many_headers(server: Target) -> Pieces:
    yield server.head("GET", "/")[:-2]
    yield from [b"X: y\r\n" * 10_000] * 1000


def xml(server: Target, body: bytes, method: str = "PROPFIND", *lines: str) -> Pieces:
    yield server.head(method, server.path(""), f"Content-Length: {len(body)}", "Depth: 0", *lines)
    yield body


def bomb(server: Target) -> Pieces:
    """A billion laughs."""
    entities = b'<!ENTITY a "ha">'
    for outer, inner in zip(b"bcdefghij", b"abcdefghi", strict=True):
        entities += b'<!ENTITY %c "%b">' % (outer, b"&%c;" % inner * 10)
    return xml(server, b"<!DOCTYPE x [" + entities + b"]><x>&j;</x>")


def deep_xml(server: Target) -> Pieces:
    return xml(server, b"<a>" * 340_000)


def wide_xml(server: Target) -> Pieces:
    return xml(server, b'<propfind xmlns="DAV:">' + b"<a/>" * 250_000 + b"</propfind>")


def many_prefixes(server: Target) -> Pieces:
    """Each element inherits all of them."""
    prefixes = b" ".join(b'xmlns:a%d="u"' % number for number in range(9000))
    inner = b'<set><prop><x xmlns:z="u"/></prop></set>' * 9000
    body = b'<propertyupdate xmlns="DAV:" %b>%b</propertyupdate>' % (prefixes, inner)
    return xml(server, body, "PROPPATCH")


def many_attributes(server: Target) -> Pieces:
    attributes = b" ".join(b'a%d=""' % number for number in range(90_000))
    return xml(server, b"<x %b/>" % attributes)


def long_xml(server: Target) -> Pieces:
    yield server.head("PROPFIND", "/", f"Content-Length: {100 * MIB}", "Depth: 0")
    yield from [b" " * MIB] * 100


def long_chunked_xml(server: Target) -> Pieces:
    yield server.head("LOCK", server.path("a"), "Transfer-Encoding: chunked")
    yield from [b"100000\r\n" + b" " * MIB + b"\r\n"] * 100


def many_ranges(server: Target) -> Pieces:
    server.put("r.bin", bytes(5 * MIB))
    ranges = ",".join(f"{number * 500}-" for number in range(8000))
    yield server.head("GET", server.path("r.bin"), f"Range: bytes={ranges}")


def many_states(server: Target) -> Pieces:
    yield server.head("PUT", server.path("a.txt"), "If: " + '(["x"])' * 9000)


HOSTILE: list[Callable[[Target], Pieces]] = [
    wrong_password, endless_chunk, trickle, long_header, many_headers, bomb, deep_xml, wide_xml,
    many_prefixes, many_attributes, long_xml, long_chunked_xml, many_ranges, many_states,
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.__name__)
def test_a_hostile_request_costs_a_bounded_amount_of_memory(
    hostile: Callable[[Target], Pieces], server: Target
) -> None:
    """It is refused or read in pieces; whoever asks next is served."""
    assert server.names() == set()
    peak = Peak(server.program.processes)
    with server.client() as client:
        with suppress(OSError):
            for piece in hostile(server):
                client.send(piece)
        with suppress(OSError, EOFError):
            client.socket.shutdown(1)
            client.rest()
    assert peak.growth_bytes() < BOUND_BYTES
    assert server.request("OPTIONS", "").status == 200
