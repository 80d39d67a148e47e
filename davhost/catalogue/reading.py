"""What a transaction can find: resources, members, properties, locks.

Every method is one statement, whatever the size of the tree; a path of more
than 32 names takes some more.
"""

from __future__ import annotations

from collections.abc import Collection as AbstractCollection
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select, text

from ..errors import NotFound
from ..model import Kind, Lock, Property, Resource, Space, Version
from ..paths import DavPath, Name
from . import walks
from .journals import JournalReading
from .locks import LockReading
from .members import Members, fields_of, members_of
from .prepared import Prepared
from .rows import (
    RESOURCE,
    RESOURCE_SQL,
    SPACE,
    WIDTH,
    batches,
    resource_of,
    space_of,
)
from .schema import blob, dead_property, resource, space, version
from .walks import Place

#: How many files that left one name are considered; only the latest matter.
_ABSENT_MAX = 5

#: The kinds of bytes in a tree: those that count against the quota, and scratch.
SUBTREE = """
WITH RECURSIVE tree(id) AS (
  SELECT CAST(:top AS BIGINT)
  UNION ALL
  SELECT r.id FROM resource r JOIN tree ON r.parent_id = tree.id
)
"""


class Reading(LockReading, JournalReading):
    """A read transaction of one space: nothing outside of it is ever found."""

    _space: Space | None = None
    #: Whether the row of the space is wanted in any case, so that it comes with the first walk.
    _wants_space = False

    def space(self) -> Space:
        """Read the row of the space, as it is for the whole transaction.

        Raises:
            NotFound: the space was removed.
        """
        if self._space is None:
            row = self.connection.row(_SPACE_BY_ID, id=self.space_id)
            if row is None:
                raise _gone()
            self._space = space_of(row)
        return self._space

    def locks_touching(self, paths: Iterable[DavPath], *, below: bool) -> list[Lock]:
        """Find locks as `LockReading` does, if there are any in the space."""
        return super().locks_touching(paths, below=below) if self.space().has_locks else []

    def walk(self, path: DavPath) -> list[Resource]:
        """Find the resources along *path*, the root first, as far as they exist.

        Raises:
            NotFound: *path* is not in the collection that the reader is confined to.
        """
        self._confine(path)
        names = path.names[: walks.STEPS_MAX]
        found = self._follow(names, sees_space=self._lacks_space, space=self.space_id)
        for done in range(walks.STEPS_MAX, len(path.names), walks.STEPS_MAX):
            if len(found) <= done:
                break
            names = path.names[done : done + walks.STEPS_MAX]
            found += self._follow(names, start=found[-1].id)[1:]
        return found

    @property
    def _lacks_space(self) -> bool:
        return self._wants_space and self._space is None

    def _follow(
        self, names: Sequence[Name], *, sees_space: bool = False, **start: int
    ) -> list[Resource]:
        """Find what *names* lead to from the root of a *space*, or from a resource at *start*."""
        statement = walks.follow(len(names), from_root="space" in start, sees_space=sees_space)
        row = self.connection.row(statement, **start, **walks.values_of(names))
        if row is None:
            if sees_space:
                raise _gone()
            return []
        width = (len(names) + 1) * WIDTH
        if sees_space:
            self._space = space_of(row[width:])
        ends = range(WIDTH, width + 1, WIDTH)
        return [resource_of(row[end - WIDTH : end]) for end in ends if row[end - WIDTH] is not None]

    def _confine(self, path: DavPath) -> None:
        if not path.is_within(self.top):
            raise NotFound("There is nothing here.")

    def find(self, path: DavPath, *, sees_space: bool = False) -> Resource | None:
        """Find the resource at *path*, as `walk` does; None when the URL is not mapped.

        Args:
            sees_space: read the row of the space at the same time, for `space`.
        """
        if not walks.can_glimpse(path):
            found = self.walk(path)
            return found[-1] if len(found) == len(path.names) + 1 else None
        self._confine(path)
        sees_space = sees_space or self._lacks_space
        glimpse = walks.glimpse(self.connection, self.space_id, path, sees_space=sees_space)
        if sees_space:
            if glimpse.space is None:
                raise _gone()
            self._space = glimpse.space
        return glimpse.resource

    def place(self, path: DavPath) -> Place:
        """Find where *path* is bound, or would be; the root is in itself.

        Raises:
            NotFound: it is not in the collection that the reader is confined to.
        """
        if path.is_root or not walks.can_glimpse(path):
            found, length = self.walk(path), len(path.names)
            target = found[-1] if len(found) == length + 1 else None
            parent = found[max(0, length - 1)] if len(found) >= length else None
            return Place(parent, target, has_absent=True)
        self._confine(path)
        sees_space = self._lacks_space
        place = walks.place(self.connection, self.space_id, path, sees_space=sees_space)
        if place is None:
            raise _gone()
        self._space = place.space or self._space
        return place

    def find_all(self, paths: Iterable[DavPath]) -> dict[DavPath, Resource]:
        """Find the resources at *paths*; those that are not mapped are left out.

        One statement for each path, or two for all members of one collection.
        """
        found: dict[DavPath, Resource] = {}
        siblings: dict[tuple[Name, ...] | None, list[DavPath]] = {}
        for path in paths:
            siblings.setdefault(path.names[:-1] if path.names else None, []).append(path)
        for path, *others in siblings.values():
            if not others:
                resource = self.find(path)
                if resource is not None:
                    found[path] = resource
            elif (parent := self.find(path.parent)) is not None:
                found.update(self._members_at(parent, [path, *others]))
        return found

    def get(self, path: DavPath) -> Resource:
        """Find the resource at *path*.

        Raises:
            NotFound: the URL is not mapped.
        """
        found = self.find(path)
        if found is None:
            raise NotFound("There is nothing here.")
        return found

    def free_place(self, collection: DavPath, name: Name) -> DavPath:
        """Find a free place in *collection*: *name*, or one that says it was restored."""
        place, number = collection.child(name), 0
        while self.find(place) is not None:
            number += 1
            mark = " (restored)" if number == 1 else f" (restored {number})"
            place = collection.child(name.marked(mark))
        return place

    def members(
        self, collection: Resource, wanted: AbstractCollection[str] | None = None
    ) -> Members:
        """List the members of *collection* by name.

        Args:
            wanted: the fields of `Columns` that are of interest; None for all.
        """
        fields = fields_of(wanted)
        rows = self.connection.rows(members_of(fields), parent=collection.id)
        return Members(collection, fields, rows)

    def have_members(self, collections: Sequence[Resource]) -> set[int]:
        """Say which of *collections* are not empty, by id."""
        found: set[int] = set()
        for some in batches(collections):
            ids = _filled_up("id", [collection.id for collection in some])
            found.update(id_ for (id_,) in self.connection.rows(_have_members(len(ids)), **ids))
        return found

    def _members_at(
        self, collection: Resource, paths: Sequence[DavPath]
    ) -> Iterator[tuple[DavPath, Resource]]:
        """Find the members of *collection* at *paths*."""
        by_name: dict[str, DavPath] = {path.name: path for path in paths}
        for some in batches(list(by_name)):
            names = _filled_up("n", some)
            statement = _members_named(len(names))
            for row in self.connection.rows(statement, parent=collection.id, **names):
                member = resource_of(row)
                yield by_name[member.name], member

    def properties(self, target: Resource) -> list[Property]:
        """List the dead properties of *target*."""
        rows = self.connection.rows(_PROPERTIES, id=target.id)
        return [Property(*row) for row in rows]

    def member_properties(self, collection: Resource) -> dict[int, list[Property]]:
        """List the dead properties of all members, by resource id."""
        found: dict[int, list[Property]] = {}
        rows = self.connection.rows(_MEMBER_PROPERTIES, parent=collection.id)
        for resource_id, name, xml in rows:
            found.setdefault(resource_id, []).append(Property(name, xml))
        return found

    def tree_bytes(self, top: Resource) -> tuple[int, int]:
        """Sum up a tree: bytes of files, bytes of scratch."""
        if not top.is_collection:
            scratch = top.kind is Kind.SCRATCH
            return (0, top.size_bytes) if scratch else (top.size_bytes, 0)
        files, scratch = self.connection.row(_TREE_BYTES, top=top.id)
        return int(files), int(scratch)

    def tree_file_names(self, top: Resource) -> frozenset[Name]:
        """Collect the names of the files below *top*, scratch left out."""
        rows = self.connection.rows(_TREE_FILE_NAMES, top=top.id)
        return frozenset(Name(name) for (name,) in rows)

    def tree_files(self, top: Resource, *, every: bool) -> list[Resource]:
        """List scratch and files that are away below *top*, or *every* file."""
        rows = self.connection.rows(_TREE_FILES, top=top.id, every=every)
        return [resource_of(row) for row in rows]

    def find_absent(self, parent: Resource, name: Name) -> list[Resource]:
        """Find files that belong at *name*, and are away or have departed; the latest few."""
        rows = self.connection.rows(_ABSENT, space=self.space_id, parent=parent.id, name=name)
        return [resource_of(row) for row in rows]

    def get_by_id(self, resource_id: int) -> Resource:
        """Find a resource by its id, in the tree or departed.

        Raises:
            NotFound: it was removed for good.
        """
        row = self.connection.row(_BY_ID, id=resource_id, space=self.space_id)
        if row is None:
            raise NotFound("It is gone.")
        return resource_of(row)

    def path_of(self, target: Resource) -> DavPath | None:
        """Find the path of a resource; None when it, or a folder above it, has departed."""
        rows = self.connection.rows(_PATH_UP, id=target.id)
        top_id, *_ = rows[-1]
        if top_id != self.space().root_id:
            return None
        return DavPath(tuple(Name.known(name) for _, name in reversed(rows[:-1])))

    def home_of(self, target: Resource) -> tuple[Resource | None, Name] | None:
        """Find where a file belongs that is away or has departed.

        Returns:
            The collection, None when it was removed for good, and the name.
        """
        row = self.connection.row(_HOME, id=target.id)
        if row is None:
            return None
        parent_id, name = row
        try:
            return self.get_by_id(parent_id), Name.known(name)
        except NotFound:
            return None, Name.known(name)

    def versions(self, target: Resource) -> list[Version]:
        """List the contents that *target* had before, the newest first."""
        return [Version(*row) for row in self.connection.rows(_VERSIONS, id=target.id)]

    def sha256_of(self, blob_key: str) -> str:
        """Look up the hash of a blob, lower-case hex."""
        (sha256,) = self.connection.row(_SHA256, key=blob_key)
        return str(sha256)


