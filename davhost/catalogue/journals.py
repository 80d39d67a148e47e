"""Rows of the journal, every change in order, and of what was refused."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from ..model import JournalEntry
from ..paths import DavPath
from .schema import journal, refusal, space


class JournalReading:
    """Follows the journal of one space."""

    connection: Connection
    space_id: int

    def journal_seq(self) -> int:
        """The number of the last change in the space."""
        statement = select(space.c.journal_seq).where(space.c.id == self.space_id)
        return int(self.connection.execute(statement).scalar_one())

    def journal_since(self, seq: int) -> list[JournalEntry]:
        """List the changes after *seq*, in order."""
        statement = (
            select(journal.c.seq, journal.c.verb, journal.c.path, journal.c.detail)
            .where(journal.c.space_id == self.space_id, journal.c.seq > seq)
            .order_by(journal.c.seq)
        )
        return [
            JournalEntry(
                seq=row.seq,
                verb=row.verb,
                path=DavPath.from_text(row.path),
                source=DavPath.from_text(row.detail) if row.verb == "rebind" else None,
            )
            for row in self.connection.execute(statement)
        ]


class JournalWriting(JournalReading):
    """Writes the journal, inside a transaction that holds the space's mutex."""

    now_us: int
    user_id: int
    #: Verb, resource id, path and source path of what this transaction did so far.
    entries: list[tuple[str, int, DavPath, str]]

    def log(self, verb: str, resource_id: int, path: DavPath, detail: str = "") -> None:
        """Note one change; `write_journal` writes it down."""
        self.entries.append((verb, resource_id, path, detail))

    def write_journal(self, last_seq: int) -> None:
        """Write what was noted, ending with the number *last_seq*."""
        first_seq = last_seq - len(self.entries) + 1
        self.connection.execute(
            insert(journal),
            [
                {
                    "space_id": self.space_id,
                    "seq": seq,
                    "at_us": self.now_us,
                    "user_id": self.user_id,
                    "verb": verb,
                    "resource_id": resource_id,
                    "path": path.text,
                    "detail": detail,
                }
                for seq, (verb, resource_id, path, detail) in enumerate(self.entries, first_seq)
            ],
        )
        self.entries.clear()

    def record_refusal(self, verb: str, path: DavPath, reason: str) -> None:
        """Remember that a name or a content was refused, for the owner to see."""
        self.connection.execute(
            insert(refusal).values(
                space_id=self.space_id,
                user_id=self.user_id,
                at_us=self.now_us,
                verb=verb,
                path=path.text,
                reason=reason,
            )
        )
