"""What has to be true of the rows, asked of the whole database at once.

Each invariant is one statement, so that it is true or not at one moment,
whoever writes meanwhile. A statement selects what breaks it: space id, what it
is, what was found, what was expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, select, text, update

from ..paths import DavPath
from .schema import blob, dead_property, journal, lock, resource, space, version
from .transactions import Transaction

_TREE = """
WITH RECURSIVE tree(id, space_id) AS (
  SELECT r.id, s.id FROM space s JOIN resource r ON r.id = s.root_id
  UNION
  SELECT r.id, tree.space_id FROM resource r JOIN tree ON r.parent_id = tree.id
), sums(space_id, file_bytes, scratch_bytes) AS (
  SELECT tree.space_id,
         SUM(CASE WHEN r.kind = 'file' THEN r.size_bytes ELSE 0 END),
         SUM(CASE WHEN r.kind = 'scratch' THEN r.size_bytes ELSE 0 END)
  FROM tree JOIN resource r ON r.id = tree.id GROUP BY tree.space_id
)
"""

_REACHED = """
WITH RECURSIVE top(id) AS (
  SELECT s.root_id FROM space s
  UNION
  SELECT r.id FROM resource r WHERE r.parent_id IS NULL AND r.departed_us IS NOT NULL
), reached(id) AS (
  SELECT id FROM top
  UNION
  SELECT r.id FROM resource r JOIN reached ON r.parent_id = reached.id
)
"""

_NAMED = """
(EXISTS (SELECT 1 FROM resource r WHERE r.blob_key = b.key)
 OR EXISTS (SELECT 1 FROM version v WHERE v.blob_key = b.key))
"""


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that is always true.

    Args:
        sentence: says what is wrong; ``{what}``, ``{found}`` and ``{wanted}``
            are filled in.
        sql: selects what breaks it.
    """

    sentence: str
    sql: str


