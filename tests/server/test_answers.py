"""Answers are framed so that a client cannot misread them."""

import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server import apps
from tests.server.conftest import Serve
from tests.server.wire import Client, until


def request(method: str = "GET", version: str = "1.1", *fields: str) -> bytes:
    lines = [f"{method} / HTTP/{version}", "Host: x", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer_with(status: str, headers: Any = (), body: Any = (b"body",)) -> Any:
    def app(environ: apps.Environ, start_response: Any) -> Any:
        start_response(status, list(headers))
        return iter(body)

    return app


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", "200 OK"), ("HEAD", "401 No"), ("GET", "204 No Content"), ("GET", "304 Same")],
)
def test_an_answer_without_body_has_none_whatever_the_application_yields(
    method: str, status: str, serve: Serve
) -> None:
    """Stray bytes would be read as the beginning of the next answer."""
    client = serve(answer_with(status)).client()
    for _ in range(3):
        reply = client.ask(request(method), method=method)
        assert reply.status == int(status[:3])
        assert "transfer-encoding" not in reply.headers
    client.send(request("GET", "1.1", "Connection: close"))
    assert client.rest().count(b"HTTP/1.1 ") == 1


def test_head_of_a_large_file_does_not_read_the_file(serve: Serve) -> None:
    """The iterable is closed after its first piece, with the length kept."""
    read, closed = [], threading.Event()

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            for number in range(1000):
                read.append(number)
                yield b"x" * 1000

        def close(self) -> None:
            closed.set()

    def app(environ: apps.Environ, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "1000000")])
        return Pieces()

    reply = serve(app).client().ask(request("HEAD"), method="HEAD")
    assert reply.headers["content-length"] == "1000000"
    assert closed.wait(5)
    assert read == [0]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_204_and_304_carry_no_length(status: str, serve: Serve) -> None:
    """RFC 9110 section 8.6 forbids it in 204; in 304 a zero would be wrong."""
    app = answer_with(status, [("Content-Length", "0"), ("ETag", '"a"')], [])
    reply = serve(app).client().ask(request())
    assert "content-length" not in reply.headers
    assert reply.headers["etag"] == '"a"'


def test_a_list_is_sent_with_its_length(serve: Serve) -> None:
    """Old clients can then keep their connection too."""
    client = serve(apps.hello).client()
    reply = client.ask(request("GET", "1.0", "Connection: Keep-Alive"))
    assert reply.headers["content-length"] == "5"
    assert reply.headers["connection"] == "keep-alive"
    assert client.is_open()


def test_a_stream_is_sent_in_chunks(serve: Serve) -> None:
    """A body of unknown length ends where it ends, and the connection goes on."""
    client = serve(answer_with("200 OK", [], [b"one", b"", b"two"])).client()
    reply = client.ask(request())
    assert (reply.headers["transfer-encoding"], reply.body) == ("chunked", b"onetwo")
    assert client.is_open()


