"""One transaction, whichever way its statements take to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from davhost.catalogue import Catalogue, connections, engine
from davhost.catalogue.connections import Connections
from davhost.catalogue.prepared import Prepared
from davhost.catalogue.schema import known_address, throttle
from davhost.catalogue.transactions import Transaction
from davhost.errors import Unavailable

_ADD = Prepared(insert(throttle), ["key", "wrong", "at"])
_WRONG = Prepared(select(throttle.c.wrong).where(throttle.c.key == bindparam("key")))


@pytest.fixture
def database(database_url: str) -> Iterator[Connections]:
    """A database with all tables, all of them empty."""
    catalogue = Catalogue(database_url)
    catalogue.upgrade()
    catalogue.close()
    made = Connections(engine.connect(database_url, durable=False))
    yield made
    made.close()


def add(running: Transaction, key: str) -> None:
    """Add a row by the short way."""
    running.run(_ADD, key=key, wrong=1.0, at=0.0)


def test_both_ways_are_one_transaction(database: Connections) -> None:
    """Each sees what the other has done, before it is committed."""
    with Transaction(database, writes=True) as running:
        add(running, "short")
        running.execute(insert(throttle).values(key="long", wrong=2.0, at=0.0))
        assert running.row(_WRONG, key="long") == (2.0,)
        add(running, "short again")
        found = running.execute(select(throttle.c.key).order_by(throttle.c.key)).scalars()
        assert list(found) == ["long", "short", "short again"]
    with Transaction(database, writes=False) as running:
        assert running.row(_WRONG, key="short") == (1.0,)


def fail_after(database: Connections, *keys: str, also_long: bool = False) -> None:
    """Write rows in a transaction that comes to nothing."""
    with Transaction(database, writes=True) as running:
        for key in keys:
            add(running, key)
        if also_long:
            running.execute(insert(throttle).values(key="long", wrong=2.0, at=0.0))
        raise ZeroDivisionError


@pytest.mark.parametrize("also_long", [False, True])
def test_what_fails_leaves_nothing(database: Connections, *, also_long: bool) -> None:
    """Whatever was done before the exception was never done."""
    with pytest.raises(ZeroDivisionError):
        fail_after(database, "short", also_long=also_long)
    with Transaction(database, writes=False) as running:
        assert running.execute(select(throttle.c.key)).all() == []


def test_a_row_that_is_there_is_an_integrity_error(database: Connections) -> None:
    """As SQLAlchemy would say it; the connection can be used again."""
    with pytest.raises(IntegrityError):
        fail_after(database, "a", "a")
    with Transaction(database, writes=True) as running:
        add(running, "a")


def test_a_commit_that_fails_leaves_a_connection_that_works(tmp_path: Path) -> None:
    """Nothing of it stays, neither in the tables nor on the way to them.

    On SQLite, where it may be the disk that is full; PostgreSQL has no constraint of
    ours that waits for the commit.
    """
    url = f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    catalogue = Catalogue(url)
    catalogue.upgrade()
    catalogue.close()
    database = Connections(engine.connect(url, durable=False))
    with pytest.raises(IntegrityError):
        _break_a_promise_until_the_commit(database)
    for _ in range(2):
        with Transaction(database, writes=True) as running:
            assert running.execute(select(known_address.c.address)).all() == []
    database.close()


def _break_a_promise_until_the_commit(database: Connections) -> None:
    with Transaction(database, writes=True) as running:
        running.execute(text("PRAGMA defer_foreign_keys = ON"))
        running.execute(insert(known_address).values(user_id=1, address="nobody's", at_us=0))


def test_a_reader_sees_one_moment(database: Connections) -> None:
    """What somebody else commits meanwhile does not show; the next one sees it."""
    with Transaction(database, writes=False) as reading:
        assert reading.row(_WRONG, key="new") is None
        with Transaction(database, writes=True) as writing:
            add(writing, "new")
        assert reading.row(_WRONG, key="new") is None
        assert reading.execute(select(throttle.c.key)).all() == []
    with Transaction(database, writes=False) as reading:
        assert reading.row(_WRONG, key="new") == (1.0,)


def test_a_database_that_went_away_is_found_again(postgres_url: str) -> None:
    """The request in between is refused, and is worth a try later."""
    database = Connections(engine.connect(postgres_url, durable=False))
    with pytest.raises(Unavailable):
        _ask_after_the_end(database)
    with Transaction(database, writes=False) as running:
        assert running.row(_PID) is not None
    database.close()


def _ask_after_the_end(database: Connections) -> None:
    with Transaction(database, writes=False) as running:
        (pid,) = running.row(_PID)
        with database.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        running.row(_PID)


def test_a_connection_that_was_cut_while_idle_is_not_used(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while it is asked before it is lent; nobody is refused."""
    monkeypatch.setattr(connections, "_TRUSTED_SECONDS", 0.0)
    database = Connections(engine.connect(postgres_url, durable=False))
    with Transaction(database, writes=False) as running:
        (pid,) = running.row(_PID)
    with database.engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with Transaction(database, writes=False) as running:
        assert running.row(_PID) != (pid,)
    database.close()


def test_connections_are_lent_again_and_never_too_many(
    database: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds none is refused after a while, and may try again later."""
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.01)
    with ExitStack() as stack:
        for _ in range(24):
            stack.enter_context(Transaction(database, writes=False))
        with pytest.raises(Unavailable, match="busy"), Transaction(database, writes=False):
            pass
    for _ in range(50):
        with Transaction(database, writes=False) as running:
            assert running.row(_WRONG, key="none") is None


def test_a_writer_may_come_after_a_reader_on_one_connection(database: Connections) -> None:
    """What reading asks of a connection ends with the reading."""
    for round_number in range(3):
        with Transaction(database, writes=False) as reading:
            reading.execute(select(known_address.c.address)).all()
        with Transaction(database, writes=True) as writing:
            add(writing, f"round {round_number}")


def test_a_statement_by_itself_sees_what_was_committed(database: Connections) -> None:
    """And nothing of what is still going on; what comes after it is a transaction again."""
    assert database.row(_WRONG, key="new") is None
    with Transaction(database, writes=True) as writing:
        add(writing, "new")
        assert database.row(_WRONG, key="new") is None
    assert database.row(_WRONG, key="new") == (1.0,)
    with pytest.raises(ZeroDivisionError):
        fail_after(database, "never")
    assert database.row(_WRONG, key="never") is None


def test_a_statement_by_itself_that_fails_costs_its_connection(database: Connections) -> None:
    """The next one gets another, however often it happens."""
    nonsense = Prepared(text("SELECT nothing FROM nowhere"))
    for _ in range(30):
        with pytest.raises((DBAPIError, Unavailable)):
            database.row(nonsense)
    assert database.row(_WRONG, key="none") is None


def test_a_statement_by_itself_finds_a_database_that_went_away(postgres_url: str) -> None:
    """The request in between is refused, and is worth a try later."""
    database = Connections(engine.connect(postgres_url, durable=False))
    (pid,) = database.row(_PID)
    with database.engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with pytest.raises(Unavailable):
        database.row(_PID)
    assert database.row(_PID) != (pid,)
    database.close()


_PID = Prepared(text("SELECT pg_backend_pid()"))
