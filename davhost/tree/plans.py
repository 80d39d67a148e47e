"""Which changes a request means.

Saving programs do not write documents, they replace them: Word renames the
document away and a temporary into its place, `sed -i` moves a temporary over
it, Excel deletes it first. A plan sees through that: whatever the way, the
document's identity goes on (its id, versions, dead properties) and what it held
before is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .. import names
from ..catalogue import Place, Reading
from ..changes import (
    BindCollection,
    BindCopy,
    BindFile,
    Change,
    Rebind,
    Size,
    Unbind,
    WriteContent,
    WriteProperties,
)
from ..errors import (
    AlreadyMapped,
    Conflict,
    Forbidden,
    MethodNotAllowed,
    PreconditionFailed,
)
from ..model import Kind, PropertyUpdate, Resource, Rules
from ..paths import DavPath, Name
from ..policy import Policy, forbid_past, forbid_root
from .past import TRASH, Past, is_past
from .saving import ANY_WAY, Left, Saving


@dataclass(slots=True)
class Planner:
    """Plans changes from what one transaction sees.

    Args:
        moment_us: since when a file that left its name can still come back
            under it as the same file.
    """

    reading: Reading
    policy: Policy
    moment_us: int

    @property
    def rules(self) -> Rules:
        """The allow-list that holds in the space."""
        return self.policy.rules_of(self.reading.space())

    @property
    def _saving(self) -> Saving:
        return Saving(self.reading, self.policy, self.rules, self.moment_us)

    def write(self, path: DavPath, size_bytes: int) -> list[Change]:
        """Plan a PUT of *size_bytes*, or the empty file of a LOCK.

        Raises:
            MethodNotAllowed: *path* is a collection.
            Conflict: its parent is missing or is no collection.
        """
        place, parent = self._place(path)
        if place.target is not None:
            if place.target.is_collection:
                raise MethodNotAllowed("There is a folder of this name.")
            return [WriteContent(path, place.target, size_bytes)]
        kind = self.policy.kind_of(path, self.rules)
        resume = self._saving.resume(path, place, Left.AWAY) if kind is Kind.FILE else None
        if resume is not None:
            return [resume, WriteContent(path, resume.resource, size_bytes)]
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
        place, parent = self._place(path)
        if place.target is not None:
            raise AlreadyMapped("There is something of this name already.")
        return [BindCollection(path, parent, updates)]

    def unbind(self, path: DavPath) -> list[Change]:
        """Plan a DELETE; whatever was a file or a folder can be restored.

        Raises:
            Forbidden: *path* is the root.
            NotFound: the URL is not mapped.
        """
        forbid_root(path, "deleted")
        forbid_past(path)
        target = self.reading.get(path)
        return [self._saving.succeed(path, target) or self._unbind(path, target)]

    def move(self, source_path: DavPath, path: DavPath, *, overwrite: bool) -> list[Change]:
        """Plan a MOVE.

        Raises:
            NotFound: the source is not mapped.
            Forbidden: the source is the root, or one of the two is in the other.
            Conflict: the destination's parent is missing or is no collection.
            PreconditionFailed: the destination exists and must not be replaced.
        """
        forbid_root(source_path, "moved")
        forbid_past(source_path)
        source = self.reading.get(source_path)
        place, parent = self._destination(source_path, path, overwrite=overwrite)
        if source.is_collection:
            return [
                *self._clear(path, place.target),
                self._rebind(source_path, source, path, parent, Kind.COLLECTION),
                *self._promote_members(source_path, source, path),
            ]
        kind = self.policy.kind_of(path, self.rules)
        if kind is Kind.FILE:
            ways = self._saving.ways(source_path, source)
            promoted = self._saving.promote(source, path, place, ways)
            if promoted:
                size = Size.of(source.kind, source.size_bytes)
                keep = bool(source.kind is Kind.FILE and self.reading.versions(source))
                return [*promoted, Unbind(source_path, source, size, keep=keep)]
        if source.kind is Kind.FILE:
            kind = Kind.FILE  # a document stays one under a temporary's name
        return [
            *self._clear(path, place.target),
            self._rebind(source_path, source, path, parent, kind),
        ]

    def copy(
        self, source_path: DavPath, path: DavPath, *, deep: bool, overwrite: bool
    ) -> list[Change]:
        """Plan a COPY.

        Raises:
            NotFound, Forbidden, Conflict, PreconditionFailed: as `move`.
        """
        source = self._source(source_path)
        place, parent = self._destination(source_path, path, overwrite=overwrite)
        if source.is_collection:
            return [
                *self._clear(path, place.target),
                self._bind_tree(source_path, source, path, parent, deep=deep),
            ]
        kind = self.policy.kind_of(path, self.rules)
        if kind is Kind.FILE and self._saving.is_temporary(source_path, source):
            resume = None if place.target else self._saving.resume(path, place, Left.AWAY)
            if resume is not None and resume.resource.id == source.id:
                return [resume]  # a copy of what was put aside, where it was
            promoted = self._saving.promote(source, path, place, ANY_WAY)
            if promoted:
                return promoted
        target = place.target
        if target is not None and not target.is_collection:
            return [
                WriteContent(path, target, source.size_bytes, source),
                WriteProperties(path, target, replaced_by=source),
            ]
        size = Size.of(kind, source.size_bytes)
        copy = BindCopy(path, parent, source, kind, True, size, frozenset())
        return [*self._clear(path, place.target), copy]

    def _source(self, path: DavPath) -> Resource:
        """Find what is copied, which may be long gone.

        Raises:
            NotFound: the URL is not mapped.
            Forbidden: it only shows what was.
        """
        if not is_past(path):
            return self.reading.get(path)
        source = Past(self.reading).get(path)
        if source.is_collection and path.names[1:2] != (TRASH,):
            raise Forbidden("Copy the files in it: this folder only shows what was.")
        if path.names[1:] == (TRASH,):
            raise Forbidden("Copy what is in the trash, not the trash.")
        return source

    def _place(self, path: DavPath) -> tuple[Place, Resource]:
        """Find what is at *path* and the collection that would hold it.

        Raises:
            Forbidden: it only shows what was.
            Conflict: that collection is missing, or is none.
        """
        forbid_past(path)
        place = self.reading.place(path)
        if place.parent is None or not place.parent.is_collection:
            raise Conflict("The folder for it does not exist.")
        return place, place.parent

    def _destination(
        self, source_path: DavPath, path: DavPath, *, overwrite: bool
    ) -> tuple[Place, Resource]:
        if path.is_within(source_path) or source_path.is_within(path):
            raise Forbidden("Source and destination are the same, or one is inside the other.")
        place, parent = self._place(path)
        if place.target is not None and not overwrite:
            raise PreconditionFailed("There is something of this name already.")
        return place, parent

    def _clear(self, path: DavPath, target: Resource | None) -> list[Change]:
        return [] if target is None else [self._unbind(path, target)]

    def _unbind(self, path: DavPath, target: Resource) -> Unbind:
        size = Size(*self.reading.tree_bytes(target))
        return Unbind(path, target, size, keep=target.kind is not Kind.SCRATCH)

    def _rebind(
        self, source_path: DavPath, source: Resource, path: DavPath, parent: Resource, kind: Kind
    ) -> Rebind:
        away = kind is Kind.FILE and names.hides(path, self.rules)
        names_ = self._unjudged_names(source)
        return Rebind(path, parent, source_path, source, kind, away, names_)

    def _bind_tree(
        self,
        source_path: DavPath,
        source: Resource,
        path: DavPath,
        parent: Resource,
        *,
        deep: bool,
    ) -> BindCopy:
        if not deep:
            return BindCopy(path, parent, source, Kind.COLLECTION, False, Size(), frozenset())
        size, kinds = Size(*self.reading.tree_bytes(source)), {}
        for member, _, kind in self._changing_members(source_path, source, path):
            size += Size.of(kind, member.size_bytes) + -Size.of(member.kind, member.size_bytes)
            kinds[member.id] = kind
        names_ = self._unjudged_names(source)
        return BindCopy(path, parent, source, Kind.COLLECTION, True, size, names_, kinds)

    def _promote_members(
        self, source_path: DavPath, source: Resource, path: DavPath
    ) -> list[Change]:
        """Keep what was saved in a temporary's folder when it becomes an ordinary one."""
        if not any(names.is_temporary_folder(name) for name in source_path.names):
            return []
        return [
            Rebind(
                place,
                self.reading.get_by_id(member.parent_id or 0),
                place,
                member,
                Kind.FILE,
                away=False,
                names=frozenset(),
            )
            for member, place, kind in self._changing_members(source_path, source, path)
            if kind is Kind.FILE
        ]

    def _changing_members(
        self, source_path: DavPath, source: Resource, path: DavPath
    ) -> Iterator[tuple[Resource, DavPath, Kind]]:
        """Find the members of a tree that are of another kind where the tree goes.

        Yields:
            Each with its new path, and its kind there.
        """
        every = not self._admits_all()
        for member in self.reading.tree_files(source, every=every):
            by_name = self._saving.kind_at(DavPath((Name.known(member.name),)))
            if by_name is member.kind:
                continue  # by its own name: so it is everywhere
            place = self.reading.path_of(member)
            if place is None:
                continue  # out of the trash, a temporary stays one
            moved = DavPath(path.names + place.names[len(source_path.names) :])
            kind = self._saving.kind_at(moved)
            if kind is not member.kind:
                yield member, moved, kind

    def _admits_all(self) -> bool:
        """Whether the rules admit all that there ever was in the space."""
        return self.rules.includes(self.reading.space().admitted)

    def _unjudged_names(self, source: Resource) -> frozenset[Name]:
        """Collect the names below *source*, unless the rules admitted all there is."""
        if not source.is_collection or self._admits_all():
            return frozenset()
        return self.reading.tree_file_names(source)
