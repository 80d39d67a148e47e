"""MKCOL with properties (RFC 5689), and MKCOL with a body that is not understood."""

from __future__ import annotations

from .. import bodies
from ..errors import DAV, Forbidden, UnsupportedMedia
from . import headers, xml_bodies
from .exchange import XML_TYPE, Exchange, Response, whole
from .multistatus import PROLOG
from .property_updates import Updates, instructions, take
from .refusals import property_propstats
from .xml_bodies import Element

_XML_TYPES = ("application/xml", "text/xml")
_RESOURCE_TYPE = DAV + "resourcetype"


class UnknownResourceType(Forbidden):
    """Another kind of collection is wanted (RFC 5689 section 3.3)."""

    condition = DAV + "valid-resourcetype"


def read(exchange: Exchange) -> Updates:
    """Read what the new collection is to have; most clients send no body.

    Raises:
        UnsupportedMedia: a body that is not one of RFC 5689 (RFC 4918 section 9.3).
        BadRequest: XML that is not well formed.
    """
    body = bodies.whole(exchange.environ, exchange.options.xml_body_max_bytes)
    if not body:
        return Updates()
    media_type = (headers.media_type(exchange.environ) or "").partition(";")[0].strip().lower()
    if media_type not in _XML_TYPES:
        raise UnsupportedMedia("MKCOL takes no body, or DAV:mkcol as application/xml.")
    root = xml_bodies.parse(body, depth_max=exchange.options.xml_depth_max)
    if root.name != DAV + "mkcol":
        raise UnsupportedMedia("The body of MKCOL is a DAV:mkcol element.")
    updates = Updates()
    for element, is_set in instructions(root):
        if is_set:
            _take(updates, element)
    return updates


def _take(updates: Updates, element: Element) -> None:
    if element.name != _RESOURCE_TYPE:
        take(updates, element, is_set=True)
        return
    updates.names.append(_RESOURCE_TYPE)
    if [member.name for member in element.members] != [DAV + "collection"]:
        updates.refusals[_RESOURCE_TYPE] = UnknownResourceType("Only plain folders can be made.")


def refusal(exchange: Exchange, updates: Updates) -> Response:
    """Say which properties stand in the way (RFC 5689 section 3.2)."""
    status = next(iter(updates.refusals.values())).status
    inner = property_propstats(updates.names, updates.refusals, exchange.site)
    body = f'{PROLOG}<D:mkcol-response xmlns:D="DAV:">{inner}</D:mkcol-response>\n'
    return whole(status, XML_TYPE, body.encode())
