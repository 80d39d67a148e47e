"""Request bodies stream, in bounded memory, and are whole or an error."""

import io
import itertools
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from davhost.server import BadBody, BodyStalled, IncompleteBody
from tests.server import apps
from tests.server.conftest import Serve
from tests.server.wire import rss_bytes, until

PUT = b"PUT /f HTTP/1.1\r\nHost: x\r\n"
CHUNKED = PUT + b"Transfer-Encoding: Chunked\r\n\r\n"


def length(size: int) -> bytes:
    return PUT + b"Content-Length: %d\r\n\r\n" % size


class Recorder:
    """An application that keeps what reading the body did."""

    def __init__(self) -> None:
        self.outcomes: list[Any] = []

    def __call__(self, environ: apps.Environ, start_response: Any) -> list[bytes]:
        for _ in range(2):  # the second try must not look like the end
            try:
                self.outcomes.append(environ["wsgi.input"].read())
            except Exception as error:
                self.outcomes.append(type(error))
        start_response("200 OK", [])
        return [b"recorded"]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.mark.parametrize(
    "data",
    [
        length(11) + b"hello world",
        CHUNKED + b"b\r\nhello world\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        CHUNKED + b'00B;name=value;x="y"\r\nhello world\r\n000\r\n\r\n',
        CHUNKED + b"b ; x\r\nhello world\r\n0\r\nX-Check: 1\r\nX-More: 2\r\n\r\n",
        CHUNKED + b"".join(b"1\r\n%c\r\n" % c for c in b"hello world") + b"0\r\n\r\n",
    ],
)
def test_a_body_arrives_as_it_was_sent(data: bytes, serve: Serve) -> None:
    """Whatever its framing, and the connection carries the next request."""
    client = serve(apps.echo).client()
    for _ in range(2):
        assert client.ask(data).body == b"hello world"


def test_a_body_that_comes_byte_by_byte_is_the_same(serve: Serve) -> None:
    """Segments may end anywhere in the chunked coding."""
    client = serve(apps.echo).client()
    for byte in CHUNKED + b"3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n":
        client.send(bytes([byte]))
    assert client.reply().body == b"abcde"


@pytest.mark.parametrize(
    "sent",
    [
        length(100) + b"only this",
        CHUNKED,
        CHUNKED + b"5\r\nhel",
        CHUNKED + b"5\r\nhello",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\nX: y\r\n",
    ],
)
def test_an_upload_that_is_cut_short_is_never_taken_for_a_whole_one(
    sent: bytes, serve: Serve, recorder: Recorder, quiet: None
) -> None:
    """The application gets an exception at every try, not an end of file."""
    client = serve(recorder).client()
    client.send(sent)
    client.socket.shutdown(socket.SHUT_WR)
    assert until(lambda: len(recorder.outcomes) == 2)
    assert recorder.outcomes == [IncompleteBody, IncompleteBody]


def test_an_upload_that_is_reset_is_never_taken_for_a_whole_one(
    serve: Serve, recorder: Recorder, quiet: None
) -> None:
    """A client that crashes leaves an exception, and no noise in the log."""
    client = serve(recorder).client()
    client.send(length(100) + b"only this")
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.socket.close()
    assert until(lambda: len(recorder.outcomes) == 2)
    assert recorder.outcomes == [IncompleteBody, IncompleteBody]


@pytest.mark.parametrize("sent", [length(100) + b"only this", CHUNKED + b"fff\r\nx", CHUNKED])
def test_an_upload_that_stalls_is_never_taken_for_a_whole_one(
    sent: bytes, serve: Serve, recorder: Recorder, quiet: None
) -> None:
    """The application gets an exception once the time limit is over."""
    client = serve(recorder, body_stall_timeout_seconds=0.1).client()
    client.send(sent)
    reply = client.reply()
    assert (reply.body, reply.headers["connection"]) == (b"recorded", "close")
    assert recorder.outcomes == [BodyStalled, BodyStalled]
    assert client.is_closed()


BAD_CHUNKS = {
    "no size": b"\r\n",
    "sign": b"+5\r\nhello\r\n",
    "minus": b"-5\r\nhello\r\n",
    "0x": b"0x5\r\nhello\r\n",
    "underscore": b"1_0\r\nhello\r\n",
    "space before size": b" 5\r\nhello\r\n",
    "space after size": b"5 \r\nhello\r\n",
    "bare LF after size": b"5\nhello\r\n",
    "longer than its size": b"5\r\nhello!\r\n0\r\n\r\n",
    "bare LF after data": b"5\r\nhello\n0\r\n\r\n",
    "beyond 60 bits": b"f" * 16 + b"\r\n",
    "endless size": b"0" * 10000,
    "CR in extension": b"5;a\rb\r\nhello\r\n",
    "trailer that is no header": b"0\r\nnonsense\r\n\r\n",
    "trailer with space before colon": b"0\r\nX : y\r\n\r\n",
    "endless trailers": b"0\r\n" + b"X: y\r\n" * 20000,
    "endless extensions": b"1;%b\r\nx\r\n" % (b"e" * 1000) * 100,
}


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_malformed_chunks_are_an_error(
    name: str, serve: Serve, recorder: Recorder, quiet: None
) -> None:
    """Nothing after bad framing is read as a request or as content."""
    client = serve(recorder).client()
    client.send(CHUNKED + BAD_CHUNKS[name])
    reply = client.reply()
    assert (reply.body, reply.headers["connection"]) == (b"recorded", "close")
    assert recorder.outcomes == [BadBody, BadBody]
    assert client.is_closed()


