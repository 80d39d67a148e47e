"""The way back: out of the trash, and to content of before.

Nothing is lost on the way either: what stands where a resource was stays, and
content that is replaced becomes a version.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..catalogue.departed import departed, get_departed, get_version_content
from ..changes import Change, Restore, Size, WriteContent
from ..conditions import NO_CONDITIONS
from ..errors import MethodNotAllowed, NotFound
from ..model import Departed, Resource
from ..paths import DavPath, Name
from ..policy import Situation
from .base import Base
from .plans import Planner


class RestoringTree(Base):
    """The part of `Tree` that brings back what was deleted or replaced."""

    def trash(self, first: int = 0, count: int | None = None) -> list[Departed]:
        """List what was deleted and can be restored, the last one first.

        Args:
            first: how many to leave out.
            count: how many to list at most; None for all.
        """
        with self._reading() as reading:
            return departed(reading, first, count)

    def get_departed(self, resource_id: int) -> Departed:
        """Find one resource of the trash.

        Raises:
            NotFound: it is not in the trash, or not any more.
        """
        with self._reading() as reading:
            return get_departed(reading, resource_id)

    def get_version(self, path: DavPath, version_id: int) -> Resource:
        """Find content that the file at *path* had before, in the shape of a resource.

        Raises:
            NotFound: the URL is not mapped, or the file has no such version.
        """
        with self._reading() as reading:
            return get_version_content(reading, reading.get(path), version_id)

    def restore_departed(self, resource_id: int) -> DavPath:
        """Put a deleted resource back with all its members, as one change.

        It comes back to where it was; beside it, as ``name (restored).ext``,
        when something else is there now; and when its collection was deleted
        too, into the nearest one above that is left.

        Returns:
            Where it is now.

        Raises:
            NotFound: it is not in the trash, or not any more.
            NameRefused: its type is not allowed any more.
            QuotaExceeded: there is no room for it.
            Locked: the collection is locked.
        """
        with self._reading() as reading:
            found = get_departed(reading, resource_id)
            expected = found.place.child(found.name)
        places: list[DavPath] = []

        def plan(planner: Planner) -> Sequence[Change]:
            change = _plan_restore(planner, resource_id)
            places[:] = [change.path]
            return [change]

        self._change("restore", expected, plan, NO_CONDITIONS)
        return places[0]

    def restore_version(self, path: DavPath, version_id: int) -> Resource:
        """Give a file content that it had before; what it has now becomes a version.

        Raises:
            NotFound: the URL is not mapped, or the file has no such version.
            MethodNotAllowed: it is a collection.
            NameRefused, QuotaExceeded, Locked: as for any write.
        """

        def plan(planner: Planner) -> Sequence[Change]:
            target = planner.reading.get(path)
            if target.is_collection:
                raise MethodNotAllowed("A folder has no versions.")
            before = get_version_content(planner.reading, target, version_id)
            return [WriteContent(path, target, before.size_bytes, before)]

        resource, _ = self._change("restore", path, plan, NO_CONDITIONS)
        return resource

    def erase_departed(self, resource_id: int) -> None:
        """Remove a resource of the trash for good, with its members and versions.

        Raises:
            NotFound: it is not in the trash.
        """
        with self._writing(is_short=False) as tx:
            self._policy.permit((), Situation(self.principal, tx.space()))
            get_departed(tx, resource_id)
            tx.erase(resource_id)
        self._delete_dead(tx)

    def empty_trash(self, before_us: int | None = None) -> int:
        """Remove what was deleted for good, one resource after the other.

        Args:
            before_us: only what was deleted before; None for everything.

        Returns:
            How many resources of the trash it was, their members not counted.
        """
        ended = 0
        for left in self.trash():
            if before_us is not None and left.departed_us >= before_us:
                continue
            try:
                self.erase_departed(left.resource.id)
            except NotFound:  # somebody was quicker
                continue
            ended += 1
        return ended


def _plan_restore(planner: Planner, resource_id: int) -> Restore:
    reading = planner.reading
    left = get_departed(reading, resource_id)
    path = reading.free_place(left.place, left.name)
    return Restore(
        path=path,
        parent=reading.get(left.place),
        resource=left.resource,
        size=Size(*reading.tree_bytes(left.resource)),
        names=_unjudged_names(planner, left.resource),
    )


def _unjudged_names(planner: Planner, top: Resource) -> frozenset[Name]:
    """Collect the names below *top*, unless the rules admitted all there ever was."""
    reading = planner.reading
    if not top.is_collection or planner.rules.includes(reading.space().admitted):
        return frozenset()
    return reading.tree_file_names(top)
