"""Bodies that are pieces of files are sent without being read, and never look complete in vain."""

import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server import apps
from tests.server.conftest import Serve
from tests.server.wire import until

CONTENT = os.urandom(3 << 20)
LONG_BYTES = 64 << 20  # more than the kernel holds for a client
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Pieces:
    """A head, two pieces of a file, and a tail."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._file = path.open("rb")
        self._size_bytes = size_bytes
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        """Fail: the server must not need it."""
        raise AssertionError("the file was read")

    def send_through(self, write: Any, send_file: Any) -> None:
        """Send all."""
        write(b"head")
        send_file(self._file.fileno(), 0, 10)
        send_file(self._file.fileno(), 10, self._size_bytes - 10)
        write(b"tail")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self.is_closed = True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of three megabytes."""
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def sending(
    path: Path, made: list[Pieces], *, size_bytes: int = len(CONTENT), length: str | None = None
) -> Any:
    """Make an application that answers with the file.

    Args:
        length: what it declares, if not the right length; empty for nothing.
    """
    if length is None:
        length = str(size_bytes + 8)

    def app(environ: apps.Environ, start_response: Any) -> Pieces:
        start_response("200 OK", [("Content-Length", length)] if length else [])
        made.append(Pieces(path, size_bytes))
        return made[-1]

    return app


def test_all_pieces_arrive_in_order(serve: Serve, path: Path) -> None:
    """Again and again on one connection; the body is closed each time."""
    made: list[Pieces] = []
    client = serve(sending(path, made)).client()
    for _ in range(3):
        assert client.ask(GET).body == b"head" + CONTENT + b"tail"
    assert until(lambda: all(body.is_closed for body in made))


def test_all_pieces_arrive_over_tls(
    serve: Serve,
    path: Path,
    certificate: Callable[[str], tuple[Path, Path]],
) -> None:
    """There they must be read, to be encrypted."""
    chain, key = certificate("localhost")
    context = ssl.create_default_context(cafile=chain)
    server = serve(sending(path, []), certificate_path=chain, private_key_path=key)
    client = server.client(lambda sock: context.wrap_socket(sock, server_hostname="localhost"))
    assert client.ask(GET).body == b"head" + CONTENT + b"tail"
    assert client.ask(GET).body == b"head" + CONTENT + b"tail"


def test_head_gets_the_length_and_nothing_of_the_file(serve: Serve, path: Path) -> None:
    """What would follow would be taken for the next answer."""
    client = serve(sending(path, [])).client()
    for _ in range(2):
        reply = client.ask(GET.replace(b"GET", b"HEAD"), method="HEAD")
        assert reply.headers["content-length"] == str(len(CONTENT) + 8)
    assert client.ask(GET).body == b"head" + CONTENT + b"tail"


@pytest.mark.usefixtures("caplog")
def test_a_file_that_is_shorter_breaks_the_answer_off(serve: Serve, path: Path) -> None:
    """The client must not take half a file for a whole one."""
    made: list[Pieces] = []
    client = serve(sending(path, made)).client()
    os.truncate(path, 1 << 20)
    with pytest.raises((EOFError, ConnectionError)):
        client.ask(GET)
    assert until(lambda: made[0].is_closed)


@pytest.mark.usefixtures("caplog")
@pytest.mark.parametrize("length", ["", "4", "100"])
def test_what_does_not_fit_its_length_is_not_sent(serve: Serve, path: Path, length: str) -> None:
    """Without a length, or with one that is too short, there is no framing."""
    client = serve(sending(path, [], length=length)).client()
    client.send(GET)
    assert len(client.rest()) < 1000


def test_a_client_that_stops_reading_is_cut(serve: Serve, path: Path) -> None:
    """The thread is free again, and the file is closed."""
    os.truncate(path, LONG_BYTES)
    made: list[Pieces] = []
    app = sending(path, made, size_bytes=LONG_BYTES)
    client = serve(app, send_stall_timeout_seconds=0.3).client()
    client.send(GET)
    assert until(lambda: made and made[0].is_closed)
    with pytest.raises((EOFError, ConnectionError)):
        client.reply()


def test_a_client_that_pauses_gets_everything(serve: Serve, path: Path) -> None:
    """The limit is for each byte, not for the whole file."""
    os.truncate(path, LONG_BYTES)
    app = sending(path, [], size_bytes=LONG_BYTES)
    client = serve(app, header_timeout_seconds=0.1, idle_timeout_seconds=0.1).client()
    client.send(GET)
    assert not until(lambda: False, 0.5)
    assert len(client.reply().body) == LONG_BYTES + 8


class Nothing:
    """A body that is empty after all."""

    def __iter__(self) -> Iterator[bytes]:
        """Fail: it is sent by itself."""
        raise AssertionError("it was iterated over")

    def send_through(self, write: Any, send_file: Any) -> None:
        """Send nothing."""


@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
def test_a_body_that_sends_nothing_is_an_answer_all_the_same(status: str, serve: Serve) -> None:
    """Its head goes out, and the connection goes on."""

    def app(environ: apps.Environ, start_response: Any) -> Nothing:
        start_response(status, [] if status.startswith("204") else [("Content-Length", "0")])
        return Nothing()

    client = serve(app).client()
    for _ in range(2):
        reply = client.ask(GET)
        assert (reply.status, reply.body) == (int(status[:3]), b"")
