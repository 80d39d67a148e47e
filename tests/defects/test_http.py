"""HTTP on the wire: one request is one request, one answer is one answer."""

from typing import Any

import pytest

from tests.defects.known import defect, note
from tests.defects.target import Stock, Target
from tests.server.conftest import Serve
from tests.server.wire import Client, Reply


def statuses(client: Client, data: bytes, count: int) -> list[int]:
    """Send *data* and read up to *count* answers, fewer if the server closes."""
    client.send(data)
    found: list[int] = []
    try:
        while len(found) < count:
            found.append(client.reply().status)
    except (EOFError, OSError):
        pass
    return found


AMBIGUOUS = {
    "a length of 1_0": b"Content-Length: 1_0\r\n",
    "a length of +10": b"Content-Length: +10\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 10\r\n",
    "a length and chunks": b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n",
    "a space before the colon": b"Content-Length : 10\r\n",
}


@pytest.mark.parametrize("kind", AMBIGUOUS)
@defect("C5", here=400, stock=lambda seen: seen != 400)
def test_a_length_that_can_be_read_in_two_ways_is_refused(server: Target, kind: str) -> object:
    """Or a proxy in front reads it the other way, and a request is smuggled."""
    head = server.head("PUT", server.path("a.txt"))[:-2] + AMBIGUOUS[kind] + b"\r\n"
    body = b"5\r\nhello\r\n0\r\n\r\n" if b"chunked" in head else b"0123456789"
    return server.ask(head + body).status


@defect("C5", here=400, stock=lambda seen: seen != 400)
def test_a_request_without_host_is_refused(server: Target) -> object:
    """HTTP/1.1 asks for it."""
    lines = server.head("GET", "/").split(b"\r\n")
    return server.ask(b"\r\n".join(x for x in lines if not x.startswith(b"Host"))).status


@defect("C6", here=[401], stock=[401, 400])
def test_a_body_that_nobody_read_is_not_the_next_request(server: Target) -> object:
    """A chunked upload of somebody who is not signed in."""
    head = server.head("PUT", "/a.txt", "Transfer-Encoding: chunked", account=None)
    with server.client() as client:
        return statuses(client, head + b"5\r\nhello\r\n0\r\n\r\n" + server.head("GET", "/"), 2)


@defect("C7", here=b"", stock=lambda seen: len(seen) > 20)
def test_an_answer_to_head_has_no_body(server: Target) -> object:
    """What comes after its header would be taken for the next answer."""
    with server.client() as client:
        client.ask(server.head("HEAD", "/", account=None), method="HEAD")
        client.socket.settimeout(1)
        try:
            return client.socket.recv(1000) or bytes(client._pending)
        except TimeoutError:
            return bytes(client._pending)


@defect("C8", here=401, stock=100)
def test_nobody_is_invited_to_upload_before_signing_in(server: Target) -> object:
    """The first thing that a client with Expect: 100-continue hears is the question who it is."""
    lines = ("Content-Length: 600000000", "Expect: 100-continue")
    return server.ask(server.head("PUT", server.path("a.txt"), *lines, account=None)).status


@defect("C9", here=431, stock=lambda seen: seen < 400)
def test_a_header_of_a_megabyte_is_refused(server: Target) -> object:
    """Nobody reads it into memory first."""
    return server.ask(server.head("OPTIONS", "/", "X-Long: " + "a" * 1_000_000)).status


@defect("C10", here=0, stock=lambda seen: seen > 0)
def test_twenty_idle_clients_are_all_kept(server: Target) -> object:
    """None is told to close, in two rounds of questions."""
    clients = [server.client() for _ in range(20)]
    try:
        head = server.head("OPTIONS", "/")
        replies: list[Reply] = []
        for client in clients * 2:
            try:
                replies.append(client.ask(head))
            except (EOFError, OSError):
                replies.append(Reply(0, {"connection": "close"}, b""))
        return sum(reply.headers.get("connection") == "close" for reply in replies)
    finally:
        for client in clients:
            client.socket.close()


@defect("C15", here=[201, 200], stock=[201, 400])
def test_trailers_after_an_upload_are_not_the_next_request(server: Target) -> object:
    """A client that sends a checksum after a chunked body goes on with its connection."""
    head = server.head("PUT", server.path("a.txt"), "Transfer-Encoding: chunked")
    body = b"5\r\nhello\r\n0\r\nX-Checksum: abc\r\n\r\n"
    with server.client() as client:
        return statuses(client, head + body + server.head("OPTIONS", "/"), 2)


@note("C16")
def test_a_line_end_in_a_header_value_is_no_new_header(serve: Serve, tmp_path: Any) -> None:
    """The application of both servers answers with one; only the stock one sends it."""
    from tests.defects.stock import hello

    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    stock = Stock(tmp_path)
    stock.start()
    try:
        with Client(stock.port) as client:
            assert client.ask(request).headers["set-cookie"] == "b"
    finally:
        stock.end()
    reply = serve(hello).client().ask(request)
    assert reply.status == 500
    assert "set-cookie" not in reply.headers
