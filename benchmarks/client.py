"""The client of the loads: one keep-alive connection on a raw socket.

It does as little as it can, because it runs on the same processors as the
server: requests are made once as bytes, an answer is read to its end and only
its status and length are looked at.
"""

import base64
import socket
from collections.abc import Iterable
from dataclasses import dataclass

_BLOCK_BYTES = 1 << 20
#: How long to wait for a server that says nothing.
PATIENCE_SECONDS = 120.0


class UnexpectedAnswer(Exception):
    """The server answered otherwise than the workload needs."""


@dataclass(frozen=True)
class Address:
    """Where a server is, and the account that the loads use."""

    port: int
    user: str
    password: str

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        length: int | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> bytes:
        """Make the bytes of a request.

        Args:
            path: as it stands in the request line.
            length: of the content in bytes, when it is sent afterwards.
        """
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Basic {token}",
            f"Content-Length: {len(body) if length is None else length}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def url(self, path: str) -> str:
        """Give the address of *path*, as Destination needs it."""
        return f"http://127.0.0.1:{self.port}{path}"


@dataclass(frozen=True)
class Answer:
    """What came back; the body only where it was asked for."""

    status: int
    headers: dict[bytes, bytes]
    length: int
    body: bytes


class Client:
    """One connection, opened again when the server has closed it."""

    def __init__(self, address: Address, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.address = address
        self._patience_seconds = patience_seconds
        self._socket: socket.socket | None = None
        self._data = b""
        self._at = 0
        self._block = bytearray(_BLOCK_BYTES)

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._data = b""
        self._at = 0

    def connect(self) -> socket.socket:
        """Open the connection, if it is not open."""
        if self._socket is None:
            self._socket = socket.create_connection(
                ("127.0.0.1", self.address.port), timeout=self._patience_seconds
            )
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def ask(
        self,
        request: bytes,
        *expected: int,
        content: Iterable[bytes | memoryview] = (),
        keep: bool = False,
    ) -> Answer:
        """Send a request and read its answer to the end.

        Args:
            expected: the statuses that are right; none for any.
            content: blocks to send behind the request.
            keep: whether the body is wanted.

        Raises:
            UnexpectedAnswer: the status is none of *expected*, or no answer came.
        """
        connection = self.connect()
        connection.sendall(request)
        for block in content:
            connection.sendall(block)
        answer = self._answer(connection, request, keep=keep)
        if expected and answer.status not in expected:
            line = request.split(b"\r\n", 1)[0].decode()
            raise UnexpectedAnswer(f"{line}: {answer.status} {answer.body[:300]!r}")
        return answer

    def _answer(self, connection: socket.socket, request: bytes, *, keep: bool) -> Answer:
        head = self._head(connection)
        lines = head.split(b"\r\n")
        status = int(lines[0][9:12])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        body: list[bytes] | None = [] if keep or status >= 400 else None
        if status in (204, 304) or request.startswith(b"HEAD "):
            length = 0
        elif headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            length = self._chunks(connection, body)
        elif b"content-length" in headers:
            length = int(headers[b"content-length"])
            self._exactly(connection, length, body)
        else:
            raise UnexpectedAnswer(f"an answer without a length: {head!r}")
        if headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return Answer(status, headers, length, b"".join(body or ()))

    def _receive(self, connection: socket.socket) -> None:
        """Add what has arrived to what is not yet read."""
        count = connection.recv_into(self._block)
        if not count:
            self.close()
            raise UnexpectedAnswer("the server closed the connection instead of answering")
        self._data = self._data[self._at :] + memoryview(self._block)[:count]
        self._at = 0

    def _until(self, connection: socket.socket, end: bytes) -> bytes:
        """Read up to *end*, which is left out."""
        while (found := self._data.find(end, self._at)) < 0:
            self._receive(connection)
        text = self._data[self._at : found]
        self._at = found + len(end)
        return text

    def _head(self, connection: socket.socket) -> bytes:
        """Read the head of the final answer; 100 (Continue) is passed over."""
        while (head := self._until(connection, b"\r\n\r\n")).startswith(b"HTTP/1.1 1"):
            pass
        return head

    def _exactly(self, connection: socket.socket, length: int, body: list[bytes] | None) -> None:
        """Read *length* bytes of a body."""
        taken = min(length, len(self._data) - self._at)
        if body is not None:
            body.append(self._data[self._at : self._at + taken])
        self._at += taken
        left = length - taken
        while left:
            view = memoryview(self._block)[: min(left, _BLOCK_BYTES)]
            count = connection.recv_into(view)
            if not count:
                raise UnexpectedAnswer(f"an answer that is {left} bytes short")
            if body is not None:
                body.append(bytes(view[:count]))
            left -= count

    def _chunks(self, connection: socket.socket, body: list[bytes] | None) -> int:
        """Read a body in chunks; give its length."""
        total = 0
        while size := int(self._until(connection, b"\r\n").split(b";")[0], 16):
            self._exactly(connection, size, body)
            self._until(connection, b"\r\n")
            total += size
        self._until(connection, b"\r\n")
        return total
