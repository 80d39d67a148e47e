"""Statements that are asked with nearly every request, written once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Column, Dialect, Table, insert
from sqlalchemy.sql.elements import CompilerElement


class Prepared:
    """A statement that is compiled once for each database, for `transactions.Transaction`.

    SQLAlchemy looks through a whole expression at each use, to find what it
    compiled before; that takes many times what the query itself does. So these
    go to the driver as they are, and their rows come as the driver gives them:
    what is true is 1 on SQLite.

    Args:
        make: writes the statement for a dialect (``sqlite``, ``postgresql``), its
            values as `bindparam`; or the statement, where it is the same for both.
        columns: those that an INSERT or UPDATE sets, to values of the same names.
    """

    def __init__(
        self,
        make: CompilerElement | Callable[[str], CompilerElement],
        columns: Sequence[str] = (),
    ) -> None:
        self._make = make
        self._columns = list(columns) or None
        self._compiled: dict[str, _Compiled] = {}

    def write(
        self, dialect: Dialect, values: Mapping[str, Any]
    ) -> tuple[str, Sequence[Any] | Mapping[str, Any]]:
        """Return the SQL and its values, in the form that the driver takes."""
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        sql, order, constants = compiled
        if constants:
            values = {**constants, **values}
        return sql, values if order is None else order(values)

    def _compile(self, dialect: Dialect) -> _Compiled:
        make = self._make
        statement = make if isinstance(make, CompilerElement) else make(dialect.name)
        compiled: Any = statement.compile(dialect=dialect, column_keys=self._columns)
        binds = compiled.binds.items()
        constants = {name: bind.value for name, bind in binds if not bind.required}
        return _Compiled(str(compiled), _picker(compiled.positiontup), constants)


class Asked(Protocol):
    """Runs a statement: in a transaction, or by itself."""

    def row(self, prepared: Prepared, **values: Any) -> Any:
        """Fetch the first row, as a tuple; None when there is none."""
        ...


def inserting(table: Table, *, returning: Column[int]) -> Callable[[str], CompilerElement]:
    """Write an INSERT of one row, for `transactions.Transaction.insert`.

    Args:
        returning: the key that the database makes, which SQLite tells without being asked.
    """
    statement = insert(table)
    return lambda dialect: statement if dialect == "sqlite" else statement.returning(returning)


class _Compiled(NamedTuple):
    """A statement as one driver takes it.

    Args:
        order: puts the values in their order, where they go by position.
        constants: the values that the statement itself has.
    """

    sql: str
    order: Callable[[Mapping[str, Any]], Sequence[Any]] | None
    constants: Mapping[str, Any]


def _picker(names: Sequence[str] | None) -> Callable[[Mapping[str, Any]], Sequence[Any]] | None:
    """Make what picks the values of *names*."""
    if names is None:
        return None
    if len(names) > 1:
        return itemgetter(*names)  # quicker than a loop, for some values
    return lambda values: [values[name] for name in names]
