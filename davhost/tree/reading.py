"""Looking, opening, listing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import BinaryIO

from .. import names
from ..blobs import BlobMissing
from ..catalogue import Glimpse, Reading, can_glimpse
from ..conditions import NO_CONDITIONS, Conditions, check_read, is_not_modified
from ..errors import ContentLost, NotFound
from ..model import Lock, Resource, Rules, Space, Version
from ..paths import DavPath
from .base import Base, find, plain_state, state_at, state_of
from .listings import Entry, Listing, Members, Revision, covering
from .past import Past, is_past
from .results import Looked, Opened


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
        if _is_in_sight(path):
            return self._glimpse(path).resource
        with self._reading() as reading:
            return find(reading, path)

    def look(self, path: DavPath, conditions: Conditions = NO_CONDITIONS) -> Looked:
        """Find what a HEAD describes.

        Raises:
            NotFound: the URL is not mapped.
            PreconditionFailed: a condition does not hold.
        """
        # Only state tokens take more than the resource itself to compare with.
        if _is_in_sight(path) and not conditions.lists:
            target = self._glimpse(path).resource
            not_modified = _check_alone(target, conditions)
        else:
            with self._reading() as reading:
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
        fields: Collection[str] | None = None,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Listing:
        """List what a PROPFIND asks for, as it is at one moment.

        Args:
            depth: 0, 1 or None for all.
            fields: those of `Columns` that are of interest, where the listing is
                taken in parts; None for all.
            dead: fetch dead properties.
            locks: fetch locks.
            past: name the collection that shows the past among the members of
                the root.

        Raises:
            NotFound: the URL is not mapped.
            PreconditionFailed: a condition does not hold.
        """
        is_one = depth == 0 and conditions is NO_CONDITIONS and _is_in_sight(path)
        listing = self._list_plain(path, dead=dead, locks=locks) if is_one else None
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
            own = reading.properties(target) if dead else ()
            top = Entry.at(path, target, own, covering(held, path))
            entries: Sequence[Entry] = [top]
            if depth is None:
                entries = list_tree(reading, top, dead=dead, locks=held)
            elif depth and target.is_collection:
                entries = list_members(
                    reading, top, dead=dead, locks=held, fields=None if past else fields
                )
            if past:
                entries = [*entries, *Past(reading).entries(DavPath.of(names.HISTORY), depth=0)]
            return Listing(space, entries, revision)

    def _list_plain(self, path: DavPath, *, dead: bool, locks: bool) -> Listing | None:
        """List one resource by one statement; None if it has what takes more of them.

        Raises:
            NotFound: the URL is not mapped.
        """
        target, space, has_properties = self._glimpse(path, sees_space=True)
        if target is None or space is None:
            raise NotFound("There is nothing here.")
        if (dead and has_properties) or (locks and space.has_locks):
            return None
        return Listing(space, [Entry.at(path, target)], _revision(space))

    def _glimpse(self, path: DavPath, *, sees_space: bool = False) -> Glimpse:
        """Find what is at a path that `_is_in_sight`.

        Raises:
            NotFound: it is not in the collection that the principal is confined to.
        """
        if not path.is_within(self.principal.root):
            raise NotFound("There is nothing here.")
        return self._catalogue.glimpse(self.principal.space_id, path, sees_space=sees_space)

    def is_unchanged(self, path: DavPath, since: Revision, *, locks: bool) -> bool:
        """Whether a listing of *path* still shows what it showed at the revision *since*.

        Args:
            locks: whether it shows locks: then there must be none.

        Raises:
            NotFound: the URL is not mapped.
        """
        if not locks and _is_in_sight(path):
            target, space, _ = self._glimpse(path, sees_space=True)
            if target is None or space is None:
                raise NotFound("There is nothing here.")
            return _revision(space) == since
        with self._reading() as reading:
            if find(reading, path, sees_space=True) is None:
                raise NotFound("There is nothing here.")
            held = reading.locks_touching([path], below=True) if locks else ()
            return not held and _revision(reading.space()) == since

    def versions(self, path: DavPath) -> list[Version]:
        """List the contents that the file at *path* had before, the newest first.

        Raises:
            NotFound: the URL is not mapped.
        """
        with self._reading() as reading:
            return reading.versions(reading.get(path))


def _is_in_sight(path: DavPath) -> bool:
    """Whether one statement finds what is at *path*."""
    return can_glimpse(path) and not is_past(path)


def _check_alone(target: Resource | None, conditions: Conditions) -> bool:
    """Say what `_check_read` says, where no condition is about anything but *target*."""
    if conditions is NO_CONDITIONS:
        return False
    state = plain_state(target)
    check_read(conditions, state, lambda _path: state)
    return is_not_modified(conditions, state)


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


def list_members(
    reading: Reading,
    top: Entry,
    *,
    dead: bool,
    locks: Sequence[Lock] = (),
    fields: Collection[str] | None = None,
) -> Sequence[Entry]:
    """List a collection and its members."""
    own = reading.member_properties(top.resource) if dead else {}
    if own or locks:
        fields = None  # some are not plain, and need values of their own
    return Members(top, reading.members(top.resource, fields), own, locks)


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
