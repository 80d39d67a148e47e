"""PUT, DELETE, MKCOL, COPY, MOVE: asked of the tree, answered by status."""

from __future__ import annotations

from .. import bodies
from ..errors import BadRequest, MethodNotAllowed
from ..paths import DavPath
from ..tree import Outcome
from . import headers, mkcol_bodies
from .dates import http_date
from .digests import digests
from .exchange import Exchange, Headers, Response, empty


def put(exchange: Exchange) -> Response:
    """PUT: replace the content of a file in one step, or make one.

    Finder's X-Expected-Entity-Length, which stands beside a chunked body, is
    not taken for the length: it is no framing, and a body that is right must
    not be refused because of it.
    """
    environ = exchange.environ
    headers.refuse_partial_content(environ)
    _refuse_slash(exchange)
    modified_us = headers.modified_us(environ)
    outcome = exchange.tree.write(
        exchange.path,
        bodies.blocks(environ, exchange.options.block_bytes),
        length=bodies.declared_length(environ),
        conditions=exchange.conditions,
        content_type=headers.media_type(environ),
        modified_us=modified_us,
        digests=digests(environ),
        asks_first=exchange.header("Expect") is not None,
    )
    resource = outcome.resource
    extra: Headers = (
        ("ETag", f'"{resource.etag}"'),
        ("Last-Modified", http_date(resource.modified_us)),
    )
    if modified_us is not None:
        # Spelled as rclone and the Nextcloud clients look for it.
        extra += (("X-OC-MTime", "accepted"),)
    return empty(201 if outcome.created else 204, *extra)


def delete(exchange: Exchange) -> Response:
    """DELETE: unbind a resource with all its members, or none of them."""
    _only_infinite(exchange)
    exchange.tree.unbind(exchange.path, conditions=exchange.conditions)
    return empty(204)


def mkcol(exchange: Exchange) -> Response:
    """MKCOL: make a collection, perhaps with properties (RFC 5689)."""
    wanted = mkcol_bodies.read(exchange)
    if wanted.refusals:
        return mkcol_bodies.refusal(exchange, wanted)
    exchange.tree.make_collection(
        exchange.path,
        updates=wanted.changes,
        modified_us=wanted.modified_us,
        conditions=exchange.conditions,
    )
    return empty(201, _location(exchange, exchange.path, collection=True))


def copy(exchange: Exchange) -> Response:
    """COPY: with all members, or with Depth 0 a collection alone (RFC 4918 section 9.8)."""
    destination = headers.destination(exchange.environ, exchange.site)
    depth = headers.depth(exchange.environ, default=None, allowed=(0, None))
    outcome = exchange.tree.copy(
        exchange.path,
        destination,
        deep=depth is None,
        overwrite=headers.overwrite(exchange.environ),
        conditions=exchange.conditions,
    )
    return _placed(exchange, destination, outcome)


def move(exchange: Exchange) -> Response:
    """MOVE: rebind a resource with all its members (RFC 4918 section 9.9)."""
    destination = headers.destination(exchange.environ, exchange.site)
    _only_infinite(exchange)
    outcome = exchange.tree.move(
        exchange.path,
        destination,
        overwrite=headers.overwrite(exchange.environ),
        conditions=exchange.conditions,
    )
    return _placed(exchange, destination, outcome)


def _placed(exchange: Exchange, destination: DavPath, outcome: Outcome) -> Response:
    if not outcome.created:
        return empty(204)
    collection = outcome.resource.is_collection
    return empty(201, _location(exchange, destination, collection=collection))


def _location(exchange: Exchange, path: DavPath, *, collection: bool) -> tuple[str, str]:
    return "Location", exchange.href(path, collection=collection)


def _only_infinite(exchange: Exchange) -> None:
    """Refuse a Depth that would leave members behind.

    On a file every depth means the same, and some clients send 0.

    Raises:
        BadRequest: a collection with another Depth than infinity (RFC 4918
            sections 9.6.1 and 9.9.2), or a value that is none.
    """
    depth = headers.depth(exchange.environ, default=None, allowed=(0, 1, None))
    if depth is not None:
        resource = exchange.tree.find(exchange.path)
        if resource is not None and resource.is_collection:
            raise BadRequest("A folder goes with all its members: Depth can only be infinity.")


def _refuse_slash(exchange: Exchange) -> None:
    """Refuse content for a URL that can only be a collection's.

    Raises:
        MethodNotAllowed: the URL ends in a slash.
    """
    if exchange.target.has_slash:
        raise MethodNotAllowed("A URL that ends in a slash is a folder's, which has no content.")
