"""Links that are used once: to make an account, to set a new password."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, insert, select

from .schema import ticket
from .transactions import Transaction


class TicketKind(StrEnum):
    """What a link is good for."""

    INVITATION = "invitation"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link that nobody has used.

    Args:
        email: of an invitation for one address only; None for anyone.
        user_id: of a reset, whose password it changes.
        expires: on the lease clock.
    """

    id: int
    kind: TicketKind
    email: str | None
    user_id: int | None
    created_us: int
    expires: float


_ROW = select(
    ticket.c.id,
    ticket.c.kind,
    ticket.c.email,
    ticket.c.user_id,
    ticket.c.created_us,
    ticket.c.expires,
)


class TicketRows:
    """A transaction over links."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def add(
        self,
        kind: TicketKind,
        *,
        token_hash: str,
        email: str | None,
        user_id: int | None,
        created_us: int,
        expires: float,
    ) -> None:
        """Store a link."""
        self._connection.execute(
            insert(ticket).values(
                kind=str(kind),
                token_hash=token_hash,
                email=email,
                user_id=user_id,
                created_us=created_us,
                expires=expires,
            )
        )

    def find(self, kind: TicketKind, token_hash: str, lease: float) -> Ticket | None:
        """Find a link that is still good."""
        statement = _ROW.where(
            ticket.c.token_hash == token_hash, ticket.c.kind == str(kind), ticket.c.expires > lease
        )
        row = self._connection.execute(statement).first()
        return None if row is None else _ticket(*row)

    def take(self, id_: int) -> bool:
        """Use a link up; False when somebody else was faster."""
        return self._connection.execute(delete(ticket).where(ticket.c.id == id_)).rowcount == 1

    def list_(self, kind: TicketKind, lease: float) -> list[Ticket]:
        """List the links that are still good, the newest first."""
        statement = _ROW.where(ticket.c.kind == str(kind), ticket.c.expires > lease)
        rows = self._connection.execute(statement.order_by(ticket.c.id.desc()))
        return [_ticket(*row) for row in rows]


def _ticket(
    id_: int, kind: str, email: str | None, user_id: int | None, created_us: int, expires: float
) -> Ticket:
    return Ticket(id_, TicketKind(kind), email, user_id, created_us, expires)
