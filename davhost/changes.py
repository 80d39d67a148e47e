"""What a write asks for, as values: RFC 3744's primitives, and REBIND of RFC 5842.

Every request that writes, whatever its edge, is a tuple of these. `policy`
judges them and `catalogue` applies them; nothing else changes a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from .model import Kind, PropertyUpdate, Resource
from .paths import DavPath, Name


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes that a change moves: those that the quota counts, and scratch."""

    file_bytes: int = 0
    scratch_bytes: int = 0

    def __add__(self, other: Size) -> Size:
        """Add both kinds."""
        return Size(self.file_bytes + other.file_bytes, self.scratch_bytes + other.scratch_bytes)

    def __neg__(self) -> Size:
        """Give both kinds back."""
        return Size(-self.file_bytes, -self.scratch_bytes)

    @classmethod
    def of(cls, kind: Kind, size_bytes: int) -> Size:
        """Count *size_bytes* for a resource of *kind*."""
        return cls(scratch_bytes=size_bytes) if kind is Kind.SCRATCH else cls(size_bytes)


class BindFile(NamedTuple):
    """A new file appears in a collection.

    Args:
        kind: file or scratch, as its name says.
        size_bytes: the length of its content.
    """

    path: DavPath
    parent: Resource
    kind: Kind
    size_bytes: int


class BindCollection(NamedTuple):
    """A new empty collection appears in a collection."""

    path: DavPath
    parent: Resource
    updates: tuple[PropertyUpdate, ...] = ()


class BindCopy(NamedTuple):
    """A copy of *source* appears, its blobs shared.

    Args:
        kind: what the copy of *source* itself becomes.
        deep: with all members; otherwise a collection comes without them.
        size: what the copy adds to the space.
        names: file names of members that the rules have to judge.
        kinds: what copies of members become that are of another kind than
            their sources, by the source's id.
    """

    path: DavPath
    parent: Resource
    source: Resource
    kind: Kind
    deep: bool
    size: Size
    names: frozenset[Name]
    kinds: Mapping[int, Kind] = MappingProxyType({})


class Unbind(NamedTuple):
    """A resource leaves the tree with all its members.

    Args:
        size: what it gives back to the space.
        keep: whether it can be restored; scratch and a temporary whose content
            has gone on under another name are not kept.
    """

    path: DavPath
    resource: Resource
    size: Size
    keep: bool


class Rebind(NamedTuple):
    """A resource with all its members takes another place in the tree.

    Args:
        path: where it goes.
        source_path: where it was.
        kind: what it becomes; scratch may become a file.
        away: it is a file that takes a temporary's name for a while: it
            remembers where it belongs.
        names: file names of members that the rules have to judge; empty when
            they admitted all that the space holds.
    """

    path: DavPath
    parent: Resource
    source_path: DavPath
    resource: Resource
    kind: Kind
    away: bool
    names: frozenset[Name]


class Resume(NamedTuple):
    """A file that stood at *path* a moment ago takes its place there again.

    Saving programs rename or delete the document and put another file in its
    place; the document's identity goes on. A `WriteContent` follows.

    Args:
        resource: the file; under another name in the tree, or departed.
        leaves: the kind of the copy that stays under that other name, for the
            program knows the old content by it; None for a departed file.
    """

    path: DavPath
    parent: Resource
    resource: Resource
    leaves: Kind | None


class Succeed(NamedTuple):
    """A renamed file ends, and its identity goes to the new file in its old place.

    Some programs save in this order: rename the document, write a new one,
    delete the old.

    Args:
        path: where *resource* is, and is no more.
        heir: the file at *heir_path*, the old place; it has no past of its own.
    """

    path: DavPath
    resource: Resource
    heir_path: DavPath
    heir: Resource


class Restore(NamedTuple):
    """A departed resource comes back with all its members.

    Args:
        path: a place that is free.
        resource: departed.
        size: what it brings back to the space.
        names: file names of members that the rules have to judge.
    """

    path: DavPath
    parent: Resource
    resource: Resource
    size: Size
    names: frozenset[Name]


class WriteContent(NamedTuple):
    """A file gets new content, and keeps the old as a version.

    Args:
        size_bytes: the length of the new content.
        source: whose content it shares; None for what the client sent.
    """

    path: DavPath
    resource: Resource
    size_bytes: int
    source: Resource | None = None


class WriteProperties(NamedTuple):
    """Dead properties are set and removed, in order, or the dates changed.

    Args:
        replaced_by: copy all dead properties of this resource instead.
        modified_us: a new modification time, or None.
        created_us: a new creation time, or None.
    """

    path: DavPath
    resource: Resource
    updates: tuple[PropertyUpdate, ...] = ()
    replaced_by: Resource | None = None
    modified_us: int | None = None
    created_us: int | None = None


#: Of what moves no bytes.
NO_SIZE = Size()

Change = (
    BindFile
    | BindCollection
    | BindCopy
    | Unbind
    | Rebind
    | Restore
    | Resume
    | Succeed
    | WriteContent
    | WriteProperties
)


def growth(change: Change) -> Size:
    """Count what *change* adds to the space; negative where it gives back."""
    match change:
        case BindFile():
            return Size.of(change.kind, change.size_bytes)
        case BindCopy() | Restore():
            return change.size
        case Unbind():
            return -change.size
        case Rebind():
            size_bytes = change.resource.size_bytes
            return Size.of(change.kind, size_bytes) + -Size.of(change.resource.kind, size_bytes)
        case Resume():
            # A departed file was not counted; of others a copy stays.
            return Size.of(change.leaves or Kind.FILE, change.resource.size_bytes)
        case Succeed():
            return Size(-change.resource.size_bytes)
        case WriteContent():
            return Size.of(change.resource.kind, change.size_bytes - change.resource.size_bytes)
        case BindCollection() | WriteProperties():
            return NO_SIZE
