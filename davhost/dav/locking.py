"""LOCK and UNLOCK (RFC 4918 sections 9.10 and 9.11)."""

from __future__ import annotations

from .. import bodies
from ..errors import BadRequest, LockConflict, MethodNotAllowed
from ..model import Lock, Resource
from . import headers, lock_xml, multistatus, xml_bodies
from .exchange import XML_TYPE, Exchange, Response, empty, whole

_requests = xml_bodies.Remembered(lock_xml.read, lambda wanted: len(wanted.owner_xml))


def lock(exchange: Exchange) -> Response:
    """LOCK: take a lock, or with an empty body keep one alive."""
    body = bodies.whole(exchange.environ, exchange.options.xml_body_max_bytes)
    if not body.strip():
        return _refresh(exchange)
    wanted = _requests.read(body, depth_max=exchange.options.xml_depth_max)
    depth = headers.depth(exchange.environ, default=None, allowed=(0, None))
    if exchange.target.has_slash and exchange.tree.find(exchange.path) is None:
        raise MethodNotAllowed("LOCK makes files, and a URL that ends in a slash is a folder's.")
    try:
        locking = exchange.tree.lock(
            exchange.path,
            exclusive=wanted.exclusive,
            infinite=depth is None,
            owner_xml=wanted.owner_xml,
            timeout_seconds=headers.timeout_seconds(exchange.environ),
            conditions=exchange.conditions,
        )
    except LockConflict as refused:
        return _conflict(exchange, refused)
    status = 201 if locking.created else 200
    token = ("Lock-Token", f"<{locking.lock.token}>")
    return _granted(exchange, locking.lock, locking.resource, status, token)


def unlock(exchange: Exchange) -> Response:
    """UNLOCK: give a lock back."""
    token = headers.lock_token(exchange.environ)
    exchange.tree.unlock(exchange.path, token, conditions=exchange.conditions)
    return empty(204)


def _refresh(exchange: Exchange) -> Response:
    if not exchange.conditions.tokens:
        raise BadRequest("LOCK without a body renews a lock, whose token comes in an If header.")
    renewed = exchange.tree.refresh(
        exchange.path,
        timeout_seconds=headers.timeout_seconds(exchange.environ),
        conditions=exchange.conditions,
    )
    return _granted(exchange, renewed, exchange.tree.find(exchange.path), 200)


def _granted(
    exchange: Exchange, lock: Lock, resource: Resource | None, status: int, *extra: tuple[str, str]
) -> Response:
    is_collection = lock.path != exchange.path or (resource is not None and resource.is_collection)
    active = lock_xml.active_lock(
        lock,
        root_href=exchange.href(lock.path, collection=is_collection),
        show_token=True,
        now=exchange.tree.lease_now(),
    )
    body = (
        f'{multistatus.PROLOG}<D:prop xmlns:D="DAV:">'
        f"<D:lockdiscovery>{active}</D:lockdiscovery></D:prop>\n"
    )
    return whole(status, XML_TYPE, body.encode(), *extra)


def _conflict(exchange: Exchange, refused: LockConflict) -> Response:
    """Answer a lock that another one stands against.

    A conflict on a member of the collection to be locked is told by a
    multistatus that names the member (RFC 4918 section 9.10.3).
    """
    below = exchange.path.href(collection=True)
    members = [href for href in refused.hrefs if href.startswith(below) and href != below]
    if not members or len(members) != len(refused.hrefs):
        raise refused
    return multistatus.failed_members(exchange, refused, members)
