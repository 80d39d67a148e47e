"""File types that people asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, text, update

from .schema import type_request, user
from .transactions import Transaction


@dataclass(frozen=True, slots=True)
class TypeRequest:
    """A file type that somebody wants to keep.

    Args:
        extension: case-folded, without a dot.
        path: of a file that was refused, as the client wrote it.
        dismissed: whether an administrator said no.
    """

    user_id: int
    email: str
    extension: str
    asked_us: int
    path: str
    dismissed: bool


_ROW = select(
    type_request.c.user_id,
    user.c.email,
    type_request.c.extension,
    type_request.c.asked_us,
    type_request.c.path,
    type_request.c.dismissed,
).select_from(type_request.join(user, user.c.id == type_request.c.user_id))


class RequestRows:
    """A transaction over file types that people asked for."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def add(self, **values: Any) -> None:
        """Store one, unless the account asked for this type before."""
        self._connection.execute(_FIRST, values)

    def find(self, user_id: int, extension: str) -> TypeRequest | None:
        """Find what an account asked for, answered or not."""
        row = self._connection.execute(
            _ROW.where(type_request.c.user_id == user_id, type_request.c.extension == extension)
        ).first()
        return None if row is None else TypeRequest(*row)

    def list_(self, user_id: int) -> list[TypeRequest]:
        """List what an account asked for."""
        return self._all(_ROW.where(type_request.c.user_id == user_id))

    def open_(self) -> list[TypeRequest]:
        """List what nobody has answered, by type, the oldest first."""
        return self._all(_ROW.where(type_request.c.dismissed.is_(False)))

    def dismiss(self, user_id: int, extension: str) -> None:
        """Remember that the answer is no."""
        self._connection.execute(
            update(type_request)
            .where(type_request.c.user_id == user_id, type_request.c.extension == extension)
            .values(dismissed=True)
        )

    def remove(self, user_id: int, extension: str) -> None:
        """Forget one: the answer is yes."""
        self._connection.execute(
            delete(type_request).where(
                type_request.c.user_id == user_id, type_request.c.extension == extension
            )
        )

    def _all(self, statement: Any) -> list[TypeRequest]:
        ordered = statement.order_by(
            type_request.c.extension, type_request.c.asked_us, type_request.c.user_id
        )
        return [TypeRequest(*row) for row in self._connection.execute(ordered)]


_FIRST = text(
    """
INSERT INTO type_request (user_id, extension, asked_us, path)
VALUES (:user_id, :extension, :asked_us, :path)
ON CONFLICT (user_id, extension) DO NOTHING
"""
)
