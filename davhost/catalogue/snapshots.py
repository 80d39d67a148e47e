"""The whole catalogue at one moment, as plain rows that any database takes.

Tables are read as they are found, not as this version of davhost knows them,
so that a snapshot is complete whatever schema it is of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.schema import ForeignKeyConstraint

from . import engine as engines
from .schema import blob
from .transactions import Transaction

#: What belongs to a machine or a moment and means nothing elsewhere.
_LEFT_OUT = frozenset({"alembic_version", "boot", "done", "duty", "throttle"})

_BATCH = 500


@dataclass(frozen=True, slots=True)
class NamedBlob:
    """A blob that the catalogue names.

    Args:
        sha256: lower-case hex.
    """

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Rows:
    """One table.

    Args:
        rows: values in the order of *columns*.
    """

    table: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Any]]


class Snapshot:
    """The catalogue as it was when the snapshot was taken.

    Args:
        let_write: ends the wait of those who want to write.
    """

    def __init__(self, connection: Connection, let_write: Callable[[], None]) -> None:
        self._connection = connection
        self._let_write = let_write
        statement = text("SELECT version_num FROM alembic_version")
        self.revision = str(connection.execute(statement).scalar_one())

    def blobs(self) -> list[NamedBlob]:
        """List the blobs that are not dead."""
        return named_blobs(self._connection)

    def let_write(self) -> None:
        """Let others write again; the snapshot stays what it is."""
        self._let_write()

    def tables(self) -> Iterator[Rows]:
        """Yield all tables, so that no row comes before one that it refers to."""
        found = MetaData()
        found.reflect(self._connection)
        for table in found.sorted_tables:
            if table.name not in _LEFT_OUT:
                columns = tuple(column.name for column in table.columns)
                yield Rows(table.name, columns, self._rows(table))

    def _rows(self, table: Table) -> Iterator[Sequence[Any]]:
        statement = _in_order(table)
        if table.name == "blob":  # the bytes of dead ones are perhaps gone
            statement = statement.where(table.c.dead.is_(False))
        options = {"stream_results": True, "yield_per": _BATCH}
        for row in self._connection.execute(statement, execution_options=options):
            yield tuple(row)


def named_blobs(connection: Connection | Transaction) -> list[NamedBlob]:
    """List the blobs that are not dead."""
    statement = select(blob.c.key, blob.c.size_bytes, blob.c.sha256).where(blob.c.dead.is_(False))
    return [NamedBlob(*row) for row in connection.execute(statement)]


@contextmanager
def snapshot(engine: Engine) -> Iterator[Snapshot]:
    """Hold on to this moment; nobody writes until `Snapshot.let_write` is called.

    While nobody writes no blob becomes dead, so what is named can be taken
    hold of. Reading goes on.

    Raises:
        Unavailable: the database cannot be used now.
    """
    with engines.failures(), engine.connect() as writer, engine.connect() as reader:
        waiting = _stop_writers(writer)
        with waiting, engines.begin_reading(reader):
            yield Snapshot(reader, waiting.close)


def _stop_writers(connection: Connection) -> Any:
    """Begin a transaction that every writer waits for."""
    waiting = engines.begin_writing(connection)
    if connection.dialect.name == "postgresql":
        # Writers lock the row of their space, for which they need another lock
        # on the table. Those that are at work are waited for.
        connection.execute(text("LOCK TABLE space IN EXCLUSIVE MODE"))
    return waiting


def _in_order(table: Table) -> Select[Any]:
    """Select a table whose rows may refer to each other, the referred ones first."""
    own = [c for c in table.foreign_key_constraints if c.referred_table is table]
    key = list(table.primary_key.columns)
    if not own:
        return select(table).order_by(*key)
    parent, id_ = _ends(own[0])
    tree = (
        select(id_.label("id"), literal(0, Integer).label("depth"))
        .where(parent.is_(None))
        .cte("tree", recursive=True)
    )
    below = select(id_, tree.c.depth + 1).join(tree, parent == tree.c.id)
    tree = tree.union_all(below)
    return select(table).join(tree, tree.c.id == id_).order_by(tree.c.depth, *key)


def _ends(constraint: ForeignKeyConstraint) -> tuple[Column[Any], Column[Any]]:
    element = constraint.elements[0]
    return element.parent, element.column


def is_empty(engine: Engine) -> bool:
    """Whether the database has no account and no space, with or without tables."""
    with engines.failures(), engine.connect() as connection:
        names = {"space", "user"} & set(inspect(connection).get_table_names())
        quoted = [connection.dialect.identifier_preparer.quote(name) for name in sorted(names)]
        found = (connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")) for name in quoted)
        return all(result.first() is None for result in found)


def fill(connection: Transaction, tables: Iterable[Rows], *, epoch: str) -> int:
    """Write rows into empty tables, in one transaction; return how many.

    Args:
        epoch: what the histories that go on from here are called, so that
            nobody takes them for those that the spaces had elsewhere.

    Raises:
        KeyError: there is no such table.
    """
    found = MetaData()
    found.reflect(connection.through_sqlalchemy)
    count = 0
    for rows in tables:
        table = found.tables[rows.table]
        for batch in _batches(rows):
            connection.execute(insert(table), batch)
            count += len(batch)
        _number_on(connection, table)
    if "epoch" in found.tables["space"].columns:
        connection.execute(update(found.tables["space"]).values(epoch=epoch))
    return count


def _batches(rows: Rows) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows.rows:
        batch.append(dict(zip(rows.columns, row, strict=True)))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _number_on(connection: Transaction, table: Table) -> None:
    """Let PostgreSQL number new rows after those that were written; SQLite does."""
    if connection.dialect.name != "postgresql" or "id" not in table.columns:
        return
    quoted = connection.dialect.identifier_preparer.quote(table.name)
    sequence = select(func.pg_get_serial_sequence(quoted, "id"))
    name = connection.execute(sequence).scalar_one()
    last = connection.execute(select(func.max(table.c.id))).scalar_one()
    if name is not None and last is not None:
        connection.execute(select(func.setval(name, last)))
