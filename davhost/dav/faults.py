"""Refusals as answers: the one translator of `davhost.errors` into HTTP.

Nothing of the inside may show: a refusal says what its author wrote for
people, anything else says only a request id, under which the log has it all.
"""

from __future__ import annotations

from ..errors import DAV, NotSignedIn, RangeNotSatisfiable, Refused
from ..paths import DavPath
from .escaping import phrase, text
from .exchange import XML_TYPE, Response, usual_phrase
from .exchange import whole as whole_response
from .origin import Site

NAMESPACE = "https://davhost.example/ns"

_PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'


def answer(
    refused: Refused, site: Site, realm: str, *extra: tuple[str, str], asks: bool = True
) -> Response:
    """Answer a refusal with its status, its condition and a sentence for people.

    Args:
        asks: whether a browser may ask for a password when one is missing; a
            page that waits for the answer sends people to its sign-in.
    """
    body = (_PROLOG + error_xml(refused, site)).encode()
    headers = [("Cache-Control", "no-store"), *extra, *_headers(refused, realm, asks=asks)]
    response = whole_response(refused.status, XML_TYPE, body, *headers)
    line = phrase(refused.phrase, usual_phrase(refused.status))
    return Response(response.status, response.headers, response.body, line)


def unexpected(request_id: str) -> Response:
    """Answer for an error that nobody foresaw."""
    sentence = f"The server failed here. Its log says more under {request_id}."
    body = f'{_PROLOG}<D:error xmlns:D="DAV:">{_message(sentence)}</D:error>'
    return whole_response(500, XML_TYPE, body.encode(), ("Cache-Control", "no-store"))


def error_xml(refused: Refused, site: Site) -> str:
    """Write the DAV:error element (RFC 4918 section 14.5)."""
    sentence = refused.sentence or refused.phrase
    return f'<D:error xmlns:D="DAV:">{condition_xml(refused, site)}{_message(sentence)}</D:error>'


def condition_xml(refused: Refused, site: Site) -> str:
    """Write the element of the precondition code, with the URLs that it names."""
    if refused.condition is None:
        return ""
    hrefs = "".join(f"<D:href>{text(absolute(site, href))}</D:href>" for href in refused.hrefs)
    namespace, _, local = refused.condition[1:].rpartition("}")
    if refused.condition.startswith(DAV):
        return f"<D:{local}>{hrefs}</D:{local}>" if hrefs else f"<D:{local}/>"
    return f'<h:{local} xmlns:h="{text(namespace)}">{hrefs}</h:{local}>'


def absolute(site: Site, href: str) -> str:
    """Turn an href that the tree wrote into one that the client can ask for."""
    return site.href(DavPath.from_url(href), collection=href.endswith("/"))


def _message(sentence: str) -> str:
    return f'<h:message xmlns:h="{NAMESPACE}">{text(sentence)}</h:message>'


def _headers(refused: Refused, realm: str, *, asks: bool) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    if isinstance(refused, NotSignedIn):
        quoted = phrase(realm, "davhost").replace("\\", "").replace('"', "'")
        basic = f'Basic realm="{quoted}", charset="UTF-8"'
        # RFC 9110 section 11.6.1 wants a challenge; browsers do not ask for this one.
        headers.append(("WWW-Authenticate", basic if asks else f'Session realm="{quoted}"'))
    if isinstance(refused, RangeNotSatisfiable):
        headers.append(("Content-Range", f"bytes */{refused.size_bytes}"))
    if refused.retry_after_seconds is not None:
        headers.append(("Retry-After", str(max(1, refused.retry_after_seconds))))
    return headers