def test_a_stream_ends_with_the_connection_for_an_old_client(serve: Serve) -> None:
    """HTTP/1.0 knows no chunks."""
    reply = serve(answer_with("200 OK")).client().ask(request("GET", "1.0"))
    assert reply.body == b"body"
    assert reply.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("200 OK", [("X-Name", "a\r\nSet-Cookie: b")]),
        ("200 OK", [("X-Name", "a\nb")]),
        ("200 OK", [("X-Name", "a\0b")]),
        ("200 OK", [("X-Name", "€")]),
        ("200 OK", [("X Name", "a")]),
        ("200 OK", [("X-Name\r\nY", "a")]),
        ("200 OK", [("Content-Length", "-1")]),
        ("200 OK", [("Content-Length", "1"), ("Content-Length", "2")]),
        ("200 OK\r\nX: y", []),
        ("OK", []),
        ("100 Continue", []),
    ],
)
def test_a_malformed_head_is_never_sent(
    status: str, headers: Any, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """A value with a line end would become a header of its own."""
    reply = serve(answer_with(status, headers)).client().ask(request())
    assert reply.status == 500
    assert set(reply.headers) == {
        "content-type", "content-length", "date", "server", "connection",
        "x-content-type-options", "content-security-policy", "cross-origin-resource-policy",
        "referrer-policy", "cache-control",
    }  # fmt: skip
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_no_version_is_shown(serve: Serve) -> None:
    """The Server header is a name and nothing else."""
    server = serve(apps.hello)
    assert server.client().ask(request()).headers["server"] == "davhost"
    assert b"\r\nServer: davhost\r\n" in server.exchange(b"nonsense\r\n\r\n")


def test_the_connection_belongs_to_the_server(serve: Serve) -> None:
    """An application cannot break the framing, but it can ask for a close."""
    headers = [("Transfer-Encoding", "chunked"), ("Connection", "X, Close"), ("Keep-Alive", "9")]
    client = serve(answer_with("200 OK", [*headers, ("Content-Length", "4")])).client()
    reply = client.ask(request())
    assert reply.body == b"body"
    assert reply.headers["connection"] == "close"
    assert not {"transfer-encoding", "keep-alive"} & set(reply.headers)
    assert client.is_closed()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_answer_that_breaks_off_never_looks_complete(
    version: str, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where only the close would show the end: then it is a reset."""

    def app(environ: apps.Environ, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"the first half"
        raise RuntimeError("disk on fire")

    client = serve(app).client()
    client.send(request("GET", version))
    assert b"0\r\n\r\n" not in read_until_reset(client)
    assert "disk on fire" in caplog.text


def read_until_reset(client: Client) -> bytes:
    """Return what came before the reset; an orderly close is a failure."""
    data = b""
    try:
        while piece := client.socket.recv(1000):
            data += piece
    except ConnectionResetError:
        return data
    raise AssertionError(f"looks complete: {data!r}")


@pytest.mark.parametrize("body", [[b"ab"], [b"abcd", b"e"], [b"abcdefg"]])
def test_a_body_that_breaks_its_promise_is_cut(
    body: list[bytes], serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither more nor fewer bytes than declared pass for an answer."""
    client = serve(answer_with("200 OK", [("Content-Length", "4")], body)).client()
    client.send(request() + request())
    data = read_until_reset(client)
    assert data.count(b"HTTP/1.1") <= 1
    assert data.rpartition(b"\r\n\r\n")[2] in (b"", b"ab", b"abcd")
    assert "Content-Length" in caplog.text


def raises_at_once(environ: apps.Environ, start_response: Any) -> list[bytes]:
    raise RuntimeError("secret")


def raises_at_first_piece(environ: apps.Environ, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    raise RuntimeError("secret")
    yield b""


def exits(environ: apps.Environ, start_response: Any) -> list[bytes]:
    raise SystemExit("secret")


def starts_nothing(environ: apps.Environ, start_response: Any) -> list[bytes]:
    return [b"secret"]


def starts_twice(environ: apps.Environ, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    start_response("200 OK", [])
    return [b"secret"]


def yields_text(environ: apps.Environ, start_response: Any) -> list[Any]:
    start_response("200 OK", [])
    return ["secret"]


@pytest.mark.parametrize(
    "app", [raises_at_once, raises_at_first_piece, exits, starts_nothing, starts_twice, yields_text]
)
def test_an_application_that_fails_is_a_500_without_details(
    app: Any, serve: Serve, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The client learns nothing, the log everything, and the server lives on."""
    server = serve(app)
    for _ in range(2):
        reply = server.client().ask(request())
        assert reply.status == 500
        assert b"secret" not in reply.body
    assert len(caplog.records) == 2
    assert capfd.readouterr().err == ""


def test_an_error_replaces_the_answer_that_was_begun(serve: Serve) -> None:
    """With exc_info the second start_response wins whole (PEP 3333)."""

    def app(environ: apps.Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X-First", "1")])
        try:
            raise ValueError
        except ValueError:
            import sys

            start_response("507 Full", [("X-Second", "2")], sys.exc_info())
        return [b"full"]

    reply = serve(app).client().ask(request())
    assert (reply.status, reply.body) == (507, b"full")
    assert "x-first" not in reply.headers


def test_the_write_callable_of_start_response_works(serve: Serve) -> None:
    """Old applications send through it (PEP 3333)."""

    def app(environ: apps.Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])(b"written ")
        return [b"and returned"]

    assert serve(app).client().ask(request()).body == b"written and returned"


def test_a_reader_that_takes_nothing_is_dropped(serve: Serve, quiet: None) -> None:
    """It would hold a thread for ever; the iterable is closed."""
    closed = threading.Event()

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(2**20)
        finally:
            closed.set()

    def app(environ: apps.Environ, start_response: Any) -> Any:
        start_response("200 OK", [])
        return pieces()

    client = serve(app, send_stall_timeout_seconds=0.3).client()
    client.send(request())
    assert closed.wait(20)


def test_a_reader_that_pauses_goes_on(serve: Serve) -> None:
    """A media player that stops for a while gets the rest afterwards."""
    body = [bytes(2**20)] * 30
    app = answer_with("200 OK", [("Content-Length", str(30 * 2**20))], body)
    client = serve(app, header_timeout_seconds=0.1, idle_timeout_seconds=0.1).client()
    client.send(request())
    assert not until(lambda: False, 0.5)
    assert len(client.reply().body) == 30 * 2**20


def test_a_client_that_goes_while_it_is_answered_makes_no_noise(
    serve: Serve, quiet: None, capfd: pytest.CaptureFixture[str]
) -> None:
    """A cancelled download is not an error of the server."""
    server = serve(answer_with("200 OK", [], [bytes(2**20)] * 50))
    for _ in range(5):
        client = server.client()
        client.send(request())
        client.socket.recv(10)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.socket.close()
    assert until(lambda: server.server.admission.total == 0)
    assert capfd.readouterr().err == ""
