"""Rows of write locks: they belong to a URL of a space, not to a resource."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from ..model import Lock
from ..paths import ROOT, DavPath
from .schema import lock

_LOCK = (
    lock.c.token,
    lock.c.path,
    lock.c.exclusive,
    lock.c.infinite,
    lock.c.owner_xml,
    lock.c.user_id,
    lock.c.timeout_seconds,
    lock.c.expires,
)


class LockReading:
    """Finds the locks of one space that are in force.

    Args:
        lease: now on the lease clock; locks that end before are not in force.
        top: the only collection in which resources can be found.
    """

    def __init__(
        self, connection: Connection, space_id: int, lease: float, top: DavPath = ROOT
    ) -> None:
        self.connection = connection
        self.top = top
        self.space_id = space_id
        self.lease = lease

    def locks_touching(self, paths: Iterable[DavPath], *, below: bool) -> list[Lock]:
        """Find the locks in force on *paths* and on their ancestors.

        Args:
            below: also those on anything below the paths.
        """
        paths = list(paths)
        lineage = {ancestor.text for path in paths for ancestor in path.lineage()}
        reach: list[ColumnElement[bool]] = [lock.c.path.in_(bindparam("lineage", expanding=True))]
        parameters: dict[str, Any] = {
            "space": self.space_id,
            "lease": self.lease,
            "lineage": sorted(lineage),
        }
        if below:
            for index, path in enumerate(paths):
                prefix = path.text.rstrip("/")
                parameters |= {f"from{index}": prefix + "/", f"to{index}": prefix + "0"}
                # "0" is the character after "/": all paths that begin with prefix + "/".
                reach.append(
                    and_(
                        lock.c.path >= bindparam(f"from{index}"),
                        lock.c.path < bindparam(f"to{index}"),
                    )
                )
        statement = select(*_LOCK).where(
            lock.c.space_id == bindparam("space"), lock.c.expires > bindparam("lease"), or_(*reach)
        )
        return [_lock_of(row) for row in self.connection.execute(statement, parameters)]


class LockWriting(LockReading):
    """Makes and ends locks, inside a transaction that holds the space's mutex."""

    user_id: int

    def add_lock(self, new: Lock) -> None:
        """Put a lock into force."""
        self.connection.execute(
            insert(lock).values(
                token=new.token,
                space_id=self.space_id,
                path=new.path.text,
                exclusive=new.exclusive,
                infinite=new.infinite,
                owner_xml=new.owner_xml,
                user_id=new.user_id,
                timeout_seconds=new.timeout_seconds,
                expires=new.expires,
            )
        )

    def extend_lock(self, token: str, *, timeout_seconds: int, expires: float) -> None:
        """Give a lock a new end on the lease clock."""
        self.connection.execute(
            update(lock)
            .where(lock.c.token == token)
            .values(timeout_seconds=timeout_seconds, expires=expires)
        )

    def drop_lock(self, token: str) -> None:
        """End one lock."""
        self.connection.execute(delete(lock).where(lock.c.token == token))

    def drop_locks(self, path: DavPath) -> None:
        """End the locks on *path* and on everything below (RFC 4918 section 9.6)."""
        prefix = path.text.rstrip("/")
        self.connection.execute(
            delete(lock).where(
                lock.c.space_id == self.space_id,
                or_(
                    lock.c.path == path.text,
                    (lock.c.path >= prefix + "/") & (lock.c.path < prefix + "0"),
                ),
            )
        )

    def count_locks(self) -> int:
        """Count the locks in force that the user holds."""
        statement = select(func.count()).where(
            lock.c.user_id == self.user_id, lock.c.expires > self.lease
        )
        return int(self.connection.execute(statement).scalar_one())


def _lock_of(row: Any) -> Lock:
    """Make the value of a row of the lock table."""
    token, path, exclusive, infinite, owner_xml, user_id, timeout_seconds, expires = row
    return Lock(
        token=token,
        path=DavPath.from_text(path),
        exclusive=exclusive,
        infinite=infinite,
        owner_xml=owner_xml,
        user_id=user_id,
        timeout_seconds=timeout_seconds,
        expires=expires,
    )
