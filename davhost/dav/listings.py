"""A PROPFIND's answer, resource by resource.

What is the same for every resource of an answer is worked out once, before
the first: which properties, their tags, the href of the collection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote

from ..paths import DavPath
from ..tree import Entry
from .escaping import text
from .live_properties import LIVE, Live, Scene
from .multistatus import CLOSING, FOUND, OPENING, empty_tag, propstat, status_element, tags
from .propfind_bodies import Mode, Wanted

_Render = Callable[[Entry, Scene], str | None]

#: A live property, ready to write: start tag, content, end tag, the tag of an
#: empty one, whether to say so when a resource does not have it, and whether
#: each resource has a content of its own.
_Step = tuple[str, _Render, str, str, bool, bool]

#: Stands where a template has a value; XML cannot hold it.
_HOLE = "\0"

#: What `DavPath.href` escapes in a name; most names have little of it, and
#: quoting the whole of each is slow.
_UNSAFE = re.compile(r"[^A-Za-z0-9!$'()*,@._~-]")

_MISSING = status_element(404)


def needs_dead(wanted: Wanted) -> bool:
    """Whether dead properties must be fetched."""
    return wanted.mode is not Mode.NAMED or any(name not in LIVE for name in wanted.names)


def needs_locks(wanted: Wanted) -> bool:
    """Whether locks must be fetched."""
    return wanted.mode is Mode.ALL or "{DAV:}lockdiscovery" in wanted.names


def needs_sync_token(wanted: Wanted) -> bool:
    """Whether the sync-token of the space must be found."""
    return "{DAV:}sync-token" in wanted.names


class Writer:
    """Writes the responses of one answer.

    Args:
        minimal: says nothing of properties that a resource does not have
            (RFC 8144 section 2.1).
    """

    def __init__(self, wanted: Wanted, scene: Scene, *, minimal: bool = False) -> None:
        self._wanted = wanted
        self._minimal = minimal
        self._scene = scene
        self._steps = {kind: _steps(wanted, collections=kind) for kind in (True, False)}
        self._dead = tuple(name for name in wanted.names if name not in LIVE)
        self._templates: dict[bool, tuple[str, list[_Render]]] = {}
        self._base_names: tuple[str, ...] | None = None
        self._base = ""

    def document(self, entries: Iterable[Entry]) -> Iterator[str]:
        """Write the whole multistatus, in pieces."""
        yield OPENING
        for entry in entries:
            yield self.response(entry)
        yield CLOSING

    def response(self, entry: Entry) -> str:
        """Write the DAV:response of one resource."""
        if self._wanted.mode is Mode.NAMES:
            inner = propstat(self._all_names(entry), 200)
        elif entry.properties or entry.locks:
            inner = self._values(entry)
        else:
            return self._fill_in(entry)
        href = self._href(entry)
        return f"<D:response><D:href>{href}</D:href>{inner}</D:response>\n"

    def _fill_in(self, entry: Entry) -> str:
        """Write a resource without locks and dead properties, as nearly all are.

        The answers about two of them differ in a few values only, so what is
        around those is written once.
        """
        is_collection = entry.resource.is_collection
        template = self._templates.get(is_collection)
        if template is None:
            template = self._templates[is_collection] = self._template(entry)
        pattern, renders = template
        scene = self._scene
        return pattern % (self._href(entry), *[render(entry, scene) for render in renders])

    def _template(self, sample: Entry) -> tuple[str, list[_Render]]:
        """Write what plain resources of one kind share, for ``%``, and who fills it in."""
        renders: list[_Render] = []
        inner = self._values(sample, renders)
        response = f"<D:response><D:href>{_HOLE}</D:href>{inner}</D:response>\n"
        return response.replace("%", "%%").replace(_HOLE, "%s"), renders

    def _values(self, entry: Entry, renders: list[_Render] | None = None) -> str:
        """Write the values of a resource.

        Args:
            renders: is filled with what varies, for which holes are left; None
                to leave none.
        """
        found: list[str] = []
        missing: list[str] = []
        for start, render, end, bare, is_named, varies in self._steps[entry.resource.is_collection]:
            if varies and renders is not None:
                renders.append(render)
                found += (start, _HOLE, end)
                continue
            value = render(entry, self._scene)
            if value:
                found += (start, value, end)
            elif value is not None:
                found.append(bare)
            elif is_named:
                missing.append(bare)
        dead = {kept.name: kept.xml for kept in entry.properties}
        if self._wanted.mode is Mode.ALL:
            found += dead.values()
        for name in self._dead:
            if name not in dead:
                missing.append(empty_tag(name))
            elif self._wanted.mode is Mode.NAMED:
                found.append(dead[name])
        return _propstats(found, [] if self._minimal else missing)

    def _all_names(self, entry: Entry) -> Iterator[str]:
        for name, live in LIVE.items():
            if _applies(live, collections=entry.resource.is_collection) and (
                live.render(entry, self._scene) is not None
            ):
                yield empty_tag(name)
        for dead in entry.properties:
            yield empty_tag(dead.name)

    def _href(self, entry: Entry) -> str:
        """Write the href; the part of the parent is kept from the one before."""
        names = entry.path.names
        if names == self._scene.site.scope.names:
            return text(self._scene.site.href(entry.path, collection=True))
        if names[:-1] != self._base_names:
            self._base_names = names[:-1]
            parent = self._scene.site.href(DavPath(names[:-1]), collection=True)
            self._base = text(parent)
        slash = "/" if entry.resource.is_collection else ""
        return f"{self._base}{_UNSAFE.sub(_escape, names[-1])}{slash}"


def _escape(match: re.Match[str]) -> str:
    return _quoted(match[0])


@lru_cache(maxsize=4096)
def _quoted(character: str) -> str:
    return quote(character)


def _propstats(found: list[str], missing: list[str]) -> str:
    """Write what was found and what was not; with neither, an empty 200."""
    without = (
        f"<D:propstat><D:prop>{''.join(missing)}</D:prop>{_MISSING}</D:propstat>" if missing else ""
    )
    if missing and not found:
        return without
    return f"<D:propstat><D:prop>{''.join(found)}</D:prop>{FOUND}</D:propstat>{without}"


def _steps(wanted: Wanted, *, collections: bool) -> list[_Step]:
    """Prepare the live properties that are wanted of files or of collections.

    What DAV:allprop does not find is left out; what was named is said to be
    missing.
    """
    if wanted.mode is Mode.ALL:
        names = [name for name, live in LIVE.items() if live.in_allprop or name in wanted.names]
    else:
        names = [name for name in wanted.names if name in LIVE]
    return [_step(name, name in wanted.names, collections=collections) for name in names]


def _step(name: str, is_named: bool, *, collections: bool) -> _Step:
    live = LIVE[name]
    start, end = tags(name)
    if not _applies(live, collections=collections):
        return start, _no_value, end, empty_tag(name), is_named, False
    return start, live.render, end, empty_tag(name), is_named, live.varies


def _applies(live: Live, *, collections: bool) -> bool:
    return live.collections if collections else live.files


def _no_value(_entry: Entry, _scene: Scene) -> None:
    return None
