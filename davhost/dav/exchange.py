"""One request as the handlers see it, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any, NamedTuple

from .. import browsing
from ..conditions import Conditions
from ..paths import ROOT, DavPath
from ..tree import Tree
from . import headers
from .gate import DavOptions
from .kept_listings import KeptListings
from .origin import Environ, Site

Headers = tuple[tuple[str, str], ...]
StartResponse = Callable[..., Any]

#: Keys of the environ in which `front` and the authenticator leave what they found.
TARGET = "davhost.target"
PRINCIPAL = "davhost.principal"
ADDRESS = browsing.ADDRESS

XML_TYPE = "application/xml; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"

#: An answer that stays below this many bytes is finished before it is sent, so
#: that its length is known; a longer one streams, in bounded memory.
SETTLED_BYTES = 4 << 20
#: So large that the memory goes back to the system with the block: `server.worker`.
_BLOCK_CHARACTERS = 524_288


class Target(NamedTuple):
    """What a request is about.

    Args:
        raw: the path of the request target as it was sent.
        is_server: the request is ``OPTIONS *``.
    """

    site: Site
    raw: str
    path: DavPath = ROOT
    is_server: bool = False

    @property
    def has_slash(self) -> bool:
        """Whether the URL ends in a slash, so that its author means a collection."""
        return self.raw.endswith("/")

    def scoped(self, scope: DavPath) -> Target:
        """Make *scope* the root of what the request can name."""
        if not scope.names:
            return self
        path = DavPath(scope.names + self.path.names)
        return self._replace(site=self.site.scoped(scope), path=path)


class Exchange(NamedTuple):
    """A request of an authenticated principal, ready to be answered."""

    environ: Environ
    target: Target
    tree: Tree
    options: DavOptions
    listings: KeptListings

    @property
    def path(self) -> DavPath:
        """The resource that the request URI names."""
        return self.target.path

    @property
    def site(self) -> Site:
        """This server as the client knows it."""
        return self.target.site

    @property
    def conditions(self) -> Conditions:
        """Every condition that the request makes.

        Raises:
            BadRequest: one is malformed.
        """
        return headers.conditions(self.environ, self.site)

    def header(self, name: str) -> str | None:
        """Read a header field by its HTTP name."""
        value = self.environ.get("HTTP_" + name.upper().replace("-", "_"))
        return None if value is None else str(value)

    def href(self, path: DavPath, *, collection: bool) -> str:
        """Write the URL path of a resource as the client can ask for it."""
        return self.site.href(path, collection=collection)


class Response(NamedTuple):
    """An answer.

    Args:
        body: closed after sending if it can be closed.
        phrase: the reason phrase; None takes the one that is usual.
    """

    status: int
    headers: Headers = ()
    body: Iterable[bytes] = ()
    phrase: str | None = None

    @property
    def status_line(self) -> str:
        """The status code and the reason phrase."""
        return f"{self.status} {self.phrase or usual_phrase(self.status)}"

    def send(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Start the WSGI response and return its body; HEAD has none."""
        start_response(self.status_line, list(self.headers))
        if environ.get("REQUEST_METHOD") != "HEAD":
            return self.body
        close(self.body)
        return ()


Handler = Callable[[Exchange], Response]


def empty(status: int, *extra: tuple[str, str]) -> Response:
    """Answer without a body: 204 and 304 have no length either (RFC 9110 section 8.6)."""
    if status in (204, 304):
        return Response(status, extra)
    return Response(status, (("Content-Type", TEXT_TYPE), ("Content-Length", "0"), *extra))


def whole(status: int, media_type: str, body: bytes, *extra: tuple[str, str]) -> Response:
    """Answer with a body that is there already."""
    return blocks(status, media_type, (body,), *extra)


def blocks(
    status: int, media_type: str, body: Sequence[bytes], *extra: tuple[str, str]
) -> Response:
    """Answer with a body of several blocks that are there already."""
    length = str(sum(map(len, body)))
    return Response(
        status, (("Content-Type", media_type), ("Content-Length", length), *extra), body
    )


def streamed(status: int, media_type: str, pieces: Iterator[str], *extra: Any) -> Response:
    """Answer with text that is still being made; its length is told if it is not huge."""
    made = _blocks(pieces)
    ready: list[bytes] = []
    size = 0
    for block in made:
        ready.append(block)
        size += len(block)
        if size > SETTLED_BYTES:
            body = Streamed(chain(ready, made), pieces)
            return Response(status, (("Content-Type", media_type), *extra), body)
    return blocks(status, media_type, ready, *extra)


class Streamed:
    """The body of an answer that is made while it is sent."""

    def __init__(self, blocks: Iterator[bytes], source: object) -> None:
        self._blocks = blocks
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        """Make the blocks."""
        return self._blocks

    def close(self) -> None:
        """Let go of what the body was made from."""
        close(self._source)


def close(body: object) -> None:
    """Close *body* if it can be closed."""
    closing = getattr(body, "close", None)
    if closing is not None:
        closing()


#: Python's, but for one that is newer (RFC 9110 section 15.5.14).
_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {413: "Content Too Large"}


def usual_phrase(status: int) -> str:
    """The reason phrase of a status code."""
    return _PHRASES.get(status, "Unknown")


def _blocks(pieces: Iterable[str]) -> Iterator[bytes]:
    """Join small pieces of text into blocks of UTF-8."""
    waiting: list[str] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= _BLOCK_CHARACTERS:
            yield "".join(waiting).encode()
            waiting.clear()
            length = 0
    if waiting:
        yield "".join(waiting).encode()
