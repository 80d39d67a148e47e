"""A PROPFIND's answer, resource by resource.

What is the same for every resource of an answer, and for every answer to the
same question, is worked out once: which properties, their tags, the text
between their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

from ..model import Property
from ..paths import Name, at_once, href_text
from ..tree import Entry, Part, Run
from .live_properties import LIVE, Live, Render, Scene
from .multistatus import CLOSING, FOUND, OPENING, empty_tag, propstat, status_element, tags
from .propfind_bodies import Mode, Wanted

#: A live property, ready to write: start tag, content, end tag, the tag of an
#: empty one, whether to say so when a resource does not have it, and whether
#: each resource has a content of its own.
_Step = tuple[str, Render, str, str, bool, bool]

#: What plain resources of one kind share, around what varies, and who writes that.
_Template = tuple[list[str], list[Render]]

#: What plain resources share their text by: whether they are collections, whether
#: the space has a quota, and `Scene.minimal`.
_Kind = tuple[bool, bool, bool]

#: Stands where a template has a value; XML cannot hold it.
_HOLE = "\0"

_MISSING = status_element(404)


class Writer:
    """Writes the answers to one question; safe for threads.

    Attributes:
        needs_dead: whether dead properties must be fetched.
        needs_locks: whether locks must be fetched.
        needs_sync_token: whether the sync-token of the space must be found.
        fields: those of `Columns` that are looked at.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._steps = {kind: _steps(wanted, collections=kind) for kind in (True, False)}
        self._dead = tuple((name, empty_tag(name)) for name in wanted.names if name not in LIVE)
        self.needs_dead = wanted.mode is not Mode.NAMED or bool(self._dead)
        self.needs_locks = wanted.mode is Mode.ALL or "{DAV:}lockdiscovery" in wanted.names
        self.needs_sync_token = "{DAV:}sync-token" in wanted.names
        self.fields = frozenset(
            field for name in _live_names(wanted) for field in LIVE[name].fields
        )
        self._templates: dict[_Kind, _Template] = {}

    def document(self, parts: Iterable[Part], scene: Scene) -> Iterator[str]:
        """Write a whole multistatus, in pieces."""
        yield OPENING
        yield from self.responses(parts, scene)
        yield CLOSING

    def responses(self, parts: Iterable[Part], scene: Scene) -> Iterator[str]:
        """Write the DAV:response of each resource."""
        for part in parts:
            if isinstance(part, Entry) or self.wanted.mode is Mode.NAMES:
                properties = part.properties if isinstance(part, Entry) else ()
                run = Run.of(part) if isinstance(part, Entry) else part
                inner = self._inner(run, properties, scene)
                for href in _hrefs(run, scene):
                    yield _response(href, inner, is_collection=run.is_collection)
            else:
                # The answers differ in a few values only, so what is around those
                # is written once.
                segments, renders = self._template(part, scene)
                values = [_hrefs(part, scene), *(render(part, scene) for render in renders)]
                yield _filled_in(segments, values)

    def _inner(self, run: Run, properties: Sequence[Property], scene: Scene) -> str:
        """Write what is said of each resource of a run: of several, only the names."""
        if self.wanted.mode is Mode.NAMES:
            return propstat(_all_names(run, properties, scene), 200)
        return self._values(run, properties, scene)

    def _template(self, run: Run, scene: Scene) -> _Template:
        """Write what resources share that have neither locks nor dead properties, or find it."""
        is_collection = run.is_collection
        kind = is_collection, scene.space.quota_bytes is not None, scene.minimal
        if kind in self._templates:
            return self._templates[kind]
        renders: list[Render] = []
        sample = run._replace(members=run.members.cut(0, 1))
        inner = self._values(sample, (), scene, renders)
        response = _response(_HOLE, inner, is_collection=is_collection)
        template = response.split(_HOLE), renders
        self._templates[kind] = template
        return template

    def _values(
        self,
        run: Run,
        properties: Sequence[Property],
        scene: Scene,
        renders: list[Render] | None = None,
    ) -> str:
        """Write the values of the one resource in *run*.

        Args:
            properties: its dead ones.
            renders: is filled with what varies, for which holes are left; None
                to leave none.
        """
        found: list[str] = []
        missing: list[str] = []
        for start, render, end, bare, is_named, varies in self._steps[run.is_collection]:
            (value,) = render(run, scene)
            if value and varies and renders is not None:
                renders.append(render)
                value = _HOLE
            if value:
                found += (start, value, end)
            elif value is not None:
                found.append(bare)
            elif is_named:
                missing.append(bare)
        dead = {kept.name: kept.xml for kept in properties}
        if self.wanted.mode is Mode.ALL:
            found += dead.values()
        for name, bare in self._dead:
            if name not in dead:
                missing.append(bare)
            elif self.wanted.mode is Mode.NAMED:
                found.append(dead[name])
        return _propstats(found, [] if scene.minimal else missing)


def _filled_in(segments: Sequence[str], columns: Sequence[Sequence[str | None]]) -> str:
    """Write what resources share, over and over, with the values of each between.

    Args:
        segments: what stands before the first column, and behind each.
        columns: all of the same length.
    """
    # Three times as quick as formatting: no code runs for a single resource.
    pieces: list[Iterable[Any]] = [repeat(segments[0])]
    for column, segment in zip(columns, segments[1:], strict=True):
        pieces += (column, repeat(segment))
    return "".join(chain.from_iterable(zip(*pieces, strict=False)))


def _hrefs(run: Run, scene: Scene) -> list[str]:
    """Write the hrefs of a run, without the slash at the end."""
    first, *others = run.members.names
    if not others:
        # Its collection may be one that the client does not see.
        path = run.parent.child(Name.known(first)) if first else run.parent
        return [scene.site.href(path, collection=False).rstrip("/")]
    start = scene.site.href(run.parent, collection=True)
    return [start + name for name in at_once(href_text, run.members.names)]


def _response(href: str, inner: str, *, is_collection: bool) -> str:
    """Write DAV:response.

    Args:
        href: without the slash that the href of a collection ends in.
    """
    slash = "/" if is_collection else ""
    return f"<D:response><D:href>{href}{slash}</D:href>{inner}</D:response>\n"


def _all_names(run: Run, properties: Sequence[Property], scene: Scene) -> Iterator[str]:
    """Name the properties that each resource of *run* has, and the dead ones of one."""
    for name, live in LIVE.items():
        if _applies(live, collections=run.is_collection) and live.render(run, scene)[0] is not None:
            yield empty_tag(name)
    for dead in properties:
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
    names = _live_names(wanted)
    return [_step(name, name in wanted.names, collections=collections) for name in names]


def _live_names(wanted: Wanted) -> list[str]:
    """List the live properties that have to be looked at."""
    match wanted.mode:
        case Mode.NAMES:
            return list(LIVE)
        case Mode.ALL:
            return [name for name, live in LIVE.items() if live.in_allprop or name in wanted.names]
        case Mode.NAMED:
            return [name for name in wanted.names if name in LIVE]


def _step(name: str, is_named: bool, *, collections: bool) -> _Step:
    live = LIVE[name]
    start, end = tags(name)
    if not _applies(live, collections=collections):
        return start, _no_value, end, empty_tag(name), is_named, False
    return start, live.render, end, empty_tag(name), is_named, live.varies


def _applies(live: Live, *, collections: bool) -> bool:
    return live.collections if collections else live.files


def _no_value(run: Run, _scene: Scene) -> Sequence[None]:
    return [None] * run.size
