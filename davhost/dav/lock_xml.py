"""Locks as XML: lockdiscovery, supportedlock and the body of LOCK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BadRequest
from ..model import Lock
from ..paths import DavPath
from .escaping import text
from .origin import Site
from .xml_bodies import Element

SUPPORTED = "".join(
    f"<D:lockentry><D:lockscope><D:{scope}/></D:lockscope>"
    "<D:locktype><D:write/></D:locktype></D:lockentry>"
    for scope in ("exclusive", "shared")
)


@dataclass(frozen=True, slots=True)
class LockRequest:
    """What the body of LOCK asks for."""

    exclusive: bool
    owner_xml: str


def read(root: Element) -> LockRequest:
    """Read DAV:lockinfo; elements that are not known are skipped (RFC 4918 section 17).

    Raises:
        BadRequest: not a request for a write lock of one scope.
    """
    if root.name != "{DAV:}lockinfo":
        raise BadRequest("The body of LOCK is a DAV:lockinfo element.")
    scope = root.find("{DAV:}lockscope")
    scopes = {} if scope is None else {member.name for member in scope.members}
    exclusive, shared = "{DAV:}exclusive" in scopes, "{DAV:}shared" in scopes
    if exclusive == shared:
        raise BadRequest("DAV:lockscope is either DAV:exclusive or DAV:shared.")
    kind = root.find("{DAV:}locktype")
    if kind is None or kind.find("{DAV:}write") is None:
        raise BadRequest("DAV:locktype can only be DAV:write.")
    owner = root.find("{DAV:}owner")
    return LockRequest(exclusive, "" if owner is None else owner.whole())


def discovery(
    locks: Sequence[Lock],
    path: DavPath,
    *,
    collection: bool,
    site: Site,
    viewer_id: int,
    now: float,
) -> str:
    """Write the content of DAV:lockdiscovery: every lock that covers *path*.

    A token is shown only to the principal whose lock it is: with it, others
    could remove the lock, and without it nobody can use it anyway (RFC 4918
    section 6.7 leaves hiding it to the server).

    Args:
        collection: whether it is one.
        now: seconds on the lease clock.
    """
    return "".join(
        active_lock(
            lock,
            root_href=site.href(lock.path, collection=lock.path != path or collection),
            show_token=lock.user_id == viewer_id,
            now=now,
        )
        for lock in locks
    )


def active_lock(lock: Lock, *, root_href: str, show_token: bool, now: float) -> str:
    """Write one DAV:activelock (RFC 4918 section 14.1)."""
    scope = "exclusive" if lock.exclusive else "shared"
    depth = "infinity" if lock.infinite else "0"
    seconds = max(0, round(lock.expires - now))
    token = f"<D:locktoken><D:href>{text(lock.token)}</D:href></D:locktoken>" if show_token else ""
    return (
        f"<D:activelock><D:locktype><D:write/></D:locktype>"
        f"<D:lockscope><D:{scope}/></D:lockscope><D:depth>{depth}</D:depth>{lock.owner_xml}"
        f"<D:timeout>Second-{seconds}</D:timeout>{token}"
        f"<D:lockroot><D:href>{text(root_href)}</D:href></D:lockroot></D:activelock>"
    )