@pytest.mark.parametrize(
    ("sent", "status"), [(CHUNKED + b"nonsense\r\n", 400), (length(5) + b"x", 408)]
)
def test_an_application_need_not_know_about_bad_bodies(
    sent: bytes, status: int, serve: Serve, quiet: None
) -> None:
    """What it lets pass becomes a 4xx answer, not an error in the log."""
    client = serve(apps.echo, body_stall_timeout_seconds=0.1).client()
    assert client.ask(sent).status == status
    assert client.is_closed()


def read_parts(read: Callable[[Any], list[bytes]]) -> Callable[..., list[bytes]]:
    def app(environ: apps.Environ, start_response: Any) -> list[bytes]:
        parts = read(environ["wsgi.input"])
        start_response("200 OK", [])
        return [b"|".join(parts)]

    return app


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda b: [b.read(4), b.read(0), b.read(), b.read(), b.read(9)], b"one\n||two\nthree||"),
        (lambda b: [b.read(4), b.read(None)], b"one\n|two\nthree"),
        (lambda b: [b.read(13), b.read(13), b.read()], b"one\ntwo\nthree||"),
        (lambda b: [b.read(4), b.read(9), b.read(1)], b"one\n|two\nthree|"),
        (lambda b: [b.readline(2), b.read(11), b.read(1)], b"on|e\ntwo\nthree|"),
        (lambda b: [b.readline(), b.read(2), b.readline(), b.readline()], b"one\n|tw|o\n|three"),
        (lambda b: [b.readline(2), b.readline(9), b.readline(-1)], b"on|e\n|two\n"),
        (lambda b: list(b), b"one\n|two\n|three"),
        (lambda b: b.readlines(), b"one\n|two\n|three"),
        (lambda b: b.readlines(5), b"one\n|two\n"),
    ],
)
@pytest.mark.parametrize(
    "data",
    [length(13) + b"one\ntwo\nthree", CHUNKED + b"5\r\none\nt\r\n8\r\nwo\nthree\r\n0\r\n\r\n"],
)
def test_a_body_reads_like_a_file(
    read: Callable[[Any], list[bytes]], expected: bytes, data: bytes, serve: Serve
) -> None:
    """``read(n)`` gives n bytes unless the body ends; lines keep their LF."""
    assert serve(read_parts(read)).client().ask(data).body == expected


def test_a_chunk_of_64_gib_costs_no_memory(serve: Serve) -> None:
    """Memory follows what is read, not what is declared; cheroot keeps the chunk."""
    seen = [0]

    def app(environ: apps.Environ, start_response: Any) -> list[bytes]:
        while block := environ["wsgi.input"].read(apps.BLOCK_BYTES):
            seen[0] += len(block)
        raise AssertionError("there is no end")

    client = serve(app).client()
    client.send(CHUNKED + b"1000000000\r\n")
    client.send(bytes(apps.BLOCK_BYTES))
    assert until(lambda: seen[0] > 0)
    before = rss_bytes()
    block = bytes(2**20)
    for _ in range(200):
        client.send(block)
    assert until(lambda: seen[0] == 200 * 2**20 + apps.BLOCK_BYTES)
    assert rss_bytes() - before < 16 * 2**20
    client.socket.shutdown(socket.SHUT_WR)
    assert client.reply().status == 400


@pytest.mark.parametrize("coding", ["length", "chunks"])
def test_a_large_body_arrives_whole(coding: str, serve: Serve) -> None:
    """Blocks of any size end up in order and complete."""
    content = b"".join(b"%09d" % number for number in range(500_000))
    if coding == "length":
        data = length(len(content)) + content
    else:
        source = io.BytesIO(content)
        sizes = itertools.cycle([1, 7, 8192, 65535, 65536, 65537, 300_000])
        pieces = iter(lambda: source.read(next(sizes)), b"")
        chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
        data = CHUNKED + b"".join(chunks) + b"0\r\n\r\n"
    client = serve(apps.echo).client()
    sender = threading.Thread(target=client.send, args=(data,))
    sender.start()
    assert client.reply().body == content
    sender.join()
