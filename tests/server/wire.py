"""Speak HTTP byte by byte: what a careful client library would never send."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from davhost.server.http_server import HTTPServer
from davhost.server.listener import listen
from davhost.server.options import ServerOptions

WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Reply:
    """An answer as a client reads it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """A raw connection that reads exactly one answer at a time."""

    def __init__(self, port: int, *, host: str = "127.0.0.1", wrap: Any = None) -> None:
        """Connect; *wrap* turns the socket into a TLS one."""
        self.socket = socket.create_connection((host, port), timeout=WAIT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if wrap is not None:
            self.socket = wrap(self.socket)
        self._pending = bytearray()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send all of *data*."""
        self.socket.sendall(data)

    def ask(self, data: bytes, *, method: str = "GET") -> Reply:
        """Send *data* and read one answer."""
        self.send(data)
        return self.reply(method)

    def reply(self, method: str = "GET") -> Reply:
        """Read one answer, and not a byte more; ConnectionError if it is cut."""
        while b"\r\n\r\n" not in self._pending:
            self._more()
        lines = self._line_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])
        }
        status = int(lines[0].split()[1])
        return Reply(status, headers, self._body(method, status, headers))

    def rest(self) -> bytes:
        """Read until the server closes."""
        while True:
            try:
                self._more()
            except (EOFError, ConnectionResetError):
                return self._take(len(self._pending))

    def is_closed(self) -> bool:
        """Wait for the server to close; False if it sends something instead."""
        return self.rest() == b""

    def is_open(self) -> bool:
        """Tell if the connection still answers a request."""
        return self.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").status == 200

    def _body(self, method: str, status: int, headers: dict[str, str]) -> bytes:
        if method == "HEAD" or status in (100, 204, 304):
            return b""
        if headers.get("transfer-encoding") == "chunked":
            return self._chunks()
        if "content-length" in headers:
            return self._exactly(int(headers["content-length"]))
        return self.rest()

    def _chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._pending:
                self._more()
            piece = self._exactly(int(self._line_until(b"\r\n"), 16) + 2)
            if piece == b"\r\n":
                return body
            body += piece[:-2]

    def _exactly(self, size: int) -> bytes:
        while len(self._pending) < size:
            self._more()
        return self._take(size)

    def _line_until(self, end: bytes) -> bytes:
        return self._take(self._pending.index(end) + len(end)).removesuffix(end)

    def _take(self, size: int) -> bytes:
        data = bytes(self._pending[:size])
        del self._pending[:size]
        return data

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"closed after {bytes(self._pending[:1000])!r}")
        self._pending += data


@dataclass
class LiveServer:
    """A server in a thread of the test."""

    server: HTTPServer
    thread: threading.Thread
    port: int
    host: str = "127.0.0.1"
    clients: list[Client] = field(default_factory=list)

    def client(self, wrap: Any = None) -> Client:
        """Return a connected client, closed at the end of the test."""
        client = Client(self.port, host=self.host, wrap=wrap)
        self.clients.append(client)
        return client

    def exchange(self, data: bytes) -> bytes:
        """Send *data* on a new connection and read until the server closes."""
        with Client(self.port, host=self.host) as client:
            client.send(data)
            return client.rest()

    def stop(self) -> None:
        """Cut what is going on and wait for the end."""
        for client in self.clients:
            client.socket.close()
        self.server.stop()
        self.thread.join(WAIT_SECONDS)
        assert not self.thread.is_alive()


def start(app: Callable[..., Any], **options: Any) -> LiveServer:
    """Serve *app* on a free port."""
    given = ServerOptions(**{"port": 0, "threads": 4} | options)
    listener = listen(given)
    try:
        server = HTTPServer(listener, app, given)
    except BaseException:
        listener.close()
        raise
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    return LiveServer(server, thread, listener.getsockname()[1], given.host)


def until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> bool:
    """Wait until *condition* holds; False if it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def rss_bytes(pid: int | str = "self") -> int:
    """Return the resident memory of a process."""
    with open(f"/proc/{pid}/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * 4096
