"""Connections and transactions on SQLite and PostgreSQL.

Transactions of writers begin with the lock they need, so that two of them
never deadlock on an upgrade: ``BEGIN IMMEDIATE`` on SQLite, the row of the
space on PostgreSQL (`Catalogue.write`). Those of readers see one moment, with
all their statements.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Dialect,
    Engine,
    Executable,
    RootTransaction,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError

from ..errors import DiskFull, Refused, Unavailable
from .prepared import Prepared

#: How long a statement waits for another writer before it gives up.
BUSY_SECONDS = 15

_WRITES = "davhost_writes"


def connect(database_url: str, *, durable: bool, pool_size: int = 8) -> Engine:
    """Make the engine; no connection is opened yet.

    Args:
        database_url: ``sqlite:///file`` or ``postgresql+psycopg://…``.
        durable: whether a commit waits for the disk; without it a power cut
            may take the last moments, though never half a change.
        pool_size: connections kept open in this process.

    Raises:
        ValueError: another kind of database.
    """
    url = make_url(database_url)
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url, durable, pool_size)
        case "postgresql":
            return _postgresql(url, durable, pool_size)
        case other:
            raise ValueError(f"{other} is not supported: use sqlite or postgresql+psycopg")


def _sqlite(url: URL, durable: bool, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=2 * pool_size,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    synchronous = "FULL" if durable else "NORMAL"

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours: see begin()
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            "foreign_keys = ON",
            "cache_size = -16000",
            # Small, so that a full disk still has room for the log.
            "wal_autocheckpoint = 500",
            "journal_size_limit = 4194304",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:  # as it is inside a Transaction
            writes = connection.get_execution_options().get(_WRITES, False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL, durable: bool, pool_size: int) -> Engine:
    options = f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=60s"
    if not durable:
        options += " -c synchronous_commit=off"
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=2 * pool_size,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 5},
    )


class Transaction:
    """A transaction that has begun, on a connection of the pool.

    What is `Prepared` goes straight to the driver. Everything else goes through
    SQLAlchemy, whose connection around the same one is made when it is first used.
    Both raise what SQLAlchemy raises.
    """

    def __init__(self, engine: Engine, *, writes: bool) -> None:
        self._engine = engine
        self.dialect: Dialect = engine.dialect
        self._failures = self.dialect.loaded_dbapi.Error
        self._connection: Connection | None = None
        self._driver: Any = None
        try:
            self._pooled = engine.raw_connection()
            self._driver = self._pooled.driver_connection
        except self._failures as failure:
            raise self._wrapped(failure) from failure
        try:
            self._begin(writes=writes)
        except self._failures as failure:
            wrapped = self._wrapped(failure)
            self.close()
            raise wrapped from failure

    def rows(self, prepared: Prepared, **values: Any) -> list[Any]:
        """Fetch all rows, as tuples."""
        rows: list[Any] = self._run(prepared, values, "fetchall")
        return rows

    def row(self, prepared: Prepared, **values: Any) -> Any:
        """Fetch the first row, as a tuple; None when there is none."""
        return self._run(prepared, values, "fetchone")

    def run(self, prepared: Prepared, **values: Any) -> None:
        """Execute what returns no rows."""
        self._run(prepared, values, "close")

    def execute(
        self, statement: Executable, parameters: Any = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute any statement through SQLAlchemy."""
        return self.through_sqlalchemy.execute(statement, parameters)

    @property
    def through_sqlalchemy(self) -> Connection:
        """SQLAlchemy's view of the same transaction."""
        if self._connection is None:
            self._connection = Connection(self._engine, self._pooled)
        return self._connection

    def commit(self) -> None:
        """Make what was done stay."""
        if self._connection is not None:
            self._connection.commit()
            return
        try:
            self._driver.commit()
        except self._failures as failure:
            raise self._wrapped(failure) from failure

    def close(self) -> None:
        """Give the connection back; what was not committed never was."""
        if self._connection is not None:
            self._connection.rollback()
        if not self._pooled.is_valid:
            return
        if not self._is_sqlite:
            self._forget_isolation()
        self._pooled.close()

    @property
    def _is_sqlite(self) -> bool:
        return self.dialect.name == "sqlite"

    def _begin(self, *, writes: bool) -> None:
        if self._is_sqlite:
            self._driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        elif not writes:
            # PostgreSQL would let each statement see another moment: a row that
            # the first has found may be gone for the second.
            self.dialect.set_isolation_level(self._driver, "REPEATABLE READ")

    def _forget_isolation(self) -> None:
        try:
            self._driver.rollback()
            self.dialect.reset_isolation_level(self._driver)
        except self._failures as failure:
            self._pooled.invalidate(failure)

    def _run(self, prepared: Prepared, values: Mapping[str, Any], fetch: str) -> Any:
        sql, ordered = prepared.write(self.dialect, values)
        try:
            return getattr(self._driver.execute(sql, ordered), fetch)()
        except self._failures as failure:
            raise self._wrapped(failure, sql) from failure

    def _wrapped(self, failure: Exception, sql: str | None = None) -> Exception:
        """Make of a driver's exception what SQLAlchemy makes of it."""
        lost = self.dialect.is_disconnect(failure, self._driver, None)  # type: ignore[arg-type]
        if lost and self._driver is not None:
            self._pooled.invalidate(failure)
        wrapped: Exception = DBAPIError.instance(
            sql,
            None,
            failure,
            self._failures,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=self.dialect,
        )
        return wrapped


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Transaction]:
    """Run a transaction; commit at the end, roll back on any exception.

    A reader sees one moment, and its first query says which: PostgreSQL would
    let each statement see another one.

    Raises:
        DiskFull: the database could not grow.
        Unavailable: the database is away, locked for too long or read-only.
    """
    with failures():
        running = Transaction(engine, writes=writes)
        try:
            yield running
            running.commit()
        finally:
            running.close()


