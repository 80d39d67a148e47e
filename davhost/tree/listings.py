"""What there is in a collection, as listings tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import NamedTuple, overload

from .. import catalogue
from ..model import Columns, Kind, Lock, Property, Resource, Space
from ..paths import DavPath, Name


class Entry(NamedTuple):
    """One resource of a listing; a tuple, because there are so many.

    Args:
        parent: the collection that it is in; the root is in itself.
        name: what it is called there; empty for the root.
        properties: the dead ones, when they were asked for.
        locks: those that cover it, inherited ones too, when they were asked for.
    """

    parent: DavPath
    name: str
    resource: Resource
    properties: Sequence[Property] = ()
    locks: Sequence[Lock] = ()

    @classmethod
    def at(
        cls,
        path: DavPath,
        resource: Resource,
        properties: Sequence[Property] = (),
        locks: Sequence[Lock] = (),
    ) -> Entry:
        """Make the entry of the resource at *path*."""
        name = "" if path.is_root else path.name
        return cls(path.parent, name, resource, properties, locks)

    @property
    def path(self) -> DavPath:
        """The path of the resource."""
        return self.parent.child(Name.known(self.name)) if self.name else self.parent


def covering(locks: Sequence[Lock], path: DavPath) -> Sequence[Lock]:
    """Choose the locks that cover *path*."""
    return [lock for lock in locks if lock.covers(path)] if locks else ()


class Run(NamedTuple):
    """Neighbours in a listing that are alike, field by field.

    They are all files or all collections, and nearly all there are in a listing:
    without dead properties and locks to tell of.

    Args:
        parent: the collection that they are in; the root is in itself.
        locks: those that cover each, where it is the run of one entry that has some.
    """

    parent: DavPath
    is_collection: bool
    members: Columns
    locks: Sequence[Sequence[Lock]] = ()

    @classmethod
    def of(cls, *entries: Entry) -> Run:
        """Make one of entries that are alike."""
        first = entries[0]
        resources = [entry.resource for entry in entries]
        members = Columns.of(resources, [entry.name for entry in entries])
        locks = [first.locks] if first.locks else ()
        return cls(first.parent, first.resource.is_collection, members, locks)

    @property
    def size(self) -> int:
        """How many resources it is."""
        return len(self.members.names)


#: A part of a listing: plain neighbours, or one resource with more to tell of.
Part = Run | Entry

#: How many resources a run has at most.
_RUN_MAX = 256


def parts_of(entries: Iterable[Entry]) -> Iterator[Part]:
    """Put the plain ones of *entries* together that are alike."""
    for (_, is_plain, _, _), alike in groupby(entries, _likeness):
        if not is_plain:
            yield from alike
            continue
        while some := list(islice(alike, _RUN_MAX)):
            yield Run.of(*some)


def _part_of(entry: Entry) -> Part:
    """Do what `parts_of` does with one entry."""
    return entry if entry.properties or entry.locks else Run.of(entry)


def _likeness(entry: Entry) -> tuple[DavPath, bool, bool, bool]:
    parent, name, resource, properties, locks = entry
    # Only the root has no name, and it is in the same collection as its members.
    return parent, not (properties or locks), name != "", resource.is_collection


class Members(Sequence[Entry]):
    """A collection and its members; an entry is made when it is looked at.

    Of a large collection, rows are all that is in memory at once.

    Args:
        properties: those of members, by their id, as far as they have any.
        locks: those that may cover members.
    """

    def __init__(
        self,
        top: Entry,
        members: catalogue.Members,
        properties: Mapping[int, Sequence[Property]],
        locks: Sequence[Lock],
    ) -> None:
        self._top = top
        self._path = top.path
        self._members = members
        self._properties = properties
        self._locks = locks

    def __len__(self) -> int:
        return 1 + len(self._members)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        return self._entry(self._members[position - 1]) if position else self._top

    def __iter__(self) -> Iterator[Entry]:
        yield self._top
        yield from map(self._entry, self._members)

    def take_parts(self) -> Iterator[Part]:
        """Take the parts out, one by one; each is forgotten when it was used."""
        yield _part_of(self._top)
        for columns in self._members.take(_RUN_MAX):
            if self._locks or (
                self._properties and not self._properties.keys().isdisjoint(columns.ids)
            ):
                yield from parts_of(map(self._entry, self._resources(columns)))
            else:
                yield from self._runs(columns)

    def _runs(self, columns: Columns) -> Iterator[Run]:
        """Part files and collections."""
        start = 0
        for kind, alike in groupby(columns.kinds, Kind.COLLECTION.__eq__):
            end = start + sum(1 for _ in alike)
            whole = end - start == len(columns.names)
            yield Run(self._path, kind, columns if whole else columns.cut(start, end))
            start = end

    def _resources(self, columns: Columns) -> Iterator[Resource]:
        space_id, parent_id = self._top.resource.space_id, self._top.resource.id
        for id_, name, kind, *others in zip(*columns, strict=True):
            yield Resource(id_, space_id, parent_id, name, Kind(kind), *others)

    def _entry(self, member: Resource) -> Entry:
        own = self._properties.get(member.id, ()) if self._properties else ()
        entry = Entry(self._path, member.name, member, own)
        if self._locks:
            return entry._replace(locks=covering(self._locks, entry.path))
        return entry


class Revision(NamedTuple):
    """What tells two states of a space apart: as long as it is equal, so are listings."""

    epoch: str
    journal_seq: int
    quota_bytes: int | None
    used_bytes: int


class Listing(NamedTuple):
    """What a PROPFIND sees, the requested resource first.

    Args:
        revision: of the space; None when something shows in the listing that no
            revision tells, such as a lock.
    """

    space: Space
    entries: Sequence[Entry]
    revision: Revision | None = None

    def take_parts(self, *, first: int = 0) -> Iterator[Part]:
        """Take the parts out, once: those of a large collection are many megabytes.

        Args:
            first: how many of them to leave out; the first one is the requested resource.
        """
        entries = self.entries
        if len(entries) == 1:
            parts: Iterator[Part] = iter((_part_of(entries[0]),))
        elif isinstance(entries, Members):
            parts = entries.take_parts()
        else:
            parts = parts_of(entries)
        return islice(parts, first, None)
