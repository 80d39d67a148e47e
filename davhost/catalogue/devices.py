"""App passwords: one for each device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from .prepared import Prepared
from .schema import app_password
from .transactions import Transaction


@dataclass(frozen=True, slots=True)
class AppPassword:
    """The password of one device.

    Args:
        root_id: the id of the collection that it is confined to; None for the
            whole home.
        used_us: its last use, to within minutes; None for never. *used* is the
            same on the lease clock.
        address: where it was used last.
    """

    id: int
    user_id: int
    label: str
    read_only: bool
    root_id: int | None
    created_us: int
    used_us: int | None
    used: float | None
    address: str | None


_ROW = select(
    app_password.c.id,
    app_password.c.user_id,
    app_password.c.label,
    app_password.c.read_only,
    app_password.c.root_id,
    app_password.c.created_us,
    app_password.c.used_us,
    app_password.c.used,
    app_password.c.address,
)

_BY_HASH = Prepared(
    _ROW.where(
        app_password.c.user_id == bindparam("user_id"),
        app_password.c.secret_hash == bindparam("secret_hash"),
    )
)


class AppPasswordRows:
    """A transaction over app passwords."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def add(self, **values: Any) -> int:
        """Store one; return its id."""
        statement = insert(app_password).values(**values).returning(app_password.c.id)
        return int(self._connection.execute(statement).scalar_one())

    def find(self, user_id: int, secret_hash: str) -> AppPassword | None:
        """Find one of an account by its hash."""
        row = self._connection.row(_BY_HASH, user_id=user_id, secret_hash=secret_hash)
        if row is None:
            return None
        found = AppPassword(*row)
        return replace(found, read_only=bool(found.read_only))

    def list_(self, user_id: int) -> list[AppPassword]:
        """List those of an account, the newest first."""
        statement = _ROW.where(app_password.c.user_id == user_id)
        rows = self._connection.execute(statement.order_by(app_password.c.id.desc()))
        return [AppPassword(*row) for row in rows]

    def touch(self, id_: int, *, used_us: int, used: float, address: str) -> None:
        """Note that one was used."""
        self._connection.execute(
            update(app_password)
            .where(app_password.c.id == id_)
            .values(used_us=used_us, used=used, address=address)
        )

    def revoke(self, user_id: int, id_: int) -> bool:
        """Remove one of an account; say whether there was one."""
        statement = delete(app_password).where(
            app_password.c.user_id == user_id, app_password.c.id == id_
        )
        return self._connection.execute(statement).rowcount == 1

    def revoke_all(self, user_id: int) -> None:
        """Remove all of an account."""
        self._connection.execute(delete(app_password).where(app_password.c.user_id == user_id))
