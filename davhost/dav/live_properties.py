"""Live properties: one table of what the server itself knows about a resource.

All of them are protected. RFC 4918 section 15.2 would rather have displayname
writable; here it always is the name, because gvfs and KDE show it instead of
the name, and one that had been set would stay behind after a rename.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .. import names
from ..errors import DAV
from ..model import Principal, Space
from ..paths import ROOT
from ..tree import Entry
from . import lock_xml, media_types
from .dates import http_date, iso_date
from .escaping import text
from .origin import Site


@dataclass(frozen=True, slots=True)
class Scene:
    """What is the same for every resource of one answer.

    Args:
        now: seconds on the lease clock.
        sync_token: of the space, when it was asked for.
        minimal: whether to say nothing of properties that a resource does not
            have (RFC 8144 section 2.1).
    """

    site: Site
    space: Space
    principal: Principal
    now: float
    sync_token: str = ""
    minimal: bool = False


@dataclass(frozen=True, slots=True)
class Live:
    """One live property.

    Args:
        render: writes the content of its element; None when the resource does
            not have it.
        in_allprop: whether DAV:allprop names it (RFC 4918 section 9.1).
        varies: every resource has a value of its own, or every answer, which is
            never empty; whether there is one at all hangs on the kind of the
            resource and on whether the space has a quota. What does not vary is the
            same for all files, and for all collections, but for those that are locked.
    """

    render: Callable[[Entry, Scene], str | None]
    files: bool = True
    collections: bool = True
    in_allprop: bool = True
    varies: bool = False


#: The one report there is (RFC 6578), for supported-report-set (RFC 3253 section 3.1.5).
_REPORTS = "<D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report>"


def _display_name(entry: Entry, scene: Scene) -> str:
    # The root has no name in its URL; programs show what it says here.
    return text(entry.name or scene.principal.email)


def _lock_discovery(entry: Entry, scene: Scene) -> str:
    if not entry.locks:
        return ""
    return lock_xml.discovery(
        entry.locks,
        entry.path,
        entry.resource,
        site=scene.site,
        viewer_id=scene.principal.user_id,
        now=scene.now,
    )


def _room(_entry: Entry, scene: Scene) -> str | None:
    room_bytes = scene.space.room_bytes
    return None if room_bytes is None else str(room_bytes)


def _principal(_entry: Entry, scene: Scene) -> str:
    # RFC 5397. The home is the one resource that stands for its principal.
    return f"<D:href>{text(scene.site.href(ROOT, collection=True))}</D:href>"


LIVE: dict[str, Live] = {
    DAV + "resourcetype": Live(lambda e, _: "<D:collection/>" if e.resource.is_collection else ""),
    DAV + "displayname": Live(_display_name, varies=True),
    DAV + "creationdate": Live(lambda e, _: iso_date(e.resource.created_us), varies=True),
    DAV + "getlastmodified": Live(lambda e, _: http_date(e.resource.modified_us), varies=True),
    DAV + "getcontentlength": Live(
        lambda e, _: str(e.resource.size_bytes), collections=False, varies=True
    ),
    DAV + "getcontenttype": Live(
        lambda e, _: text(media_types.of(e.resource)), collections=False, varies=True
    ),
    # The server's own digits: there is nothing to escape.
    DAV + "getetag": Live(lambda e, _: f'"{e.resource.etag}"', collections=False, varies=True),
    DAV + "supportedlock": Live(lambda _e, _s: lock_xml.SUPPORTED),
    DAV + "lockdiscovery": Live(_lock_discovery),
    # RFC 4331 section 3: not in allprop. On files they would be a trap: KDE
    # takes an empty one for a full disk.
    DAV + "quota-available-bytes": Live(_room, files=False, in_allprop=False, varies=True),
    DAV + "quota-used-bytes": Live(
        lambda _, s: str(s.space.used_bytes), files=False, in_allprop=False, varies=True
    ),
    DAV + "current-user-principal": Live(_principal, in_allprop=False, varies=True),
    DAV + "supported-report-set": Live(lambda _e, _s: _REPORTS, files=False, in_allprop=False),
    # What the server's own pages leave out.
    "{https://davhost.example/ns}hidden": Live(
        lambda e, _: str(int(names.is_for_programs(e.resource))), in_allprop=False, varies=True
    ),
    # RFC 6578 section 4: not in allprop.
    DAV + "sync-token": Live(
        lambda _, s: text(s.sync_token), files=False, in_allprop=False, varies=True
    ),
}
