"""What the tree answers with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, overload

from .. import catalogue
from ..model import Lock, Property, Resource, Space
from ..paths import DavPath, Name


class Looked(NamedTuple):
    """A resource, and whether the client has it already (304)."""

    resource: Resource
    not_modified: bool


class Opened(NamedTuple):
    """A resource with its bytes; the caller closes *content*.

    Args:
        content: seekable; None when there are no bytes to send.
    """

    resource: Resource
    not_modified: bool
    content: BinaryIO | None


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
        return self._made(self._members)

    def take(self) -> Iterator[Entry]:
        """Take the entries out, one by one; each is forgotten when it was used."""
        return self._made(self._members.take())

    def _made(self, members: Iterable[Resource]) -> Iterator[Entry]:
        yield self._top
        if self._properties or self._locks:
            yield from map(self._entry, members)
            return
        path = self._path
        for member in members:
            yield tuple.__new__(Entry, (path, member.name, member, (), ()))

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

    def take(self) -> Iterator[Entry]:
        """Take the entries out, once: those of a large collection are many megabytes."""
        return self.entries.take() if isinstance(self.entries, Members) else iter(self.entries)


class Outcome(NamedTuple):
    """What a write left at its URL, and whether the URL was unmapped before."""

    resource: Resource
    created: bool


class Locking(NamedTuple):
    """A granted lock, and whether it made an empty file (RFC 4918 section 7.3)."""

    lock: Lock
    resource: Resource
    created: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """What is different in a collection since a point of its journal (RFC 6578).

    Args:
        seq: the point that this answer brings the client to.
        entries: what is mapped now and is new or was changed.
        removed: what was mapped, perhaps only in between, and is not now.
    """

    seq: int
    space: Space
    entries: Sequence[Entry]
    removed: Sequence[DavPath]
