"""Rows of write locks: they belong to a URL of a space, not to a resource."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
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
from .prepared import Prepared
from .schema import lock, user
from .transactions import Transaction

_LOCK = (
    lock.c.token,
    lock.c.path,
    lock.c.exclusive,
    lock.c.infinite,
    lock.c.owner_xml,
    lock.c.user_id,
    lock.c.timeout_seconds,
    lock.c.expires,
    lock.c.made_us,
    lock.c.via,
)


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock in force, and the account whose home it is in.

    Args:
        owner: the address of the account.
    """

    lock: Lock
    space_id: int
    owner: str


class LockReading:
    """Finds the locks of one space that are in force.

    Args:
        lease: now on the lease clock; locks that end before are not in force.
        top: the only collection in which resources can be found.
    """

    def __init__(
        self, connection: Transaction, space_id: int, lease: float, top: DavPath = ROOT
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
        values = {f"on{index}": path for index, path in enumerate(sorted(lineage))}
        if below:
            for index, path in enumerate(paths):
                values[f"from{index}"], values[f"to{index}"] = _below(path)
        statement = _locks_touching(len(lineage), len(paths) if below else 0)
        rows = self.connection.rows(statement, space=self.space_id, lease=self.lease, **values)
        return [_lock_of(row) for row in rows]

    def find_lock(self, token: str) -> Lock | None:
        """Find a lock in force by its token."""
        row = self.connection.row(_FIND, token=token, space=self.space_id, lease=self.lease)
        return None if row is None else _lock_of(row)


class LockWriting(LockReading):
    """Makes and ends locks, inside a transaction that holds the space's mutex."""

    user_id: int

    def add_lock(self, new: Lock) -> None:
        """Put a lock into force."""
        self.connection.run(
            _ADD,
            token=new.token,
            space_id=self.space_id,
            path=new.path.text,
            exclusive=new.exclusive,
            infinite=new.infinite,
            owner_xml=new.owner_xml,
            user_id=new.user_id,
            timeout_seconds=new.timeout_seconds,
            expires=new.expires,
            made_us=new.made_us,
            via=new.via,
        )

    def extend_lock(self, token: str, *, timeout_seconds: int, expires: float) -> None:
        """Give a lock a new end on the lease clock."""
        values = {"timeout_seconds": timeout_seconds, "expires": expires}
        self.connection.run(_EXTEND, lock_token=token, **values)

    def drop_lock(self, token: str) -> None:
        """End one lock."""
        self.connection.run(_DROP_ONE, token=token)

    def drop_locks(self, path: DavPath) -> None:
        """End the locks on *path* and on everything below (RFC 4918 section 9.6)."""
        from_, to = _below(path)
        values = {"on0": path.text, "from0": from_, "to0": to}
        self.connection.run(_DROP, space=self.space_id, **values)

    def count_locks(self) -> int:
        """Count the locks in force that the user holds."""
        (count,) = self.connection.row(_COUNT, user=self.user_id, lease=self.lease)
        return int(count)


def _below(path: DavPath) -> tuple[str, str]:
    """The first path below *path*, and the first that is no longer below it."""
    prefix = path.text.rstrip("/")
    return prefix + "/", prefix + "0"  # the character after the slash


def _reach(on: int, below: int) -> ColumnElement[bool]:
    """Reach *on* paths, and what is below *below* others."""
    paths: list[BindParameter[str]] = [bindparam(f"on{index}") for index in range(on)]
    ranges = [
        and_(lock.c.path >= bindparam(f"from{index}"), lock.c.path < bindparam(f"to{index}"))
        for index in range(below)
    ]
    return and_(lock.c.space_id == bindparam("space"), or_(lock.c.path.in_(paths), *ranges))


@lru_cache(maxsize=1024)
def _locks_touching(on: int, below: int) -> Prepared:
    statement = select(*_LOCK).where(_reach(on, below), lock.c.expires > bindparam("lease"))
    return Prepared(statement)


_FIND = Prepared(
    select(*_LOCK).where(
        lock.c.token == bindparam("token"),
        lock.c.space_id == bindparam("space"),
        lock.c.expires > bindparam("lease"),
    )
)

_ADD = Prepared(insert(lock), ["space_id", *(column.name for column in _LOCK)])

_DROP = Prepared(delete(lock).where(_reach(1, 1)))

_EXTEND = Prepared(
    update(lock).where(lock.c.token == bindparam("lock_token")), ["timeout_seconds", "expires"]
)
_DROP_ONE = Prepared(delete(lock).where(lock.c.token == bindparam("token")))

_COUNT = Prepared(
    select(func.count()).where(
        lock.c.user_id == bindparam("user"), lock.c.expires > bindparam("lease")
    )
)


class LockRows:
    """A transaction over the locks of all spaces.

    Args:
        lease: now on the lease clock; locks that end before are not in force.
    """

    def __init__(self, connection: Transaction, lease: float) -> None:
        self._connection = connection
        self._lease = lease

    def count(self, space_id: int | None = None) -> int:
        """Count the locks in force, in one space or in all."""
        statement = select(func.count()).select_from(lock).where(self._in_force(space_id))
        return int(self._connection.execute(statement).scalar_one())

    def list_(self, limit: int, space_id: int | None = None) -> list[HeldLock]:
        """List the locks in force, in one space or in all; the newest first."""
        statement = (
            select(*_LOCK, user.c.space_id, user.c.email)
            .select_from(lock.join(user, user.c.space_id == lock.c.space_id))
            .where(self._in_force(space_id))
            .order_by(lock.c.made_us.desc().nulls_last(), lock.c.token)
            .limit(limit)
        )
        rows = self._connection.execute(statement)
        return [HeldLock(_lock_of(row[: len(_LOCK)]), *row[len(_LOCK) :]) for row in rows]

    def _in_force(self, space_id: int | None) -> ColumnElement[bool]:
        in_force: ColumnElement[bool] = lock.c.expires > self._lease
        return in_force if space_id is None else and_(in_force, lock.c.space_id == space_id)


def _lock_of(row: Any) -> Lock:
    """Make the value of a row of the lock table."""
    token, path, exclusive, infinite, *rest = row
    return Lock(token, DavPath.from_text(path), bool(exclusive), bool(infinite), *rest)
