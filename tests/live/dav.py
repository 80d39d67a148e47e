"""A client that sends exactly what it is told: the tests' own eyes on a server.

It repairs nothing: paths go out as they are given, redirects are not followed.
Every request of a `Dav` has a connection of its own, so threads may share it.
"""

import base64
import contextlib
import http.client
import socket
import ssl
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

#: A member of a collection, as `Dav.members` and `Dav.tree` name it.
DAV = "{DAV:}"

LOCK_BODY = (
    b'<?xml version="1.0" encoding="utf-8"?><lockinfo xmlns="DAV:"><lockscope><%s/></lockscope>'
    b"<locktype><write/></locktype><owner>the tests</owner></lockinfo>"
)


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in."""

    email: str
    password: str

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{self.email}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Message
    body: bytes = field(repr=False)

    @property
    def xml(self) -> Element:
        """The body as XML."""
        root: Element = ElementTree.fromstring(self.body)
        return root


@dataclass(frozen=True)
class Member:
    """One line of a listing."""

    is_collection: bool
    size_bytes: int
    etag: str | None


def href(*segments: str) -> str:
    """Spell the URL path of a resource from the names on the way to it."""
    return "/" + "/".join(
        urllib.parse.quote(segment, safe="") for name in segments for segment in name.split("/")
    )


class Dav:
    """One account's view of the server at *host*:*port*.

    Over TLS with *authority*, the certificate by which the server's is verified.
    """

    def __init__(
        self,
        host: str,
        port: int,
        account: Account | None,
        timeout_seconds: float = 120,
        authority: Path | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.account = account
        self.authority = authority
        self._timeout_seconds = timeout_seconds

    def url(self, path: str = "/") -> str:
        """Spell the absolute URL of an already quoted *path*."""
        return f"http{'s' * self.is_encrypted}://{self.host}:{self.port}{path}"

    @property
    def is_encrypted(self) -> bool:
        """Whether the server is spoken to over TLS."""
        return self.authority is not None

    def _new_connection(self) -> http.client.HTTPConnection:
        if not self.is_encrypted:
            return http.client.HTTPConnection(self.host, self.port, timeout=self._timeout_seconds)
        context = ssl.create_default_context(cafile=self.authority)
        return http.client.HTTPSConnection(
            self.host, self.port, timeout=self._timeout_seconds, context=context
        )

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; an iterable body goes out chunked."""
        connection = self._new_connection()
        try:
            return self._ask(connection, method, path, body, headers)
        finally:
            connection.close()

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        # Said here, because http.client makes its own of a path with a host in it.
        lines = {"Host": f"{self.host}:{self.port}"}
        lines |= {"Authorization": self.account.authorization} if self.account else {}
        lines |= headers or {}
        chunked = body is not None and not isinstance(body, bytes)
        if chunked:
            lines["Transfer-Encoding"] = "chunked"
        # Outside of what follows: a reset while connecting is no refusal.
        if connection.sock is None:
            connection.connect()
        # A refusal may come, and the connection close, before the body is sent.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body, lines, encode_chunked=chunked)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Store *body*, and fail the test if the server does not take it."""
        answer = self.request("PUT", path, body, headers)
        assert answer.status in (201, 204), (answer.status, answer.body)
        return answer

    def read(self, path: str) -> bytes:
        """Read a file, and fail the test if it cannot be read."""
        answer = self.request("GET", path)
        assert answer.status == 200, (path, answer.status, answer.body[:500])
        return answer.body

    def etag(self, path: str) -> str:
        """Read the ETag of a file."""
        answer = self.request("HEAD", path)
        assert answer.status == 200, (path, answer.status)
        etag: str | None = answer.headers["ETag"]
        assert etag
        return etag

    def make_collection(self, path: str) -> None:
        """Make a collection, and fail the test if the server does not."""
        answer = self.request("MKCOL", path)
        assert answer.status == 201, (path, answer.status, answer.body)

    def move(self, source: str, destination: str, **headers: str) -> Answer:
        """Ask for a MOVE to the path *destination* of the same server."""
        return self.request(
            "MOVE", source, headers={"Destination": self.url(destination)} | headers
        )

    def copy(self, source: str, destination: str, **headers: str) -> Answer:
        """Ask for a COPY to the path *destination* of the same server."""
        return self.request(
            "COPY", source, headers={"Destination": self.url(destination)} | headers
        )

    def lock(self, path: str, scope: str = "exclusive", **headers: str) -> Answer:
        """Ask for a write lock."""
        return self.request(
            "LOCK", path, LOCK_BODY % scope.encode(), {"Timeout": "Second-600"} | headers
        )

    def members(self, path: str = "/") -> dict[str, Member]:
        """List a collection: its members by name, without the collection itself."""
        answer = self.request("PROPFIND", path, headers={"Depth": "1"})
        assert answer.status == 207, (path, answer.status, answer.body[:500])
        listed = [_member(response) for response in answer.xml.findall(f"{DAV}response")]
        own = urllib.parse.unquote(path).rstrip("/")
        found = {name[len(own) :].strip("/"): member for name, member in listed}
        assert len(found) == len(listed), f"a name is listed twice: {listed}"
        del found[""]
        return found

    def tree(self, path: str = "/") -> dict[str, bytes | None]:
        """Read everything below *path*: content by relative name, None for a collection."""
        found: dict[str, bytes | None] = {}
        for name, member in self.members(path).items():
            inner = path.rstrip("/") + href(name)
            if member.is_collection:
                found[name] = None
                found |= {f"{name}/{below}": body for below, body in self.tree(inner).items()}
            else:
                found[name] = self.read(inner)
                assert member.size_bytes == len(found[name] or b"")
        return found

    def quota_used_bytes(self) -> int:
        """Read how much of its quota the account uses."""
        return self._quota("quota-used-bytes")

    def quota_available_bytes(self) -> int:
        """Read how much of its quota the account has left."""
        return self._quota("quota-available-bytes")

    def _quota(self, name: str) -> int:
        body = f'<propfind xmlns="DAV:"><prop><{name}/></prop></propfind>'.encode()
        answer = self.request("PROPFIND", "/", body, {"Depth": "0"})
        assert answer.status == 207, (answer.status, answer.body)
        value = answer.xml.findtext(f".//{DAV}{name}")
        assert value, answer.body
        return int(value)

    def connect(self) -> socket.socket:
        """Open a bare connection, for requests that are never finished."""
        return socket.create_connection((self.host, self.port), self._timeout_seconds)

    def head_of_put(self, path: str, *lines: str) -> bytes:
        """Spell the head of a PUT, to be sent by hand."""
        assert self.account is not None
        head = [f"PUT {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        head += [f"Authorization: {self.account.authorization}", *lines, "", ""]
        return "\r\n".join(head).encode()


class KeptDav(Dav):
    """The same on one connection that is kept, as most clients do it; for one thread."""

    def __init__(self, box: Dav) -> None:
        super().__init__(box.host, box.port, box.account)
        self._connection = self._new_connection()

    def __enter__(self) -> "KeptDav":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; the connection is made again when it was closed."""
        return self._ask(self._connection, method, path, body, headers)


def _member(response: Element) -> tuple[str, Member]:
    """Read one DAV:response: the unquoted path, and what is known of the resource."""
    url = response.findtext(f"{DAV}href")
    assert url
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path, errors="strict")
    is_collection = response.find(f".//{DAV}resourcetype/{DAV}collection") is not None
    size = response.findtext(f".//{DAV}getcontentlength")
    assert is_collection or size is not None, f"{path} is a file without a length"
    return path, Member(is_collection, int(size or 0), response.findtext(f".//{DAV}getetag"))


def read_answer(connection: socket.socket) -> Answer:
    """Read the one answer that the server sends on a bare connection."""
    response = http.client.HTTPResponse(connection)
    try:
        response.begin()
        return Answer(response.status, response.headers, response.read())
    finally:
        response.close()


__all__ = ["Account", "Answer", "Dav", "KeptDav", "Member", "href", "read_answer"]
