"""Which changes a request means.

Saving programs do not write documents, they replace them: Word renames the
document away and a temporary into its place, `sed -i` moves a temporary over
it, Excel deletes it first. A plan sees through that: whatever the way, the
document's identity goes on (its id, versions, dead properties) and what it held
before is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import names
from ..catalogue import Reading
from ..changes import (
    BindCollection,
    BindCopy,
    BindFile,
    Change,
    Rebind,
    Resume,
    Size,
    Unbind,
    WriteContent,
    WriteProperties,
)
from ..errors import AlreadyMapped, Conflict, Forbidden, MethodNotAllowed, PreconditionFailed
from ..model import Kind, PropertyUpdate, Resource, Rules
from ..paths import DavPath, Name
from ..policy import Policy, forbid_root


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans changes from what one transaction sees.

    Args:
        moment_us: since when a file that left its name can still come back
            under it as the same file.
    """

    reading: Reading
    policy: Policy
    rules: Rules
    moment_us: int

    def write(self, path: DavPath, size_bytes: int) -> list[Change]:
        """Plan a PUT of *size_bytes*, or the empty file of a LOCK.

        Raises:
            MethodNotAllowed: *path* is a collection.
            Conflict: its parent is missing or is no collection.
        """
        target, parent = self._place(path)
        if target is not None:
            if target.is_collection:
                raise MethodNotAllowed("There is a folder of this name.")
            return [WriteContent(path, target, size_bytes)]
        kind = self.policy.kind_of(path, self.rules)
        away = self._away(parent, path.name) if kind is Kind.FILE else None
        if away is not None:
            return [
                Resume(path, parent, away, departed=False),
                WriteContent(path, away, size_bytes),
            ]
        return [BindFile(path, parent, kind, size_bytes)]

    def make_collection(
        self, path: DavPath, updates: tuple[PropertyUpdate, ...] = ()
    ) -> list[Change]:
        """Plan a MKCOL.

        Raises:
            AlreadyMapped: there is a resource at *path*.
            Conflict: its parent is missing or is no collection.
        """
        if path.is_root:
            raise AlreadyMapped("The top folder exists.")
        target, parent = self._place(path)
        if target is not None:
            raise AlreadyMapped("There is something of this name already.")
        return [BindCollection(path, parent, updates)]

    def unbind(self, path: DavPath) -> list[Change]:
        """Plan a DELETE; whatever was a file or a folder can be restored.

        Raises:
            Forbidden: *path* is the root.
            NotFound: the URL is not mapped.
        """
        forbid_root(path, "deleted")
        return [self._unbind(path, self.reading.get(path))]

    def move(self, source_path: DavPath, path: DavPath, *, overwrite: bool) -> list[Change]:
        """Plan a MOVE.

        Raises:
            NotFound: the source is not mapped.
            Forbidden: the source is the root, or one of the two is in the other.
            Conflict: the destination's parent is missing or is no collection.
            PreconditionFailed: the destination exists and must not be replaced.
        """
        forbid_root(source_path, "moved")
        source = self.reading.get(source_path)
        target, parent = self._destination(source_path, path, overwrite=overwrite)
        if source.is_collection:
            return [
                *self._clear(path, target),
                self._rebind(source_path, source, path, parent, Kind.COLLECTION),
            ]
        kind = self.policy.kind_of(path, self.rules)
        if kind is Kind.FILE and self._is_saving(source_path, source, target):
            promoted = self._promote(source, path, target, parent)
            if promoted:
                size = Size.of(source.kind, source.size_bytes)
                keep = bool(source.kind is Kind.FILE and self.reading.versions(source))
                return [*promoted, Unbind(source_path, source, size, keep=keep)]
        if source.kind is Kind.FILE:
            kind = Kind.FILE  # a document stays one under a temporary's name
        return [
            *self._clear(path, target),
            self._rebind(source_path, source, path, parent, kind),
        ]

    def copy(
        self, source_path: DavPath, path: DavPath, *, deep: bool, overwrite: bool
    ) -> list[Change]:
        """Plan a COPY.

        Raises:
            NotFound, Forbidden, Conflict, PreconditionFailed: as `move`.
        """
        source = self.reading.get(source_path)
        target, parent = self._destination(source_path, path, overwrite=overwrite)
        if source.is_collection:
            return [
                *self._clear(path, target),
                self._bind_copy(source, path, parent, Kind.COLLECTION, deep=deep),
            ]
        kind = self.policy.kind_of(path, self.rules)
        if kind is Kind.FILE and self._is_temporary(source_path, source):
            promoted = self._promote(source, path, target, parent)
            if promoted:
                return promoted
        if target is not None and not target.is_collection:
            return [
                WriteContent(path, target, source.size_bytes, source),
                WriteProperties(path, target, replaced_by=source),
            ]
        return [*self._clear(path, target), self._bind_copy(source, path, parent, kind, deep=True)]

    def _promote(
        self, source: Resource, path: DavPath, target: Resource | None, parent: Resource
    ) -> list[Change]:
        """Let the file at *path*, or the one that just left it, take *source*'s content.

        Returns:
            Nothing when there is no such file: then *source* becomes it.
        """
        size_bytes = source.size_bytes
        if target is not None:
            if target.is_collection:
                return []
            return [WriteContent(path, target, size_bytes, source)]
        returning = self._away(parent, path.name)
        departed = returning is None
        if returning is None:
            returning = self.reading.find_departed(parent, path.name, self.moment_us)
        if returning is None or returning.id == source.id:
            return []
        return [
            Resume(path, parent, returning, departed=departed),
            WriteContent(path, returning, size_bytes, source),
        ]

    def _is_temporary(self, path: DavPath, source: Resource) -> bool:
        return source.kind is Kind.SCRATCH or names.is_temporary(path, self.rules)

    def _is_saving(self, path: DavPath, source: Resource, target: Resource | None) -> bool:
        """Whether moving *source* is the last step of saving a document.

        A temporary's name says so. A program may also have written a file of
        an ordinary name a moment ago, which has no past of its own to keep,
        and now puts it in the document's place.
        """
        if self._is_temporary(path, source):
            return True
        return (
            target is not None
            and source.created_us >= self.moment_us
            and not self.reading.versions(source)
            and not self.reading.properties(source)
        )

    def _place(self, path: DavPath) -> tuple[Resource | None, Resource]:
        """Find what is at *path* and the collection that would hold it.

        Raises:
            Conflict: that collection is missing, or is none.
        """
        found = self.reading.walk(path)
        target = found[-1] if len(found) == len(path.names) + 1 else None
        if path.is_root:
            return target, found[0]
        if len(found) < len(path.names) or not found[len(path.names) - 1].is_collection:
            raise Conflict("The folder for it does not exist.")
        return target, found[len(path.names) - 1]

    def _destination(
        self, source_path: DavPath, path: DavPath, *, overwrite: bool
    ) -> tuple[Resource | None, Resource]:
        if path.is_within(source_path) or source_path.is_within(path):
            raise Forbidden("Source and destination are the same, or one is inside the other.")
        target, parent = self._place(path)
        if target is not None and not overwrite:
            raise PreconditionFailed("There is something of this name already.")
        return target, parent

    def _away(self, parent: Resource, name: Name) -> Resource | None:
        return self.reading.find_away(parent, name, self.moment_us)

    def _clear(self, path: DavPath, target: Resource | None) -> list[Change]:
        return [] if target is None else [self._unbind(path, target)]

    def _unbind(self, path: DavPath, target: Resource) -> Unbind:
        size = Size(*self.reading.tree_bytes(target))
        return Unbind(path, target, size, keep=target.kind is not Kind.SCRATCH)

    def _rebind(
        self, source_path: DavPath, source: Resource, path: DavPath, parent: Resource, kind: Kind
    ) -> Rebind:
        away = kind is Kind.FILE and names.is_temporary(path, self.rules)
        names_ = self._unjudged_names(source)
        return Rebind(path, parent, source_path, source, kind, away, names_)

    def _bind_copy(
        self, source: Resource, path: DavPath, parent: Resource, kind: Kind, *, deep: bool
    ) -> BindCopy:
        if not source.is_collection:
            size = Size.of(kind, source.size_bytes)
        elif deep:
            size = Size(*self.reading.tree_bytes(source))
        else:
            size = Size()
        names_ = self._unjudged_names(source) if deep else frozenset()
        return BindCopy(path, parent, source, kind, deep, size, names_)

    def _unjudged_names(self, source: Resource) -> frozenset[Name]:
        """Collect the names below *source*, unless the rules admitted all there is."""
        if not source.is_collection or self.rules.includes(self.reading.space().admitted):
            return frozenset()
        return self.reading.tree_file_names(source)
