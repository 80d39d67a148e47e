"""The client reads answers as HTTP/1.1 allows them to be written."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from benchmarks.client import Address, Client, UnexpectedAnswer


@contextmanager
def answering(*connections: list[bytes]) -> Iterator[Client]:
    """Talk to a server that sends these pieces on its connections, one after the other.

    It sends the next piece when something has arrived, and closes behind the last.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for pieces in connections:
                connection, _ = listener.accept()
                with connection:
                    for piece in pieces:
                        assert connection.recv(65536)
                        connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        with closing(Client(Address(listener.getsockname()[1], "ada", "secret"))) as client:
            yield client
        thread.join()


def request(client: Client, method: str = "GET") -> bytes:
    """Make any request."""
    return client.address.request(method, "/x")


def test_a_body_of_known_length_is_read_to_its_end() -> None:
    """The next answer begins where this one ends, also when both arrive at once."""
    both = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 204 No\r\n\r\n"
    with answering([both]) as client:
        first = client.ask(request(client), 200, keep=True)
        assert (first.length, first.body) == (3, b"abc")
        assert client.ask(b"", 204).length == 0


def test_chunks_are_put_together() -> None:
    """Sizes may have extensions, and chunks the bytes that end others."""
    answer = (
        b"HTTP/1.1 207 Multi-Status\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"4;x=y\r\na\r\nb\r\n0A\r\n0123456789\r\n0\r\n\r\n"
    )
    with answering([answer]) as client:
        read = client.ask(request(client), 207, keep=True)
        assert (read.length, read.body) == (14, b"a\r\nb0123456789")


def test_continue_is_no_answer() -> None:
    """A server may say that it is ready for the body before it answers."""
    answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
    with answering([answer]) as client:
        assert client.ask(request(client, "PUT"), 201).status == 201


def test_a_connection_that_the_server_ends_is_opened_again() -> None:
    """Some servers end a connection after so many requests."""
    last = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with answering([last], [last]) as client:
        client.ask(request(client), 200)
        client.ask(request(client), 200)


def test_a_wrong_status_is_told_with_the_answer() -> None:
    """A measurement of errors would look fast."""
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope"
    with (
        answering([answer]) as client,
        pytest.raises(UnexpectedAnswer, match=r"GET /x HTTP/1\.1: 403 b'nope'"),
    ):
        client.ask(request(client), 200)


def test_an_answer_that_breaks_off_is_no_answer() -> None:
    """Half a listing is not a quick one."""
    answer = b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 10\r\n\r\nhalf"
    with answering([answer]) as client, pytest.raises(UnexpectedAnswer, match="6 bytes short"):
        client.ask(request(client), 207)