INVARIANTS: dict[str, Invariant] = {
    "counter": Invariant(
        "{what} says {found} bytes, the tree has {wanted}",
        _TREE
        + """
SELECT s.id, 'used_bytes', s.used_bytes, COALESCE(t.file_bytes, 0)
FROM space s LEFT JOIN sums t ON t.space_id = s.id
WHERE s.used_bytes <> COALESCE(t.file_bytes, 0)
UNION ALL
SELECT s.id, 'scratch_bytes', s.scratch_bytes, COALESCE(t.scratch_bytes, 0)
FROM space s LEFT JOIN sums t ON t.space_id = s.id
WHERE s.scratch_bytes <> COALESCE(t.scratch_bytes, 0)
""",
    ),
    "root": Invariant(
        "the top folder of space {what} is missing, or is none",
        """
SELECT s.id, s.id, s.root_id, NULL FROM space s LEFT JOIN resource r ON r.id = s.root_id
WHERE r.id IS NULL OR r.parent_id IS NOT NULL OR r.kind <> 'collection'
   OR r.space_id <> s.id OR r.departed_us IS NOT NULL
""",
    ),
    "owner": Invariant(
        "space {what} belongs to nobody",
        """
SELECT s.id, s.id, NULL, NULL FROM space s
WHERE NOT EXISTS (SELECT 1 FROM "user" u WHERE u.space_id = s.id)
UNION ALL
SELECT u.space_id, u.space_id, NULL, NULL FROM "user" u
WHERE NOT EXISTS (SELECT 1 FROM space s WHERE s.id = u.space_id)
""",
    ),
    "parent": Invariant(
        "resource {what} is in {found}, which is missing or is no folder of its space",
        """
SELECT r.space_id, r.id, r.parent_id, NULL
FROM resource r LEFT JOIN resource p ON p.id = r.parent_id
WHERE r.parent_id IS NOT NULL
  AND (p.id IS NULL OR p.kind <> 'collection' OR p.space_id <> r.space_id)
""",
    ),
    "adrift": Invariant(
        "resource {what} is neither in the tree nor in the trash",
        _REACHED
        + """
SELECT r.space_id, r.id, r.parent_id, NULL
FROM resource r LEFT JOIN reached ON reached.id = r.id WHERE reached.id IS NULL
""",
    ),
    "departed": Invariant(
        "resource {what} is in the trash and in the tree",
        """
SELECT r.space_id, r.id, r.parent_id, NULL FROM resource r
WHERE r.departed_us IS NOT NULL AND r.parent_id IS NOT NULL
""",
    ),
    "kind": Invariant(
        "resource {what} is no file and no folder, or a folder with bytes",
        """
SELECT r.space_id, r.id, r.kind, NULL FROM resource r
WHERE r.kind NOT IN ('collection', 'file', 'scratch')
   OR (r.kind = 'collection' AND (r.blob_key IS NOT NULL OR r.size_bytes <> 0))
   OR (r.blob_key IS NULL AND r.size_bytes <> 0)
""",
    ),
    "content": Invariant(
        "{what} names blob {found}, of which there is no row of its space",
        """
SELECT r.space_id, 'resource ' || CAST(r.id AS TEXT), r.blob_key, NULL
FROM resource r LEFT JOIN blob b ON b.key = r.blob_key
WHERE r.blob_key IS NOT NULL AND (b.key IS NULL OR b.space_id <> r.space_id)
UNION ALL
SELECT r.space_id, 'version ' || CAST(v.id AS TEXT), v.blob_key, NULL
FROM version v JOIN resource r ON r.id = v.resource_id LEFT JOIN blob b ON b.key = v.blob_key
WHERE b.key IS NULL OR b.space_id <> r.space_id
""",
    ),
    "size": Invariant(
        "{what} says {found} bytes, its blob {wanted}",
        """
SELECT r.space_id, 'resource ' || CAST(r.id AS TEXT), r.size_bytes, b.size_bytes
FROM resource r JOIN blob b ON b.key = r.blob_key WHERE b.size_bytes <> r.size_bytes
UNION ALL
SELECT b.space_id, 'version ' || CAST(v.id AS TEXT), v.size_bytes, b.size_bytes
FROM version v JOIN blob b ON b.key = v.blob_key WHERE b.size_bytes <> v.size_bytes
""",
    ),
    "dead-but-named": Invariant(
        "blob {what} is marked for deletion, and a file names it",
        "SELECT b.space_id, b.key, NULL, NULL FROM blob b WHERE b.dead AND " + _NAMED,
    ),
    "unnamed": Invariant(
        "blob {what} is kept, and nothing names it",
        "SELECT b.space_id, b.key, NULL, NULL FROM blob b WHERE NOT b.dead AND NOT " + _NAMED,
    ),
    "blob-space": Invariant(
        "blob {what} counts to space {found}",
        """
SELECT b.space_id, b.key, b.space_id, NULL FROM blob b
WHERE b.key NOT LIKE CAST(b.space_id AS TEXT) || '/%' OR length(b.sha256) <> 64
   OR NOT EXISTS (SELECT 1 FROM space s WHERE s.id = b.space_id)
""",
    ),
    "ownerless": Invariant(
        "{what} belongs to {found}, which is not there",
        """
SELECT CAST(NULL AS BIGINT), 'a property', 'resource ' || CAST(p.resource_id AS TEXT), NULL
FROM property p
WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.id = p.resource_id)
UNION ALL
SELECT CAST(NULL AS BIGINT), 'a version', 'resource ' || CAST(v.resource_id AS TEXT), NULL
FROM version v
WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.id = v.resource_id)
UNION ALL
SELECT l.space_id, 'a lock', 'account ' || CAST(l.user_id AS TEXT), NULL FROM lock l
WHERE NOT EXISTS (SELECT 1 FROM "user" u WHERE u.id = l.user_id)
   OR NOT EXISTS (SELECT 1 FROM space s WHERE s.id = l.space_id)
UNION ALL
SELECT j.space_id, 'the journal', 'space ' || CAST(j.space_id AS TEXT), NULL FROM journal j
WHERE NOT EXISTS (SELECT 1 FROM space s WHERE s.id = j.space_id)
GROUP BY j.space_id
""",
    ),
    "journal": Invariant(
        "the journal of space {what} has {found}, and should end with number {wanted}",
        """
SELECT s.id, s.id,
       CAST(COUNT(j.seq) AS TEXT) || ' entries to number ' || CAST(COALESCE(MAX(j.seq), 0) AS TEXT),
       s.journal_seq
FROM space s LEFT JOIN journal j ON j.space_id = s.id GROUP BY s.id, s.journal_seq
HAVING COALESCE(MAX(j.seq), 0) <> s.journal_seq OR COUNT(j.seq) <> COALESCE(MAX(j.seq), 0)
    OR COALESCE(MIN(j.seq), 1) <> 1
""",
    ),
    "home": Invariant(
        "resource {what} remembers half of a place",
        """
SELECT r.space_id, r.id, r.home_parent_id, NULL FROM resource r
WHERE (r.home_parent_id IS NULL) <> (r.home_name IS NULL)
""",
    ),
}


@dataclass(frozen=True, slots=True)
class Breach:
    """One row that breaks an invariant."""

    code: str
    space_id: int | None
    what: str
    sentence: str


@dataclass(frozen=True, slots=True)
class BlobRow:
    """A blob that is live, as the catalogue has it."""

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Holder:
    """What names a blob: a resource, or a version of it."""

    space_id: int
    resource_id: int
    version_id: int | None


