"""A PROPFIND's answer, resource by resource.

What is the same for every resource of an answer, and for every answer to the
same question, is worked out once: which properties, their tags, the text
between their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..paths import DavPath, href_text
from ..tree import Entry
from .live_properties import LIVE, Live, Scene
from .multistatus import CLOSING, FOUND, OPENING, empty_tag, propstat, status_element, tags
from .origin import Site
from .propfind_bodies import Mode, Wanted

_Render = Callable[[Entry, Scene], str | None]

#: A live property, ready to write: start tag, content, end tag, the tag of an
#: empty one, whether to say so when a resource does not have it, and whether
#: each resource has a content of its own.
_Step = tuple[str, _Render, str, str, bool, bool]

#: What plain resources of one kind share, for ``%``, and who fills it in.
_Template = tuple[str, list[_Render]]

#: Stands where a template has a value; XML cannot hold it.
_HOLE = "\0"

_MISSING = status_element(404)


class Writer:
    """Writes the answers to one question; safe for threads.

    Args:
        minimal: says nothing of properties that a resource does not have
            (RFC 8144 section 2.1).

    Attributes:
        needs_dead: whether dead properties must be fetched.
        needs_locks: whether locks must be fetched.
        needs_sync_token: whether the sync-token of the space must be found.
    """

    def __init__(self, wanted: Wanted, *, minimal: bool = False) -> None:
        self.wanted = wanted
        self._minimal = minimal
        self._steps = {kind: _steps(wanted, collections=kind) for kind in (True, False)}
        self._dead = tuple((name, empty_tag(name)) for name in wanted.names if name not in LIVE)
        self.needs_dead = wanted.mode is not Mode.NAMED or bool(self._dead)
        self.needs_locks = wanted.mode is Mode.ALL or "{DAV:}lockdiscovery" in wanted.names
        self.needs_sync_token = "{DAV:}sync-token" in wanted.names
        self._templates: dict[tuple[bool, bool], _Template] = {}

    def document(self, entries: Iterable[Entry], scene: Scene) -> Iterator[str]:
        """Write a whole multistatus, in pieces."""
        yield OPENING
        yield from self.responses(entries, scene)
        yield CLOSING

    def responses(self, entries: Iterable[Entry], scene: Scene) -> Iterator[str]:
        """Write the DAV:response of each resource."""
        href_of = _Hrefs(scene.site).of
        for entry in entries:
            if self.wanted.mode is Mode.NAMES:
                inner = propstat(_all_names(entry, scene), 200)
            elif entry.properties or entry.locks:
                inner = self._values(entry, scene)
            else:
                # As nearly all are: their answers differ in a few values only,
                # so what is around those is written once.
                pattern, renders = self._template(entry, scene)
                yield pattern % (href_of(entry), *[render(entry, scene) for render in renders])
                continue
            yield f"<D:response><D:href>{href_of(entry)}</D:href>{inner}</D:response>\n"

    def _template(self, sample: Entry, scene: Scene) -> _Template:
        """Write what resources without locks and dead properties share, or find it."""
        kind = (sample.resource.is_collection, scene.space.quota_bytes is None)
        template = self._templates.get(kind)
        if template is None:
            renders: list[_Render] = []
            inner = self._values(sample, scene, renders)
            response = f"<D:response><D:href>{_HOLE}</D:href>{inner}</D:response>\n"
            template = response.replace("%", "%%").replace(_HOLE, "%s"), renders
            self._templates[kind] = template
        return template

    def _values(self, entry: Entry, scene: Scene, renders: list[_Render] | None = None) -> str:
        """Write the values of a resource.

        Args:
            renders: is filled with what varies, for which holes are left; None
                to leave none.
        """
        found: list[str] = []
        missing: list[str] = []
        for start, render, end, bare, is_named, varies in self._steps[entry.resource.is_collection]:
            value = render(entry, scene)
            if value and varies and renders is not None:
                renders.append(render)
                value = _HOLE
            if value:
                found += (start, value, end)
            elif value is not None:
                found.append(bare)
            elif is_named:
                missing.append(bare)
        dead = {kept.name: kept.xml for kept in entry.properties}
        if self.wanted.mode is Mode.ALL:
            found += dead.values()
        for name, bare in self._dead:
            if name not in dead:
                missing.append(bare)
            elif self.wanted.mode is Mode.NAMED:
                found.append(dead[name])
        return _propstats(found, [] if self._minimal else missing)


class _Hrefs:
    """Writes the hrefs of one answer; the part of the parent is kept from the one before."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._parent_names: tuple[str, ...] | None = None
        self._parent = ""

    def of(self, entry: Entry) -> str:
        """Write the href of a resource."""
        names = entry.path.names
        if names == self._site.scope.names:
            return self._site.href(entry.path, collection=True)
        if names[:-1] != self._parent_names:
            self._parent_names = names[:-1]
            self._parent = self._site.href(DavPath(names[:-1]), collection=True)
        slash = "/" if entry.resource.is_collection else ""
        return f"{self._parent}{href_text(names[-1])}{slash}"


def _all_names(entry: Entry, scene: Scene) -> Iterator[str]:
    for name, live in LIVE.items():
        if _applies(live, collections=entry.resource.is_collection) and (
            live.render(entry, scene) is not None
        ):
            yield empty_tag(name)
    for dead in entry.properties:
        yield empty_tag(dead.name)


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
