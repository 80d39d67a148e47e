"""The values that layers hand to each other: frozen, without behaviour of their own.

Times of the wall clock are microseconds since 1970 UTC (`_us`); the life of a
lock is counted on the lease clock (`clock.Clock.lease`), which no step of the
wall clock moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from .paths import ROOT, DavPath, Name


class Kind(StrEnum):
    """What a resource is."""

    COLLECTION = "collection"
    FILE = "file"
    SCRATCH = "scratch"
    """A temporary of a saving program: never shared, counted or kept for long."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The allow-list of a space.

    Args:
        extensions: case-folded, without dots; None allows every file name.
    """

    extensions: frozenset[str] | None

    def allows(self, extension: str) -> bool:
        """Whether a file may end in *extension* (case-folded)."""
        return self.extensions is None or extension in self.extensions

    def includes(self, other: Rules) -> bool:
        """Whether everything that *other* allows is allowed here too."""
        if self.extensions is None:
            return True
        return other.extensions is not None and other.extensions <= self.extensions

    def union(self, other: Rules) -> Rules:
        """Allow what either allows."""
        if self.extensions is None or other.extensions is None:
            return Rules(None)
        return Rules(self.extensions | other.extensions)

    def __str__(self) -> str:
        """Write the list as people type it: ``jpg,pdf,txt`` or ``*``."""
        return "*" if self.extensions is None else ",".join(sorted(self.extensions))

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> Rules:
        """Read ``txt,pdf`` (dots, spaces and case do not matter) or ``*``.

        The same few lists are read with every request.

        Raises:
            ValueError: an extension is empty or holds a dot, slash or space.
        """
        if text.strip() == "*":
            return cls(None)
        extensions = {part.strip().lstrip(".").casefold() for part in text.split(",")}
        for extension in extensions:
            if not extension or any(c in "./\\*" or c.isspace() for c in extension):
                raise ValueError(f"{extension!r} is not a file name extension")
        return cls(frozenset(extensions))


class Burst(NamedTuple):
    """Files that had been left alone for a while, and were all changed in a short time.

    Args:
        began_us: when the first of them was changed.
        changes: how many have been overwritten, renamed or deleted since.
    """

    began_us: int
    changes: int


class Space(NamedTuple):
    """A confined tree with its own quota and rules; a user's home is one.

    Args:
        quota_bytes: None for no limit.
        used_bytes: the sizes of all files, shared blobs counted each time.
        scratch_bytes: the sizes of all temporaries.
        rules: the space's own allow-list; None takes the server's.
        admitted: what any file now in the space may end in.
        journal_seq: the number of the last change.
        epoch: which history its journal is of; another one after a restore.
        burst: the last burst of changes to older files.
        braked_us: not None stops every change: when the burst began that went
            too far.
        server_rules: the server's allow-list as administrators have chosen it;
            None takes the one of the settings.
        has_locks: whether there are any locks, in force or not.
    """

    id: int
    root_id: int
    quota_bytes: int | None
    used_bytes: int
    scratch_bytes: int
    rules: Rules | None
    admitted: Rules
    journal_seq: int = 0
    epoch: str = ""
    burst: Burst | None = None
    braked_us: int | None = None
    server_rules: Rules | None = None
    has_locks: bool = False

    @property
    def room_bytes(self) -> int | None:
        """Bytes that may still come, never negative; None without quota (RFC 4331)."""
        return None if self.quota_bytes is None else max(0, self.quota_bytes - self.used_bytes)


#: What a session of the pages is written into the journal as.
BROWSER = "browser"


class Principal(NamedTuple):
    """The authenticated actor of a request (RFC 3744 section 2).

    Args:
        space_id: the home.
        read_only: whether every write is refused.
        root: the collection that this sign-in is confined to; nothing outside
            of it exists for it.
        via: the label of the device, or `BROWSER`; None where it is not known.
    """

    user_id: int
    email: str
    space_id: int
    admin: bool = False
    read_only: bool = False
    root: DavPath = ROOT
    via: str | None = None


class Resource(NamedTuple):
    """One mapped URL; a tuple, because a listing makes tens of thousands.

    Args:
        parent_id: None for the root of a space.
        blob_key: where the bytes are; None for collections and empty files.
        etag: the opaque part of the strong entity tag, without quotes; a new
            one for every content a client wrote. Empty for collections.
        content_type: as the client declared it on PUT, or None.
        touched_us: the last write, whatever dates a client gave it.
    """

    id: int
    space_id: int
    parent_id: int | None
    name: str
    kind: Kind
    blob_key: str | None
    size_bytes: int
    etag: str
    content_type: str | None
    created_us: int
    modified_us: int
    touched_us: int = 0

    @property
    def is_collection(self) -> bool:
        """Whether the resource has members."""
        return self.kind is Kind.COLLECTION


class Columns(NamedTuple):
    """Some resources, field by field, each a `Resource` would have.

    What is done with tens of thousands of them takes least for a whole column at once.
    """

    ids: Sequence[int]
    names: Sequence[str]
    #: `Kind`, or the same as plain text.
    kinds: Sequence[str]
    blob_keys: Sequence[str | None]
    sizes_bytes: Sequence[int]
    etags: Sequence[str]
    content_types: Sequence[str | None]
    created_us: Sequence[int]
    modified_us: Sequence[int]
    touched_us: Sequence[int]

    @classmethod
    def of(cls, resources: Iterable[Resource], names: Sequence[str]) -> Columns:
        """Make them of *resources*, of which there is at least one.

        Args:
            names: what they are called where they are shown.
        """
        columns: list[Any] = list(zip(*resources, strict=True))
        return cls(columns[0], names, *columns[4:])

    def cut(self, start: int, end: int) -> Columns:
        """Take some of the resources."""
        return Columns._make(column[start:end] for column in self)


class Version(NamedTuple):
    """Content that a file had before.

    Args:
        modified_us: when it was written.
        replaced_us: when other content took its place.
    """

    id: int
    blob_key: str
    size_bytes: int
    modified_us: int
    replaced_us: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that the rules of a space refused.

    Args:
        email: who asked, or None when that account is gone.
        path: as the client wrote it, control characters and all.
    """

    at_us: int
    email: str | None
    verb: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Departed:
    """A resource that was deleted and can be restored.

    Args:
        name: what it was called, also if a temporary's name hid it at the end.
        departed_us: when it was deleted.
        place: the collection that it was in, or the nearest one above it that
            is still there.
        place_is_there: whether *place* is the very one that it was in.
        files: how many files it is, or holds.
        size_bytes: how much they are together.
    """

    resource: Resource
    name: Name
    departed_us: int
    place: DavPath
    place_is_there: bool
    files: int
    size_bytes: int


