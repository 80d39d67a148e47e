"""What left a space and can come back: the trash, and contents of before.

A departed resource keeps its row, its members and its versions; it has no
parent, and remembers where it belongs. Nothing here changes anything.
"""

from __future__ import annotations

from sqlalchemy import select, text

from ..errors import NotFound
from ..model import Departed, Resource
from ..paths import DavPath, Name
from .reading import RESOURCE, SUBTREE, Reading, resource_of
from .schema import resource, version


def departed(reading: Reading) -> list[Departed]:
    """List the trash of a space, the last one first."""
    statement = (
        select(*RESOURCE, resource.c.departed_us, resource.c.home_name)
        .where(resource.c.space_id == reading.space_id, resource.c.departed_us.is_not(None))
        .order_by(resource.c.departed_us.desc(), resource.c.id.desc())
    )
    rows = reading.connection.execute(statement).all()
    return [_departed(reading, resource_of(row[:-2]), *row[-2:]) for row in rows]


def get_departed(reading: Reading, resource_id: int) -> Departed:
    """Find one resource of the trash.

    Raises:
        NotFound: it is not there, or not any more.
    """
    statement = select(*RESOURCE, resource.c.departed_us, resource.c.home_name).where(
        resource.c.space_id == reading.space_id,
        resource.c.id == resource_id,
        resource.c.departed_us.is_not(None),
    )
    row = reading.connection.execute(statement).first()
    if row is None:
        raise NotFound(f"There is no {resource_id} in the trash.")
    return _departed(reading, resource_of(row[:-2]), *row[-2:])


def departed_tops(reading: Reading) -> list[tuple[Resource, Name, int]]:
    """List what was deleted, the first one first: each with its name and when."""
    statement = (
        select(*RESOURCE, resource.c.departed_us, resource.c.home_name)
        .where(resource.c.space_id == reading.space_id, resource.c.departed_us.is_not(None))
        .order_by(resource.c.departed_us, resource.c.id)
    )
    rows = reading.connection.execute(statement)
    return [(resource_of(row[:-2]), Name.known(row[-1] or row.name), row[-2]) for row in rows]


def with_versions(reading: Reading, collection: Resource) -> set[int]:
    """Find the members of *collection* that have versions, by id."""
    statement = (
        select(version.c.resource_id)
        .join(resource, resource.c.id == version.c.resource_id)
        .where(resource.c.parent_id == collection.id)
        .distinct()
    )
    return set(reading.connection.execute(statement).scalars())


def version_contents(reading: Reading, target: Resource) -> list[Resource]:
    """List the contents that *target* had before, the first one first, as resources."""
    statement = (
        select(
            version.c.blob_key,
            version.c.size_bytes,
            version.c.etag,
            version.c.content_type,
            version.c.modified_us,
        )
        .where(version.c.resource_id == target.id)
        .order_by(version.c.id)
    )
    return [
        target._replace(
            blob_key=blob_key,
            size_bytes=size_bytes,
            etag=etag,
            content_type=content_type,
            created_us=modified_us,
            modified_us=modified_us,
        )
        for blob_key, size_bytes, etag, content_type, modified_us in reading.connection.execute(
            statement
        )
    ]


def contents_at(reading: Reading, at_us: int) -> dict[int, tuple[int, str]]:
    """Find what files held at a time that have been written since.

    Returns:
        The id of the version and the key of its blob, by the id of the file.
    """
    own = (
        select(version.c.resource_id, version.c.id, version.c.blob_key)
        .join(resource, resource.c.id == version.c.resource_id)
        .where(resource.c.space_id == reading.space_id, version.c.replaced_us > at_us)
        .order_by(version.c.replaced_us.desc(), version.c.id.desc())
    )
    rows = reading.connection.execute(own)
    return {file_id: (version_id, key) for file_id, version_id, key in rows}


def everything(reading: Reading) -> list[Resource]:
    """List all resources of a space, in the tree and departed."""
    statement = select(*RESOURCE).where(resource.c.space_id == reading.space_id)
    return [resource_of(row) for row in reading.connection.execute(statement)]


def get_version_content(reading: Reading, target: Resource, version_id: int) -> Resource:
    """Find content that *target* had before, in the shape of a resource that has it now.

    Raises:
        NotFound: the file has no such version, or not any more.
    """
    statement = select(
        version.c.blob_key, version.c.size_bytes, version.c.content_type, version.c.modified_us
    ).where(version.c.id == version_id, version.c.resource_id == target.id)
    row = reading.connection.execute(statement).first()
    if row is None:
        raise NotFound(f"The file has no version {version_id}.")
    return resource_of((*_before_content(target), *row[:2], target.etag, row[2], 0, row[3]))


def _before_content(target: Resource) -> tuple[object, ...]:
    return target.id, target.space_id, target.parent_id, target.name, target.kind


def _departed(
    reading: Reading, target: Resource, departed_us: int, home_name: str | None
) -> Departed:
    parent = _home_parent(reading, target)
    was_in = None if parent is None else reading.path_of(parent)
    files, size_bytes = _count(reading, target)
    return Departed(
        resource=target,
        name=Name.known(home_name or target.name),
        departed_us=departed_us,
        place=_nearest(reading, target),
        place_is_there=was_in is not None,
        files=files,
        size_bytes=size_bytes,
    )


def _home_parent(reading: Reading, target: Resource) -> Resource | None:
    parent, _ = reading.home_of(target) or (None, None)
    return parent


def _nearest(reading: Reading, target: Resource) -> DavPath:
    """Find the collection that the resource was in, or the nearest one above that is left."""
    current: Resource | None = _home_parent(reading, target)
    seen: set[int] = set()
    while current is not None and current.id not in seen:
        seen.add(current.id)
        path = reading.path_of(current)
        if path is not None and current.is_collection:
            return path
        current = _above(reading, current)
    return DavPath()


def _above(reading: Reading, member: Resource) -> Resource | None:
    """Find the collection that a member of the trash is in, or was in when it left."""
    if member.parent_id is None:
        return _home_parent(reading, member)
    return reading.get_by_id(member.parent_id)


def _count(reading: Reading, target: Resource) -> tuple[int, int]:
    """Count the files of a tree, and their bytes."""
    if not target.is_collection:
        return 1, target.size_bytes
    row = reading.connection.execute(_COUNT, {"top": target.id}).one()
    return int(row[0]), int(row[1])


_COUNT = text(
    SUBTREE
    + """
SELECT COUNT(*), COALESCE(SUM(r.size_bytes), 0)
FROM resource r JOIN tree ON tree.id = r.id WHERE r.kind = 'file'
"""
)
