"""One transaction, whichever way its statements take to the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, bindparam, insert, select, text
from sqlalchemy.exc import IntegrityError

from davhost.catalogue import Catalogue, engine
from davhost.catalogue.prepared import Prepared
from davhost.catalogue.schema import known_address, throttle
from davhost.errors import Unavailable

_ADD = Prepared(insert(throttle), ["key", "wrong", "at"])
_WRONG = Prepared(select(throttle.c.wrong).where(throttle.c.key == bindparam("key")))


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """A database with all tables, all of them empty."""
    catalogue = Catalogue(database_url)
    catalogue.upgrade()
    catalogue.close()
    made = engine.connect(database_url, durable=False)
    yield made
    made.dispose()


def add(running: engine.Transaction, key: str) -> None:
    """Add a row by the short way."""
    running.run(_ADD, key=key, wrong=1.0, at=0.0)


def test_both_ways_are_one_transaction(database: Engine) -> None:
    """Each sees what the other has done, before it is committed."""
    with engine.transaction(database, writes=True) as running:
        add(running, "short")
        running.execute(insert(throttle).values(key="long", wrong=2.0, at=0.0))
        assert running.row(_WRONG, key="long") == (2.0,)
        add(running, "short again")
        found = running.execute(select(throttle.c.key).order_by(throttle.c.key)).scalars()
        assert list(found) == ["long", "short", "short again"]
    with engine.transaction(database, writes=False) as running:
        assert running.row(_WRONG, key="short") == (1.0,)


def fail_after(database: Engine, *keys: str, also_long: bool = False) -> None:
    """Write rows in a transaction that comes to nothing."""
    with engine.transaction(database, writes=True) as running:
        for key in keys:
            add(running, key)
        if also_long:
            running.execute(insert(throttle).values(key="long", wrong=2.0, at=0.0))
        raise ZeroDivisionError


@pytest.mark.parametrize("also_long", [False, True])
def test_what_fails_leaves_nothing(database: Engine, *, also_long: bool) -> None:
    """Whatever was done before the exception was never done."""
    with pytest.raises(ZeroDivisionError):
        fail_after(database, "short", also_long=also_long)
    with engine.transaction(database, writes=False) as running:
        assert running.execute(select(throttle.c.key)).all() == []


def test_a_row_that_is_there_is_an_integrity_error(database: Engine) -> None:
    """As SQLAlchemy would say it; the connection can be used again."""
    with pytest.raises(IntegrityError):
        fail_after(database, "a", "a")
    with engine.transaction(database, writes=True) as running:
        add(running, "a")


def test_a_reader_sees_one_moment(database: Engine) -> None:
    """What somebody else commits meanwhile does not show; the next one sees it."""
    with engine.transaction(database, writes=False) as reading:
        assert reading.row(_WRONG, key="new") is None
        with engine.transaction(database, writes=True) as writing:
            add(writing, "new")
        assert reading.row(_WRONG, key="new") is None
        assert reading.execute(select(throttle.c.key)).all() == []
    with engine.transaction(database, writes=False) as reading:
        assert reading.row(_WRONG, key="new") == (1.0,)


def test_a_database_that_went_away_is_found_again(postgres_url: str) -> None:
    """The request in between is refused, and is worth a try later."""
    database = engine.connect(postgres_url, durable=False)
    with pytest.raises(Unavailable):
        _ask_after_the_end(database)
    with engine.transaction(database, writes=False) as running:
        assert running.row(_PID) is not None
    database.dispose()


def _ask_after_the_end(database: Engine) -> None:
    with engine.transaction(database, writes=False) as running:
        (pid,) = running.row(_PID)
        with database.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        running.row(_PID)


def test_a_writer_may_come_after_a_reader_on_one_connection(database: Engine) -> None:
    """What reading asks of a connection ends with the reading."""
    for round_number in range(3):
        with engine.transaction(database, writes=False) as reading:
            reading.execute(select(known_address.c.address)).all()
        with engine.transaction(database, writes=True) as writing:
            add(writing, f"round {round_number}")


_PID = Prepared(text("SELECT pg_backend_pid()"))
