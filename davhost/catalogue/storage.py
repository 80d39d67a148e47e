"""How much spaces hold, now and day by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, exists, select, text

from .schema import daily_use, space
from .transactions import Transaction


@dataclass(frozen=True, slots=True)
class Use:
    """How much a space holds.

    Args:
        used_bytes: the sizes of all files.
        kept_bytes: the sizes of everything in the trash and of all versions; bytes
            that several of them share are counted each time, as with files.
        files: how many there are, those in the trash left out.
    """

    space_id: int
    used_bytes: int
    kept_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class DayUse:
    """How much a space held when a day began.

    Args:
        day: days since 1970 UTC.
    """

    day: int
    use: Use


class StorageRows:
    """A transaction over what all spaces hold."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def now(self) -> list[Use]:
        """Count what every space holds; this reads whole tables."""
        rows = self._connection.execute(_NOW)
        return [Use(*map(int, row)) for row in rows]

    def lacks(self, day: int) -> bool:
        """Whether nothing is written down of some space for *day*."""
        written = exists().where(daily_use.c.space_id == space.c.id, daily_use.c.day == day)
        statement = select(space.c.id).where(~written).limit(1)
        return self._connection.execute(statement).first() is not None

    def write(self, day: int, uses: Iterable[Use]) -> None:
        """Write down for *day* what spaces hold; what is written already stays."""
        rows = [
            {
                "space": use.space_id,
                "day": day,
                "used": use.used_bytes,
                "kept": use.kept_bytes,
                "files": use.files,
            }
            for use in uses
        ]
        if rows:
            self._connection.execute(_WRITE, rows)

    def drop(self, before_day: int) -> None:
        """Forget the days before *before_day*."""
        self._connection.execute(delete(daily_use).where(daily_use.c.day < before_day))

    def days(self, since_day: int) -> list[DayUse]:
        """List what is written down from *since_day* on, the oldest first."""
        statement = (
            select(
                daily_use.c.day,
                daily_use.c.space_id,
                daily_use.c.used_bytes,
                daily_use.c.kept_bytes,
                daily_use.c.files,
            )
            .where(daily_use.c.day >= since_day)
            .order_by(daily_use.c.day)
        )
        return [DayUse(day, Use(*use)) for day, *use in self._connection.execute(statement)]


_NOW = text(
    """
WITH RECURSIVE gone(id, space_id, kind, size_bytes) AS (
  SELECT r.id, r.space_id, r.kind, r.size_bytes FROM resource r WHERE r.departed_us IS NOT NULL
  UNION ALL
  SELECT r.id, r.space_id, r.kind, r.size_bytes FROM resource r JOIN gone ON r.parent_id = gone.id
), trash(space_id, bytes, files) AS (
  SELECT space_id, SUM(size_bytes), SUM(CASE WHEN kind = 'file' THEN 1 ELSE 0 END)
  FROM gone GROUP BY space_id
), versions(space_id, bytes) AS (
  SELECT r.space_id, SUM(v.size_bytes) FROM version v JOIN resource r ON r.id = v.resource_id
  GROUP BY r.space_id
), every(space_id, files) AS (
  SELECT r.space_id, COUNT(*) FROM resource r WHERE r.kind = 'file' GROUP BY r.space_id
)
SELECT s.id, s.used_bytes, COALESCE(t.bytes, 0) + COALESCE(v.bytes, 0),
       COALESCE(e.files, 0) - COALESCE(t.files, 0)
FROM space s
LEFT JOIN trash t ON t.space_id = s.id
LEFT JOIN versions v ON v.space_id = s.id
LEFT JOIN every e ON e.space_id = s.id
"""
)

# Only where the space is still there: its account may have been removed meanwhile.
_WRITE = text(
    """
INSERT INTO daily_use (space_id, day, used_bytes, kept_bytes, files)
SELECT s.id, CAST(:day AS INTEGER), CAST(:used AS BIGINT), CAST(:kept AS BIGINT),
       CAST(:files AS BIGINT)
FROM space s WHERE s.id = :space
ON CONFLICT (space_id, day) DO NOTHING
"""
)
