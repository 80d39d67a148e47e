"""Which paths of a tree a part of the journal leaves to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..model import JournalEntry
from ..paths import DavPath

#: Paths to look at, and whether a collection there may have brought members.
Dirty = dict[DavPath, bool]

#: Nothing of them shows on the disk.
_INVISIBLE = frozenset({"properties", "unlock"})
#: The collection at the path has the members it had; with any other verb, who knows.
_KEEPS_MEMBERS = frozenset({"write", "unbind", "sweep"})


def named(entries: Iterable[JournalEntry]) -> Dirty:
    """Collect all paths that *entries* name.

    To bring each of them, in any order, into line with what the catalogue says
    now makes up for all differences that the entries stand for.
    """
    dirty: Dirty = {}
    for entry in entries:
        if entry.verb in _INVISIBLE:
            continue
        if entry.source is not None:
            dirty.setdefault(entry.source, False)
        dirty[entry.path] = dirty.get(entry.path, False) or entry.verb not in _KEEPS_MEMBERS
    return dirty


def replayed(entries: Iterable[JournalEntry], move: Callable[[DavPath, DavPath], bool]) -> Dirty:
    """Move folders as *entries* moved collections; collect what else is to be looked at.

    Only for a tree that is exactly what the catalogue was before the first
    entry: then a folder that was moved holds what it should, but for the paths
    collected. When these are looked up later than the last entry was made, the
    tree is ahead of it at paths that later entries name, and not exact.

    Args:
        move: moves a folder, replacing what is there; False if it cannot.
    """
    dirty: Dirty = {}
    for entry in entries:
        if entry.source is not None and entry.source != entry.path:
            _rebind(dirty, entry.source, entry.path, move)
        elif entry.verb in ("unbind", "sweep"):
            _take(dirty, entry.path)
            dirty[entry.path] = False
        elif entry.verb not in _INVISIBLE:
            brings = entry.verb not in _KEEPS_MEMBERS
            dirty[entry.path] = dirty.get(entry.path, False) or brings
    return dirty


def _rebind(
    dirty: Dirty, source: DavPath, path: DavPath, move: Callable[[DavPath, DavPath], bool]
) -> None:
    taken = _take(dirty, source)
    _take(dirty, path)
    if move(source, path):
        moved = {DavPath(path.names + old.names[len(source.names) :]): old for old in taken}
        dirty.update((new, taken[old]) for new, old in moved.items())
    else:
        dirty[source], dirty[path] = False, True


def _take(dirty: Dirty, top: DavPath) -> Dirty:
    """Take *top* and all below out of *dirty*."""
    return {path: dirty.pop(path) for path in list(dirty) if path.is_within(top)}
