"""A WSGI client: the whole stack in this process, without sockets.

It checks what every WSGI answer must be while it is at it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

D = "{DAV:}"
HOST = "dav.example.org"


@dataclass(frozen=True)
class Answer:
    """What the application said."""

    status: int
    phrase: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def xml(self) -> Element:
        """The body as XML."""
        root: Element = ElementTree.fromstring(self.body)
        return root

    @property
    def conditions(self) -> set[str]:
        """The precondition codes of a DAV:error body."""
        assert self.xml.tag == D + "error", self.body
        return {member.tag for member in self.xml}

    def hrefs(self) -> list[str]:
        """The hrefs of a multistatus."""
        assert self.status == 207, (self.status, self.body)
        return [e.findtext(D + "href") or "" for e in self.xml.findall(D + "response")]

    def propstats(self, href: str) -> dict[str, tuple[int, Element]]:
        """The properties of one resource of a multistatus: status and element by name."""
        assert self.status == 207, (self.status, self.body)
        for response in self.xml.findall(D + "response"):
            if response.findtext(D + "href") == href:
                return _propstats(response)
        raise AssertionError(f"{href} is not among {self.hrefs()}")


def _propstats(response: Element) -> dict[str, tuple[int, Element]]:
    found: dict[str, tuple[int, Element]] = {}
    for propstat in response.findall(D + "propstat"):
        status = int((propstat.findtext(D + "status") or "").split()[1])
        for element in propstat.find(D + "prop") or ():
            assert element.tag not in found, f"{element.tag} is there twice"
            found[element.tag] = (status, element)
    return found


class Client:
    """One account's requests to an application.

    Args:
        app: a WSGI application.
        account: the e-mail address and the password; None to stay nobody.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], account: tuple[str, str] | None):
        self.app = app
        self.account = account

    def request(
        self,
        method: str,
        target: str,
        body: bytes | io.RawIOBase = b"",
        *,
        chunked: bool = False,
        environ: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> Answer:
        """Send a request; ``If_Match="x"`` is the header If-Match."""
        env = self.environ(method, target, body, chunked=chunked)
        for name, value in headers.items():
            key = name.upper()
            env[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        env |= environ or {}
        return self.call(env)

    def environ(
        self, method: str, target: str, body: bytes | io.RawIOBase = b"", *, chunked: bool = False
    ) -> dict[str, Any]:
        """Build the environ that the HTTP server would."""
        env: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "REQUEST_URI": target,
            "SCRIPT_NAME": "",
            "PATH_INFO": target.partition("?")[0],
            "QUERY_STRING": target.partition("?")[2],
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.7",
            "HTTP_HOST": HOST,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body) if isinstance(body, bytes) else body,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if chunked:
            env["HTTP_TRANSFER_ENCODING"] = "chunked"
        elif body:
            env["CONTENT_LENGTH"] = str(len(body)) if isinstance(body, bytes) else "1000"
        if self.account:
            token = base64.b64encode(":".join(self.account).encode()).decode()
            env["HTTP_AUTHORIZATION"] = f"Basic {token}"
        return env

    def call(self, env: dict[str, Any]) -> Answer:
        """Call the application as a server does, and check the answer's form."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> Callable[[bytes], None]:
            started.append((status, headers))
            return lambda _: None

        result = self.app(env, start_response)
        try:
            body = b"".join(result)
        finally:
            closing = getattr(result, "close", None)
            if closing:
                closing()
        assert len(started) == 1, "an application starts its answer once"
        status, headers = started[0]
        check_form(env["REQUEST_METHOD"], status, headers, body)
        code, _, phrase = status.partition(" ")
        return Answer(int(code), phrase, {k.lower(): v for k, v in headers}, body)

    # -- in short ---------------------------------------------------------

    def put(self, target: str, body: bytes = b"content", **headers: str) -> Answer:
        """Store *body*, and fail the test if it is not taken."""
        answer = self.request("PUT", target, body, **headers)
        assert answer.status in (201, 204), (answer.status, answer.body)
        return answer

    def mkcol(self, target: str) -> None:
        """Make a collection, and fail the test if it is not made."""
        answer = self.request("MKCOL", target)
        assert answer.status == 201, (answer.status, answer.body)

    def get(self, target: str, **headers: str) -> Answer:
        """Ask for *target*."""
        return self.request("GET", target, **headers)

    def propfind(self, target: str, inner: str = "", depth: str = "0", **headers: str) -> Answer:
        """Ask for properties; *inner* is what stands in DAV:propfind."""
        body = f'<D:propfind xmlns:D="DAV:">{inner}</D:propfind>'.encode() if inner else b""
        return self.request("PROPFIND", target, body, Depth=depth, **headers)

    def proppatch(self, target: str, inner: str, **headers: str) -> Answer:
        """Change properties; *inner* is what stands in DAV:propertyupdate."""
        body = f'<D:propertyupdate xmlns:D="DAV:">{inner}</D:propertyupdate>'.encode()
        return self.request("PROPPATCH", target, body, **headers)

    def lock(self, target: str, scope: str = "exclusive", **headers: str) -> Answer:
        """Ask for a write lock."""
        body = (
            f'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:{scope}/></D:lockscope>'
            "<D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>"
        )
        return self.request("LOCK", target, body.encode(), **headers)

    def token(self, target: str, **headers: str) -> str:
        """Lock *target* and return the token, without brackets."""
        answer = self.lock(target, **headers)
        assert answer.status in (200, 201), (answer.status, answer.body)
        return answer.headers["lock-token"].strip("<>")

    def names(self, target: str = "/") -> set[str]:
        """List the hrefs of the members of a collection."""
        return set(self.propfind(target, "<D:prop/>", "1").hrefs()) - {target}


def check_form(method: str, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
    """Check what holds for every answer: PEP 3333 and RFC 9110 sections 6.4 and 8.6."""
    assert type(headers) is list
    assert status[:3].isdigit(), status
    assert status[3] == " ", status
    assert status.isascii(), status
    assert status.isprintable(), status
    names = [name.lower() for name, _ in headers]
    assert len(names) == len(set(names)), names
    for name, value in headers:
        assert type(name) is str, name
        assert type(value) is str, (name, value)
        value.encode("latin-1")
        assert not any(ord(c) < 32 or ord(c) == 127 for c in name + value), (name, value)
    given = dict(zip(names, (value for _, value in headers), strict=True))
    assert given["x-content-type-options"] == "nosniff"
    assert "sandbox" in given["content-security-policy"]
    assert given["x-request-id"]
    assert "access-control-allow-origin" not in given
    if status[:3] in ("204", "304"):
        assert "content-length" not in given
        assert "content-type" not in given
        assert body == b""
    elif method == "HEAD":
        assert body == b""
    elif "content-length" in given:
        assert int(given["content-length"]) == len(body)
