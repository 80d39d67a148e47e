"""What happened in homes, with what is still known about it, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, exists, not_, select

from ..model import Kind
from .schema import journal, resource, space, user, version
from .transactions import Transaction

#: How far back the list of all accounts goes in each of them: times have no index.
LATEST_OF_EACH = 100


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry of a journal.

    Args:
        owner: the address of whose home it is; *owner_id* is the account.
        user_id: who did it; 0 for the server itself.
        detail: of a rebind, where the resource was.
        via: the label of a device, or ``browser``; None where it is not known.
        rules: the home's own allow-list as text; None for the server's.
        kind: of the resource; None when nothing is left of it.
        kept: whether the content before is a version now.
        departed: whether the resource is in the trash now.
    """

    owner: str
    owner_id: int
    seq: int
    at_us: int
    user_id: int
    verb: str
    path: str
    detail: str
    via: str | None
    rules: str | None
    kind: Kind | None
    kept: bool
    departed: bool


_next = journal.alias("next")

#: A document that goes on under its name and gets new content with it: one change.
_GOES_ON = and_(
    journal.c.verb == "resume",
    exists().where(
        _next.c.space_id == journal.c.space_id,
        _next.c.seq == journal.c.seq + 1,
        _next.c.verb == "write",
        _next.c.resource_id == journal.c.resource_id,
        _next.c.at_us == journal.c.at_us,
    ),
)

_ROW = (
    select(
        user.c.email,
        user.c.id,
        journal.c.seq,
        journal.c.at_us,
        journal.c.user_id,
        journal.c.verb,
        journal.c.path,
        journal.c.detail,
        journal.c.via,
        space.c.rules,
        resource.c.kind,
        exists().where(
            version.c.resource_id == journal.c.resource_id, version.c.replaced_us == journal.c.at_us
        ),
        resource.c.departed_us.is_not(None),
    )
    .select_from(
        journal.join(space, space.c.id == journal.c.space_id)
        .join(user, user.c.space_id == space.c.id)
        .outerjoin(resource, resource.c.id == journal.c.resource_id)
    )
    .where(not_(_GOES_ON))
)


class ActivityRows:
    """A transaction over the journals of all spaces."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def of_space(self, space_id: int, before: int | None, limit: int) -> list[Deed]:
        """List what happened in one space before the entry *before*."""
        statement = _ROW.where(journal.c.space_id == space_id)
        if before is not None:
            statement = statement.where(journal.c.seq < before)
        return self._all(statement.order_by(journal.c.seq.desc()).limit(limit))

    def latest(self, skip: int, limit: int) -> list[Deed]:
        """List the last entries of all spaces, without the first *skip*."""
        recent = journal.c.seq > space.c.journal_seq - LATEST_OF_EACH
        order = (journal.c.at_us.desc(), journal.c.space_id, journal.c.seq.desc())
        return self._all(_ROW.where(recent).order_by(*order).offset(skip).limit(limit))

    def _all(self, statement: Any) -> list[Deed]:
        return [_deed(row) for row in self._connection.execute(statement)]


def _deed(row: Any) -> Deed:
    *columns, kind, kept, departed = row
    return Deed(*columns, kind and Kind(kind), bool(kept), bool(departed))  # type: ignore[call-arg]
