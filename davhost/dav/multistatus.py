"""The pieces of a multistatus as strings: fast, and always well formed.

A listing of 50,000 resources is written here, so there is no element tree.
Whatever a name holds, hrefs are percent-encoded and text is escaped, so that
one odd name never spoils the listing of its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from ..errors import DAV, Refused
from . import faults
from .escaping import attribute, text
from .exchange import XML_TYPE, Exchange, Response, usual_phrase, whole

PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'
OPENING = PROLOG + '<D:multistatus xmlns:D="DAV:">\n'
CLOSING = "</D:multistatus>\n"


def status_element(status: int) -> str:
    """Write DAV:status."""
    return f"<D:status>HTTP/1.1 {status} {usual_phrase(status)}</D:status>"


FOUND = status_element(HTTPStatus.OK)


def tags(name: str) -> tuple[str, str]:
    """Write the start and end tag of a property.

    Args:
        name: Clark notation; without namespace, the bare local name.
    """
    if name.startswith(DAV):
        local = name.removeprefix(DAV)
        return f"<D:{local}>", f"</D:{local}>"
    if not name.startswith("{"):
        return f"<{name}>", f"</{name}>"
    uri, _, local = name[1:].rpartition("}")
    return f'<n:{local} xmlns:n="{attribute(uri)}">', f"</n:{local}>"


def empty_tag(name: str) -> str:
    """Write a property without a value."""
    return tags(name)[0][:-1] + "/>"


def propstat(properties: Iterable[str], status: int, error_xml: str = "") -> str:
    """Write DAV:propstat."""
    error = f"<D:error>{error_xml}</D:error>" if error_xml else ""
    inner = "".join(properties)
    return f"<D:propstat><D:prop>{inner}</D:prop>{status_element(status)}{error}</D:propstat>"


def response(href: str, inner: str) -> str:
    """Write DAV:response; an href from `DavPath.href` needs no more escaping than ``&``."""
    return f"<D:response><D:href>{text(href)}</D:href>{inner}</D:response>\n"


def failed_members(exchange: Exchange, refused: Refused, hrefs: Sequence[str]) -> Response:
    """Answer 207: members at *hrefs* refuse, and so the request URI fails with them."""
    error = f"<D:error>{faults.condition_xml(refused, exchange.site)}</D:error>"
    own = exchange.href(exchange.path, collection=True)
    inner = status_element(refused.status) + error
    body = "".join(
        response(faults.absolute(exchange.site, href), inner) for href in hrefs
    ) + response(own, status_element(HTTPStatus.FAILED_DEPENDENCY))
    return whole(207, XML_TYPE, (OPENING + body + CLOSING).encode())