class Audit:
    """A transaction over everything, for `check`."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def breaches(self, code: str) -> list[Breach]:
        """List what breaks one of the `INVARIANTS`."""
        invariant = INVARIANTS[code]
        found = []
        for space_id, what, is_, wanted in self._connection.execute(text(invariant.sql)):
            sentence = invariant.sentence.format(what=what, found=is_, wanted=wanted)
            found.append(Breach(code, space_id, str(what), sentence))
        return found

    def database_faults(self, *, deep: bool) -> list[str]:
        """Have the database examine itself, where it can (SQLite)."""
        if self._connection.dialect.name != "sqlite":
            return []
        pragma = "integrity_check" if deep else "quick_check"
        rows = self._connection.execute(text(f"PRAGMA {pragma}")).scalars()
        return [str(row) for row in rows if row != "ok"]

    def blobs_after(self, key: str, limit: int) -> list[BlobRow]:
        """List live blobs in the order of their keys, from the first after *key*."""
        statement = (
            select(blob.c.key, blob.c.size_bytes, blob.c.sha256)
            .where(blob.c.key > key, blob.c.dead.is_(False))
            .order_by(blob.c.key)
            .limit(limit)
        )
        return [BlobRow(*row) for row in self._connection.execute(statement)]

    def find_blob(self, key: str) -> BlobRow | None:
        """Find a live blob."""
        statement = select(blob.c.key, blob.c.size_bytes, blob.c.sha256).where(
            blob.c.key == key, blob.c.dead.is_(False)
        )
        row = self._connection.execute(statement).first()
        return None if row is None else BlobRow(*row)

    def known(self, keys: list[str]) -> set[str]:
        """Say of which blobs there is a row, live or dead."""
        statement = select(blob.c.key).where(blob.c.key.in_(keys))
        return set(self._connection.execute(statement).scalars())

    def holders(self, key: str) -> list[Holder]:
        """List what names a blob."""
        direct = select(resource.c.space_id, resource.c.id).where(resource.c.blob_key == key)
        before = (
            select(resource.c.space_id, resource.c.id, version.c.id)
            .join(resource, resource.c.id == version.c.resource_id)
            .where(version.c.blob_key == key)
        )
        rows = self._connection.execute(direct)
        found = [Holder(space_id, id_, None) for space_id, id_ in rows]
        return found + [Holder(*row) for row in self._connection.execute(before)]

    def locks(self, lease: float) -> list[tuple[int, str, DavPath]]:
        """List the locks in force: space id, token and lock root."""
        statement = select(lock.c.space_id, lock.c.token, lock.c.path).where(lock.c.expires > lease)
        rows = self._connection.execute(statement)
        return [(space_id, token, DavPath.from_text(path)) for space_id, token, path in rows]

    def counts(self, lease: float) -> dict[str, int]:
        """Count what there is, and what waits for housekeeping."""
        numbers: dict[str, Any] = {
            "spaces": select(func.count()).select_from(space),
            "resources": select(func.count()).select_from(resource),
            "versions": select(func.count()).select_from(version),
            "properties": select(func.count()).select_from(dead_property),
            "entries of the journal": select(func.count()).select_from(journal),
            "locks that have expired": select(func.count())
            .select_from(lock)
            .where(lock.c.expires <= lease),
            "blobs to be deleted": select(func.count()).select_from(blob).where(blob.c.dead),
        }
        return {
            name: int(self._connection.execute(statement).scalar_one())
            for name, statement in numbers.items()
        }

    # -- what can be mended without a choice; each takes the mutex of the space

    def count_again(self, space_id: int) -> None:
        """Set the counters of a space to what its tree has."""
        self._take_mutex(space_id)
        sums = text(_TREE + "SELECT file_bytes, scratch_bytes FROM sums WHERE space_id = :space_id")
        row = self._connection.execute(sums, {"space_id": space_id}).first()
        files, scratch = (0, 0) if row is None else row
        self._connection.execute(
            update(space)
            .where(space.c.id == space_id)
            .values(used_bytes=files, scratch_bytes=scratch)
        )

    def bury(self, space_id: int) -> None:
        """Mark those live blobs of a space dead that nothing names."""
        self._mark(space_id, f"UPDATE blob AS b SET dead = true WHERE NOT b.dead AND NOT {_NAMED}")

    def revive(self, space_id: int, key: str) -> None:
        """Unmark a dead blob that something names."""
        statement = f"UPDATE blob AS b SET dead = false WHERE b.key = :key AND {_NAMED}"
        self._mark(space_id, statement, key=key)

    def forget_half_homes(self, space_id: int) -> None:
        """Let resources forget places of which they know only a half."""
        self._take_mutex(space_id)
        half = resource.c.home_parent_id.is_(None) != resource.c.home_name.is_(None)
        self._connection.execute(
            update(resource)
            .where(resource.c.space_id == space_id, half)
            .values(home_parent_id=None, home_name=None)
        )

    def drop_lock(self, space_id: int, token: str) -> None:
        """End a lock that protects nothing."""
        self._take_mutex(space_id)
        self._connection.execute(delete(lock).where(lock.c.token == token))

    def _mark(self, space_id: int, sql: str, **values: str) -> None:
        self._take_mutex(space_id)
        statement = text(f"{sql} AND b.space_id = :space_id")
        self._connection.execute(statement, {"space_id": space_id, **values})

    def _take_mutex(self, space_id: int) -> None:
        statement = select(space.c.id).where(space.c.id == bindparam("id")).with_for_update()
        self._connection.execute(statement, {"id": space_id}).all()
