"""Live properties: one table of what the server itself knows about a resource.

All of them are protected. RFC 4918 section 15.2 would rather have displayname
writable; here it always is the name, because gvfs and KDE show it instead of
the name, and one that had been set would stay behind after a rename.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .. import names
from ..errors import DAV
from ..model import Columns, Principal, Space
from ..paths import ROOT, Name, at_once
from ..tree import Run
from . import lock_xml, media_types
from .dates import http_dates, iso_dates
from .escaping import text
from .origin import Site


class Scene(NamedTuple):
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


#: Writes the content of the element for each resource of a run; None where a resource
#: does not have the property. Many at a time, because what is asked of each of 50,000
#: costs more than what is done for it.
Render = Callable[[Run, Scene], Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Live:
    """One live property.

    Args:
        render: see `Render`.
        fields: those of `Columns`, besides names and kinds, that it is made of.
        in_allprop: whether DAV:allprop names it (RFC 4918 section 9.1).
        varies: every resource has a value of its own, or every answer, which is
            never empty; whether there is one at all hangs on the kind of the
            resource and on whether the space has a quota. What does not vary is the
            same for all files, and for all collections, but for those that are locked.
    """

    render: Render
    fields: tuple[str, ...] = ()
    files: bool = True
    collections: bool = True
    in_allprop: bool = True
    varies: bool = False


#: The one report there is (RFC 6578), for supported-report-set (RFC 3253 section 3.1.5).
_REPORTS = "<D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report>"


def _of_each(write: Callable[[Columns], Sequence[str]]) -> Render:
    """Write what each resource has of its own."""
    return lambda run, _: write(run.members)


def _of_all(write: Callable[[Scene], str | None]) -> Render:
    """Write what is the same for all resources of an answer."""
    return lambda run, scene: [write(scene)] * run.size


def _resource_types(run: Run, _scene: Scene) -> Sequence[str]:
    return ["<D:collection/>" if run.is_collection else ""] * run.size


def _display_names(run: Run, scene: Scene) -> Sequence[str]:
    shown = run.members.names
    if "" in shown:
        # The root has no name in its URL; programs show what it says here.
        return [text(name or scene.principal.email) for name in shown]
    return at_once(text, shown)


def _lengths(members: Columns) -> Sequence[str]:
    return list(map(str, members.sizes_bytes))


def _content_types(members: Columns) -> Sequence[str]:
    types = map(media_types.of_named, members.names, members.content_types)
    return list(map(text, types))


def _etags(members: Columns) -> Sequence[str]:
    # The server's own digits: there is nothing to escape.
    return [f'"{etag}"' for etag in members.etags]


def _hidden(members: Columns) -> Sequence[str]:
    return [str(int(hidden)) for hidden in map(names.is_for_programs, members.names, members.kinds)]


def _lock_discoveries(run: Run, scene: Scene) -> Sequence[str]:
    if not run.locks:
        return [""] * run.size
    return [
        lock_xml.discovery(
            locks,
            run.parent.child(Name.known(name)) if name else run.parent,
            collection=run.is_collection,
            site=scene.site,
            viewer_id=scene.principal.user_id,
            now=scene.now,
        )
        for name, locks in zip(run.members.names, run.locks, strict=True)
    ]


def _room(scene: Scene) -> str | None:
    room_bytes = scene.space.room_bytes
    return None if room_bytes is None else str(room_bytes)


def _principal(scene: Scene) -> str:
    # RFC 5397. The home is the one resource that stands for its principal.
    return f"<D:href>{text(scene.site.href(ROOT, collection=True))}</D:href>"


LIVE: dict[str, Live] = {
    DAV + "resourcetype": Live(_resource_types),
    DAV + "displayname": Live(_display_names, varies=True),
    DAV + "creationdate": Live(
        _of_each(lambda m: iso_dates(m.created_us)), ("created_us",), varies=True
    ),
    DAV + "getlastmodified": Live(
        _of_each(lambda m: http_dates(m.modified_us)), ("modified_us",), varies=True
    ),
    DAV + "getcontentlength": Live(
        _of_each(lambda m: list(map(str, m.sizes_bytes))),
        ("sizes_bytes",),
        collections=False,
        varies=True,
    ),
    DAV + "getcontenttype": Live(
        _of_each(_content_types), ("content_types",), collections=False, varies=True
    ),
    DAV + "getetag": Live(_of_each(_etags), ("etags",), collections=False, varies=True),
    DAV + "supportedlock": Live(_of_all(lambda _: lock_xml.SUPPORTED)),
    DAV + "lockdiscovery": Live(_lock_discoveries),
    # RFC 4331 section 3: not in allprop. On files they would be a trap: KDE
    # takes an empty one for a full disk.
    DAV + "quota-available-bytes": Live(_of_all(_room), files=False, in_allprop=False, varies=True),
    DAV + "quota-used-bytes": Live(
        _of_all(lambda s: str(s.space.used_bytes)), files=False, in_allprop=False, varies=True
    ),
    DAV + "current-user-principal": Live(_of_all(_principal), in_allprop=False, varies=True),
    DAV + "supported-report-set": Live(_of_all(lambda _: _REPORTS), files=False, in_allprop=False),
    # What the server's own pages leave out.
    "{https://davhost.example/ns}hidden": Live(_of_each(_hidden), in_allprop=False, varies=True),
    # RFC 6578 section 4: not in allprop.
    DAV + "sync-token": Live(
        _of_all(lambda s: text(s.sync_token)), files=False, in_allprop=False, varies=True
    ),
}
