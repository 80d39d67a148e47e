"""What housekeeping finds and removes, over all spaces."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Select, delete, exists, func, select, text, update

from ..model import Kind, Space
from .rows import SPACE, space_of
from .schema import (
    blob,
    done,
    duty,
    lock,
    refusal,
    resource,
    space,
    throttle,
    ticket,
    version,
    web_session,
)
from .storage import StorageRows
from .transactions import Transaction


class Chore(StrEnum):
    """What is done again and again, and when it was done last is worth knowing."""

    HOUSEKEEPING = "housekeeping"
    BACKUP = "backup"


#: What has had its time: selects space id and row id, the oldest first.
Old = Select[int, int]


class Upkeep:
    """A transaction over what has an end: locks, scratch, trash, versions, dead blobs."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def take_duty(self, name: str, lease: float, seconds: float) -> bool:
        """Take on a duty that one process at a time has; say whether it is ours now.

        Args:
            seconds: how long it is ours; take it again before that to keep it.
        """
        taken = (
            update(duty)
            .where(duty.c.name == name, duty.c.until <= lease)
            .values(until=lease + seconds)
        )
        if self._connection.execute(taken).rowcount:
            return True
        first = text(
            "INSERT INTO duty (name, until) VALUES (:name, :until) ON CONFLICT (name) DO NOTHING"
        )
        row = {"name": name, "until": lease + seconds}
        return self._connection.execute(first, row).rowcount == 1

    def note_done(self, chore: Chore, now_us: int) -> None:
        """Write down when a chore was done last."""
        statement = text(
            "INSERT INTO done (name, at_us) VALUES (:name, :now_us) "
            "ON CONFLICT (name) DO UPDATE SET at_us = excluded.at_us"
        )
        self._connection.execute(statement, {"name": chore, "now_us": now_us})

    def last_done(self) -> dict[Chore, int]:
        """When each chore was done last; those that never were are left out."""
        rows = self._connection.execute(select(done.c.name, done.c.at_us))
        return {Chore(name): int(at_us) for name, at_us in rows}

    @property
    def storage(self) -> StorageRows:
        """How much all spaces hold, in the same transaction."""
        return StorageRows(self._connection)

    def drop_expired_locks(self, lease: float) -> int:
        """Remove the locks that ended before *lease*; return how many."""
        return self._connection.execute(delete(lock).where(lock.c.expires <= lease)).rowcount

    def drop_throttles(self, before: float) -> int:
        """Forget wrong tries that were counted before *before* on the lease clock."""
        return self._connection.execute(delete(throttle).where(throttle.c.at < before)).rowcount

    def drop_expired_sessions(self, lease: float, idle_seconds: float) -> int:
        """Remove the web sessions that have ended by themselves; return how many."""
        ended = (web_session.c.expires <= lease) | (web_session.c.used <= lease - idle_seconds)
        return self._connection.execute(delete(web_session).where(ended)).rowcount

    def drop_expired_tickets(self, lease: float) -> int:
        """Remove the links that nobody has used in time; return how many."""
        return self._connection.execute(delete(ticket).where(ticket.c.expires <= lease)).rowcount

    def drop_refusals(self, before_us: int) -> int:
        """Forget refusals recorded before *before_us*."""
        return self._connection.execute(delete(refusal).where(refusal.c.at_us < before_us)).rowcount

    def live_blobs(self, keys: Sequence[str]) -> set[str]:
        """Say which of *keys* the catalogue knows as live.

        The mutexes of their spaces are taken first: PostgreSQL may still be
        committing for a client that is dead already.
        """
        space_ids = sorted({int(key.partition("/")[0]) for key in keys})
        mutexes = select(space.c.id).where(space.c.id.in_(space_ids)).order_by(space.c.id)
        self._connection.execute(mutexes.with_for_update()).all()
        statement = select(blob.c.key).where(blob.c.key.in_(keys), blob.c.dead.is_(False))
        return set(self._connection.execute(statement).scalars())

    def dead_blobs(self, limit: int) -> list[str]:
        """List blobs that nothing names any more."""
        statement = select(blob.c.key).where(blob.c.dead.is_(True)).limit(limit)
        return list(self._connection.execute(statement).scalars())

    def forget_dead_blobs(self, keys: Sequence[str]) -> None:
        """Remove the rows of dead blobs whose bytes are gone."""
        self._connection.execute(delete(blob).where(blob.c.key.in_(keys), blob.c.dead.is_(True)))

    def kept_bytes(self, space_id: int | None = None) -> list[tuple[Space, int]]:
        """Sum up what spaces with a quota keep beside their files: versions and trash.

        What files share with them, or with each other, is not counted.
        """
        live = select(blob.c.space_id, func.sum(blob.c.size_bytes).label("bytes"))
        live = live.where(blob.c.dead.is_(False)).group_by(blob.c.space_id)
        if space_id is not None:
            live = live.where(blob.c.space_id == space_id)
        sums = live.subquery()
        statement = select(*SPACE, sums.c.bytes).join(sums, sums.c.space_id == space.c.id)
        rows = self._connection.execute(statement.where(space.c.quota_bytes.is_not(None)))
        kept = [(space_of(row[:-1]), int(row[-1])) for row in rows]
        return [(home, size - home.used_bytes - home.scratch_bytes) for home, size in kept]

    def list_old(self, old: Old, skip: int, limit: int) -> list[tuple[int, int]]:
        """List (space id, row id) of what *old* finds, the oldest first.

        Args:
            skip: how many of the first to leave out.
        """
        rows = self._connection.execute(old.offset(skip).limit(limit))
        return [(space_id, row_id) for space_id, row_id in rows]