def _gone() -> NotFound:
    return NotFound("The account is gone.")


_PATH_UP = Prepared(
    text(
        """
WITH RECURSIVE up(id, parent_id, name, height) AS (
  SELECT r.id, r.parent_id, r.name, 0 FROM resource r WHERE r.id = :id
  UNION ALL
  SELECT r.id, r.parent_id, r.name, up.height + 1 FROM up JOIN resource r ON r.id = up.parent_id
)
SELECT id, name FROM up ORDER BY height
"""
    )
)


_SPACE_BY_ID = Prepared(select(*SPACE).where(space.c.id == bindparam("id")))

_BY_ID = Prepared(
    select(*RESOURCE).where(
        resource.c.id == bindparam("id"), resource.c.space_id == bindparam("space")
    )
)

_HOME = Prepared(
    select(resource.c.home_parent_id, resource.c.home_name).where(
        resource.c.id == bindparam("id"), resource.c.home_parent_id.is_not(None)
    )
)

_ABSENT = Prepared(
    select(*RESOURCE)
    .where(
        resource.c.space_id == bindparam("space"),
        resource.c.home_parent_id == bindparam("parent"),
        resource.c.home_name == bindparam("name"),
        # Written out: SQLite would compile it anew for each value of a parameter,
        # because of the index of the other kind.
        resource.c.kind == text(f"'{Kind.FILE}'"),
    )
    .order_by(resource.c.touched_us.desc(), resource.c.id.desc())
    .limit(_ABSENT_MAX)
)

