"""App passwords: one for each device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

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


#: The columns of an AppPassword, in the order of its fields.
APP_PASSWORD = (
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
        statement = select(*APP_PASSWORD).where(
            app_password.c.user_id == user_id, app_password.c.secret_hash == secret_hash
        )
        row = self._connection.execute(statement).first()
        return None if row is None else app_password_of(row)

    def list_(self, user_id: int) -> list[AppPassword]:
        """List those of an account, the newest first."""
        statement = select(*APP_PASSWORD).where(app_password.c.user_id == user_id)
        rows = self._connection.execute(statement.order_by(app_password.c.id.desc()))
        return [app_password_of(row) for row in rows]

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


def app_password_of(row: Any) -> AppPassword:
    """Make the value of a row of `APP_PASSWORD` columns; what is true may be 1."""
    id_, user_id, label, read_only, *rest = row
    return AppPassword(id_, user_id, label, bool(read_only), *rest)