def old_scratch(before_us: int) -> Old:
    """Find scratch last touched before *before_us*."""
    return (
        select(resource.c.space_id, resource.c.id)
        .where(resource.c.kind == text(f"'{Kind.SCRATCH}'"), resource.c.touched_us < before_us)
        .order_by(resource.c.touched_us, resource.c.id)
    )


def old_aways(before_us: int) -> Old:
    """Find files that a temporary's name hides since *before_us* or longer."""
    return (
        select(resource.c.space_id, resource.c.id)
        .where(
            resource.c.home_parent_id.is_not(None),
            resource.c.departed_us.is_(None),
            resource.c.touched_us < before_us,
        )
        .order_by(resource.c.touched_us, resource.c.id)
    )


def old_departed(before_us: int) -> Old:
    """Find what was deleted before *before_us*."""
    return (
        select(resource.c.space_id, resource.c.id)
        .where(resource.c.departed_us < before_us)
        .order_by(resource.c.departed_us, resource.c.id)
    )


def old_versions(before_us: int) -> Old:
    """Find contents replaced before *before_us*."""
    return (
        select(resource.c.space_id, version.c.id)
        .join(resource, resource.c.id == version.c.resource_id)
        .where(version.c.replaced_us < before_us)
        .order_by(version.c.replaced_us, version.c.id)
    )


def thinned_versions(before_us: int, every_us: int) -> Old:
    """Find contents replaced before *before_us* that one replaced soon after stands for.

    Args:
        every_us: of a file, the last one in each stretch of this length stays.
    """
    later = version.alias()
    stretch = version.c.replaced_us // every_us
    return old_versions(before_us).where(
        exists().where(
            later.c.resource_id == version.c.resource_id,
            later.c.id > version.c.id,
            later.c.replaced_us // every_us == stretch,
        )
    )


def in_space(old: Old, space_id: int) -> Old:
    """Restrict what *old* finds to one space."""
    return old.where(resource.c.space_id == space_id)


def is_old(connection: Transaction, old: Old, row_id: int) -> bool:
    """Say whether *old* still finds a row."""
    _, id_ = old.selected_columns
    return connection.execute(old.where(id_ == row_id)).first() is not None
