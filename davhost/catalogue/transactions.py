"""Transactions: several statements that see one moment, and that are done all or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError

from .connections import Connections, Lent
from .engine import BUSY_SECONDS, refusal_of
from .prepared import Prepared
from .writers import Group

T = TypeVar("T")


class Transaction:
    """A transaction, from ``with`` to its end: it is committed unless there is an exception.

    What is `Prepared` goes straight to the driver. Everything else goes through
    SQLAlchemy. Inside, both raise what SQLAlchemy raises; what leaves it is
    translated.

    Args:
        shares: it writes so little that on SQLite others may wait for it before
            their own commit, and it for them.

    Raises:
        DiskFull: the database could not grow.
        Unavailable: the database is away, locked for too long or read-only.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        writes: bool = False,
        shares: bool = False,
    ) -> None:
        self.dialect = connections.dialect
        self._connections = connections
        self._writers = connections.writers if writes else None
        self._writes = writes
        self._shares = shares
        #: Whose transaction it goes on with, and whom it hands it over to.
        self._group: Group[Lent] | None = None
        self._is_part = False
        self._failures = connections.failures
        self._driver: Any = None

    def __enter__(self) -> Transaction:
        """Begin it."""
        if self._writers is not None:
            self._group = self._writers.enter(shares=self._shares, seconds=BUSY_SECONDS)
            self._is_part = self._group is not None
        try:
            self._lent = self._group.shared if self._group else self._connections.lend()
        except BaseException:
            self._leave(is_over=False, lost=None)
            raise
        self._driver = self._lent.driver
        try:
            self._begin()
        except BaseException as failure:
            lost = self._wrapped(failure) if isinstance(failure, self._failures) else None
            self._give_back(is_over=False, lost=lost)
            if lost is not None:
                raise refusal_of(lost) from failure
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        raised: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Commit or roll back, and give the connection back."""
        failure = raised if isinstance(raised, DBAPIError) else None
        is_shared = is_over = False
        lost: DBAPIError | None = None
        try:
            if self._is_part:
                self._end_part(is_done=raised is None)
            if raised is None or self._is_part:
                is_shared = self._hand_over()
                if not is_shared:
                    self._lent.commit()
                is_over = True
        except (self._failures, DBAPIError) as not_committed:
            # If the disk was too full for one of its statements, a part cannot end:
            # nothing is left of the whole transaction.
            lost = failure or self._wrapped(not_committed)
        finally:
            if not is_shared:
                self._give_back(is_over=is_over, lost=lost)
        failure = (self._group.failure if self._group else lost) or failure
        if failure is not None and (refusal := refusal_of(failure)) is not raised:
            raise refusal from failure

    def rows(self, prepared: Prepared, **values: Any) -> list[Any]:
        """Fetch all rows, as tuples."""
        rows: list[Any] = self._run(prepared, values).fetchall()
        return rows

    def row(self, prepared: Prepared, **values: Any) -> Any:
        """Fetch the first row, as a tuple; None when there is none."""
        return self._run(prepared, values).fetchone()

    def run(self, prepared: Prepared, **values: Any) -> int:
        """Execute what returns no rows, and say how many it changed."""
        return int(self._run(prepared, values).rowcount)

    def insert(self, prepared: Prepared, **values: Any) -> int:
        """Execute an `inserting` of one row, and tell its key."""
        cursor = self._run(prepared, values)
        return int(cursor.lastrowid if self._connections.is_sqlite else cursor.fetchone()[0])

    def execute(
        self, statement: Executable, parameters: Any = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute any statement through SQLAlchemy."""
        return self.through_sqlalchemy.execute(statement, parameters)

    @property
    def through_sqlalchemy(self) -> Connection:
        """SQLAlchemy's view of the same transaction."""
        return self._lent.through_sqlalchemy

    def _begin(self) -> None:
        if self._is_part:
            self._driver.execute("SAVEPOINT part")
        elif self._connections.is_sqlite:
            self._driver.execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
        elif not self._writes:
            # PostgreSQL would let each statement see another moment: a row that
            # the first has found may be gone for the second.
            self.dialect.set_isolation_level(self._driver, "REPEATABLE READ")

    def _run(self, prepared: Prepared, values: Mapping[str, Any]) -> Any:
        sql, ordered = prepared.write(self.dialect, values)
        try:
            return self._driver.execute(sql, ordered)
        except self._failures as failure:
            raise self._wrapped(failure, sql) from failure

    def _end_part(self, *, is_done: bool) -> None:
        if not is_done:
            self._driver.execute("ROLLBACK TO part")
        self._driver.execute("RELEASE part")

    def _hand_over(self) -> bool:
        """Let the next writer commit what was done here; whether there is one who has."""
        if self._writers is None or not self._shares:
            return False
        group = self._writers.hand_over(self._group, self._lent)
        self._group = group or self._group
        return group is not None

    def _leave(self, *, is_over: bool, lost: DBAPIError | None) -> None:
        """Let the next writer in, and those go on who had handed over to this one."""
        if self._writers is None:
            return
        if self._group is not None and not is_over:
            self._group.failure = lost or self._wrapped(self._failures("broken off"))
        self._writers.leave(self._group)

    def _give_back(self, *, is_over: bool, lost: DBAPIError | None = None) -> None:
        lent = self._lent
        usable = lent.pooled.is_valid and not lent.is_lost
        try:
            if usable and not is_over:
                lent.roll_back()
            if usable and not (self._writes or self._connections.is_sqlite):
                self.dialect.reset_isolation_level(self._driver)
        except (self._failures, DBAPIError):
            usable = False
        try:
            self._connections.take_back(lent, usable=usable)
        finally:
            self._leave(is_over=is_over, lost=lost)

    def _wrapped(self, failure: Exception, sql: str | None = None) -> DBAPIError:
        return self._connections.wrapped(failure, self._lent, sql)


class Opening(Generic[T]):
    """A transaction that is seen as a *T* from ``with`` to its end.

    Args:
        see: makes it of the transaction that has begun.
        after_commit: is called when everything is done and committed.

    Raises:
        Refused: as `Transaction`, and what *see* raises.
    """

    def __init__(
        self,
        transaction: Transaction,
        see: Callable[[Transaction], T],
        after_commit: Callable[[], None] | None = None,
    ) -> None:
        self._transaction = transaction
        self._see = see
        self._after_commit = after_commit

    def __enter__(self) -> T:
        """Begin it."""
        running = self._transaction.__enter__()
        try:
            return self._see(running)
        except BaseException as error:
            running.__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commit or roll back."""
        self._transaction.__exit__(kind, raised, traceback)
        if raised is None and self._after_commit is not None:
            self._after_commit()
