"""PROPFIND and PROPPATCH (RFC 4918 sections 9.1 and 9.2)."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

from .. import bodies
from ..conditions import NO_CONDITIONS
from ..errors import InfiniteDepth, PropertyTooLarge, Refused
from ..tree import Revision
from . import headers, property_updates, propfind_bodies, xml_bodies
from .exchange import XML_TYPE, Exchange, Response, Streamed, blocks, empty, streamed, whole
from .kept_listings import Kept, KeptListings, LongListing
from .listings import Writer
from .live_properties import Scene
from .multistatus import CLOSING, OPENING, empty_tag, propstat, response
from .property_updates import Updates
from .propfind_bodies import EVERYTHING
from .refusals import property_propstats

#: Clients that show a drive in the file system or in a file manager.
_MOUNTS = re.compile(
    r"davfs2|gvfs|kio|Konqueror|WebDAVFS|WebDAVLib|Microsoft-WebDAV-MiniRedir|Cyberduck|WinSCP",
    re.IGNORECASE,
)

_WRITES_EVERYTHING = Writer(EVERYTHING)

#: Who writes what a body asks for.
_writers = xml_bodies.Remembered(
    lambda root: Writer(propfind_bodies.read(root)),
    lambda writer: sum(map(len, writer.wanted.names)),
)


def propfind(exchange: Exchange) -> Response:
    """PROPFIND: describe a resource, and with Depth 1 its members.

    A missing Depth means infinity, as RFC 4918 section 9.1 demands, and so is
    refused where infinity is.

    Raises:
        InfiniteDepth: unless the options allow it.
    """
    depth = headers.depth(exchange.environ, default=None, allowed=(0, 1, None))
    if depth is None and not exchange.options.propfind_infinity:
        raise InfiniteDepth("A whole tree is not listed at once: send Depth 0 or 1.")
    wishes = headers.preferences(exchange.environ) - ({headers.NO_ROOT} if depth == 0 else set())
    writer = _writer(exchange)
    token = _sync_token(exchange, writer)
    tree = exchange.tree
    key = (tree.principal, exchange.site, exchange.path, depth, writer.wanted, token, wishes)
    applied = headers.applied(wishes)
    past = depth == 1 and exchange.path.is_root and _sees_past(exchange)
    if depth == 1 and not past and exchange.conditions is NO_CONDITIONS:
        written = _find_kept(exchange, key, locks=writer.needs_locks)
        if written is not None:
            return _again(written, *applied)
    listing = tree.listing(
        exchange.path,
        depth=depth,
        dead=writer.needs_dead,
        locks=writer.needs_locks,
        past=past,
        fields=writer.fields,
        conditions=exchange.conditions,
    )
    scene = Scene(
        site=exchange.site,
        space=listing.space,
        principal=tree.principal,
        now=tree.lease_now(),
        sync_token=token,
        minimal=headers.MINIMAL in wishes,
    )
    parts = listing.take_parts(first=int(headers.NO_ROOT in wishes))
    document = writer.document(parts, scene)
    if depth == 0:
        return whole(207, XML_TYPE, "".join(document).encode(), *applied)
    answer = streamed(207, XML_TYPE, document, *applied)
    if depth == 1 and listing.revision is not None:
        return _kept(exchange.listings, key, listing.revision, answer)
    return answer


def _find_kept(
    exchange: Exchange, key: Hashable, *, locks: bool
) -> Sequence[bytes] | LongListing | None:
    """Find the body that answers *key*, if it still shows what there is."""
    kept = exchange.listings.find(key)
    if kept is None:
        return None
    if exchange.tree.is_unchanged(exchange.path, kept.revision, locks=locks):
        return kept.body
    # Before the next one is made, which may be as long.
    exchange.listings.drop(key)
    return None


def _again(written: Sequence[bytes] | LongListing, *applied: tuple[str, str]) -> Response:
    """Answer with a body that was made before."""
    if not isinstance(written, LongListing):
        return blocks(207, XML_TYPE, written, *applied)
    length = ("Content-Length", str(written.size_bytes))
    return Response(207, (("Content-Type", XML_TYPE), length, *applied), written)


def _kept(listings: KeptListings, key: Hashable, revision: Revision, answer: Response) -> Response:
    """Keep the body of *answer*, now or when it has been made to its end."""
    if isinstance(answer.body, Sequence):
        listings.keep(key, Kept(revision, answer.body))
        return answer
    noted = listings.noted(key, revision, answer.body)
    return answer._replace(body=Streamed(noted, answer.body))


def proppatch(exchange: Exchange) -> Response:
    """PROPPATCH: change all the properties that are named, or none of them.

    Some clients send a Depth header along; it means nothing here.
    """
    body = bodies.whole(exchange.environ, exchange.options.xml_body_max_bytes)
    root = xml_bodies.parse(body, depth_max=exchange.options.xml_depth_max)
    updates = property_updates.read(root)
    if updates.refusals:
        # A request for an unmapped URL fails for that reason, not for this.
        looked = exchange.tree.look(exchange.path, exchange.conditions)
        return _refused(exchange, updates, collection=looked.resource.is_collection)
    try:
        resource = exchange.tree.patch(
            exchange.path,
            updates.changes,
            modified_us=updates.modified_us,
            created_us=updates.created_us,
            conditions=exchange.conditions,
        )
    except PropertyTooLarge as refused:
        _blame_largest(updates, refused)
        return _refused(exchange, updates, collection=exchange.target.has_slash)
    wishes = headers.preferences(exchange.environ) & {headers.MINIMAL}
    if wishes:
        return empty(204, *headers.applied(wishes))
    done = propstat(map(empty_tag, updates.names), 200)
    return _multistatus(exchange, done, collection=resource.is_collection)


def _sees_past(exchange: Exchange) -> bool:
    """Whether the client is shown that there is a past to look at.

    A mounted drive can only open what its listings name; a program that
    synchronises would take the past for files of today.
    """
    shown_to = exchange.options.past_shown_to
    if shown_to != "mounts":
        return shown_to == "all"
    return _MOUNTS.search(exchange.header("User-Agent") or "") is not None


def _sync_token(exchange: Exchange, writer: Writer) -> str:
    """Find the sync-token if it is asked for.

    Read before the listing: a change in between comes again with the next
    report, which is harmless; read afterwards, it would be missed for ever.
    """
    return exchange.tree.sync_token() if writer.needs_sync_token else ""


def _writer(exchange: Exchange) -> Writer:
    body = bodies.whole(exchange.environ, exchange.options.xml_body_max_bytes)
    if not body.strip():
        return _WRITES_EVERYTHING
    return _writers.read(body, depth_max=exchange.options.xml_depth_max)


def _blame_largest(updates: Updates, refused: Refused) -> None:
    """Put a refusal for want of room on the property that needs most of it."""
    largest = max(updates.changes, key=lambda change: len(change.xml or ""))
    updates.refusals[largest.name] = refused


def _refused(exchange: Exchange, updates: Updates, *, collection: bool) -> Response:
    inner = property_propstats(updates.names, updates.refusals, exchange.site)
    return _multistatus(exchange, inner, collection=collection)


def _multistatus(exchange: Exchange, inner: str, *, collection: bool) -> Response:
    href = exchange.href(exchange.path, collection=collection)
    return whole(207, XML_TYPE, (OPENING + response(href, inner) + CLOSING).encode())
