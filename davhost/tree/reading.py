"""Looking, opening, listing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, overload

from .. import names
from ..blobs import BlobMissing
from ..catalogue import Reading
from ..conditions import NO_CONDITIONS, Conditions, check_read, is_not_modified
from ..errors import ContentLost, NotFound
from ..model import Lock, Property, Resource, Rules, Space, Version
from ..paths import DavPath
from .base import Base, find, state_at, state_of
from .past import Past, is_past
from .results import Entry, Listing, Looked, Opened, Revision


class ReadingTree(Base):
    """The part of `Tree` that changes nothing."""

    def lease_now(self) -> float:
        """Seconds on the clock that locks end by."""
        return self._clock.lease()

    def space(self) -> Space:
        """Read the space: quota and use."""
        with self._reading() as reading:
            return reading.space()

    def rules(self, space: Space) -> Rules:
        """The allow-list that holds in *space*."""
        return self._policy.rules_of(space)

    def find(self, path: DavPath) -> Resource | None:
        """Find the resource at *path*; None when the URL is not mapped."""
        with self._reading(single=_is_found_at_once(path)) as reading:
            return find(reading, path)

    def look(self, path: DavPath, conditions: Conditions = NO_CONDITIONS) -> Looked:
        """Find what a HEAD describes.

        Raises:
            NotFound: the URL is not mapped.
            PreconditionFailed: a condition does not hold.
        """
        # Only state tokens take more than the resource itself to compare with.
        with self._reading(single=_is_found_at_once(path) and not conditions.lists) as reading:
            target = find(reading, path)
            not_modified = _check_read(reading, path, target, conditions)
        if target is None:
            raise NotFound("There is nothing here.")
        return Looked(target, not_modified)

    def open(self, path: DavPath, conditions: Conditions = NO_CONDITIONS) -> Opened:
        """Open what a GET answers with; the bytes stay as they are until it is closed.

        Raises:
            NotFound: the URL is not mapped.
            PreconditionFailed: a condition does not hold.
            ContentLost: the bytes are missing from the blob store.
        """
        missing_key = None
        while True:
            looked = self.look(path, conditions)
            key = looked.resource.blob_key
            if looked.not_modified or key is None:
                return Opened(looked.resource, looked.not_modified, None)
            try:
                return Opened(looked.resource, False, self._blobs.open(key))
            except BlobMissing:
                # Replaced between the look and the open: look again, once
                # for each content that comes by.
                if key == missing_key:
                    raise ContentLost("The content of this file is missing.") from None
                missing_key = key

    def open_listed(self, resource: Resource) -> BinaryIO | None:
        """Open the content that *resource* had when it was listed, even if it has other by now.

        Returns:
            Seekable, to be closed by the caller; None when there are no bytes.

        Raises:
            ContentLost: what was replaced or deleted since then is gone for good.
        """
        if resource.blob_key is None:
            return None
        try:
            return self._blobs.open(resource.blob_key)
        except BlobMissing:
            raise ContentLost("The content of this file is missing.") from None

    def listing(
        self,
        path: DavPath,
        *,
        depth: int | None,
        dead: bool,
        locks: bool,
        past: bool = False,
        known: Revision | None = None,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Listing:
        """List what a PROPFIND asks for, in one transaction.

        Args:
            depth: 0, 1 or None for all.
            dead: fetch dead properties.
            locks: fetch locks.
            past: name the collection that shows the past among the members of
                the root.
            known: the revision of a listing that the caller has already.

        Raises:
            NotFound: the URL is not mapped.
            PreconditionFailed: a condition does not hold.
        """
        # What is asked most: one resource, or whether anything has changed, which is
        # known before any dead property is read.
        is_simple = not (locks or past) and conditions is NO_CONDITIONS
        if is_simple and (known or (depth == 0 and not dead)):
            listing = self._look_at_once(path, known)
            if listing is not None:
                return listing
        with self._reading() as reading:
            target = find(reading, path, sees_space=True)
            _check_read(reading, path, target, conditions)
            if is_past(path):
                return Listing(reading.space(), Past(reading).entries(path, depth=depth))
            if target is None:
                raise NotFound("There is nothing here.")
            held = reading.locks_touching([path], below=depth != 0) if locks else []
            past = past and path.is_root and depth == 1
            space = reading.space()
            revision = None if held or past else _revision(space)
            if known is not None and revision == known:
                return Listing(space, (), revision)
            own = reading.properties(target) if dead else ()
            top = Entry.at(path, target, own, _covering(held, path))
            entries: Sequence[Entry] = [top]
            if depth is None:
                entries = list_tree(reading, top, dead=dead, locks=held)
            elif depth and target.is_collection:
                entries = list_members(reading, top, dead=dead, locks=held)
            if past:
                entries = [*entries, *Past(reading).entries(DavPath.of(names.HISTORY), depth=0)]
            return Listing(space, entries, revision)

    def _look_at_once(self, path: DavPath, known: Revision | None) -> Listing | None:
        """List one resource, or nothing if the revision is *known*; None if it takes more.

        Raises:
            NotFound: the URL is not mapped.
        """
        if not _is_found_at_once(path):
            return None
        with self._reading(single=True) as reading:
            target = reading.find(path, sees_space=True)
            if target is None:
                raise NotFound("There is nothing here.")
            space = reading.space()
        revision = _revision(space)
        if known is None:
            return Listing(space, [Entry.at(path, target)], revision)
        return Listing(space, (), revision) if revision == known else None

    def versions(self, path: DavPath) -> list[Version]:
        """List the contents that the file at *path* had before, the newest first.

        Raises:
            NotFound: the URL is not mapped.
        """
        with self._reading() as reading:
            return reading.versions(reading.get(path))


def _is_found_at_once(path: DavPath) -> bool:
    """Whether one statement finds what is at *path*."""
    return Reading.finds_at_once(path) and not is_past(path)


def _check_read(
    reading: Reading, path: DavPath, target: Resource | None, conditions: Conditions
) -> bool:
    """Say whether the client has already what it asks for.

    Raises:
        PreconditionFailed: a condition does not hold.
    """
    if conditions is NO_CONDITIONS:
        return False
    state = state_of(reading, path, target, conditions)
    check_read(conditions, state, lambda tagged: state_at(reading, tagged, conditions))
    return is_not_modified(conditions, state)


class _Members(Sequence[Entry]):
    """A collection and its members; an entry is made when it is looked at.

    Of a large collection, rows are all that is in memory at once.
    """

    def __init__(
        self,
        top: Entry,
        members: Sequence[Resource],
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
        if self._properties or self._locks:
            yield from map(self._entry, self._members)
            return
        path = self._path
        for member in self._members:
            yield tuple.__new__(Entry, (path, member.name, member, (), ()))

    def _entry(self, member: Resource) -> Entry:
        own = self._properties.get(member.id, ()) if self._properties else ()
        entry = Entry(self._path, member.name, member, own)
        if self._locks:
            return entry._replace(locks=_covering(self._locks, entry.path))
        return entry


def list_members(
    reading: Reading, top: Entry, *, dead: bool, locks: Sequence[Lock] = ()
) -> Sequence[Entry]:
    """List a collection and its members."""
    own = reading.member_properties(top.resource) if dead else {}
    return _Members(top, reading.members(top.resource), own, locks)


def list_tree(
    reading: Reading, top: Entry, *, dead: bool, locks: Sequence[Lock] = ()
) -> Sequence[Entry]:
    """List a resource and all that is below it, parents first."""
    entries = [top]
    waiting = [top] if top.resource.is_collection else []
    while waiting:
        below = list_members(reading, waiting.pop(), dead=dead, locks=locks)[1:]
        entries += below
        waiting += [entry for entry in below if entry.resource.is_collection]
    return entries


def _revision(space: Space) -> Revision:
    return Revision(space.epoch, space.journal_seq, space.quota_bytes, space.used_bytes)


def _covering(locks: Sequence[Lock], path: DavPath) -> Sequence[Lock]:
    return [lock for lock in locks if lock.covers(path)] if locks else ()
