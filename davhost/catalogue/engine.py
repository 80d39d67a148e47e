"""What is particular to SQLite and PostgreSQL: settings, transactions, failures.

Transactions of writers begin with the lock they need, so that two of them
never deadlock on an upgrade: ``BEGIN IMMEDIATE`` on SQLite, the row of the
space on PostgreSQL (`Catalogue.write`). Those of readers see one moment, with
all their statements.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    RootTransaction,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError

from ..errors import DiskFull, Unavailable

#: How long a statement waits for another writer before it gives up.
BUSY_SECONDS = 15

#: Statements that a connection keeps compiled.
_STATEMENTS_MAX = 500

_WRITES = "davhost_writes"


def connect(database_url: str, *, durable: bool) -> Engine:
    """Make the engine; no connection is opened yet.

    It keeps none open: `transactions.Connections` does.

    Args:
        database_url: ``sqlite:///file`` or ``postgresql+psycopg://…``.
        durable: whether a commit waits for the disk; without it a power cut
            may take the last moments, though never half a change.

    Raises:
        ValueError: another kind of database.
    """
    url = make_url(database_url)
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url, durable)
        case "postgresql":
            return _postgresql(url, durable)
        case other:
            raise ValueError(f"{other} is not supported: use sqlite or postgresql+psycopg")


def _sqlite(url: URL, durable: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        connect_args={
            "timeout": BUSY_SECONDS,
            "check_same_thread": False,
            "cached_statements": _STATEMENTS_MAX,
        },
    )
    synchronous = "FULL" if durable else "NORMAL"

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours: see begin()
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            "foreign_keys = ON",
            # KiB, for each connection. What is not in it the system still has.
            "cache_size = -4000",
            # Small, so that a full disk still has room for the log.
            "wal_autocheckpoint = 500",
            "journal_size_limit = 4194304",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:  # as it is inside a transactions.Transaction
            writes = connection.get_execution_options().get(_WRITES, False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL, durable: bool) -> Engine:
    options = f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=60s"
    if not durable:
        options += " -c synchronous_commit=off"
    return create_engine(
        url,
        poolclass=NullPool,
        connect_args={"options": options, "connect_timeout": 5},
    )


@dataclass(frozen=True, slots=True)
class Database:
    """What the catalogue is kept in.

    Args:
        product: with its version.
        size_bytes: on the disk of the database.
    """

    product: str
    size_bytes: int


def describe(connection: Connection) -> Database:
    """Ask a database what it is."""
    if connection.dialect.name == "postgresql":
        version = connection.execute(text("SHOW server_version")).scalar_one()
        size = connection.execute(text("SELECT pg_database_size(current_database())"))
        return Database(f"PostgreSQL {version}", int(size.scalar_one()))
    pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    size_bytes = int(connection.execute(text(pages)).scalar_one())
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
    """Translate what SQLAlchemy raises into refusals.

    Raises:
        DiskFull: the database could not grow.
        Unavailable: the database is away, locked for too long or read-only.
    """
    try:
        yield
    except DBAPIError as error:
        refusal = refusal_of(error)
        if refusal is error:
            raise
        raise refusal from error


def refusal_of(error: DBAPIError) -> Exception:
    """Say what *error* means for a request; itself, when it is a fault of ours."""
    if not isinstance(error, OperationalError):
        away = Unavailable("The database is away.", retry_after_seconds=5)
        return away if error.connection_invalidated else error
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return DiskFull("The disk is full.")
    elif getattr(cause, "sqlstate", None) == "53100":  # disk_full
        return DiskFull("The disk of the database is full.")
    return Unavailable("The database cannot be used now.", retry_after_seconds=5)
