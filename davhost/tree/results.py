"""What the tree answers with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from ..model import Lock, Property, Resource, Space
from ..paths import DavPath, Name


@dataclass(frozen=True, slots=True)
class Looked:
    """A resource, and whether the client has it already (304)."""

    resource: Resource
    not_modified: bool


@dataclass(frozen=True, slots=True)
class Opened:
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


class Revision(NamedTuple):
    """What tells two states of a space apart: as long as it is equal, so are listings."""

    epoch: str
    journal_seq: int
    quota_bytes: int | None
    used_bytes: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What a PROPFIND sees, the requested resource first.

    Args:
        revision: of the space; None when something shows in the listing that no
            revision tells, such as a lock.
        entries: nothing when the revision is the one that was known.
    """

    space: Space
    entries: Sequence[Entry]
    revision: Revision | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write left at its URL, and whether the URL was unmapped before."""

    resource: Resource
    created: bool


@dataclass(frozen=True, slots=True)
class Locking:
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
