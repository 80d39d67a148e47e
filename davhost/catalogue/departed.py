"""What left a space and can come back: the trash, and contents of before.

A departed resource keeps its row, its members and its versions; it has no
parent, and remembers where it belongs. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text

from ..errors import NotFound
from ..model import Departed, Resource
from ..paths import DEPTH_MAX, DavPath, Name
from .reading import Reading
from .rows import RESOURCE, RESOURCE_SQL, resource_of
from .schema import resource, version


def departed(reading: Reading, first: int = 0, count: int | None = None) -> list[Departed]:
    """List the trash of a space, the last one first; so many statements for any number.

    Args:
        first: how many to leave out.
        count: how many to list at most; None for all.
    """
    chosen = {"first": first, "count": _ALL if count is None else count}
    return _list(reading, _LAST_FIRST, chosen)


def get_departed(reading: Reading, resource_id: int) -> Departed:
    """Find one resource of the trash.

    Raises:
        NotFound: it is not there, or not any more.
    """
    found = _list(reading, "AND id = :id", {"id": resource_id})
    if not found:
        raise NotFound(f"There is no {resource_id} in the trash.")
    return found[0]


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
        version.c.blob_key,
        version.c.size_bytes,
        version.c.etag,
        version.c.content_type,
        version.c.modified_us,
    ).where(version.c.id == version_id, version.c.resource_id == target.id)
    row = reading.connection.execute(statement).first()
    if row is None:
        raise NotFound(f"The file has no version {version_id}.")
    return target._replace(**row._mapping, created_us=0, touched_us=0)


def _list(reading: Reading, which: str, parameters: dict[str, int]) -> list[Departed]:
    """List the resources of the trash that the end of an SQL statement picks out."""
    gone = f"{_GONE} {which}"
    parameters |= {"space": reading.space_id}

    def rows(statement: str) -> Sequence[Any]:
        return reading.connection.execute(text(statement), parameters).all()

    counted = {row.top: (row.files, row.size_bytes) for row in rows(_COUNTS.format(gone=gone))}
    above: dict[int, list[Any]] = {}
    for row in rows(_ABOVE.format(gone=gone)):
        above.setdefault(row.top, []).append(row)
    root_id = reading.space().root_id
    found = []
    for row in rows(_ROWS.format(gone=gone)):
        target = resource_of(row[:-2])
        files, size_bytes = counted.get(target.id, (0, 0))
        if not target.is_collection:
            files, size_bytes = 1, target.size_bytes
        place, is_there = _nearest(above.get(target.id, []), root_id)
        found.append(
            Departed(
                resource=target,
                name=Name.known(row.home_name or target.name),
                departed_us=row.departed_us,
                place=place,
                place_is_there=is_there,
                files=files,
                size_bytes=int(size_bytes),
            )
        )
    return found


def _nearest(above: Sequence[Any], root_id: int) -> tuple[DavPath, bool]:
    """Find the collection that a resource was in, or the nearest one above that is left.

    Args:
        above: that collection and those above it, upwards; where one has departed
            too, the next is what that one was in.

    Returns:
        Its path, and whether it is the very one.
    """
    if not above or above[-1].id != root_id:
        return DavPath(), False  # one of them was removed for good
    heights = range(len(above) - 1)
    left = max((at for at in heights if above[at].parent_id is None), default=-1)
    names = (Name.known(row.name) for row in reversed(above[left + 1 : -1]))
    return DavPath(tuple(names)), left < 0


#: More than any space can have.
_ALL = 1 << 62

_GONE = "SELECT id FROM resource WHERE space_id = :space AND departed_us IS NOT NULL"
_LAST_FIRST = "ORDER BY departed_us DESC, id DESC LIMIT :count OFFSET :first"

_ROWS = f"""
SELECT {RESOURCE_SQL}, r.departed_us, r.home_name
FROM resource r JOIN ({{gone}}) gone ON gone.id = r.id
ORDER BY r.departed_us DESC, r.id DESC
"""

_COUNTS = """
WITH RECURSIVE tree(top, id) AS (
  SELECT gone.id, gone.id FROM ({gone}) gone
  UNION ALL
  SELECT tree.top, r.id FROM tree JOIN resource r ON r.parent_id = tree.id
)
SELECT tree.top, COUNT(*) AS files, COALESCE(SUM(r.size_bytes), 0) AS size_bytes
FROM tree JOIN resource r ON r.id = tree.id WHERE r.kind = 'file' GROUP BY tree.top
"""

#: No chain is longer: half of it in the tree, and as much that has departed.
_HEIGHT_MAX = 2 * DEPTH_MAX

_ABOVE = f"""
WITH RECURSIVE above(top, height, id, parent_id, next_id, name) AS (
  SELECT r.id, 0, up.id, up.parent_id, COALESCE(up.parent_id, up.home_parent_id), up.name
  FROM resource r JOIN ({{gone}}) gone ON gone.id = r.id
  JOIN resource up ON up.id = r.home_parent_id AND up.space_id = :space
  UNION ALL
  SELECT above.top, above.height + 1, up.id, up.parent_id,
         COALESCE(up.parent_id, up.home_parent_id), up.name
  FROM above JOIN resource up ON up.id = above.next_id AND up.space_id = :space
  WHERE above.height < {_HEIGHT_MAX}
)
SELECT top, id, parent_id, name FROM above ORDER BY top, height
"""
