"""Rows of the journal, every change in order, and of what was refused."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Select, bindparam, delete, func, insert, select

from ..errors import NotFound
from ..model import JournalEntry, JournalPoint
from ..paths import DavPath
from .prepared import Prepared
from .schema import journal, refusal, space
from .transactions import Transaction

#: How far back renames are looked for that belong to the saving of a document.
_RECENT_ENTRIES = 500

#: More than any journal has.
_NO_LIMIT = 2**62

#: How many refusals of one space are remembered.
REFUSALS_MAX = 1000

#: How many characters of a refused path are remembered.
REFUSED_PATH_MAX = 1000


class JournalReading:
    """Follows the journal of one space."""

    connection: Transaction
    space_id: int

    def journal_seq(self) -> int:
        """The number of the last change in the space.

        Raises:
            NotFound: the space was removed.
        """
        row = self.connection.row(_LAST_SEQ, space=self.space_id)
        if row is None:
            raise NotFound("The account is gone.")
        return int(row[0])

    def find_journal_point(self, seq: int) -> JournalPoint | None:
        """Find the entry with the number *seq*; None if there is none."""
        if seq == 0:
            return JournalPoint(0, 0, 0)
        row = self.connection.row(_POINT, space=self.space_id, seq=seq)
        return None if row is None else JournalPoint(*row)

    def journal_since(self, seq: int, limit: int | None = None) -> list[JournalEntry]:
        """List the changes after *seq*, in order, *limit* of them at most."""
        limit = _NO_LIMIT if limit is None else limit
        rows = self.connection.rows(_SINCE, space=self.space_id, since=seq, limit=limit)
        return [_entry(row) for row in rows]

    def journal_seq_at(self, at_us: int) -> int:
        """The number of the last change until *at_us*; 0 when there was none."""
        statement = select(func.max(journal.c.seq)).where(
            journal.c.space_id == self.space_id, journal.c.at_us <= at_us
        )
        return self.connection.execute(statement).scalar_one() or 0

    def renamed_from(self, path: DavPath, since_us: int) -> list[int]:
        """List the ids of what was renamed away from *path*, the latest first."""
        rows = self.connection.rows(
            _RENAMED_FROM, space=self.space_id, since=since_us, detail=path.text
        )
        return [resource_id for (resource_id,) in rows]

    def renamed_to_here_from(self, resource_id: int, since_us: int) -> DavPath | None:
        """Find the place from which a resource was renamed last."""
        row = self.connection.row(
            _RENAMED_TO, space=self.space_id, since=since_us, resource=resource_id
        )
        return None if row is None else DavPath.from_text(row[0])


class JournalWriting(JournalReading):
    """Writes the journal, inside a transaction that holds the space's mutex."""

    now_us: int
    user_id: int
    via: str | None
    #: Verb, resource id, path and source path of what this transaction did so far.
    entries: list[tuple[str, int, DavPath, str]]

    def log(self, verb: str, resource_id: int, path: DavPath, detail: str = "") -> None:
        """Note one change; `write_journal` writes it down."""
        self.entries.append((verb, resource_id, path, detail))

    def write_journal(self, last_seq: int) -> None:
        """Write what was noted, ending with the number *last_seq*."""
        first_seq = last_seq - len(self.entries) + 1
        for seq, (verb, resource_id, path, detail) in enumerate(self.entries, first_seq):
            self.connection.run(
                _WRITE,
                space_id=self.space_id,
                seq=seq,
                at_us=self.now_us,
                user_id=self.user_id,
                verb=verb,
                resource_id=resource_id,
                path=path.text,
                detail=detail,
                via=self.via,
            )
        self.entries.clear()

    def record_refusal(self, verb: str, path: DavPath, reason: str) -> None:
        """Remember that a name or a content was refused, for the owner to see.

        Only the newest are kept, and only the end of a long path: a client
        that tries again and again fills no disk.
        """
        self.connection.execute(
            insert(refusal).values(
                space_id=self.space_id,
                user_id=self.user_id,
                at_us=self.now_us,
                verb=verb,
                path=_end_of(path.text),
                reason=reason,
            )
        )
        here = refusal.c.space_id == self.space_id
        newest = select(refusal.c.id).where(here).order_by(refusal.c.id.desc())
        oldest_kept = newest.offset(REFUSALS_MAX - 1).limit(1).scalar_subquery()
        self.connection.execute(delete(refusal).where(here, refusal.c.id < oldest_kept))


def _end_of(path: str) -> str:
    longer = len(path) > REFUSED_PATH_MAX
    return "…" + path[1 - REFUSED_PATH_MAX :] if longer else path


def _entry(row: Any) -> JournalEntry:
    seq, verb, path, detail, at_us, resource_id = row
    source = DavPath.from_text(detail) if verb == "rebind" else None
    return JournalEntry(seq, verb, DavPath.from_text(path), source, at_us, resource_id)


def _recent_renames(column: Column[Any]) -> Select[Any]:
    """Select from the last entries only: their age has no index."""
    last_seq = select(space.c.journal_seq).where(space.c.id == bindparam("space"))
    return (
        select(column)
        .where(
            journal.c.space_id == bindparam("space"),
            journal.c.seq > last_seq.scalar_subquery() - _RECENT_ENTRIES,
            journal.c.verb == "rebind",
            journal.c.at_us >= bindparam("since"),
        )
        .order_by(journal.c.seq.desc())
    )


_LAST_SEQ = Prepared(select(space.c.journal_seq).where(space.c.id == bindparam("space")))

_RENAMED_FROM = Prepared(
    _recent_renames(journal.c.resource_id).where(journal.c.detail == bindparam("detail"))
)

_RENAMED_TO = Prepared(
    _recent_renames(journal.c.detail).where(journal.c.resource_id == bindparam("resource")).limit(1)
)

_WRITE = Prepared(insert(journal), [column.name for column in journal.columns])


_POINT = Prepared(
    select(journal.c.seq, journal.c.at_us, journal.c.resource_id).where(
        journal.c.space_id == bindparam("space"), journal.c.seq == bindparam("seq")
    )
)

_SINCE = Prepared(
    select(
        journal.c.seq,
        journal.c.verb,
        journal.c.path,
        journal.c.detail,
        journal.c.at_us,
        journal.c.resource_id,
    )
    .where(journal.c.space_id == bindparam("space"), journal.c.seq > bindparam("since"))
    .order_by(journal.c.seq)
    .limit(bindparam("limit", type_=BigInteger))
)
