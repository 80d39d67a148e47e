"""REPORT: what has changed in a collection since a client last asked (RFC 6578)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .. import bodies
from ..conditions import sync_token
from ..errors import DAV, BadRequest, Forbidden, InvalidSyncToken, NoRoom
from ..tree import Changed, parts_of
from . import headers, xml_bodies
from .escaping import text
from .exchange import XML_TYPE, Exchange, Response, streamed
from .listings import Writer
from .live_properties import Scene
from .multistatus import CLOSING, OPENING, response, status_element
from .propfind_bodies import Mode, Wanted, names_in
from .xml_bodies import Element

_TOKEN = re.compile(r"urn:x-davhost:sync:[0-9]{1,18}:[0-9a-f]*:([0-9]{1,18})")
_LEVELS = {"1": False, "infinite": True}


class UnknownReport(Forbidden):
    """A report that this server does not make (RFC 3253 section 3.6)."""

    condition = DAV + "supported-report"


class TooManyMatches(NoRoom):
    """More has changed than the client can take (RFC 6578 section 3.7)."""

    condition = DAV + "number-of-matches-within-limits"


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What DAV:sync-collection asks for.

    Args:
        token: as the server gave it out; empty for everything.
        deep: all members rather than the direct ones.
        limit: the most responses that the client takes, or None.
    """

    token: str
    deep: bool
    wanted: Wanted
    limit: int | None


def report(exchange: Exchange) -> Response:
    """REPORT: answer DAV:sync-collection, the one report that there is.

    Raises:
        UnknownReport: any other.
        InvalidSyncToken: the token is not one of this home.
        TooManyMatches: the client's limit is lower than what has changed.
    """
    headers.depth(exchange.environ, default=0, allowed=(0,))
    body = bodies.whole(exchange.environ, exchange.options.xml_body_max_bytes)
    root = xml_bodies.parse(body, depth_max=exchange.options.xml_depth_max)
    if root.name != DAV + "sync-collection":
        raise UnknownReport("The one report here is DAV:sync-collection.")
    request = read(root)
    wishes = headers.preferences(exchange.environ) & {headers.MINIMAL}
    writer = Writer(request.wanted)
    seq = _seq(request.token)
    changed = exchange.tree.changed_since(
        exchange.path,
        seq,
        deep=request.deep,
        dead=writer.needs_dead,
    )
    if seq is not None and request.token != sync_token(changed.space, seq):
        raise InvalidSyncToken("This sync-token is of another home, or of before a restore.")
    count = len(changed.entries) + len(changed.removed)
    if request.limit is not None and count > request.limit:
        raise TooManyMatches(f"{count} members have changed.")
    document = _document(exchange, writer, changed, minimal=bool(wishes))
    return streamed(207, XML_TYPE, document, *headers.applied(wishes))


def read(root: Element) -> SyncRequest:
    """Read DAV:sync-collection (RFC 6578 section 6.1).

    Raises:
        BadRequest: an element is missing or makes no sense.
        TooLarge: too many properties are named.
    """
    token = root.find(DAV + "sync-token")
    level = root.find(DAV + "sync-level")
    if token is None or level is None or level.text not in _LEVELS:
        raise BadRequest("DAV:sync-collection needs a sync-token and a sync-level.")
    prop = root.find(DAV + "prop")
    names = () if prop is None else names_in(prop)
    wanted = Wanted(Mode.NAMED, names)
    return SyncRequest(token.text, _LEVELS[level.text], wanted, _limit(root))


def _limit(root: Element) -> int | None:
    limit = root.find(DAV + "limit")
    results = None if limit is None else limit.find(DAV + "nresults")
    if results is None:
        return None
    if not re.fullmatch("[0-9]{1,9}", results.text):
        raise BadRequest("DAV:nresults is not a number.")
    return int(results.text)


def _seq(token: str) -> int | None:
    """Read the point of the journal; None for a first synchronisation."""
    if not token:
        return None
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise InvalidSyncToken("The server does not know this sync-token.")
    return int(match[1])


def _document(
    exchange: Exchange, writer: Writer, changed: Changed, *, minimal: bool
) -> Iterator[str]:
    token = sync_token(changed.space, changed.seq)
    now = exchange.tree.lease_now()
    scene = Scene(exchange.site, changed.space, exchange.tree.principal, now, token, minimal)
    yield OPENING
    yield from writer.responses(parts_of(changed.entries), scene)
    for path in changed.removed:
        yield response(exchange.href(path, collection=False), status_element(404))
    yield f"<D:sync-token>{text(token)}</D:sync-token>\n"
    yield CLOSING
