"""The catalogue: what exists, under which name, locked by whom. The only SQL.

A `Catalogue` hands out transactions: `read` and `write` for one space, `people`
for accounts, `upkeep` for housekeeping. `write` takes the mutex of its space
first, so that every check made inside still holds at the commit.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from ..paths import ROOT, DavPath
from . import accounts, migrations, snapshots, walks
from . import engine as engines
from .accounts import Account, Login
from .audit import Audit
from .connections import Connections
from .devices import AppPassword
from .engine import Database
from .members import Members
from .people import Owner, People
from .prepared import Prepared
from .reading import Reading
from .schema import boot, space
from .sessions import SessionRows
from .snapshots import NamedBlob, Rows, Snapshot
from .tickets import Ticket, TicketKind
from .transactions import Opening, Transaction
from .upkeep import Upkeep
from .walks import Glimpse, Place, can_glimpse
from .writing import Writing

__all__ = [
    "Account",
    "AppPassword",
    "Audit",
    "Catalogue",
    "Database",
    "Glimpse",
    "IntegrityError",
    "Login",
    "Members",
    "NamedBlob",
    "Owner",
    "People",
    "Place",
    "Reading",
    "Rows",
    "SchemaOutdated",
    "Snapshot",
    "Ticket",
    "TicketKind",
    "Upkeep",
    "Writing",
    "can_glimpse",
]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


#: Nothing that is seen by this statement counts: it may have waited for somebody who
#: then changed it.
_LOCK_SPACE = Prepared(select(space.c.id).where(space.c.id == bindparam("id")).with_for_update())


class SchemaOutdated(Exception):
    """The tables are not those that this version of davhost works with."""


class Catalogue:
    """The database of one instance; safe for threads, one in each process.

    Args:
        database_url: ``sqlite:///file`` or ``postgresql+psycopg://…``.
        durable: whether a commit waits for the disk.
        new_token: makes a text that was never used: the opaque part of an entity
            tag, the epoch of a space.
    """

    def __init__(
        self,
        database_url: str,
        *,
        durable: bool = True,
        new_token: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._engine = engines.connect(database_url, durable=durable)
        self._connections = Connections(self._engine)
        self._database_url = database_url
        self._new_token = new_token

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    def check_schema(self) -> None:
        """Compare the schema with the one this version needs.

        Raises:
            SchemaOutdated: with the command that mends it.
            Unavailable: the database cannot be reached.
        """
        with engines.failures():
            current = migrations.current(self._engine)
        wanted = migrations.head()
        if current is not None and current > wanted:
            raise SchemaOutdated(
                f"The database has schema {current}, which a newer davhost made; "
                f"this one knows schemas up to {wanted}: run the newer davhost."
            )
        if current != wanted:
            raise SchemaOutdated(
                f"The database has schema {current or 'none'}, this davhost needs {wanted}: "
                "stop the server and run `davhost db upgrade`."
            )

    def upgrade(self) -> None:
        """Bring the schema to the newest revision."""
        with engines.failures():
            migrations.upgrade(self._engine)

    def downgrade(self, revision: str) -> None:
        """Take the schema back to *revision*, or to ``base``: everything goes.

        Raises:
            ValueError: there is no such revision.
        """
        if revision != "base" and not migrations.knows(revision):
            raise ValueError(f"there is no schema {revision}")
        with engines.failures():
            migrations.downgrade(self._engine, revision)

    def current_revision(self) -> str | None:
        """The revision of the schema; None when there are no tables."""
        with engines.failures():
            return migrations.current(self._engine)

    def describe(self) -> Database:
        """Say what the catalogue is kept in.

        Raises:
            Unavailable: the database cannot be used now.
        """
        with self._transaction() as running:
            return engines.describe(running.through_sqlalchemy)

    def read(self, space_id: int, *, lease: float, top: DavPath = ROOT) -> Opening[Reading]:
        """Open a read transaction of one space.

        Args:
            top: the only collection of it that there is for the reader.

        Raises:
            Unavailable: the database cannot be used now.
        """
        return Opening(self._transaction(), lambda running: Reading(running, space_id, lease, top))

    def glimpse(self, space_id: int, path: DavPath, *, sees_space: bool = False) -> Glimpse:
        """Find what is at a *path* that `can_glimpse`, without a transaction.

        Args:
            sees_space: find the row of the space, too.

        Raises:
            Unavailable: the database cannot be used now.
        """
        return walks.glimpse(self._connections, space_id, path, sees_space=sees_space)

    def write(
        self,
        space_id: int,
        *,
        lease: float,
        now_us: int,
        user_id: int,
        top: DavPath = ROOT,
        via: str | None = None,
        shares: bool = False,
        after_commit: Callable[[], None] | None = None,
    ) -> Opening[Writing]:
        """Open a write transaction of one space; it ends in a commit or changes nothing.

        Args:
            top: the only collection of it that there is for the writer.
            via: what the writer came through, for the journal.
            shares: whether it may share a commit, because it writes little.
            after_commit: is called when the space was changed.

        Raises:
            NotFound: the space was removed.
            DiskFull: the database could not grow.
            Unavailable: the database cannot be used now.
        """

        def see(running: Transaction) -> Writing:
            if not self._connections.is_sqlite:  # there it is the whole database
                running.row(_LOCK_SPACE, id=space_id)
            return Writing(
                running,
                space_id,
                lease=lease,
                now_us=now_us,
                user_id=user_id,
                new_etag=self._new_token,
                top=top,
                via=via,
            )

        return Opening(self._transaction(writes=True, shares=shares), see, after_commit)

    def find_login(self, email_key: str) -> Login | None:
        """Find what signing in asks of an account, by its case-folded e-mail address.

        Raises:
            Unavailable: the database cannot be used now.
        """
        return accounts.find_login(self._connections, email_key)

    def find_login_with_device(
        self, email_key: str, secret_hash: str
    ) -> tuple[Login, AppPassword | None] | None:
        """Find an account, as `find_login` does, and one of its app passwords.

        Raises:
            Unavailable: the database cannot be used now.
        """
        return accounts.find_login_with_device(self._connections, email_key, secret_hash)

    def people(self, *, writes: bool = False) -> Opening[People]:
        """Open a transaction over accounts.

        Raises:
            Unavailable: the database cannot be used now.
        """
        return Opening(self._transaction(writes=writes), People)

    def sessions(self, *, writes: bool = False) -> Opening[SessionRows]:
        """Open a transaction over the sessions of browsers.

        Raises:
            Unavailable: the database cannot be used now.
        """
        return Opening(self._transaction(writes=writes), SessionRows)

    def upkeep(self, *, writes: bool) -> Opening[Upkeep]:
        """Open a transaction over what housekeeping looks after."""
        return Opening(self._transaction(writes=writes), Upkeep)

    def named_blobs(self) -> list[NamedBlob]:
        """List the blobs that are not dead, of all spaces."""
        with self._transaction() as connection:
            return snapshots.named_blobs(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Hold on to this moment of the whole catalogue; see `snapshots.snapshot`.

        Raises:
            Unavailable: the database cannot be used now.
        """
        with snapshots.snapshot(self._engine) as held:
            yield held

    def is_empty(self) -> bool:
        """Whether there is no account and no space, with or without tables."""
        return snapshots.is_empty(self._engine)

    def fill(self, revision: str, tables: Iterable[Rows]) -> int:
        """Make the rows of a snapshot those of this empty catalogue, all or none.

        Args:
            revision: the schema that they are of; it is upgraded afterwards.

        Returns:
            How many rows there are.

        Raises:
            ValueError: something is here already, or the schema is not known.
        """
        if not self.is_empty():
            raise ValueError("the database is not empty")
        if not migrations.knows(revision):
            raise ValueError(f"a newer davhost made this: it has schema {revision}")
        with engines.failures():
            if self.current_revision() not in (None, revision):
                migrations.downgrade(self._engine, "base")
            migrations.upgrade(self._engine, revision)
        with self._transaction(writes=True) as connection:
            count = snapshots.fill(connection, tables, epoch=self._new_token())
        self.upgrade()
        return count

    def audit(self, *, writes: bool = False) -> Opening[Audit]:
        """Open a transaction over everything, for `check`."""
        return Opening(self._transaction(writes=writes), Audit)

    def lease_offset_seconds(self, *, now_seconds: float, since_boot_seconds: float) -> float:
        """Find what turns the time since boot into lease seconds.

        It is written once for each start of the machine, so that every process
        agrees and later steps of the wall clock do not count.
        """
        boot_id = _BOOT_ID.read_text().strip()
        found = select(boot.c.offset_seconds).where(boot.c.id == boot_id)
        try:
            with self._transaction(writes=True) as connection:
                offset = connection.execute(found).scalar_one_or_none()
                if offset is None:
                    offset = now_seconds - since_boot_seconds
                    connection.execute(insert(boot).values(id=boot_id, offset_seconds=offset))
                return float(offset)
        except IntegrityError:  # another process was first
            with self._transaction() as connection:
                return float(connection.execute(found).scalar_one())

    def _transaction(self, *, writes: bool = False, shares: bool = False) -> Transaction:
        return Transaction(self._connections, writes=writes, shares=shares)
