"""The connections to the database, which are lent to one transaction or question each."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError

from .engine import BUSY_SECONDS, refusal_of
from .prepared import Prepared
from .writers import Door, Writers, busy

#: How many transactions a process runs at once.
_LENT_MAX = 24
#: How many connections stay open when none is used.
_IDLE_MAX = 8
#: A database may have been away since a connection was used last: after so long it is asked.
_TRUSTED_SECONDS = 1.0


class Lent:
    """A connection: of the driver, and of SQLAlchemy around the same one.

    Attributes:
        is_lost: the database has ended it.
        returned_at: when it was used last, on the monotonic clock.
    """

    def __init__(self, engine: Engine) -> None:
        self.pooled = engine.raw_connection()
        self.driver: Any = self.pooled.driver_connection
        self.is_lost = False
        self.returned_at = 0.0
        self._engine = engine
        self._connection: Connection | None = None

    @property
    def through_sqlalchemy(self) -> Connection:
        """SQLAlchemy's view of it, made when it is first used."""
        if self._connection is None:
            self._connection = Connection(self._engine, self.pooled)
        return self._connection

    def commit(self) -> None:
        """Commit a transaction, whichever way its statements took."""
        if self._connection is not None and self._connection.in_transaction():
            self._connection.commit()
        else:
            self.driver.commit()

    def roll_back(self) -> None:
        """End a transaction without a trace, also one whose commit has failed."""
        if self._connection is not None:
            self._connection.rollback()
        self.driver.rollback()


class Connections:
    """Lends the connections of one process to one user each; safe for threads.

    A pool of SQLAlchemy's does more for each loan than a short query takes. The
    connection that came back last goes out first: it has most in its cache.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect: Dialect = engine.dialect
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.failures = engine.dialect.loaded_dbapi.Error
        self._door = Door(Path(f"{engine.url.database}-writers")) if self.is_sqlite else None
        self.writers = Writers[Lent](self._door) if self._door else None
        self._idle: deque[Lent] = deque()
        #: One for each connection that may still be lent; quicker than a semaphore.
        self._room: SimpleQueue[None] = SimpleQueue()
        for _ in range(_LENT_MAX):
            self._room.put(None)

    def lend(self) -> Lent:
        """Lend a connection until `take_back`.

        Raises:
            Unavailable: none can be opened, or as many as there may be are lent and
                none comes back.
        """
        try:
            self._room.get(timeout=BUSY_SECONDS)
        except Empty:
            raise busy() from None
        try:
            return self._find_idle() or Lent(self.engine)
        except BaseException as failure:
            self._room.put(None)
            if isinstance(failure, (self.failures, DBAPIError)):
                raise refusal_of(self.wrapped(failure)) from failure
            raise

    def take_back(self, lent: Lent, *, usable: bool) -> None:
        """Take back a connection without a transaction; what is not *usable* is closed."""
        if usable and len(self._idle) < _IDLE_MAX:
            if not self.is_sqlite:
                lent.returned_at = time.monotonic()
            self._idle.append(lent)
        else:
            lent.pooled.invalidate()
        self._room.put(None)

    def row(self, prepared: Prepared, **values: Any) -> Any:
        """Run one statement that reads, and fetch its first row; None when there is none.

        It sees one moment by itself, so the database need not be told where a
        transaction begins and ends.

        Raises:
            Unavailable: the database cannot be used now.
        """
        lent = self.lend()
        is_done = False
        try:
            row = self._fetch_by_itself(lent.driver, *prepared.write(self.dialect, values))
            is_done = True
        except self.failures as failure:
            raise refusal_of(self.wrapped(failure, lent)) from failure
        finally:
            self.take_back(lent, usable=is_done)
        return row

    def wrapped(
        self, failure: Exception, lent: Lent | None = None, sql: str | None = None
    ) -> DBAPIError:
        """Make of a driver's exception what SQLAlchemy makes of it.

        Args:
            lent: where it came from.
        """
        if isinstance(failure, DBAPIError):
            return failure
        driver = lent.driver if lent else None
        is_lost = self.dialect.is_disconnect(failure, driver, None)  # type: ignore[arg-type]
        if is_lost:
            self.close_idle()  # the others are most likely lost too
        if lent is not None:
            lent.is_lost |= is_lost
        wrapped = DBAPIError.instance(
            sql,
            None,
            failure,
            self.failures,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=self.dialect,
        )
        return cast(DBAPIError, wrapped)

    def close(self) -> None:
        """Close what is open but for the connections that are lent."""
        self.close_idle()
        if self._door is not None:
            self._door.close()

    def close_idle(self) -> None:
        """Close the connections that are not lent."""
        while self._idle:
            self._idle.pop().pooled.close()

    def _find_idle(self) -> Lent | None:
        while self._idle:
            try:
                lent = self._idle.pop()
            except IndexError:  # another thread was faster
                return None
            if self.is_sqlite or self._is_there(lent):
                return lent
            lent.pooled.invalidate()
        return None

    def _is_there(self, lent: Lent) -> bool:
        if time.monotonic() - lent.returned_at < _TRUSTED_SECONDS:
            return True
        try:
            return self.dialect.do_ping(lent.driver)
        except self.failures:
            return False

    def _fetch_by_itself(self, driver: Any, sql: str, values: Any) -> Any:
        if self.is_sqlite:
            return driver.execute(sql, values).fetchone()
        driver.autocommit = True
        row = driver.execute(sql, values).fetchone()
        driver.autocommit = False
        return row