_PROPERTIES = Prepared(
    select(dead_property.c.name, dead_property.c.xml).where(
        dead_property.c.resource_id == bindparam("id")
    )
)

_MEMBER_PROPERTIES = Prepared(
    select(dead_property.c.resource_id, dead_property.c.name, dead_property.c.xml)
    .join(resource, resource.c.id == dead_property.c.resource_id)
    .where(resource.c.parent_id == bindparam("parent"))
)

_VERSIONS = Prepared(
    select(
        version.c.id,
        version.c.blob_key,
        version.c.size_bytes,
        version.c.modified_us,
        version.c.replaced_us,
    )
    .where(version.c.resource_id == bindparam("id"))
    .order_by(version.c.id.desc())
)

_SHA256 = Prepared(select(blob.c.sha256).where(blob.c.key == bindparam("key")))

_TREE_BYTES = Prepared(
    text(
        SUBTREE
        + """
SELECT COALESCE(SUM(CASE WHEN r.kind = 'file' THEN r.size_bytes ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN r.kind = 'scratch' THEN r.size_bytes ELSE 0 END), 0)
FROM resource r JOIN tree ON tree.id = r.id
"""
    )
)

_TREE_FILE_NAMES = Prepared(
    text(
        SUBTREE
        + """
SELECT DISTINCT r.name FROM resource r JOIN tree ON tree.id = r.id
WHERE r.kind = 'file' AND r.id <> :top
"""
    )
)

_TREE_FILES = Prepared(
    text(
        SUBTREE
        + f"""
SELECT {RESOURCE_SQL} FROM resource r JOIN tree ON tree.id = r.id
WHERE r.kind = 'scratch' OR (r.kind = 'file' AND (:every OR r.home_parent_id IS NOT NULL))
"""
    )
)


def _filled_up(prefix: str, values: Sequence[Any]) -> dict[str, Any]:
    """Name *values* for a statement, the last one again until they are a power of two.

    So that there are few such statements, each written once.
    """
    count = 1 << (len(values) - 1).bit_length()
    filled = [*values, *[values[-1]] * (count - len(values))]
    return {f"{prefix}{index}": value for index, value in enumerate(filled)}


@cache
def _members_named(count: int) -> Prepared:
    """Write the query for some members by their *count* names."""
    names = ", ".join(f":n{index}" for index in range(count))
    return Prepared(
        text(
            f"SELECT {RESOURCE_SQL} FROM resource r "
            f"WHERE r.parent_id = :parent AND r.name IN ({names})"
        )
    )


@cache
def _have_members(count: int) -> Prepared:
    """Write the query that finds those of *count* collections that are not empty."""
    ids = ", ".join(f":id{index}" for index in range(count))
    return Prepared(
        text(
            f"SELECT r.id FROM resource r WHERE r.id IN ({ids}) "
            "AND EXISTS (SELECT 1 FROM resource m WHERE m.parent_id = r.id)"
        )
    )