@dataclass(frozen=True, slots=True)
class Database:
    """What the catalogue is kept in.

    Args:
        product: with its version.
        size_bytes: on the disk of the database.
    """

    product: str
    size_bytes: int


def describe(running: Transaction) -> Database:
    """Ask a database what it is."""
    if running.dialect.name == "postgresql":
        version = running.execute(text("SHOW server_version")).scalar_one()
        size = running.execute(text("SELECT pg_database_size(current_database())"))
        return Database(f"PostgreSQL {version}", int(size.scalar_one()))
    pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    size_bytes = int(running.execute(text(pages)).scalar_one())
    return Database(f"SQLite {sqlite3.sqlite_version}", size_bytes)


def begin_reading(connection: Connection) -> RootTransaction:
    """Begin a transaction that sees one moment; its first query says which.

    PostgreSQL would let each statement see another one: a row that the first
    has found may be gone for the second. The caller ends it, and translates
    failures.
    """
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ")
    return connection.begin()


def begin_writing(connection: Connection) -> RootTransaction:
    """Begin a transaction that keeps other writers out, as `transaction` does.

    The caller ends it, and translates failures.
    """
    return connection.execution_options(**{_WRITES: True}).begin()


@contextmanager
def failures() -> Iterator[None]:
    """Translate what the drivers raise into refusals.

    Raises:
        DiskFull: the database could not grow.
        Unavailable: the database is away, locked for too long or read-only.
    """
    try:
        yield
    except Refused:
        raise
    except TimeoutError as error:
        raise Unavailable("The database is busy.", retry_after_seconds=5) from error
    except OperationalError as error:
        raise _refusal(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("The database is away.", retry_after_seconds=5) from error
        raise


def _refusal(error: OperationalError) -> Refused:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return DiskFull("The disk is full.")
    elif getattr(cause, "sqlstate", None) == "53100":  # disk_full
        return DiskFull("The disk of the database is full.")
    return Unavailable("The database cannot be used now.", retry_after_seconds=5)