class Stored(NamedTuple):
    """Bytes that are durable in the blob store and have no name yet.

    Args:
        key: None when there are no bytes: an empty file needs no blob.
        sha256: lower-case hex of the content.
    """

    key: str | None
    size_bytes: int
    sha256: str


class Lock(NamedTuple):
    """A write lock (RFC 4918 section 6).

    Args:
        path: the lock root; locks protect URLs, so they are keyed by path.
        infinite: Depth infinity rather than 0.
        owner_xml: the client's DAV:owner element, or empty.
        expires: seconds on the lease clock.
        made_us: when it was granted; None where that is not known.
        via: what its holder came through, as `Principal.via`.
    """

    token: str
    path: DavPath
    exclusive: bool
    infinite: bool
    owner_xml: str
    user_id: int
    timeout_seconds: int
    expires: float
    made_us: int | None = None
    via: str | None = None

    def covers(self, path: DavPath) -> bool:
        """Whether writing to *path* itself needs this lock's token."""
        return path == self.path or (self.infinite and path.is_within(self.path))


class Property(NamedTuple):
    """A dead property: kept for the client as it came (RFC 4918 section 4.3).

    Args:
        name: Clark notation, ``{namespace}local``.
        xml: the whole element, with the namespaces it needs.
    """

    name: str
    xml: str


class PropertyUpdate(NamedTuple):
    """One instruction of a PROPPATCH; without *xml* the property is removed."""

    name: str
    xml: str | None


@dataclass(frozen=True, slots=True)
class JournalPoint:
    """A point of a journal, told from the same number in another history of the space.

    Args:
        seq: the number of the entry; 0 before the first.
        at_us, resource_id: of the entry; 0 before the first.
    """

    seq: int
    at_us: int
    resource_id: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One change of a space, in the order of their numbers.

    Args:
        verb: ``bind``, ``unbind``, ``rebind``, ``resume``, ``write``,
            ``properties``, ``sweep`` or ``unlock``, for a lock that was broken.
        path: where it happened; of a rebind where the resource went.
        source: of a rebind, where the resource was.
        at_us: when.
        resource_id: of what was changed.
    """

    seq: int
    verb: str
    path: DavPath
    source: DavPath | None
    at_us: int
    resource_id: int

    @property
    def point(self) -> JournalPoint:
        """The point of the journal that this entry ends at."""
        return JournalPoint(self.seq, self.at_us, self.resource_id)
