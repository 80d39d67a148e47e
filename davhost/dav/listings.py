"""A PROPFIND's answer, resource by resource.

What is the same for every resource of an answer, and for every answer to the
same question, is worked out once: which properties, their tags, the text
between their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from ..model import Kind
from ..paths import DavPath, at_once, href_text
from ..tree import Entry
from .live_properties import LIVE, Live, Render, Scene
from .multistatus import CLOSING, FOUND, OPENING, empty_tag, propstat, status_element, tags
from .propfind_bodies import Mode, Wanted

#: A live property, ready to write: start tag, content, end tag, the tag of an
#: empty one, whether to say so when a resource does not have it, and whether
#: each resource has a content of its own.
_Step = tuple[str, Render, str, str, bool, bool]

#: What plain resources of one kind share, for ``%``, and who fills it in.
_Template = tuple[str, list[Render]]

#: What plain resources share their text by: whether they are collections, whether
#: the space has a quota, and `Scene.minimal`.
_Kind = tuple[bool, bool, bool]

#: Stands where a template has a value; XML cannot hold it.
_HOLE = "\0"

#: How many resources are written at once, if they are alike.
_RUN_MAX = 256

_MISSING = status_element(404)

#: What neighbours in a listing have in common that are written at once: their collection,
#: whether they have a name there (only the root has none), whether they are collections,
#: and whether they are plain, without dead properties and locks to tell of. No class:
#: there is one for each resource.
_Run = tuple[DavPath, bool, bool, bool]


class Writer:
    """Writes the answers to one question; safe for threads.

    Attributes:
        needs_dead: whether dead properties must be fetched.
        needs_locks: whether locks must be fetched.
        needs_sync_token: whether the sync-token of the space must be found.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._steps = {kind: _steps(wanted, collections=kind) for kind in (True, False)}
        self._dead = tuple((name, empty_tag(name)) for name in wanted.names if name not in LIVE)
        self.needs_dead = wanted.mode is not Mode.NAMED or bool(self._dead)
        self.needs_locks = wanted.mode is Mode.ALL or "{DAV:}lockdiscovery" in wanted.names
        self.needs_sync_token = "{DAV:}sync-token" in wanted.names
        self._templates: dict[_Kind, _Template] = {}

    def document(self, entries: Iterable[Entry], scene: Scene) -> Iterator[str]:
        """Write a whole multistatus, in pieces."""
        yield OPENING
        yield from self.responses(entries, scene)
        yield CLOSING

    def responses(self, entries: Iterable[Entry], scene: Scene) -> Iterator[str]:
        """Write the DAV:response of each resource."""
        for (parent, _, is_collection, is_plain), alike in groupby(entries, _run_of):
            while some := list(islice(alike, _RUN_MAX)):
                hrefs = _hrefs(some, parent, scene)
                if is_plain and self.wanted.mode is not Mode.NAMES:
                    # Nearly all are: their answers differ in a few values only, so
                    # what is around those is written once.
                    pattern, renders = self._template(some[0], scene)
                    values = [render(some, scene) for render in renders]
                    yield "".join(map(pattern.__mod__, zip(hrefs, *values, strict=True)))
                    continue
                for href, entry in zip(hrefs, some, strict=True):
                    inner = self._inner(entry, scene)
                    yield _response(href, inner, is_collection=is_collection)

    def _inner(self, entry: Entry, scene: Scene) -> str:
        if self.wanted.mode is Mode.NAMES:
            return propstat(_all_names(entry, scene), 200)
        return self._values(entry, scene)

    def _template(self, sample: Entry, scene: Scene) -> _Template:
        """Write what resources share that have neither locks nor dead properties, or find it."""
        is_collection = sample.resource.is_collection
        kind = is_collection, scene.space.quota_bytes is not None, scene.minimal
        if kind in self._templates:
            return self._templates[kind]
        renders: list[Render] = []
        inner = self._values(sample, scene, renders)
        response = _response(_HOLE, inner, is_collection=is_collection)
        template = response.replace("%", "%%").replace(_HOLE, "%s"), renders
        self._templates[kind] = template
        return template

    def _values(self, entry: Entry, scene: Scene, renders: list[Render] | None = None) -> str:
        """Write the values of a resource.

        Args:
            renders: is filled with what varies, for which holes are left; None
                to leave none.
        """
        found: list[str] = []
        missing: list[str] = []
        for start, render, end, bare, is_named, varies in self._steps[entry.resource.is_collection]:
            (value,) = render((entry,), scene)
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
        return _propstats(found, [] if scene.minimal else missing)


def _run_of(entry: Entry) -> _Run:
    parent, name, resource, properties, locks = entry
    return parent, name != "", resource.kind is Kind.COLLECTION, not (properties or locks)


def _hrefs(entries: Sequence[Entry], parent: DavPath, scene: Scene) -> list[str]:
    """Write the hrefs of some members of *parent*, without the slash at the end."""
    if len(entries) == 1:
        # Its collection may be one that the client does not see.
        return [scene.site.href(entries[0].path, collection=False).rstrip("/")]
    start = scene.site.href(parent, collection=True)
    return [start + name for name in at_once(href_text, [entry.name for entry in entries])]


def _response(href: str, inner: str, *, is_collection: bool) -> str:
    """Write DAV:response.

    Args:
        href: without the slash that the href of a collection ends in.
    """
    slash = "/" if is_collection else ""
    return f"<D:response><D:href>{href}{slash}</D:href>{inner}</D:response>\n"


def _all_names(entry: Entry, scene: Scene) -> Iterator[str]:
    for name, live in LIVE.items():
        if _applies(live, collections=entry.resource.is_collection) and (
            live.render((entry,), scene) != [None]
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


def _no_value(entries: Sequence[Entry], _scene: Scene) -> Sequence[None]:
    return [None] * len(entries)
